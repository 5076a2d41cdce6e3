"""A chat request, checked: messages in order and content parts that the model takes, with the service's messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from emulator.chat_options import check_options
from emulator.chat_parts import BAD_ITEM, kind_of, media_url, parts_in, text_in
from emulator.errors import ApiError
from emulator.media import BAD_URL
from emulator.models import Model

_LONE_TOOL: Final = (
    'messages with role "tool" must be a response to a preceeding message with "tool_calls".'  # the service's spelling
)
_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_SEEING: Final = frozenset({"multimodal", "omni", "livetranslate"})
_HEARING: Final = frozenset({"omni", "livetranslate", "asr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """The checked request.  `options` are the parameters as they came, `heard` what an omni model's ear made of its
    sounds, which lasted `heard_s` seconds."""

    model: Model
    messages: tuple[dict[str, Any], ...]
    options: dict[str, Any]
    heard: str = ""
    heard_s: int = 0

    @property
    def is_stream(self) -> bool:
        """Whether the answer is streamed."""
        return bool(self.options.get("stream"))

    @property
    def has_usage_chunk(self) -> bool:
        """Whether a stream ends with a usage chunk."""
        return bool((self.options.get("stream_options") or {}).get("include_usage"))

    @property
    def is_thinking(self) -> bool:
        """Whether the answer begins with reasoning."""
        return bool(self.options.get("enable_thinking", self.model.thinks_by_default))

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools offered."""
        return self.options.get("tools") or []

    @property
    def tool_choice(self) -> Any:
        """The tool choice as it came."""
        return self.options.get("tool_choice")

    @property
    def forced_tool(self) -> str:
        """The name of the tool that must be called, empty for none."""
        choice = self.tool_choice
        return str(choice["function"]["name"]) if isinstance(choice, dict) else ""

    @property
    def answer_schema(self) -> dict[str, Any] | None:
        """The schema that the answer must fit."""
        form = self.options.get("response_format") or {}
        schema: dict[str, Any] | None = (form.get("json_schema") or {}).get("schema")
        return schema if form.get("type") == "json_schema" else None

    @property
    def max_tokens(self) -> int:
        """The limit of the answer, 0 for none."""
        return int(self.options.get("max_completion_tokens") or self.options.get("max_tokens") or 0)

    @property
    def wants_json(self) -> bool:
        """Whether the answer must be JSON."""
        return str((self.options.get("response_format") or {}).get("type", "")).startswith("json")

    @property
    def wants_sound(self) -> bool:
        """Whether the answer is spoken too."""
        return "audio" in (self.options.get("modalities") or [])

    @property
    def target_language(self) -> str:
        """The language that a translation goes into, empty for none."""
        options = self.options.get("translation_options")
        return str(options.get("target_lang") or "") if isinstance(options, dict) else ""

    @property
    def question(self) -> str:
        """The text of the last user message, then what was heard in it."""
        users = [m for m in self.messages if m["role"] == "user"]
        return " ".join(filter(None, [text_in(users[-1]) if users else "", self.heard]))

    @property
    def all_text(self) -> str:
        """All text of the conversation except the system's."""
        texts = [text_in(m) for m in self.messages if m["role"] != "system"]
        return "\n".join([*texts, self.heard] if self.heard else texts)

    @property
    def system_text(self) -> str:
        """The text of the system's messages: for recognition, the context."""
        return "\n".join(text_in(m) for m in self.messages if m["role"] == "system")

    @property
    def has_history(self) -> bool:
        """Whether the assistant has spoken before."""
        return any(m["role"] == "assistant" for m in self.messages)

    @property
    def ends_with_tool_result(self) -> bool:
        """Whether the client has just answered a tool call."""
        return bool(self.messages[-1]["role"] == "tool")

    @property
    def image_count(self) -> int:
        """How many pictures the last user message holds."""
        users = [m for m in self.messages if m["role"] == "user"]
        return sum(kind_of(part) == "image" for part in parts_in(users[-1])) if users else 0

    @property
    def media_count(self) -> int:
        """How many parts of the conversation are not text."""
        return sum(kind_of(part) != "text" for m in self.messages for part in parts_in(m))

    def until_stop(self, text: str) -> str:
        """Return a text up to the first stop word."""
        stops = self.options.get("stop") or []
        for stop in [stops] if isinstance(stops, str) else stops:
            text = text.split(stop, 1)[0] if stop else text
        return text


def check_chat(model: Model, messages: Any, options: dict[str, Any]) -> ChatRequest:
    """Return the request if the service would take it.  Raises: ApiError with the service's message."""
    if not isinstance(messages, list) or not messages:
        raise ApiError('Either "prompt" or "messages" must exist and cannot both be none')
    check_options(options)
    chat = ChatRequest(model=model, messages=tuple(_check_message(m) for m in messages), options=options)
    _check_parts(chat)
    _check_roles(chat)
    return chat


def _check_message(message: Any) -> dict[str, Any]:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise ApiError("Role must be user or assistant and Content length must be greater than 0")
    content = message.get("content")
    if content is None and not message.get("tool_calls"):
        raise ApiError("The content field is a required field.")
    if content is not None and not isinstance(content, str | list):
        raise ApiError("input content must be a string.")
    return message


def _check_parts(chat: ChatRequest) -> None:
    for message in chat.messages:
        for part in parts_in(message):
            kind = kind_of(part)
            if kind in {"image", "video"} and chat.model.family not in _SEEING:
                raise ApiError(BAD_ITEM)
            if kind == "audio" and chat.model.family not in _HEARING:
                raise ApiError("An incorrect modal `audio` was entered, this model does not support it.")
            if kind != "text":
                _check_url(media_url(part))


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://", "data:", "oss://")):
        raise ApiError(BAD_URL)


def _check_roles(chat: ChatRequest) -> None:
    for before, message in zip((None, *chat.messages), chat.messages, strict=False):
        if message["role"] != "tool":
            continue
        if before is None or not (before.get("tool_calls") or before["role"] == "tool"):
            raise ApiError(_LONE_TOOL)
