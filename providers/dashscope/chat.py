"""Chat by any server that speaks OpenAI's chat completions: a turn's words, and whole requests passed through."""

import base64
import contextlib
from collections.abc import Iterator, Mapping, Sequence

from protocol.dashscope import ChatChunkBody, read_chunk
from protocol.dashscope.generation import compatible_answer, compatible_chunk, generation_body
from protocol.errors import UpstreamBroken
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport, read_whole, request_id
from services.ports import NO_HEADERS, Cancel, Delta, Message, Picture, RawAnswer, RawStream, Usage


class CompatibleChat:
    """Streamed answers of one model. Source: DashScope HTTP reference §2."""

    def __init__(self, transport: Transport, *, url: str, model: str) -> None:
        self._transport, self._url, self.model = transport, url, model

    def stream(self, messages: Sequence[Message], *, key: ApiKey, cancel: Cancel) -> Iterator[Delta]:
        """Yield the answer as it is written. Raises: UpstreamError (also in mid-answer), Cancelled."""
        body = {
            "model": self.model,
            "messages": [{"role": message.role, "content": _content(message)} for message in messages],
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


def _content(message: Message) -> object:
    """Return a message's content: its text, or its pictures and then its text. Source: §2.1 (parts, data URIs)."""
    if not message.pictures:
        return message.content
    shown = [{"type": "image_url", "image_url": {"url": _data_uri(picture)}} for picture in message.pictures]
    return [*shown, {"type": "text", "text": message.content}]


def _data_uri(picture: Picture) -> str:
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.data).decode()}"


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


class CompatibleCompletions:
    """Requests and answers in the vendor's words, unread. Source: DashScope HTTP reference §2."""

    def __init__(self, transport: Transport, *, url: str) -> None:
        self._transport, self._url = transport, url

    def ask(
        self, body: bytes, *, uses_uploads: bool, key: ApiKey, cancel: Cancel, headers: Mapping[str, str] = NO_HEADERS
    ) -> RawAnswer:
        """Return the whole answer. Raises: UpstreamError, Cancelled."""
        headers = _headers(headers, uses_uploads=uses_uploads)
        with self._transport.post(self._url, body, key=key, cancel=cancel, headers=headers) as response:
            return RawAnswer(body=read_whole(response, cancel), request_id=request_id(response))

    @contextlib.contextmanager
    def stream(
        self, body: bytes, *, uses_uploads: bool, key: ApiKey, cancel: Cancel, headers: Mapping[str, str] = NO_HEADERS
    ) -> Iterator[RawStream]:
        """Give the answer as it is written; left early, the call ends. Raises: UpstreamError, Cancelled."""
        headers = _headers(headers, uses_uploads=uses_uploads)
        with self._transport.stream(self._url, body, key=key, cancel=cancel, headers=headers) as (name, batches):
            yield RawStream(request_id=name, batches=batches)


class NativeCompletions:
    """The same by the vendor's own text generation, which serves models that the compatible API does not know."""

    def __init__(self, transport: Transport, *, base_url: str) -> None:
        self._transport, self._url = transport, f"{base_url}/services/aigc/text-generation/generation"

    def ask(
        self, body: bytes, *, uses_uploads: bool, key: ApiKey, cancel: Cancel, headers: Mapping[str, str] = NO_HEADERS
    ) -> RawAnswer:
        """Return the whole answer, worded as the compatible one. Raises: UpstreamError, Cancelled."""
        headers, native = _headers(headers, uses_uploads=uses_uploads), generation_body(body)
        with self._transport.post(self._url, native, key=key, cancel=cancel, headers=headers) as response:
            answer = compatible_answer(read_whole(response, cancel))
            return RawAnswer(body=answer, request_id=request_id(response))

    @contextlib.contextmanager
    def stream(
        self, body: bytes, *, uses_uploads: bool, key: ApiKey, cancel: Cancel, headers: Mapping[str, str] = NO_HEADERS
    ) -> Iterator[RawStream]:
        """Give the answer as it is written, worded as the compatible one. Raises: UpstreamError, Cancelled."""
        headers = _headers(headers, uses_uploads=uses_uploads) | {"X-DashScope-SSE": "enable"}
        native = generation_body(body)
        with self._transport.stream(self._url, native, key=key, cancel=cancel, headers=headers) as (name, batches):
            yield RawStream(request_id=name, batches=([*map(compatible_chunk, batch)] for batch in batches))


def _headers(more: Mapping[str, str], *, uses_uploads: bool) -> dict[str, str]:
    return {**more} | ({"X-DashScope-OssResourceResolve": "enable"} if uses_uploads else {})
