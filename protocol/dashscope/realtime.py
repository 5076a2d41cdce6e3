"""Realtime events, of synthesis and of recognition. Source: DashScope realtime reference §2 (errors), §3.3, §4.2."""

from typing import Any

import msgspec

from protocol.dashscope.failures import Failure, malformed, renamed
from protocol.errors import UpstreamBroken, UpstreamError


class RealtimeError(msgspec.Struct, frozen=True):
    code: Any = None
    type: str | None = None
    message: str | None = None


class ResponseUsage(msgspec.Struct, frozen=True):
    characters: int | None = None


class RealtimeResponse(msgspec.Struct, frozen=True):
    status: str = ""
    usage: ResponseUsage | None = None


class RealtimeSession(msgspec.Struct, frozen=True):
    sample_rate: int | None = None
    voice: str | None = None


class RealtimeEvent(msgspec.Struct, frozen=True):
    """The fields that we read of any realtime server event; `delta` is sound (s16le mono), base64 on the wire.

    `error` belongs to `error` events and to recognised items that failed.
    """

    type: str = ""
    item_id: str | None = None
    delta: bytes = b""
    transcript: str | None = None
    language: str | None = None
    error: RealtimeError | None = None
    response: RealtimeResponse | None = None
    session: RealtimeSession | None = None


class _TypeOnly(msgspec.Struct, frozen=True):
    type: str = ""


_decoder = msgspec.json.Decoder(RealtimeEvent)
_type_decoder = msgspec.json.Decoder(_TypeOnly)
_NEVER_BY_TYPE_ALONE = ("response.audio.delta", "conversation.item.input_audio_transcription.completed")
"""Events that are worthless, and would be lost without a word, when their content cannot be read."""


def read_event(data: bytes | str) -> RealtimeEvent:
    """Raises: UpstreamBroken. Of events of other shapes (a `delta` that is no sound, …) only the type is read."""
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError:
        return RealtimeEvent(type=_type_of(data))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed() from error


def _type_of(data: bytes | str) -> str:
    try:
        kind = _type_decoder.decode(data).type
    except msgspec.DecodeError as error:
        raise _malformed() from error
    if kind in _NEVER_BY_TYPE_ALONE:
        raise _malformed()
    return kind


def _malformed() -> UpstreamBroken:
    return malformed("语音服务的消息无法解析，请重试。")


def realtime_failure(error: RealtimeError | None) -> UpstreamError:
    """Return an `error` event as an error of ours."""
    error = error or RealtimeError()
    code = str(error.code or error.type or "")
    status = 400 if error.type == "invalid_request_error" or code == "invalid_value" else 502
    return renamed(Failure(status=status, code=code, message=error.message or ""))


def close_failure(code: int, reason: str) -> UpstreamError:
    """Return a vendor's closing of a realtime connection as an error of ours. Source: realtime reference §2."""
    if code == 1007 and "free tier" in reason.lower():
        return renamed(Failure(status=403, code="AllocationQuota.FreeTierOnly", message=reason))
    if code == 1007:
        return renamed(Failure(status=404, code="ModelNotFound", message=reason or "Model not found"))
    return renamed(Failure(status=502, code=f"close {code}", message=reason or "the connection was closed"))
