"""A whole answer, gathered from a stream: for models that only stream.  Source: DashScope HTTP reference §2.3–§2.6."""

import base64
import binascii
from typing import Any

from protocol.openai.chat_answer import choices_of, read, trusted

Json = dict[str, Any]

SOUND_HZ = 24_000
"""What speaking models send: s16le mono without a header, whatever format was asked for."""


class Gathering:
    """Collect one stream, given as the data of its events. Threads: one owner.

    `head` names the answer where the vendor does not: `id`, `created`, `model`.  `is_cumulative`: every chunk repeats
    the whole text.
    """

    def __init__(self, head: Json, *, is_cumulative: bool = False) -> None:
        self._head, self._usage = head, None
        self._choices: dict[int, _Choice] = {}
        self._is_cumulative = is_cumulative
        self._is_done = False

    @property
    def is_whole(self) -> bool:
        """Whether the stream came to its own end."""
        return self._is_done or any(choice.finish_reason for choice in self._choices.values())

    def feed(self, batch: list[bytes]) -> None:
        """Take the data of some events. Raises: UpstreamError, also for an error in the stream."""
        with trusted():
            for data in batch:
                if data == b"[DONE]":
                    self._is_done = True
                else:
                    self._take(read(data))

    def pcm(self, index: int) -> bytes:
        """Return the sound of one choice, empty when it has none."""
        return bytes(self._choices[index].pcm)

    def answer(self) -> Json:
        """Return what was gathered, in the vendor's own form of a whole answer; its sound is in `pcm`."""
        with trusted():
            choices = [choice.whole(index) for index, choice in sorted(self._choices.items())]
        return self._head | {"choices": choices} | ({"usage": self._usage} if self._usage else {})

    def _take(self, chunk: Json) -> None:
        self._head |= {name: chunk[name] for name in ("id", "created", "model") if chunk.get(name)}
        self._usage = chunk.get("usage") or self._usage
        for choice in choices_of(chunk):
            gathered = self._choices.setdefault(choice.get("index") or 0, _Choice(is_cumulative=self._is_cumulative))
            gathered.take(choice)


class _Choice:
    """One of the answers in a stream."""

    def __init__(self, *, is_cumulative: bool) -> None:
        self._is_cumulative = is_cumulative
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._transcript: list[str] = []
        self._logprobs: list[Any] = []
        self._calls: dict[int, Json] = {}
        self._sound: Json | None = None
        self._rest: Json = {}
        self.pcm = bytearray()
        self.finish_reason = ""

    def take(self, choice: Json) -> None:
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        logprobs = choice.get("logprobs")
        if isinstance(logprobs, dict):
            self._logprobs += logprobs.get("content") or []
        if isinstance(delta := choice.get("delta"), dict):
            self._take_delta(delta)

    def _take_delta(self, delta: Json) -> None:
        for name, value in delta.items():
            match name:
                case "content" if isinstance(value, str):
                    self._content = [value] if self._is_cumulative and value else [*self._content, value]
                case "reasoning_content" if isinstance(value, str):
                    self._reasoning.append(value)
                case "tool_calls" if isinstance(value, list):
                    self._take_calls(value)
                case "audio" if isinstance(value, dict):
                    self._take_sound(value)
                case "role" | "content" | "reasoning_content" | "tool_calls" | "audio":
                    pass
                case _:
                    self._rest[name] = value

    def _take_calls(self, fragments: list[Any]) -> None:
        for fragment in fragments:
            call = self._calls.setdefault(fragment.get("index") or 0, {"id": "", "name": "", "arguments": ""})
            function = fragment.get("function") or {}
            call["id"] = fragment.get("id") or call["id"]
            call["name"] = function.get("name") or call["name"]
            call["arguments"] += function.get("arguments") or ""

    def _take_sound(self, piece: Json) -> None:
        self._sound = (self._sound or {}) | {name: piece[name] for name in ("id", "expires_at") if piece.get(name)}
        self._transcript.append(piece.get("transcript") or "")
        try:
            self.pcm += base64.b64decode(piece.get("data") or "")
        except binascii.Error:
            return  # a piece that is no base64 is not heard; the words are whole without it

    def whole(self, index: int) -> Json:
        """Return this answer as the vendor words a whole one."""
        content = "".join(self._content) or "".join(self._transcript)
        message = {"role": "assistant", "content": content, **self._rest}
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if self._calls:
            message["tool_calls"] = [_call(call) for _, call in sorted(self._calls.items())]
        if self._sound is not None:
            message["audio"] = {"id": "", "expires_at": 0} | self._sound | {"data": "", "transcript": content}
        logprobs = {"content": self._logprobs, "refusal": None} if self._logprobs else None
        return {"index": index, "message": message, "finish_reason": self.finish_reason, "logprobs": logprobs}


def _call(call: Json) -> Json:
    return {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
