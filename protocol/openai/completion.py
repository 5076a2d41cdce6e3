"""Text completions, the older form of chat: a prompt in, its continuation out. Both are translated from and to chat.

Source: OpenAI API reference, create completion (legacy); LlamaIndex's `OpenAILike` asks so by default.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from protocol.errors import BadInput
from protocol.openai.chat import ChatRequest, Penalty, StreamOptions
from protocol.openai.chat_request import ChatCall, call_of
from protocol.openai.chat_stream import DONE
from protocol.openai.reading import convert, read_object
from protocol.sse import event

Json = dict[str, Any]
Text = Annotated[str, Meta(min_length=1)]
_OWN = frozenset("prompt best_of echo suffix logprobs".split())
"""What chat completions do not have, or mean otherwise."""
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


class CompletionRequest(Struct, kw_only=True):
    """What is checked here; the rest is checked as a chat's. Several prompts get a choice each."""

    prompt: Text | Annotated[list[Text], Meta(min_length=1, max_length=20)]
    model: str | None = None
    best_of: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    presence_penalty: Penalty | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionCall:
    """A request as chats, one for each prompt; each is to give `n` choices."""

    chats: tuple[ChatCall, ...]
    n: int = 1

    @property
    def is_stream(self) -> bool:
        return self.chats[0].is_stream


def read_completion(body: bytes) -> CompletionCall:
    """Return what a body asks for. Raises: BadInput naming the parameter that is wrong or cannot be honoured."""
    sent = {name: value for name, value in read_object(body).items() if value is not None}
    request = convert(sent, CompletionRequest)
    _refuse(request, sent)
    prompts = [request.prompt] if isinstance(request.prompt, str) else request.prompt
    shared = {name: value for name, value in sent.items() if name not in _OWN}
    chats = (call_of(shared | {"messages": [{"role": "user", "content": prompt}]}) for prompt in prompts)
    return CompletionCall(chats=tuple(chats), n=request.n or 1)


def _refuse(request: CompletionRequest, sent: Json) -> None:
    """Raise for the first parameter that cannot be honoured, or belongs to chats alone."""
    several = not isinstance(request.prompt, str) and len(request.prompt) > 1
    impossible = {
        "echo": (bool(request.echo), "A chat model does not repeat its prompt."),
        "suffix": (bool(request.suffix), "A chat model continues a text, it does not fill one in."),
        "best_of": ((request.best_of or 1) > (request.n or 1), "Ask for 'n' and choose yourself."),
        "logprobs": (request.logprobs is not None, "Probabilities come with chat completions."),
        "prompt": (bool(several and request.stream), "A stream takes one prompt."),
    }
    for name, (is_asked, reason) in impossible.items():
        if is_asked:
            raise BadInput(f"Unsupported '{name}'. {reason}", code="unsupported_value", param=name)
    for name in sent:
        if name in ChatRequest.__struct_fields__ and name not in CompletionRequest.__struct_fields__:
            raise BadInput(f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


# --- the answers


class TextChoice(Struct, kw_only=True):
    """One continuation. In a stream, `finish_reason` is null until the last piece."""

    text: str
    index: int
    logprobs: dict[str, Any] | None
    finish_reason: Literal["stop", "length", "content_filter"] | None


def whole(answers: Sequence[bytes], *, n: int) -> bytes:
    """Return the answers of the chats, one for each prompt, as one text completion."""
    chats: list[Json] = [msgspec.json.decode(answer) for answer in answers]
    choices = [
        _choice(choice, choice["message"].get("content"), place * n)
        for place, chat in enumerate(chats)
        for choice in chat["choices"]
    ]
    usages = [chat["usage"] for chat in chats if chat.get("usage")]
    usage = {name: sum(usage.get(name) or 0 for usage in usages) for name in _COUNTS}
    return msgspec.json.encode(_head(chats[0]) | {"choices": choices} | ({"usage": usage} if usages else {}))


def pieces(events: bytes) -> bytes:
    """Return a chat's events, as they are written to a client, as those of a text completion; maybe none."""
    return b"".join(_piece(line.removeprefix(b"data: ")) for line in events.split(b"\n\n") if line)


def _piece(data: bytes) -> bytes:
    if data == b"[DONE]":
        return DONE
    chunk: Json = msgspec.json.decode(data)
    told = [choice for choice in chunk["choices"] if choice["delta"].get("content") or choice.get("finish_reason")]
    if chunk["choices"] and not told:  # the beginning of a message, or thoughts: no text of the completion
        return b""
    choices = [_choice(choice, choice["delta"].get("content"), 0) for choice in told]
    kept = {name: chunk[name] for name in ("usage", "obfuscation") if name in chunk}
    return event(_head(chunk) | {"choices": choices} | kept)


def _choice(choice: Json, text: str | None, first: int) -> Json:
    return {
        "text": text or "",
        "index": first + choice["index"],
        "logprobs": None,
        "finish_reason": choice.get("finish_reason"),
    }


def _head(chat: Json) -> Json:
    name = str(chat["id"]).removeprefix("chatcmpl-")
    return {"id": f"cmpl-{name}", "object": "text_completion", "created": chat["created"], "model": chat["model"]}
