"""Chat by any server that speaks OpenAI's chat completions."""

from collections.abc import Iterator, Sequence

from protocol.dashscope import ChatChunkBody, read_chunk
from protocol.errors import UpstreamBroken
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport
from services.ports import Cancel, Delta, Message, Usage


class CompatibleChat:
    """Streamed answers of one model. Source: DashScope HTTP reference §2."""

    def __init__(self, transport: Transport, *, url: str, model: str) -> None:
        self._transport, self._url, self.model = transport, url, model

    def stream(self, messages: Sequence[Message], *, key: ApiKey, cancel: Cancel) -> Iterator[Delta]:
        """Yield the answer as it is written. Raises: UpstreamError (also in mid-answer), Cancelled."""
        body = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        is_whole = False
        for data in self._transport.events(self._url, body, key=key, cancel=cancel):
            if data == b"[DONE]":
                return
            chunk = read_chunk(data)
            is_whole = is_whole or any(choice.finish_reason for choice in chunk.choices)
            yield from _deltas(chunk)
        if not is_whole:  # a stream that just stops was cut; one that finished but forgot [DONE] was not
            raise UpstreamBroken(
                "模型的回答在中途断开了。", english="The model's answer broke off. Try again.", code="upstream_cut"
            )


def _deltas(chunk: ChatChunkBody) -> Iterator[Delta]:
    for choice in chunk.choices[:1]:
        if choice.delta.content:
            yield Delta(text=choice.delta.content)
    if (usage := chunk.usage) is not None:
        yield Delta(
            usage=Usage(
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                total_tokens=usage.total_tokens,
            )
        )
