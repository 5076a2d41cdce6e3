"""The vendor's words: what it sends, as records, and what its errors mean to us.

Source: DashScope API reference (chat completions compatible with OpenAI; multimodal-generation; realtime events; error
codes). Wire oddities are named where they are handled.
"""

from typing import Any

import msgspec

from protocol.errors import UpstreamBroken, UpstreamBusy, UpstreamError, UpstreamForbidden, UpstreamRefused


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An error as the vendor words it, in any of its shapes."""

    status: int
    code: str
    message: str
    request_id: str = ""


class _ErrorBody(msgspec.Struct, frozen=True):
    error: Any = None
    code: Any = None
    message: Any = None
    request_id: Any = None
    id: Any = None


def read_failure(*, status: int, body: bytes) -> Failure:
    """Return what an error answer says.

    Four shapes are in use: `{"error":{…}}`, the same with `error` a JSON string, the same behind `data: ` (a streamed
    request that failed), and the native `{"code","message","request_id"}`; proxies add HTML pages of their own.
    """
    try:
        answer = msgspec.json.decode(body.strip().removeprefix(b"data:").strip(), type=_ErrorBody)
        inner = answer.error
        if isinstance(inner, str):
            inner = msgspec.json.decode(inner)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Failure(status=status, code="", message=body[:200].decode("utf-8", "replace"))
    if not isinstance(inner, dict):
        inner = {"code": answer.code, "message": answer.message}
    request_id = answer.request_id or str(answer.id or "").removeprefix("chatcmpl-")
    code = str(inner.get("code") or inner.get("type") or "")
    return Failure(status=status, code=code, message=str(inner.get("message") or ""), request_id=str(request_id))


_FORBIDDEN_CODES = (
    "invalidapikey", "invalid_api_key", "accessdenied", "access_denied", "arrearage", "allocationquota.freetieronly",
    "not authorized", "workspace.", "endpoint.", "model.accessdenied",
)  # fmt: skip
_BUSY_CODES = ("throttling", "limit_", "insufficient_quota", "modelservingerror", "too many requests", "to many requests")


def renamed(failure: Failure) -> UpstreamError:
    """Return the vendor's failure as an error of ours. The code decides before the HTTP status does.

    One service was measured to answer throttling with a plain 400, so the status alone would mislead.
    """
    words = f"{failure.code} {failure.message}".lower()
    kind: type[UpstreamError]
    if failure.status in (401, 403) or words.startswith(_FORBIDDEN_CODES):
        kind = UpstreamForbidden
    elif failure.status == 429 or any(code in words for code in _BUSY_CODES):
        kind = UpstreamBusy
    elif 400 <= failure.status < 500:
        kind = UpstreamRefused
    else:
        kind = UpstreamBroken
    said = failure.message or failure.code or f"HTTP {failure.status}"
    return kind(f"模型服务返回错误：{said}", vendor_code=failure.code, request_id=failure.request_id)


# --- chat completions, streamed ----------------------------------------------------------------------------------


class ChunkDelta(msgspec.Struct, frozen=True):
    content: str | None = None


class ChunkChoice(msgspec.Struct, frozen=True):
    delta: ChunkDelta = ChunkDelta()
    finish_reason: str | None = None


class ChunkUsage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class ChatChunkBody(msgspec.Struct, frozen=True):
    """One `data:` of a streamed chat completion. The usage chunk has no choices; an error may come in mid-stream."""

    choices: list[ChunkChoice] = []
    usage: ChunkUsage | None = None
    error: Any = None


_chunk_decoder = msgspec.json.Decoder(ChatChunkBody)


def read_chunk(data: bytes) -> ChatChunkBody:
    """Raises: UpstreamBroken (no JSON), or the error that the stream reports."""
    try:
        chunk = _chunk_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamBroken("模型服务的回复无法解析，请重试。", code="upstream_malformed") from error
    if chunk.error is not None:
        raise renamed(read_failure(status=502, body=data))
    return chunk


# --- realtime events ---------------------------------------------------------------------------------------------


class RealtimeError(msgspec.Struct, frozen=True):
    code: str | None = None
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
    """The fields that we read of any realtime server event; `delta` is sound (s16le mono), base64 on the wire."""

    type: str = ""
    delta: bytes = b""
    transcript: str | None = None
    text: str | None = None
    stash: str | None = None
    language: str | None = None
    error: RealtimeError | None = None
    response: RealtimeResponse | None = None
    session: RealtimeSession | None = None


_event_decoder = msgspec.json.Decoder(RealtimeEvent)
_type_decoder = msgspec.json.Decoder(msgspec.defstruct("TypeOnly", [("type", str, "")], frozen=True))


def read_event(data: bytes | str) -> RealtimeEvent:
    """Raises: UpstreamBroken. Of events of other shapes (`delta` that is no sound, …) only the type is read."""
    try:
        return _event_decoder.decode(data)
    except msgspec.ValidationError:
        return RealtimeEvent(type=_type_decoder.decode(data).type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamBroken("语音服务的消息无法解析，请重试。", code="upstream_malformed") from error


def realtime_failure(error: RealtimeError) -> UpstreamError:
    """Return an `error` event as an error of ours."""
    code = error.code or error.type or ""
    status = 400 if error.type == "invalid_request_error" or code == "invalid_value" else 502
    return renamed(Failure(status=status, code=code, message=error.message or ""))


def close_failure(code: int, reason: str) -> UpstreamError:
    """Return a vendor's closing of a realtime connection as an error of ours. Source: realtime reference, close codes."""
    if code == 1007 and "free tier" in reason.lower():
        return renamed(Failure(status=403, code="AllocationQuota.FreeTierOnly", message=reason))
    if code == 1007:
        return renamed(Failure(status=404, code="ModelNotFound", message=reason or "Model not found"))
    return renamed(Failure(status=502, code=f"close {code}", message=reason or "the connection was closed"))


def billed_characters(text: str) -> int:
    """Return what the synthesiser counts for a text: 2 for a Han character, 1 for anything else."""
    return len(text) + sum("\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" for char in text)


# --- recognition in one call -------------------------------------------------------------------------------------


class TextPart(msgspec.Struct, frozen=True):
    text: str = ""


class RecognisedMessage(msgspec.Struct, frozen=True):
    content: list[TextPart] = []


class RecognisedChoice(msgspec.Struct, frozen=True):
    message: RecognisedMessage = RecognisedMessage()


class RecognisedOutput(msgspec.Struct, frozen=True):
    choices: list[RecognisedChoice] = []


class RecognitionBody(msgspec.Struct, frozen=True):
    """The native answer of `qwen3-asr-flash`; silence is an empty `content`."""

    output: RecognisedOutput = RecognisedOutput()


# --- synthesis over HTTP -----------------------------------------------------------------------------------------


class SpeechAudio(msgspec.Struct, frozen=True):
    data: bytes = b""


class SpeechOutput(msgspec.Struct, frozen=True):
    audio: SpeechAudio = SpeechAudio()
    finish_reason: str | None = None


class SpeechBody(msgspec.Struct, frozen=True):
    """One event of streamed synthesis: headerless PCM; the last one has `finish_reason` "stop" and no sound."""

    output: SpeechOutput | None = None
    code: str | None = None
    message: str | None = None
    request_id: str = ""


_speech_decoder = msgspec.json.Decoder(SpeechBody)


def read_speech(data: bytes) -> SpeechOutput:
    """Raises: UpstreamError for an error event (it comes with HTTP 200), UpstreamBroken for what is no JSON."""
    try:
        body = _speech_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamBroken("语音服务的回复无法解析，请重试。", code="upstream_malformed") from error
    if body.output is None:
        raise renamed(
            Failure(status=400, code=body.code or "", message=body.message or "", request_id=body.request_id)
        )
    return body.output
