"""Recognition through the compatible chat surface: the transcript in the form of a chat completion.

Source: DashScope HTTP reference §4.1.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from flask import Response

from emulator import faults
from emulator.asr import Heard, transcribe_part
from emulator.brain import cut
from emulator.calls import Call
from emulator.chat_parts import audio_parts
from emulator.chat_request import ChatRequest
from emulator.chat_stream import DONE, error_frame, frame
from emulator.errors import ApiError
from emulator.requests import JSON, stream_response, text_of


def transcription(chat: ChatRequest, call: Call) -> Response:
    """Answer with what the ear heard.  Raises: ApiError when there is no sound."""
    fault = faults.before_answer(call, "asr")
    parts = audio_parts(chat.messages)
    if not parts:
        raise ApiError("The audio is empty")
    heard = transcribe_part(parts[-1], chat, call)
    identity = {"created": int(time.time()), "id": f"chatcmpl-{call.request_id}", "model": chat.model.name}
    if chat.is_stream:
        return stream_response(faults.on_stream(_frames(heard, chat, identity), fault, call, error_frame))
    message = {"annotations": heard.annotations, "content": heard.text, "role": "assistant"}
    choices = [{"finish_reason": "stop", "index": 0, "message": message}]
    body = {"choices": choices, "object": "chat.completion", "usage": _usage(heard)} | identity
    return Response(faults.on_body(text_of(body).encode(), fault), content_type=JSON)


def _usage(heard: Heard) -> dict[str, Any]:
    return {
        "completion_tokens": heard.tokens,
        "completion_tokens_details": {"text_tokens": heard.tokens},
        "prompt_tokens": heard.audio_tokens,
        "prompt_tokens_details": {"audio_tokens": heard.audio_tokens, "text_tokens": 0},
        "seconds": heard.seconds,
        "total_tokens": heard.tokens + heard.audio_tokens,
    }


def _frames(heard: Heard, chat: ChatRequest, identity: dict[str, Any]) -> Iterator[str]:
    tail = {"object": "chat.completion.chunk", "usage": None, "system_fingerprint": None} | identity
    yield frame([{"delta": {"content": "", "role": "assistant"}, "finish_reason": None, "index": 0}], tail)
    for piece in cut(heard.text, 8):
        delta = {"annotations": heard.annotations, "content": piece, "role": None}
        yield frame([{"delta": delta, "finish_reason": None, "index": 0}], tail)
    yield frame([{"delta": {"role": None}, "finish_reason": "stop", "index": 0}], tail)
    if chat.has_usage_chunk:
        yield frame([], tail | {"usage": _usage(heard)})
    yield DONE
