"""A streamed chat, from the vendor's chunks into OpenAI's, at about ten microseconds a chunk.

Source: OpenAI API reference, the chat completion chunk object; DashScope HTTP reference §2.3–§2.6.
"""

from typing import Any

import msgspec

from protocol.errors import UpstreamBroken
from protocol.openai.chat_answer import choices_of, read, tidy_head, tidy_logprobs, unreadable
from protocol.sse import event

Json = dict[str, Any]

DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode
_PADDED_TO = 64


class ChunkWriter:
    """Rewrite one stream. Invariant: one id and one `created` throughout; after `[DONE]` nothing is written.

    `head` names the stream where the vendor does not: `id`, `created`, `model`.  `is_cumulative`: the model repeats its
    whole text in every chunk.  Threads: one owner.
    """

    def __init__(
        self,
        head: Json,
        *,
        has_usage: bool = False,
        is_padded: bool = False,
        has_functions: bool = False,
        has_sound: bool = False,
        is_cumulative: bool = False,
    ) -> None:
        self._head, self._named = head, False
        self._has_usage, self._write = has_usage, _padded if is_padded else event
        self._has_functions, self._has_sound = has_functions, has_sound
        self._said: dict[int, str] | None = {} if is_cumulative else None
        self._begun: set[int] = set()
        self._usage: Any = None
        self.has_finished = self.is_done = False

    def feed(self, batch: list[bytes]) -> bytes:
        """Return the chunks that came together, rewritten. Raises: UpstreamError, also for an error in the stream."""
        try:
            return b"".join([self._rewritten(data) for data in batch])
        except (TypeError, AttributeError) as error:  # as `trusted`, which costs more than a chunk may
            raise unreadable() from error

    def finish(self) -> bytes:
        """Return what a stream that ended still lacks. Raises: UpstreamBroken when it was cut off."""
        if self.is_done:
            return b""
        if not self.has_finished:
            raise cut_off()
        return self._end()

    def _rewritten(self, data: bytes) -> bytes:
        if self.is_done:
            return b""
        if data == b"[DONE]":
            return self._end()
        chunk = read(data)
        self._tidy_head(chunk)
        choices = choices_of(chunk)
        for choice in choices:
            self._tidy_choice(choice)
        return self._write(chunk) if choices else b""

    def _end(self) -> bytes:
        self.is_done = True
        if not self._has_usage or self._usage is None:
            return DONE
        return self._write(self._head | {"choices": [], "usage": self._usage}) + DONE

    def _tidy_head(self, chunk: Json) -> None:
        if not self._named:
            told = {name: chunk[name] for name in ("id", "created", "model") if chunk.get(name)}
            self._head |= told | {"object": "chat.completion.chunk"}
            self._named = True
        self._usage = chunk.pop("usage", None) or self._usage
        tidy_head(chunk)
        chunk |= self._head
        if self._has_usage:
            chunk["usage"] = None

    def _tidy_choice(self, choice: Json) -> None:
        delta = choice.get("delta")
        delta = choice["delta"] = delta if isinstance(delta, dict) else {}
        index: int = choice.setdefault("index", 0)
        tidy_logprobs(choice)
        self._tidy_end(choice)
        if index in self._begun:
            delta.pop("role", None)
        else:
            self._begun.add(index)
            delta["role"], delta["content"] = "assistant", delta.get("content") or ""
        if self._said is not None:
            self._take_back(delta, index)
        if delta.get("tool_calls", 0) != 0:
            self._tidy_calls(choice, delta)
        if self._has_sound and delta.get("content"):
            delta["audio"] = (delta.get("audio") or {}) | {"transcript": delta["content"]}

    def _tidy_end(self, choice: Json) -> None:
        reason = choice.get("finish_reason") or None
        self.has_finished |= reason is not None
        choice["finish_reason"] = "function_call" if self._has_functions and reason == "tool_calls" else reason

    def _take_back(self, delta: Json, index: int) -> None:
        """Leave in a chunk only what it adds. Source: vendor's Qwen-MT page: plus and turbo repeat their whole text."""
        assert self._said is not None
        said, text = self._said.get(index, ""), delta.get("content") or ""
        if text.startswith(said):
            self._said[index], delta["content"] = text, text[len(said) :]

    def _tidy_calls(self, choice: Json, delta: Json) -> None:
        calls = delta.pop("tool_calls")
        fragments = [_fragment(call) for call in calls or () if isinstance(call, dict)]
        if not fragments:
            return
        if not self._has_functions:
            delta["tool_calls"] = fragments
        elif fragments[0]["index"] == 0:
            delta["function_call"] = fragments[0]["function"]


def _fragment(call: Json) -> Json:
    """Return a piece of a call: an empty id or name, as the vendor sends it, would overwrite the one already told."""
    function = call.get("function")
    function = {name: value for name, value in function.items() if value} if isinstance(function, dict) else {}
    function.setdefault("arguments", "")
    piece: Json = {"index": call.get("index") or 0, "type": "function", "function": function}
    return piece | ({"id": call["id"]} if call.get("id") else {})


def _padded(value: object) -> bytes:
    """Return a `data:` line whose length does not tell that of the text in it (`include_obfuscation`)."""
    assert isinstance(value, dict)
    short = _PADDED_TO - len(_encode(value | {"obfuscation": ""})) % _PADDED_TO
    return event(value | {"obfuscation": "0" * short})


def cut_off() -> UpstreamBroken:
    """Return the error for a stream that just stopped."""
    return UpstreamBroken(
        "模型的回答在中途断开了。", english="The model's answer broke off. Try again.", code="upstream_cut"
    )
