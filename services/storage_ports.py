"""What the services need remembered, as protocols: objects in a store, turns in a history, conversations.

Whoever asks for a conversation says whose it is; nothing here gives out what belongs to another owner.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.ports import Usage


class Saved(enum.Enum):
    """Where a thing is when its saving returns. Either place outlives a crash; the second is emptied into the first."""

    DELIVERED = "delivered"
    """In the database or the bucket."""
    JOURNALED = "journaled"
    """In the journal of this machine, to be delivered when the database or the bucket is back."""


class ObjectStore(Protocol):
    """Recordings and pictures by name. Threads: any."""

    def url(self, key: str) -> str:
        """Return the address under which the object will be readable; known before the upload."""

    def put(self, key: str, data: bytes, *, content_type: str) -> Saved:
        """Store one object durably. Raises: StorageError."""

    def get(self, key: str) -> bytes:
        """Return an object. Raises: NotFound, StorageError."""

    def size_bytes(self, key: str) -> int | None:
        """Return how large an object is, None when there is none. Raises: StorageError."""

    def delete(self, key: str) -> None:
        """Forget an object; harmless when there is none. Raises: StorageError."""

    def close(self) -> None:
        """End threads and connections; harmless when repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """One finished turn as history keeps it. `answer_heard` is what had been played when the turn was interrupted.

    An empty `conversation_id` means the conversation of the session, an empty `owner` the key's fingerprint.
    """

    turn_id: str
    session_id: str
    started_at: datetime
    finished_at: datetime
    key_fingerprint: str
    user_text: str
    answer_text: str
    answer_heard: str
    interrupted: bool
    audio_key: str
    audio_url: str
    audio_seconds: float
    asr_model: str
    chat_model: str
    tts_model: str
    usage: Usage = field(default_factory=Usage)
    stages_ms: dict[str, float] = field(default_factory=dict)
    error_code: str = ""
    conversation_id: str = ""
    owner: str = ""
    image_keys: tuple[str, ...] = ()


class History(Protocol):
    """Keeps turns. Threads: any."""

    def save(self, turn: TurnRecord) -> Saved:
        """Store one turn durably before returning; the same `turn_id` twice is one row. Raises: StorageError."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Turns that belong together. `title` is the beginning of its first question.

    `summary` tells the turns that began until `summary_until`, that one included.
    """

    conversation_id: str
    owner: str
    title: str
    created_at: datetime
    updated_at: datetime
    summary: str = ""
    summary_until: datetime | None = None


class Conversations(Protocol):
    """What was said, by owner. Threads: any. Every method raises StorageError when the database is away.

    Pages go on behind `after`, the id of the last item of the page before, in the order of the page. An id that does
    not exist (any more), or is another owner's, raises NotFound.
    """

    def window(self, owner: str, conversation_id: str, *, turns: int) -> Sequence[TurnRecord]:
        """Return the last turns of a conversation, newest first; nothing for an unknown one."""

    def page(self, owner: str, *, limit: int, after: str = "", oldest_first: bool = False) -> Sequence[Conversation]:
        """Return conversations, the last used first unless told otherwise."""

    def counts(self, owner: str, conversation_ids: Sequence[str]) -> Mapping[str, int]:
        """Return how many turns each of some conversations has; one that has none may be left out."""

    def conversation(self, owner: str, conversation_id: str) -> Conversation:
        """Return one conversation. Raises: NotFound."""

    def turns(
        self,
        owner: str,
        conversation_id: str,
        *,
        limit: int,
        after: str = "",
        including: bool = False,
        newest_first: bool = False,
    ) -> Sequence[TurnRecord]:
        """Return turns of a conversation; `including`: with the turn `after` itself. Raises: NotFound."""

    def between(
        self, owner: str, conversation_id: str, *, after: datetime | None, before: datetime, limit: int
    ) -> Sequence[TurnRecord]:
        """Return turns that began between two moments, both excluded, oldest first; nothing for an unknown one."""

    def summarise(self, conversation: Conversation, summary: str, *, until: datetime) -> None:
        """Keep a summary, unless the conversation has been deleted since it was read, and maybe begun anew."""

    def export(self, owner: str, conversation_id: str = "") -> Iterator[TurnRecord]:
        """Yield all turns of an owner, or of one conversation, each conversation oldest first, in bounded memory."""

    def objects(self, owner: str, conversation_id: str) -> Sequence[str]:
        """Return the keys of a conversation's recordings and pictures, also of turns that are not delivered yet."""

    def delete(self, owner: str, conversation_id: str) -> Sequence[str]:
        """Forget a conversation; returns the keys of its objects, which the caller deletes. Raises: NotFound."""
