"""Synthesis over HTTP, and how every synthesiser counts. Source: DashScope HTTP reference §5.1."""

import re

import msgspec

from protocol.dashscope.failures import Failure, malformed, renamed

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def billed_characters(text: str) -> int:
    """Return what the synthesiser counts for a text: 2 for a Han character, 1 for anything else."""
    return len(text) + len(_HAN.findall(text))


class SpeechAudio(msgspec.Struct, frozen=True):
    data: bytes = b""


class SpeechOutput(msgspec.Struct, frozen=True):
    audio: SpeechAudio = SpeechAudio()
    finish_reason: str | None = None


class SpeechCount(msgspec.Struct, frozen=True):
    """What a call cost. Newer models count characters, older ones tokens; each event repeats the count so far."""

    characters: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class SpeechBody(msgspec.Struct, frozen=True):
    """One event of streamed synthesis: headerless PCM; the last one has `finish_reason` "stop" and no sound."""

    output: SpeechOutput | None = None
    usage: SpeechCount | None = None
    code: str | None = None
    message: str | None = None
    request_id: str = ""


_decoder = msgspec.json.Decoder(SpeechBody)


class SpeechEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What one event says."""

    pcm: bytes
    is_last: bool
    usage: SpeechCount
    request_id: str


def read_speech(data: bytes) -> SpeechEvent:
    """Raises: UpstreamError for an error event (it comes with HTTP 200), UpstreamBroken for what is no JSON."""
    try:
        body = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed("语音服务的回复无法解析，请重试。") from error
    if body.output is None:
        raise renamed(Failure(status=400, code=body.code or "", message=body.message or "", request_id=body.request_id))
    return SpeechEvent(
        pcm=body.output.audio.data,
        is_last=body.output.finish_reason == "stop",
        usage=body.usage or SpeechCount(),
        request_id=body.request_id,
    )
