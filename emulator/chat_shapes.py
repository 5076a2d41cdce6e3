"""Pieces of a compatible chat answer that its whole and its streamed form share."""

from __future__ import annotations

import math
import time
from typing import Any, Final

from emulator.brain import Answer
from emulator.calls import Call
from emulator.chat_request import ChatRequest

_CHOSEN: Final = -0.0513  # the model is 95 % sure of each token


def identity(chat: ChatRequest, call: Call) -> dict[str, Any]:
    """Return what stands in every chunk of an answer alike."""
    return {
        "created": int(time.time()),
        "system_fingerprint": None,
        "model": chat.model.name,
        "id": f"chatcmpl-{call.request_id}",
    }


def usage_of(chat: ChatRequest, answers: tuple[Answer, ...], *, audio_ms: int = 0) -> dict[str, Any]:
    """Return the usage counters of the answers to one prompt; `audio_ms` of them were spoken."""
    audio_tokens = _sound_tokens(chat, audio_ms / 1000) if audio_ms else 0
    text_tokens, reasoning_tokens = (sum(a.output_tokens for a in answers), sum(len(a.reasoning) for a in answers))
    prompt, completion = answers[0].prompt_tokens, text_tokens + audio_tokens
    usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    usage["total_tokens"] = prompt + completion
    usage["prompt_tokens_details"] = _prompt_details(chat, answers[0])
    details = {"reasoning_tokens": reasoning_tokens} if reasoning_tokens else {}
    if chat.model.speaks:
        details |= {"audio_tokens": audio_tokens} if audio_tokens else {}
        details["text_tokens"] = text_tokens
    return usage | ({"completion_tokens_details": details} if details else {})


def logprobs_of(pieces: tuple[str, ...], chat: ChatRequest) -> dict[str, Any] | None:
    """Return the probabilities of the tokens of a text, where they are asked for; the alternatives are made up."""
    if not chat.options.get("logprobs") or not pieces:
        return None
    rivals = range(1, chat.options.get("top_logprobs") or 0)
    return {"content": [_token(piece, _CHOSEN) | {"top_logprobs": _top(piece, rivals, chat)} for piece in pieces]}


def _top(piece: str, rivals: range, chat: ChatRequest) -> list[dict[str, Any]]:
    if not chat.options.get("top_logprobs"):
        return []
    return [_token(piece, _CHOSEN), *(_token(f"{piece}{'~' * rank}", _CHOSEN - 2.5 * rank) for rank in rivals)]


def _token(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "bytes": list(text.encode("utf-8", "replace")), "logprob": logprob}


def _prompt_details(chat: ChatRequest, answer: Answer) -> dict[str, int]:
    if not chat.model.speaks:
        return {"cached_tokens": 0}
    heard = _heard_tokens(chat)
    return ({"audio_tokens": heard} if heard else {}) | {"text_tokens": max(0, answer.prompt_tokens - heard)}


def _heard_tokens(chat: ChatRequest) -> int:
    """Return the tokens of the sounds that were heard: seven a second for qwen3.5-omni, 12.5 for the others."""
    return math.ceil(chat.heard_s * (7 if chat.model.name.startswith("qwen3.5") else 12.5))


def _sound_tokens(chat: ChatRequest, duration_s: float) -> int:
    """Return the tokens of what was spoken; less than a second counts as one."""
    rate = 25 if chat.model.name.startswith("qwen-omni-turbo") else 12.5
    return math.ceil(max(1.0, duration_s) * rate)
