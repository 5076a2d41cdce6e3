"""The vendor's own HTTP surface: text and multimodal generation (chat, recognition, synthesis), whole and streamed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, g

from emulator import faults, images
from emulator.asr import Heard, transcribe_part
from emulator.brain import Answer, compose, cut
from emulator.calls import Call
from emulator.chat_limits import check_limits
from emulator.chat_parts import audio_parts
from emulator.chat_request import ChatRequest, check_chat
from emulator.errors import ApiError
from emulator.models import find_model
from emulator.requests import (
    JSON,
    native_error_frame,
    native_frames,
    open_native,
    stream_response,
    text_of,
)
from emulator.scenario import Fault
from emulator.tts_http import synthesise

blueprint = Blueprint("native", __name__)
Output = dict[str, Any]


@blueprint.post("/api/v1/services/aigc/text-generation/generation")
def text_generation() -> Response:
    """Serve the models that only read and write."""
    call, body, inputs, parameters = _open()
    model = find_model(_name(body), "text", "translation", "native", retired=call.scenario.models.retired)
    messages = inputs.get("messages") or _as_messages(inputs.get("prompt"))
    return _chat(check_chat(model, messages, parameters), call, has_parts=False)


@blueprint.post("/api/v1/services/aigc/multimodal-generation/generation")
def multimodal_generation() -> Response:
    """Serve the models that see, hear, speak or draw."""
    call, body, inputs, parameters = _open()
    model = find_model(_name(body), "multimodal", "asr", "tts", "image", retired=call.scenario.models.retired)
    if model.family == "tts":
        return synthesise(model, inputs, call, is_stream=g.is_stream)
    if model.family == "image":
        return images.draw(model, inputs, parameters, call)
    chat = check_chat(model, inputs.get("messages"), parameters)
    return _recognition(chat, call) if model.family == "asr" else _chat(chat, call, has_parts=True)


def _open() -> tuple[Call, dict[str, Any], dict[str, Any], dict[str, Any]]:
    call, body, inputs = open_native()
    parameters = body.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise ApiError("Required body invalid, please check the request body format.")
    return call, body, inputs, parameters


def _name(body: dict[str, Any]) -> str:
    return str(body.get("model") or "")


def _as_messages(prompt: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) and prompt else []


# -- chat -------------------------------------------------------------------------------------------------------------


def _chat(chat: ChatRequest, call: Call, *, has_parts: bool) -> Response:
    check_limits(chat, is_stream=g.is_stream)
    is_incremental = bool(chat.options.get("incremental_output", chat.model.thinks_by_default))
    is_incremental = is_incremental and not chat.model.is_cumulative
    if chat.is_thinking and g.is_stream and not is_incremental:
        raise ApiError('The incremental_output parameter must be "true" when enable_thinking is true')
    fault, answer = faults.before_answer(call, "chat"), compose(chat, call)
    if not g.is_stream:
        latency = call.scenario.latency
        call.pause(latency.chat_first_token_ms + latency.chat_token_ms * len(answer.deltas))
        output = _output(
            chat, answer, answer.text, "".join(answer.reasoning), answer.finish_reason, has_parts=has_parts
        )
        call.note("answered", text=answer.text)
        return _whole({"output": output, "usage": _usage(answer, answer.output_tokens)}, fault, call)
    outputs = _timed(_stream(chat, answer, is_incremental=is_incremental, has_parts=has_parts), call)
    return _streamed(outputs, fault, call)


def _stream(chat: ChatRequest, answer: Answer, *, is_incremental: bool, has_parts: bool) -> Iterator[Output]:
    """Yield the frames of an answer: deltas, or the whole text so far."""
    said, thought, count = "", "", 0
    steps = [(piece, "") for piece in answer.reasoning] + [("", piece) for piece in answer.deltas]
    for reasoning, text in steps:
        said, thought, count = said + text, thought + reasoning, count + 1
        shown = (text, reasoning) if is_incremental else (said, thought)
        output = _output(chat, answer, *shown, "null", has_parts=has_parts)
        yield {"output": output, "usage": _usage(answer, count)}
    shown = ("", "") if is_incremental else (said, thought)
    output = _output(chat, answer, *shown, answer.finish_reason, has_parts=has_parts)
    yield {"output": output, "usage": _usage(answer, answer.output_tokens)}


def _output(
    chat: ChatRequest, answer: Answer, text: str, reasoning: str, finish_reason: str, *, has_parts: bool
) -> Output:
    if not has_parts and chat.options.get("result_format", "text") == "text":
        return {"finish_reason": finish_reason, "text": text}
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if has_parts:
        message["content"] = [{"text": text}] if text else []
    if answer.reasoning:
        message["reasoning_content"] = reasoning
    if answer.tool_calls and finish_reason != "null":
        message["tool_calls"] = list(answer.tool_calls)
    return {"choices": [{"message": message, "index": 0, "finish_reason": finish_reason}]}


def _usage(answer: Answer, output_tokens: int) -> dict[str, Any]:
    usage: dict[str, Any] = {
        "total_tokens": answer.prompt_tokens + output_tokens,
        "input_tokens": answer.prompt_tokens,
        "output_tokens": output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    if answer.reasoning:
        usage["output_tokens_details"] = {"reasoning_tokens": len(answer.reasoning)}
    return usage


def _timed(outputs: Iterator[Output], call: Call) -> Iterator[Output]:
    latency = call.scenario.latency
    due_s = time.monotonic() + latency.chat_first_token_ms / 1000
    for output in outputs:
        call.pause_until(due_s)
        yield output
        due_s += latency.chat_token_ms / 1000
    call.note("answered")


# -- recognition ------------------------------------------------------------------------------------------------------


def _recognition(chat: ChatRequest, call: Call) -> Response:
    fault = faults.before_answer(call, "asr")
    parts = audio_parts(chat.messages)
    if not parts:
        raise ApiError("The audio is empty")
    heard = transcribe_part(parts[-1], chat, call)
    if not g.is_stream:
        return _whole({"output": _heard(heard, heard.text, "stop"), "usage": _heard_usage(heard)}, fault, call)
    is_incremental = bool(chat.options.get("incremental_output"))
    return _streamed(_heard_stream(heard, is_incremental=is_incremental), fault, call)


def _heard_stream(heard: Heard, *, is_incremental: bool) -> Iterator[Output]:
    said = ""
    for piece in cut(heard.text, 8):
        said += piece
        output = _heard(heard, piece if is_incremental else said, "null")
        yield {"output": output, "usage": _heard_usage(heard)}
    yield {"output": _heard(heard, "" if is_incremental else said, "stop"), "usage": _heard_usage(heard)}


def _heard(heard: Heard, text: str, finish_reason: str) -> Output:
    content = [{"text": text}] if text else []
    message = {"annotations": heard.annotations, "content": content, "role": "assistant"}
    return {"choices": [{"finish_reason": finish_reason, "message": message}]}


def _heard_usage(heard: Heard) -> dict[str, Any]:
    return {
        "input_tokens_details": {"text_tokens": 0},
        "output_tokens_details": {"text_tokens": heard.tokens},
        "seconds": heard.seconds,
    }


# -- answers ----------------------------------------------------------------------------------------------------------


def _whole(body: Output, fault: Fault | None, call: Call) -> Response:
    return Response(faults.on_body(text_of(body | {"request_id": call.request_id}).encode(), fault), content_type=JSON)


def _streamed(outputs: Iterator[Output], fault: Fault | None, call: Call) -> Response:
    frames = native_frames(outputs, call.request_id)
    return stream_response(faults.on_stream(frames, fault, call, native_error_frame(call)))
