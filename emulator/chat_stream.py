"""A compatible chat answer as a stream: chunks of text, reasoning, tool calls and sound, each at its time.

Source: DashScope HTTP reference §2.3 to §2.6.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from emulator.brain import Answer, cut
from emulator.calls import Call
from emulator.chat_request import ChatRequest
from emulator.chat_shapes import identity, logprobs_of, usage_of
from emulator.errors import usual_error
from emulator.omni import SpokenAnswer
from emulator.requests import text_of
from emulator.scenario import Fault

DONE = "data: [DONE]\n\n"
Delta = dict[str, Any]
Row = tuple[dict[str, Any] | None, ...]


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


def frames_of(chat: ChatRequest, answers: tuple[Answer, ...], call: Call) -> Iterator[str]:
    """Yield the stream of all choices, each delta at its time; what is spoken comes after what is written."""
    tail = {"object": "chat.completion.chunk", "usage": None} | identity(chat, call)
    spoken = SpokenAnswer(answers[0].text, chat, call) if chat.wants_sound else None
    for row in _timed(zip_longest(*(_choices(chat, answer, n, call) for n, answer in enumerate(answers))), call):
        yield from (frame([choice], tail) for choice in row if choice)
    for delta in spoken.deltas() if spoken else ():
        yield frame([_choice(delta)], tail)
    for index, answer in enumerate(answers):
        end = {"finish_reason": answer.finish_reason, "delta": _end(chat, answer), "index": index, "logprobs": None}
        yield frame([end], tail)
    if chat.has_usage_chunk:
        yield frame([], tail | {"usage": usage_of(chat, answers, audio_ms=spoken.duration_ms if spoken else 0)})
    yield DONE
    call.note("answered", text=answers[0].text)


def _choice(delta: Delta, index: int = 0, logprobs: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"delta": delta, "finish_reason": None, "index": index, "logprobs": logprobs}


def _timed(rows: Iterator[Row], call: Call) -> Iterator[Row]:
    latency = call.scenario.latency
    due_s = time.monotonic() + latency.chat_first_token_ms / 1000
    for row in rows:
        call.pause_until(due_s)
        yield row
        due_s += latency.chat_token_ms / 1000


def _choices(chat: ChatRequest, answer: Answer, index: int, call: Call) -> Iterator[dict[str, Any]]:
    """Yield one choice of each chunk: reasoning, then text, then tool calls."""
    if answer.reasoning:
        yield _choice({"content": None, "role": "assistant", "reasoning_content": ""}, index)
        yield from (_choice({"content": None, "reasoning_content": piece}, index) for piece in answer.reasoning)
    elif not answer.tool_calls:
        yield _choice({"content": "", "role": "assistant"}, index)
    said = ""
    for piece in answer.deltas:
        said += piece
        delta = _text_delta(said if chat.model.is_cumulative else piece, chat, call)
        yield _choice(delta, index, logprobs_of((piece,), chat))
    for tool_call in answer.tool_calls:
        yield from (_choice(delta, index) for delta in _tool_deltas(tool_call, chat))


def _text_delta(text: str, chat: ChatRequest, call: Call) -> Delta:
    if chat.wants_sound and (call.scenario.omni.text_in_audio or chat.model.name.startswith("qwen-omni-turbo")):
        return {"audio": {"transcript": text}}
    return {"content": text}


def _tool_deltas(tool_call: dict[str, Any], chat: ChatRequest) -> Iterator[Delta]:
    """Yield a tool call in fragments: the first names it, the others carry an empty id, as the service does.

    Where `tool_stream` is false, the arguments come in one piece.
    """
    index, function = tool_call["index"], tool_call["function"]
    first = tool_call | {"function": {"name": function["name"], "arguments": ""}}
    yield {"content": None, "role": "assistant", "tool_calls": [first]}
    size = len(function["arguments"]) if chat.options.get("tool_stream") is False else 6
    for piece in cut(function["arguments"], size):
        fragment = {"index": index, "id": "", "type": "function", "function": {"name": "", "arguments": piece}}
        yield {"content": None, "role": None, "tool_calls": [fragment]}


def _end(chat: ChatRequest, answer: Answer) -> Delta:
    if chat.model.is_cumulative:
        return {"content": answer.text}
    return {"content": "", "reasoning_content": None} if answer.reasoning else {"content": ""}
