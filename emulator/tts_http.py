"""Synthesis over HTTP: qwen3-tts-flash and its kin, whole (a link to a WAV file) or streamed (pieces of PCM)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from flask import Response

from emulator import faults
from emulator.brain import count_tokens
from emulator.calls import Call
from emulator.errors import ApiError
from emulator.files import keep_result
from emulator.models import Model
from emulator.requests import JSON, native_error_frame, native_frames, stream_response, text_of
from emulator.speech import billed_characters
from emulator.voice import Utterance, pcm_to_wav
from emulator.voices import is_known_voice

_RATE_HZ: Final = 24000
_LONGEST_TEXT: Final = 600
KEPT_S: Final = 86400
_LONGEST_INSTRUCTIONS: Final = 1600
_LANGUAGES: Final = tuple(
    "Auto Chinese English German Italian Portuguese Spanish Japanese Korean French Russian".split()
)


def synthesise(model: Model, inputs: dict[str, Any], call: Call, *, is_stream: bool) -> Response:
    """Answer a synthesis request.  Raises: ApiError for a bad text or voice."""
    text = _checked_text(model, inputs)
    fault = faults.before_answer(call, "tts_http")
    utterance = call.vendor.voice.begin(_RATE_HZ)
    utterance.add(text)
    utterance.finish()
    if is_stream:
        frames = native_frames(_pieces(text, utterance, call), call.request_id)
        return stream_response(faults.on_stream(frames, fault, call, native_error_frame(call)))
    call.pause(call.scenario.latency.tts_first_audio_ms)
    duration_ms = utterance.pending_ms
    url = _keep(utterance.take(duration_ms), call)
    call.note("spoken", text=text, audio_ms=duration_ms)
    audio = audio_object("", call, expires_in_s=KEPT_S) | {"url": url}
    body = {"output": {"audio": audio, "finish_reason": "stop"}, "usage": _usage(text), "request_id": call.request_id}
    return Response(faults.on_body(text_of(body).encode(), fault), content_type=JSON)


def _checked_text(model: Model, inputs: dict[str, Any]) -> str:
    text, voice = inputs.get("text"), inputs.get("voice")
    if not isinstance(text, str) or not text:
        raise ApiError("Field required: input.text")
    if len(text) > _LONGEST_TEXT:
        raise ApiError(f"Range of input length should be [1, {_LONGEST_TEXT}]")
    if voice is None:
        raise ApiError("Field required: input.voice")
    if not is_known_voice(voice, model.name):
        raise ApiError(f"Voice '{voice}' is not supported.")
    _check_manner(model, inputs)
    return text


def _check_manner(model: Model, inputs: dict[str, Any]) -> None:
    """Check the language and, where the model follows them, the instructions; other models do not read those."""
    if inputs.get("language_type", "Auto") not in _LANGUAGES:
        raise ApiError(f"Input should be {', '.join(map(repr, _LANGUAGES))}: input.language_type")
    instructions = inputs.get("instructions")
    if not model.takes_instructions or instructions is None:
        return
    if not isinstance(instructions, str) or count_tokens(instructions) > _LONGEST_INSTRUCTIONS:
        raise ApiError(f"Range of instructions length should be [0, {_LONGEST_INSTRUCTIONS}]")


def _pieces(text: str, utterance: Utterance, call: Call) -> Iterator[dict[str, Any]]:
    """Yield the output of each frame at its time, and last the link to the whole sound."""
    latency = call.scenario.latency
    due_s = time.monotonic() + latency.tts_first_audio_ms / 1000
    pcm = utterance.take(utterance.pending_ms)
    size = _RATE_HZ * max(20, latency.tts_delta_ms) // 1000 * 2
    for start in range(0, len(pcm), size):
        call.pause_until(due_s)
        piece = pcm[start : start + size]
        yield {"output": {"finish_reason": "null", "audio": audio_object(piece, call)}, "usage": _usage(text)}
        due_s += len(piece) / 2 / _RATE_HZ / latency.tts_speed if latency.tts_speed > 0 else 0
    call.note("spoken", text=text, audio_ms=len(pcm) * 500 // _RATE_HZ)
    audio = audio_object("", call, expires_in_s=KEPT_S) | {"url": _keep(pcm, call)}
    yield {"output": {"finish_reason": "stop", "audio": audio}, "usage": _usage(text)}


def audio_object(piece: bytes | str, call: Call, *, expires_in_s: int = 0) -> dict[str, Any]:
    """Return the audio object; msgspec writes bytes as base64."""
    return {"data": piece, "expires_at": int(time.time()) + expires_in_s, "id": f"audio_{call.request_id}"}


def _keep(pcm: bytes, call: Call) -> str:
    return keep_result(call.vendor, "audio.wav", pcm_to_wav(pcm, rate_hz=_RATE_HZ), "audio/x-wav")


def _usage(text: str) -> dict[str, Any]:
    return {"characters": billed_characters(text)}
