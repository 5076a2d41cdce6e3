"""Chat completions, streamed. Source: DashScope HTTP reference §2."""

from typing import Any

import msgspec

from protocol.dashscope.failures import malformed, read_failure, renamed


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
    code: Any = None


_decoder = msgspec.json.Decoder(ChatChunkBody)


def read_chunk(data: bytes) -> ChatChunkBody:
    """Raises: UpstreamBroken (no JSON), or the error that the stream reports."""
    try:
        chunk = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed("模型服务的回复无法解析，请重试。") from error
    if chunk.error is not None or (chunk.code and not chunk.choices):
        raise renamed(read_failure(status=502, body=data))
    return chunk
