"""A chat completion's request, from OpenAI's words into the vendor's.

How it works.  The body is parsed once and checked by the records of `protocol/openai/chat.py`. Then the parsed object
itself is translated, so that what no rule names reaches the vendor as it came. `chat_fields.py` lists what becomes of
every parameter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from protocol.errors import BadInput
from protocol.openai import chat_input, chat_messages, chat_tools
from protocol.openai.chat import ChatRequest
from protocol.openai.chat_fields import IGNORED
from protocol.openai.reading import convert, read_object

Json = dict[str, Any]

_STREAMED_SOUND = ("pcm16", "wav")
_BUDGETS = {"low": 2048, "medium": 8192}
"""Tokens of thought for a reasoning effort; higher efforts have no bound but the model's."""
_WAYS_TO_SEARCH = {"high": "max"}
_MOST_TOKENS = {"farui": 2000}
"""Source: the vendor's model pages. Others refuse by themselves, naming their range."""
_FEMALE, _MALE = "Cherry", "Ethan"
_VOICES = dict.fromkeys(("alloy", "coral", "nova", "sage", "shimmer", "marin", "ballad"), _FEMALE) | dict.fromkeys(
    ("ash", "echo", "fable", "onyx", "verse", "cedar"), _MALE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCall:
    """A request in the vendor's words, and how its answer shall look. `model` as the client named it, maybe empty.

    `sound_format` is the container of a spoken answer, empty when none was asked for. `headers` go to the vendor, too.
    """

    model: str
    is_stream: bool = False
    has_usage: bool = False
    is_padded: bool = False
    has_functions: bool = False
    sound_format: str = ""
    has_pictures: bool = False
    uses_uploads: bool = False
    parameters: Json
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, *, model: str, is_stream: bool) -> bytes:
        """Return the vendor's body. Raises: BadInput when it is nested too deeply to be written."""
        sent: Json = {"model": model} | self.parameters | _clamped(self.parameters, model)
        if is_stream:
            sent["stream"] = True
        if is_stream and (self.has_usage or not self.is_stream):
            sent["stream_options"] = {"include_usage": True}
        try:
            return msgspec.json.encode(sent)
        except RecursionError as error:
            raise BadInput("The body is nested too deeply.") from error


def read_call(body: bytes) -> ChatCall:
    """Return what a body asks for. Raises: BadInput naming the parameter that is wrong or cannot be honoured."""
    return call_of({name: value for name, value in read_object(body).items() if value is not None})


def call_of(sent: Json) -> ChatCall:
    """Return what a parsed body without nulls asks for. Raises: BadInput."""
    if "input" in sent and "messages" not in sent:
        sent = chat_input.as_chat(sent)
    request = convert(sent, ChatRequest)
    _refuse(request)
    options = request.stream_options
    return ChatCall(
        model=request.model or "",
        is_stream=bool(request.stream),
        has_usage=bool(options and options.include_usage),
        is_padded=bool(options and options.include_obfuscation),
        has_functions=bool(request.functions) and not request.tools,
        sound_format=_sound_format(request),
        has_pictures=chat_messages.has_pictures(sent["messages"]),
        uses_uploads=chat_messages.uses_uploads(sent["messages"]),
        parameters=_parameters(sent),
    )


def _sound_format(request: ChatRequest) -> str:
    if "audio" not in (request.modalities or ()):
        return ""
    return request.audio.format if request.audio else "wav"


_REPLACED = frozenset(
    "model stream stream_options tools tool_choice functions function_call reasoning_effort web_search_options"
    " logit_bias verbosity service_tier moderation".split()
)
"""What does not reach the vendor under its own name, or at all."""


def _parameters(sent: Json) -> Json:
    kept = {name: value for name, value in sent.items() if name not in _REPLACED and name not in IGNORED}
    for name, change in _CHANGES.items():
        if name in kept:
            kept[name] = change(kept[name])
    messages = sent["messages"]
    kept["messages"] = chat_messages.to_vendor(messages)
    if "max_completion_tokens" in kept:
        kept.setdefault("max_tokens", kept["max_completion_tokens"])
    if not kept.get("stop", True):
        del kept["stop"]
    for name, value in (chat_tools.to_vendor(sent) | _thinking(sent) | _searching(sent) | _seeing(messages)).items():
        kept.setdefault(name, value)  # what the client says in the vendor's own words counts
    return kept


def _audio(form: Json) -> Json:
    """Return how the vendor shall speak: it knows one format, and its own voices."""
    voice = form.get("voice")
    name = voice.get("id") if isinstance(voice, dict) else voice
    named = {"voice": _VOICES.get(name, name)} if name else {}
    return form | {"format": "wav"} | named


_CHANGES: dict[str, Callable[[Any], Any]] = {
    "temperature": lambda value: min(value, 1.99),
    "top_p": lambda value: value or 0.001,
    "seed": lambda value: value % 2**31,
    "audio": _audio,
}


def _thinking(sent: Json) -> Json:
    effort = sent.get("reasoning_effort")
    if effort is None or "enable_thinking" in sent or "thinking_budget" in sent:
        return {}
    if effort in ("none", "minimal"):
        return {"enable_thinking": False}
    return {"enable_thinking": True} | ({"thinking_budget": _BUDGETS[effort]} if effort in _BUDGETS else {})


def _searching(sent: Json) -> Json:
    if (search := sent.get("web_search_options")) is None:
        return {}
    way = _WAYS_TO_SEARCH.get(search.get("search_context_size"))
    return {"enable_search": True} | ({"search_options": {"search_strategy": way}} if way else {})


def _seeing(messages: list[Json]) -> Json:
    return {"vl_high_resolution_images": True} if chat_messages.has_detail(messages, "high") else {}


def _clamped(parameters: Json, model: str) -> Json:
    """Return the limits of an answer's length that the model has, where the client's are higher."""
    most = next((tokens for prefix, tokens in _MOST_TOKENS.items() if model.startswith(prefix)), 0)
    names = ("max_tokens", "max_completion_tokens")
    return {name: most for name in names if most and parameters.get(name, 0) > most}


def _refuse(request: ChatRequest) -> None:
    """Raise for the first parameter that cannot be honoured and may not be ignored."""
    search, audio = request.web_search_options, request.audio
    impossible = {
        "stream_options": (bool(request.stream_options) and not request.stream, "It belongs to 'stream': true."),
        "functions": (bool(request.functions and request.tools), "Put all of them into 'tools'."),
        "logit_bias": (bool(request.logit_bias), "Tokens have other numbers in these models."),
        "verbosity": (request.verbosity not in (None, "medium"), "Say in a message how long the answer shall be."),
        "service_tier": (request.service_tier not in (None, "auto", "default"), "There is one tier: 'auto'."),
        "moderation": (request.moderation is not None, "Moderate with a call of your own."),
        "web_search_options.user_location": (bool(search and search.user_location), "The search has no place."),
        "audio.format": (
            bool(request.stream and audio and audio.format not in _STREAMED_SOUND),
            "A stream carries 'pcm16' only.",
        ),
    }
    for name, (is_asked, reason) in impossible.items():
        if is_asked:
            raise BadInput(f"Unsupported '{name}'. {reason}", code="unsupported_value", param=name)
