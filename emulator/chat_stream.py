"""A compatible chat answer as a stream: chunks of text, reasoning, tool calls and sound, each at its time.

Source: DashScope HTTP reference §2.3 to §2.6.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from emulator.brain import Answer, cut
from emulator.calls import Call
from emulator.chat_request import ChatRequest
from emulator.chat_shapes import identity, usage_of
from emulator.errors import usual_error
from emulator.omni import SpokenAnswer
from emulator.requests import text_of
from emulator.scenario import Fault

DONE = "data: [DONE]\n\n"
Delta = dict[str, Any]


def frame(choices: list[dict[str, Any]], tail: dict[str, Any]) -> str:
    """Return one event; `tail` is what all events of the answer share."""
    return f"data: {text_of({'choices': choices, **tail})}\n\n"


def error_frame(fault: Fault) -> str:
    """Return a scripted error as the event that ends a stream."""
    error = usual_error(fault.status, fault.code, fault.message)
    body = {"message": error.message, "type": error.type, "param": None, "code": error.compat_code}
    return f"data: {text_of({'error': body})}\n\n"


def noted(frames: Iterator[str], call: Call) -> Iterator[str]:
    """Pass on a stream, and note in the journal when the client leaves before its end."""
    count = 0
    try:
        for event in frames:
            yield event
            count += 1
    except (GeneratorExit, ConnectionError):
        call.note("dropped", frames=count)
        raise


def frames_of(chat: ChatRequest, answer: Answer, call: Call) -> Iterator[str]:
    """Yield the stream of an answer, each delta at its time, what is spoken after what is written."""
    tail = {"object": "chat.completion.chunk", "usage": None} | identity(chat, call)
    spoken = SpokenAnswer(answer.text, chat, call) if chat.wants_sound else None
    for delta in _timed(_deltas(chat, answer, call), call):
        yield frame([_choice(delta)], tail)
    for delta in spoken.deltas() if spoken else ():
        yield frame([_choice(delta)], tail)
    yield frame(
        [{"finish_reason": answer.finish_reason, "delta": _end(chat, answer), "index": 0, "logprobs": None}], tail
    )
    if chat.has_usage_chunk:
        yield frame([], tail | {"usage": usage_of(chat, answer, audio_ms=spoken.duration_ms if spoken else 0)})
    yield DONE
    call.note("answered", text=answer.text)


def _choice(delta: Delta) -> dict[str, Any]:
    return {"delta": delta, "finish_reason": None, "index": 0, "logprobs": None}


def _timed(deltas: Iterator[Delta], call: Call) -> Iterator[Delta]:
    latency = call.scenario.latency
    due_s = time.monotonic() + latency.chat_first_token_ms / 1000
    for delta in deltas:
        call.pause_until(due_s)
        yield delta
        due_s += latency.chat_token_ms / 1000


def _deltas(chat: ChatRequest, answer: Answer, call: Call) -> Iterator[Delta]:
    if answer.reasoning:
        yield {"content": None, "role": "assistant", "reasoning_content": ""}
        yield from ({"content": None, "reasoning_content": piece} for piece in answer.reasoning)
    elif not answer.tool_calls:
        yield {"content": "", "role": "assistant"}
    said = ""
    for piece in answer.deltas:
        said += piece
        yield _text_delta(said if chat.model.is_cumulative else piece, chat, call)
    for tool_call in answer.tool_calls:
        yield from _tool_deltas(tool_call)


def _text_delta(text: str, chat: ChatRequest, call: Call) -> Delta:
    if chat.wants_sound and (call.scenario.omni.text_in_audio or chat.model.name.startswith("qwen-omni-turbo")):
        return {"audio": {"transcript": text}}
    return {"content": text}


def _tool_deltas(tool_call: dict[str, Any]) -> Iterator[Delta]:
    """Yield a tool call in fragments: the first names it, the others carry an empty id, as the service does."""
    index, function = tool_call["index"], tool_call["function"]
    first = tool_call | {"function": {"name": function["name"], "arguments": ""}}
    yield {"content": None, "role": "assistant", "tool_calls": [first]}
    for piece in cut(function["arguments"], 6):
        fragment = {"index": index, "id": "", "type": "function", "function": {"name": "", "arguments": piece}}
        yield {"content": None, "role": None, "tool_calls": [fragment]}


def _end(chat: ChatRequest, answer: Answer) -> Delta:
    if chat.model.is_cumulative:
        return {"content": answer.text}
    return {"content": "", "reasoning_content": None} if answer.reasoning else {"content": ""}
