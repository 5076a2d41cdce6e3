"""Answers of a chat, from the vendor's words into OpenAI's: the whole form, and what both forms share.

OpenAI's clients check more than they say: `refusal` and `logprobs` must be there, `system_fingerprint` must not be
null.  Source: OpenAI API reference, the chat completion object; DashScope HTTP reference §2.2, §2.4, §2.7.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec

from protocol.dashscope import read_failure, renamed
from protocol.dashscope.failures import malformed
from protocol.errors import UpstreamBroken

Json = dict[str, Any]

_decoder = msgspec.json.Decoder(Json)
_NEVER_NULL = ("system_fingerprint", "service_tier")


def unreadable() -> UpstreamBroken:
    """Return the error for an answer that makes no sense."""
    return malformed("模型服务的回复无法解析，请重试。")


def read(data: bytes) -> Json:
    """Return one answer or chunk. Raises: UpstreamBroken (no JSON object), or the error that it reports."""
    try:
        answer = _decoder.decode(data)
    except (ValueError, RecursionError) as error:  # the library's errors are ValueErrors, and so is bad UTF-8
        raise unreadable() from error
    if answer.get("error") is not None or ("choices" not in answer and answer.get("code")):
        raise renamed(read_failure(status=502, body=data))
    return answer


@contextlib.contextmanager
def trusted() -> Iterator[None]:
    """Rename what comes of values that are not of the documented type: checking each would cost more than the rest.

    Raises: UpstreamBroken.
    """
    try:
        yield
    except (TypeError, AttributeError) as error:
        raise unreadable() from error


def choices_of(answer: Json) -> list[Json]:
    """Return the choices of an answer or chunk. Raises: UpstreamBroken when they are no list of objects."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise unreadable()
    return choices


def tidy_head(answer: Json) -> None:
    """Drop what may be absent but not null."""
    for name in _NEVER_NULL:
        if answer.get(name, 0) is None:
            del answer[name]


def tidy_logprobs(choice: Json) -> None:
    """Complete what is told of the tokens' probabilities: `null` when nothing is."""
    if logprobs := choice.setdefault("logprobs", None):
        choice["logprobs"] = {"content": None, "refusal": None} | logprobs


def tidy(answer: Json, *, has_functions: bool) -> Json:
    """Return a whole answer in OpenAI's form. Raises: UpstreamBroken when there is none in it."""
    tidy_head(answer)
    answer["object"] = "chat.completion"
    choices = choices_of(answer)
    if not choices:
        raise unreadable()
    with trusted():
        for index, choice in enumerate(choices):
            _tidy_choice(choice, index, has_functions=has_functions)
    return answer


def _tidy_choice(choice: Json, index: int, *, has_functions: bool) -> None:
    message = choice.get("message")
    if not isinstance(message, dict):
        raise unreadable()
    choice.setdefault("index", index)
    tidy_logprobs(choice)
    choice["finish_reason"] = choice.get("finish_reason") or "stop"
    _tidy_message(message)
    if has_functions and message.get("tool_calls"):
        message["function_call"] = message.pop("tool_calls")[0]["function"]
        choice["finish_reason"] = "function_call"


def _tidy_message(message: Json) -> None:
    message["role"] = "assistant"
    message.setdefault("refusal", None)
    message.setdefault("content", None)
    _tidy_annotations(message)
    calls = message.get("tool_calls")
    if not calls or not isinstance(calls, list):
        message.pop("tool_calls", None)
        return
    message["tool_calls"] = [_tool_call(call, index) for index, call in enumerate(calls)]
    message["content"] = message["content"] or None


def _tidy_annotations(message: Json) -> None:
    """Leave under OpenAI's name only what OpenAI knows: recognition models annotate language and mood."""
    annotations = message.get("annotations")
    if annotations and any(note.get("type") != "url_citation" for note in annotations):
        message["dashscope_annotations"] = message.pop("annotations")


def _tool_call(call: Any, index: int) -> Json:
    """Return one call of a tool; `index` belongs to streams, and an id is what the client answers to."""
    if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
        raise unreadable()
    function = call["function"]
    return {
        "id": call.get("id") or f"call_{index}",
        "type": "function",
        "function": {"name": function.get("name") or "", "arguments": function.get("arguments") or ""},
    }
