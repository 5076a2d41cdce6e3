"""Pieces of a compatible chat answer that its whole and its streamed form share."""

from __future__ import annotations

import math
import time
from typing import Any

from emulator.brain import Answer
from emulator.calls import Call
from emulator.chat_request import ChatRequest


def identity(chat: ChatRequest, call: Call) -> dict[str, Any]:
    """Return what stands in every chunk of an answer alike."""
    return {
        "created": int(time.time()),
        "system_fingerprint": None,
        "model": chat.model.name,
        "id": f"chatcmpl-{call.request_id}",
    }


def usage_of(chat: ChatRequest, answer: Answer, *, audio_ms: int = 0) -> dict[str, Any]:
    """Return the usage counters of an answer; `audio_ms` of it were spoken."""
    audio_tokens = _sound_tokens(chat, audio_ms / 1000) if audio_ms else 0
    prompt, completion = answer.prompt_tokens, answer.output_tokens + audio_tokens
    usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    usage["total_tokens"] = prompt + completion
    usage["prompt_tokens_details"] = _prompt_details(chat, answer)
    details = {"reasoning_tokens": len(answer.reasoning)} if answer.reasoning else {}
    if chat.model.speaks:
        details |= {"audio_tokens": audio_tokens} if audio_tokens else {}
        details["text_tokens"] = answer.output_tokens
    return usage | ({"completion_tokens_details": details} if details else {})


def _prompt_details(chat: ChatRequest, answer: Answer) -> dict[str, int]:
    if not chat.model.speaks:
        return {"cached_tokens": 0}
    heard = prompt_sound_tokens(chat)
    return ({"audio_tokens": heard} if heard else {}) | {"text_tokens": max(0, answer.prompt_tokens - heard)}


def prompt_sound_tokens(chat: ChatRequest) -> int:
    """Return the tokens of the sounds that were heard: seven a second for qwen3.5-omni, 12.5 for the others."""
    return math.ceil(chat.heard_s * (7 if chat.model.name.startswith("qwen3.5") else 12.5))


def _sound_tokens(chat: ChatRequest, duration_s: float) -> int:
    """Return the tokens of what was spoken; less than a second counts as one."""
    rate = 25 if chat.model.name.startswith("qwen-omni-turbo") else 12.5
    return math.ceil(max(1.0, duration_s) * rate)
