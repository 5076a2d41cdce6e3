"""OpenAI-compatible chat: POST /compatible-mode/v1/chat/completions and GET /compatible-mode/v1/models."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, g

from emulator import faults
from emulator.asr import transcribe_part
from emulator.brain import Answer, compose, cut
from emulator.calls import Call
from emulator.chat_request import ChatRequest, audio_parts, check_chat
from emulator.errors import ApiError, usual_error
from emulator.journal import without_media
from emulator.models import current_models, find_chat_model
from emulator.requests import JSON, call_of, json_response, read_json, stream_response, text_of
from emulator.scenario import Fault

blueprint = Blueprint("chat", __name__)


@blueprint.get("/compatible-mode/v1/models")
def models() -> Response:
    """List the models in service."""
    call = call_of()
    faults.before_answer(call, "models")
    call.note("models")
    rows = [{"id": m.name, "object": "model", "created": 1752741600, "owned_by": "system"} for m in current_models()]
    return json_response({"object": "list", "data": rows})


@blueprint.post("/compatible-mode/v1/chat/completions")
def completions() -> Response:
    """Answer a chat, whole or streamed; a recognition model transcribes instead."""
    call, body = call_of(), read_json()
    g.is_stream = bool(body.get("stream"))
    call.note("request", body=without_media(body))
    chat = check_chat(find_chat_model(body.get("model")), body.get("messages"), body)
    if chat.model.family == "asr":
        return _transcription(chat, call)
    _check_modalities(chat)
    fault = faults.before_answer(call, "chat")
    return _answer(chat, compose(chat, call), call, fault)


def _check_modalities(chat: ChatRequest) -> None:
    if "audio" in (chat.options.get("modalities") or []) and not chat.is_stream:
        raise ApiError("'audio' output only support with stream=true")


def _answer(chat: ChatRequest, answer: Answer, call: Call, fault: Fault | None) -> Response:
    if chat.is_stream:
        return stream_response(_noted(faults.on_stream(_frames(chat, answer, call), fault, call, _error_frame), call))
    latency = call.scenario.latency
    call.pause(latency.chat_first_token_ms + latency.chat_token_ms * (len(answer.deltas) + len(answer.reasoning)))
    call.note("answered", text=answer.text)
    return Response(faults.on_body(text_of(_whole(chat, answer, call)).encode(), fault), content_type=JSON)


def _whole(chat: ChatRequest, answer: Answer, call: Call) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.reasoning:
        message["reasoning_content"] = "".join(answer.reasoning)
    if answer.tool_calls:
        message["tool_calls"] = list(answer.tool_calls)
    count = int(chat.options.get("n") or 1)
    choices = [
        {"message": message, "finish_reason": answer.finish_reason, "index": index, "logprobs": None}
        for index in range(count)
    ]
    return {"choices": choices, "object": "chat.completion", "usage": usage_of(answer)} | _identity(chat, call)


def _identity(chat: ChatRequest, call: Call) -> dict[str, Any]:
    return {
        "created": int(time.time()),
        "system_fingerprint": None,
        "model": chat.model.name,
        "id": f"chatcmpl-{call.request_id}",
    }


def usage_of(answer: Answer) -> dict[str, Any]:
    """Return the usage counters of an answer in the compatible form."""
    usage: dict[str, Any] = {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.prompt_tokens + answer.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    if answer.reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": len(answer.reasoning)}
    return usage


def _frames(chat: ChatRequest, answer: Answer, call: Call) -> Iterator[str]:
    """Yield the stream of an answer, each delta at its time."""
    tail = {"object": "chat.completion.chunk", "usage": None} | _identity(chat, call)
    latency = call.scenario.latency
    due_s = time.monotonic() + latency.chat_first_token_ms / 1000
    for delta in _deltas(answer):
        call.pause_until(due_s)
        yield _frame([{"delta": delta, "finish_reason": None, "index": 0, "logprobs": None}], tail)
        due_s += latency.chat_token_ms / 1000
    end = {"content": "", "reasoning_content": None} if answer.reasoning else {"content": ""}
    yield _frame([{"finish_reason": answer.finish_reason, "delta": end, "index": 0, "logprobs": None}], tail)
    if chat.has_usage_chunk:
        yield _frame([], tail | {"usage": usage_of(answer)})
    yield "data: [DONE]\n\n"
    call.note("answered", text=answer.text)


def _frame(choices: list[dict[str, Any]], tail: dict[str, Any]) -> str:
    return f"data: {text_of({'choices': choices, **tail})}\n\n"


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.reasoning:
        yield {"content": None, "role": "assistant", "reasoning_content": ""}
        yield from ({"content": None, "reasoning_content": piece} for piece in answer.reasoning)
    elif not answer.tool_calls:
        yield {"content": "", "role": "assistant"}
    yield from ({"content": piece} for piece in answer.deltas)
    for tool_call in answer.tool_calls:
        yield from _tool_deltas(tool_call)


def _tool_deltas(tool_call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a tool call in fragments: the first names it, the others carry an empty id, as the service does."""
    index, function = tool_call["index"], tool_call["function"]
    first = tool_call | {"function": {"name": function["name"], "arguments": ""}}
    yield {"content": None, "role": "assistant", "tool_calls": [first]}
    for piece in cut(function["arguments"], 6):
        fragment = {"index": index, "id": "", "type": "function", "function": {"name": "", "arguments": piece}}
        yield {"content": None, "role": None, "tool_calls": [fragment]}


def _noted(frames: Iterator[str], call: Call) -> Iterator[str]:
    """Pass on a stream, and note in the journal when the client leaves before its end."""
    count = 0
    try:
        for frame in frames:
            yield frame
            count += 1
    except (GeneratorExit, ConnectionError):
        call.note("dropped", frames=count)
        raise


def _error_frame(fault: Fault) -> str:
    error = usual_error(fault.status, fault.code, fault.message)
    body = {"message": error.message, "type": error.type, "param": None, "code": error.compat_code}
    return f"data: {text_of({'error': body})}\n\n"


def _transcription(chat: ChatRequest, call: Call) -> Response:
    """Answer with what the ear heard, in the form of a chat completion."""
    fault = faults.before_answer(call, "asr")
    parts = audio_parts(chat.messages)
    if not parts:
        raise ApiError("The audio is empty")
    heard = transcribe_part(parts[-1], chat.options.get("asr_options") or {}, call)
    usage = {
        "completion_tokens": heard.tokens,
        "completion_tokens_details": {"text_tokens": heard.tokens},
        "prompt_tokens": heard.audio_tokens,
        "prompt_tokens_details": {"audio_tokens": heard.audio_tokens, "text_tokens": 0},
        "seconds": heard.seconds,
        "total_tokens": heard.tokens + heard.audio_tokens,
    }
    identity = {"created": int(time.time()), "id": f"chatcmpl-{call.request_id}", "model": chat.model.name}
    if chat.is_stream:
        tail = {"object": "chat.completion.chunk", "usage": None, "system_fingerprint": None} | identity
        last = [_frame([], tail | {"usage": usage})] if chat.has_usage_chunk else []
        frames = iter([*_transcript_frames(heard.text, heard.annotations, tail), *last, "data: [DONE]\n\n"])
        return stream_response(faults.on_stream(frames, fault, call, _error_frame))
    message = {"annotations": heard.annotations, "content": heard.text, "role": "assistant"}
    choices = [{"finish_reason": "stop", "index": 0, "message": message}]
    body = {"choices": choices, "object": "chat.completion", "usage": usage} | identity
    return Response(faults.on_body(text_of(body).encode(), fault), content_type=JSON)


def _transcript_frames(text: str, annotations: list[dict[str, Any]], tail: dict[str, Any]) -> Iterator[str]:
    yield _frame([{"delta": {"content": "", "role": "assistant"}, "finish_reason": None, "index": 0}], tail)
    for piece in cut(text, 8):
        delta = {"annotations": annotations, "content": piece, "role": None}
        yield _frame([{"delta": delta, "finish_reason": None, "index": 0}], tail)
    yield _frame([{"delta": {"role": None}, "finish_reason": "stop", "index": 0}], tail)
