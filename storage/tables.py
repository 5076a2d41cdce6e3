"""The tables of the history, and the column types that mean the same on SQLite and on MySQL/MariaDB.

A change here needs a new revision in `migrations/versions/`; a test compares the two on both databases.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, kept to the microsecond. Invariant: aware outside the database, UTC without a zone inside."""

    impl = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone cannot be stored: {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


class LongText(TypeDecorator[str]):
    """Text up to 16 MB. Invariant: inside the database it is valid UTF-8.

    A model's text may hold half a surrogate pair (JSON's `\\ud83d`), which no database takes: halves that meet are
    joined, a lonely one becomes U+FFFD.
    """

    impl = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return valid_text(value)


def valid_text(text: str) -> str:
    """Return a text that can be UTF-8, as `LongText` tells."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _row_number() -> Any:
    """Return the type of a counting key: SQLite counts up an INTEGER only."""
    return BigInteger().with_variant(Integer(), "sqlite")


metadata = MetaData()

turns = Table(
    "turns",
    metadata,
    Column("id", _row_number(), primary_key=True, autoincrement=True),
    Column("turn_id", String(64), nullable=False),
    Column("session_id", String(128), nullable=False),
    Column("started_at", UtcDateTime(), nullable=False),
    Column("finished_at", UtcDateTime(), nullable=False),
    Column("key_fingerprint", String(64), nullable=False),
    Column("user_text", LongText(), nullable=False),
    Column("answer_text", LongText(), nullable=False),
    Column("answer_heard", LongText(), nullable=False),
    Column("interrupted", Boolean(), nullable=False),
    Column("audio_key", String(512), nullable=False),
    Column("audio_url", LongText(), nullable=False),
    Column("audio_seconds", Double(), nullable=False),
    Column("asr_model", String(128), nullable=False),
    Column("chat_model", String(128), nullable=False),
    Column("tts_model", String(128), nullable=False),
    Column("prompt_tokens", Integer(), nullable=False),
    Column("completion_tokens", Integer(), nullable=False),
    Column("total_tokens", Integer(), nullable=False),
    Column("stages_ms", JSON(), nullable=False),
    Column("error_code", String(128), nullable=False),
    Column("owner", String(128), nullable=False, server_default=""),
    Column("conversation_id", String(128), nullable=False, server_default=""),
    Column("image_keys", JSON(), nullable=True),
    UniqueConstraint("turn_id", name="turns_once"),
    # Read as an index. It is a constraint because then CREATE TABLE makes it too, in one atomic statement: MySQL does
    # not roll back DDL, so a start killed before a separate CREATE INDEX would leave the table without it.
    UniqueConstraint("session_id", "started_at", "id", name="turns_by_session"),
    Index("turns_by_conversation", "owner", "conversation_id", "started_at", "id"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
    mysql_collate="utf8mb4_bin",  # ids that differ in case are two ids, as on SQLite
)
"""One row per finished turn, in the order of saving. Columns are the fields of `TurnRecord`, `usage` spread out."""

conversations = Table(
    "conversations",
    metadata,
    Column("id", _row_number(), primary_key=True, autoincrement=True),
    Column("owner", String(128), nullable=False),
    Column("conversation_id", String(128), nullable=False),
    Column("title", String(200), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("updated_at", UtcDateTime(), nullable=False),
    Column("summary", LongText(), nullable=True),
    Column("summary_until", UtcDateTime(), nullable=True),
    UniqueConstraint("owner", "conversation_id", name="conversations_once"),
    UniqueConstraint("owner", "updated_at", "id", name="conversations_by_use"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
    mysql_collate="utf8mb4_bin",
)
"""One row per conversation of an owner, written with its turns. Two owners may use the same `conversation_id`.

`summary` tells the turns that began until `summary_until`, that one included."""

videos = Table(
    "videos",
    metadata,
    Column("id", _row_number(), primary_key=True, autoincrement=True),
    Column("video_id", String(64), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("task_id", String(128), nullable=False),
    Column("model", String(256), nullable=False),
    Column("size", String(32), nullable=False),
    Column("seconds", Integer(), nullable=False),
    Column("video_order", LongText(), nullable=False),
    Column("status", String(32), nullable=False),
    Column("completed_at", UtcDateTime(), nullable=True),
    Column("expires_at", UtcDateTime(), nullable=True),
    Column("url", LongText(), nullable=False),
    Column("error_code", String(128), nullable=False),
    Column("error_message", LongText(), nullable=False),
    Column("remixed_from", String(64), nullable=False),
    UniqueConstraint("video_id", name="videos_once"),
    UniqueConstraint("owner", "created_at", "id", name="videos_by_age"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
    mysql_collate="utf8mb4_bin",
)
"""One row per video that somebody asked for, whatever became of it; `video_order` is JSON."""
