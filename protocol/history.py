"""The shapes of the history over HTTP: conversations, their messages, an exported turn.

OpenAI has no such list of spoken turns; pages, ids and errors are worded as in its other lists.
Source: OpenAI API reference, list chat messages (`first_id`, `last_id`, `has_more`).
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Seconds = Annotated[int, Meta(description="Seconds since 1970.")]


class ConversationObject(Struct, frozen=True, kw_only=True):
    """Turns that belong together. `title` is the beginning of its first question."""

    id: str
    object: Literal["conversation"]
    created_at: Seconds
    updated_at: Seconds
    title: str
    turns: int


class ConversationPage(Struct, frozen=True, kw_only=True):
    """Conversations, by the time of their last turn."""

    object: Literal["list"]
    data: list[ConversationObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ConversationMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Half a turn. `heard` and `interrupted` are there when an answer was cut short; `heard` is what had been played.

    Links expire; a message that is read again has new ones.
    """

    id: str
    object: Literal["conversation.message"]
    role: Literal["user", "assistant"]
    created_at: Seconds
    text: str
    turn_id: str
    image_urls: list[str]
    audio_url: str = ""
    heard: str | None = None
    interrupted: bool = False


class MessagePage(Struct, frozen=True, kw_only=True):
    """Messages of one conversation."""

    object: Literal["list"]
    data: list[ConversationMessage]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ConversationDeleted(Struct, frozen=True, kw_only=True):
    """The conversation is gone, its recordings and pictures too."""

    id: str
    object: Literal["conversation.deleted"]
    deleted: Literal[True]


class ExportedUsage(Struct, frozen=True, kw_only=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ExportedTurn(Struct, frozen=True, kw_only=True):
    """One line of an export: a whole turn. `answer_heard` is the answer as far as it was played; times are ISO 8601."""

    turn_id: str
    conversation_id: str
    session_id: str
    started_at: str
    finished_at: str
    user_text: str
    answer_text: str
    answer_heard: str
    interrupted: bool
    audio_seconds: float
    audio_url: str
    image_urls: list[str]
    asr_model: str
    chat_model: str
    tts_model: str
    usage: ExportedUsage
    stages_ms: dict[str, float]
    error_code: str


def message_id(turn_id: str, role: str) -> str:
    """Return what half a turn is called."""
    return f"{turn_id}-{role}"


def turn_of_message(text: str) -> str:
    """Return the turn that a message is half of, "" when no message is called so."""
    turn_id, _, role = text.rpartition("-")
    return turn_id if role in ("user", "assistant") else ""
