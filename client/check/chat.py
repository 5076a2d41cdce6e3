"""Chat completions: whole, streamed, with a tool, as JSON, with a picture."""

import base64
import struct
import zlib
from typing import Any, Final

import msgspec

from client.check.site import Answer, Failed
from client.check.visit import Surface, Visit

_PATH: Final = "/v1/chat/completions"
_QUESTION: Final = "Say hello in one short sentence."
_WEATHER: Final = {
    "name": "get_weather",
    "description": "Return the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
_USAGE: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
_SIDE_PX: Final = 64
_SHOWN_CHARS: Final = 48


def whole(visit: Visit) -> str:
    body = visit.site.post(_PATH, _request(visit, _QUESTION)).expect(200, "application/json").json()
    _expect_usage(body.get("usage"))
    return _words(_message(body))


def streamed(visit: Visit) -> str:
    wish = {"stream": True, "stream_options": {"include_usage": True}}
    answer = visit.site.post(_PATH, _request(visit, _QUESTION, **wish)).expect(200, "text/event-stream")
    chunks = _chunks(answer)
    choices = [choice for chunk in chunks for choice in chunk.get("choices", [])]
    if not any(choice.get("finish_reason") for choice in choices):
        raise Failed("no finish_reason in any chunk")
    if len({chunk.get("id") for chunk in chunks}) != 1:
        raise Failed("the chunks have different ids")
    _expect_usage(chunks[-1].get("usage"))
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    return f"{_words({'content': text})}, {len(chunks)} chunks"


def tool(visit: Visit) -> str:
    wish: dict[str, Any] = {
        "tools": [{"type": "function", "function": _WEATHER}],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    }
    request = _request(visit, "What is the weather in Paris?", **wish)
    message = _message(visit.site.post(_PATH, request).expect(200, "application/json").json())
    calls = message.get("tool_calls")
    if not calls:
        return f"accepted, answered in words: {_words(message)}"
    function = calls[0]["function"]
    try:
        arguments = msgspec.json.decode(function["arguments"] or "{}")
    except msgspec.MsgspecError as error:
        raise Failed(f"arguments that are not JSON: {function['arguments']!r}") from error
    return f"{function['name']}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"


def as_json(visit: Visit) -> str:
    request = _request(visit, "Answer in JSON with one key `hello`.", response_format={"type": "json_object"})
    content = str(_message(visit.site.post(_PATH, request).expect(200, "application/json").json()).get("content"))
    try:
        msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise Failed(f"the content is not a JSON object: {content[:_SHOWN_CHARS]!r}") from error
    return content[:_SHOWN_CHARS]


def picture(visit: Visit) -> str:
    link = "data:image/png;base64," + base64.b64encode(red_square()).decode()
    parts = [{"type": "text", "text": "Which colour is this?"}, {"type": "image_url", "image_url": {"url": link}}]
    request = {"model": visit.vision_model, "messages": [{"role": "user", "content": parts}]}
    body = visit.site.post(_PATH, request).expect(200, "application/json").json()
    return f"{_words(_message(body))} ({visit.vision_model})"


def red_square() -> bytes:
    """Return a PNG of 64 × 64 red pixels.  Source: PNG specification, 3rd edition, §5 and §11"""
    line = b"\0" + b"\xff\0\0" * _SIDE_PX
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", _SIDE_PX, _SIDE_PX, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(line * _SIDE_PX)),
        (b"IEND", b""),
    ]
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _request(visit: Visit, question: str, **more: Any) -> dict[str, Any]:
    return {"model": visit.chat_model, "messages": [{"role": "user", "content": question}]} | more


def _message(body: dict[str, Any]) -> dict[str, Any]:
    try:
        message: dict[str, Any] = body["choices"][0]["message"]
    except (KeyError, IndexError, TypeError) as error:
        raise Failed("no `choices[0].message`") from error
    return message


def _words(message: dict[str, Any]) -> str:
    text = message.get("content")
    if not text:
        raise Failed("an empty answer")
    return f"“{text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + '…'}”"


def _expect_usage(usage: Any) -> None:
    if not isinstance(usage, dict) or not all(isinstance(usage.get(name), int) for name in _USAGE):
        raise Failed(f"usage is {usage!r}")


def _chunks(answer: Answer) -> list[dict[str, Any]]:
    events = list(answer.events())
    chunks = [msgspec.json.decode(event, type=dict[str, Any]) for event in events if event != "[DONE]"]
    for chunk in chunks:
        if "error" in chunk:
            raise Failed(f"the stream broke off: {chunk['error'].get('message')}")
    if not events or events[-1] != "[DONE]":
        raise Failed("the stream does not end with [DONE]")
    return chunks


SURFACES = (
    Surface(name="chat", look=whole),
    Surface(name="chat, streamed", look=streamed),
    Surface(name="chat, tool", look=tool),
    Surface(name="chat, JSON", look=as_json),
    Surface(name="chat, picture", look=picture),
)
