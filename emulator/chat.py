"""OpenAI-compatible chat: POST /compatible-mode/v1/chat/completions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g

from emulator import faults
from emulator.asr import with_hearing
from emulator.brain import Answer, compose_all
from emulator.calls import Call
from emulator.chat_asr import transcription
from emulator.chat_limits import check_limits
from emulator.chat_request import ChatRequest, check_chat
from emulator.chat_shapes import identity, logprobs_of, usage_of
from emulator.chat_stream import error_frame, frames_of, noted
from emulator.journal import without_media
from emulator.models import find_chat_model
from emulator.requests import JSON, call_of, own_headers, read_json, stream_response, text_of
from emulator.scenario import Fault

blueprint = Blueprint("chat", __name__)


@blueprint.post("/compatible-mode/v1/chat/completions")
def completions() -> Response:
    """Answer a chat, whole or streamed; a recognition model transcribes instead."""
    call, body = call_of(), read_json()
    g.is_stream = bool(body.get("stream"))
    call.note("request", body=without_media(body), headers=own_headers())
    model = find_chat_model(body.get("model"), retired=call.scenario.models.retired)
    chat = check_chat(model, body.get("messages"), body)
    if model.family == "asr":
        return transcription(chat, call)
    check_limits(chat, is_stream=chat.is_stream)
    fault = faults.before_answer(call, "chat")
    chat = with_hearing(chat, call)
    return _answer(chat, compose_all(chat, call), call, fault)


def _answer(chat: ChatRequest, answers: tuple[Answer, ...], call: Call, fault: Fault | None) -> Response:
    if chat.is_stream:
        frames = faults.on_stream(frames_of(chat, answers, call), fault, call, error_frame)
        return stream_response(noted(frames, call))
    latency, steps = call.scenario.latency, max(len(answer.deltas) + len(answer.reasoning) for answer in answers)
    call.pause(latency.chat_first_token_ms + latency.chat_token_ms * steps)
    call.note("answered", text=answers[0].text)
    return Response(faults.on_body(text_of(_whole(chat, answers, call)).encode(), fault), content_type=JSON)


def _whole(chat: ChatRequest, answers: tuple[Answer, ...], call: Call) -> dict[str, Any]:
    choices = [
        {
            "message": _message(answer),
            "finish_reason": answer.finish_reason,
            "index": index,
            "logprobs": logprobs_of(answer.deltas, chat),
        }
        for index, answer in enumerate(answers)
    ]
    return {"choices": choices, "object": "chat.completion", "usage": usage_of(chat, answers)} | identity(chat, call)


def _message(answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.reasoning:
        message["reasoning_content"] = "".join(answer.reasoning)
    if answer.tool_calls:
        message["tool_calls"] = list(answer.tool_calls)
    return message
