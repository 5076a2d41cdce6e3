"""The history of turns in SQL: SQLite in a file, or MySQL/MariaDB. SQLAlchemy Core, no ORM."""

import dataclasses
from typing import Any

from sqlalchemy import URL, Engine, Insert, Row, case, func, insert, select
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import IntegrityError, OperationalError

from services.ports import Usage
from services.storage_ports import Saved, TurnRecord
from storage import database
from storage.database import mysql_url, sqlite_url
from storage.migrate import migrate
from storage.tables import conversations, turns, valid_text

__all__ = ["SqlHistory", "mysql_url", "open_history", "sqlite_url"]

_USAGE_FIELDS = tuple(field.name for field in dataclasses.fields(Usage))
_OWN_FIELDS = tuple(field.name for field in dataclasses.fields(TurnRecord) if field.name not in ("usage", "image_keys"))
_TITLE_CHARS = 80
_DEADLOCK = 1213
_DEADLOCK_TRIES = 5
"""Two first turns of one conversation may lock each other out; InnoDB then tells one of them to begin again."""


def open_history(url: URL | str, *, timeout_s: float = 5.0) -> "SqlHistory":
    """Return the history in this database, its tables up to date; safe when several processes start together.

    The server must answer within `timeout_s`; the tables' change may then take minutes (`migrate`).
    Raises: StorageError, whose message never holds the password.
    """
    address = database.parse_url(url)
    prepare_tables(address, timeout_s=timeout_s)
    return SqlHistory(database.connect(address, timeout_s=timeout_s))


def prepare_tables(address: URL, *, timeout_s: float) -> None:
    """Bring the tables up to date. Raises: StorageError, in time when the server does not answer."""
    with database.reported(address, "prepare the tables"):
        database.reach(address, timeout_s=timeout_s)
        migrate(address)


class SqlHistory:
    """Implements `History`. Invariant: a turn whose `save` returned outlives any kill of this process.

    Threads: any number; each call takes a connection of its own from a bounded pool.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, turn: TurnRecord) -> Saved:
        """Store one turn durably; a `turn_id` that is stored already stays as it is. Raises: StorageError."""
        with database.reported(self._engine.url, "save the turn"):
            try:
                self._insert(turn)
            except IntegrityError:
                if not self._has(turn.turn_id):
                    raise
        return Saved.DELIVERED

    def recent(self, session_id: str, *, limit: int) -> list[TurnRecord]:
        """Return the last `limit` turns of a session, newest last. Raises: StorageError."""
        newest_first = (
            select(turns)
            .where(turns.c.session_id == session_id)
            .order_by(turns.c.started_at.desc(), turns.c.id.desc())
            .limit(limit)
        )
        with database.reported(self._engine.url, "read turns"), self._engine.connect() as connection:
            return [turn_of(row) for row in reversed(connection.execute(newest_first).all())]

    def count(self) -> int:
        """Return how many turns are stored. Raises: StorageError."""
        with database.reported(self._engine.url, "count turns"), self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(turns)).scalar_one()

    def ping(self) -> None:
        """Raise StorageError when the database does not answer."""
        with database.reported(self._engine.url, "reach the history"), self._engine.connect() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        """Close the idle connections; harmless when repeated."""
        self._engine.dispose()

    def _insert(self, turn: TurnRecord) -> None:
        """Write a turn and its conversation, both or none."""
        row = row_of(turn)
        for attempt in range(1, _DEADLOCK_TRIES + 1):
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(turns), row)
                    connection.execute(_touch_conversation(connection.dialect.name, row))
                return
            except OperationalError as error:
                if attempt == _DEADLOCK_TRIES or database.number_of(error) != _DEADLOCK:
                    raise

    def _has(self, turn_id: str) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(select(turns.c.id).where(turns.c.turn_id == turn_id)).first() is not None


def row_of(turn: TurnRecord) -> dict[str, Any]:
    """Return a turn as a row of `turns`."""
    row = {name: getattr(turn, name) for name in _OWN_FIELDS} | dataclasses.asdict(turn.usage)
    belongs = {
        "owner": turn.owner or turn.key_fingerprint,
        "conversation_id": turn.conversation_id or turn.session_id,
        "image_keys": list(turn.image_keys),
    }
    return row | belongs


def turn_of(row: Row[Any]) -> TurnRecord:
    """Return a row of `turns` as a turn."""
    usage = Usage(**{name: getattr(row, name) for name in _USAGE_FIELDS})
    own = {name: getattr(row, name) for name in _OWN_FIELDS}
    return TurnRecord(usage=usage, image_keys=tuple(row.image_keys or ()), **own)


def _touch_conversation(dialect: str, row: dict[str, Any]) -> Insert:
    """Return what makes a turn's conversation, or notes that it was used again; an older turn makes it no older."""
    made = {
        "owner": row["owner"],
        "conversation_id": row["conversation_id"],
        "title": " ".join(valid_text(row["user_text"][: 4 * _TITLE_CHARS]).split())[:_TITLE_CHARS],
        "created_at": row["started_at"],
        "updated_at": row["finished_at"],
    }
    kept = conversations.c
    if dialect == "sqlite":
        lite = sqlite.insert(conversations).values(made)
        return lite.on_conflict_do_update(
            index_elements=["owner", "conversation_id"], set_=_merged(kept, lite.excluded)
        )
    my = mysql.insert(conversations).values(made)
    return my.on_duplicate_key_update(_merged(kept, my.inserted))


def _merged(kept: Any, new: Any) -> dict[str, Any]:
    return {
        "updated_at": case((new.updated_at > kept.updated_at, new.updated_at), else_=kept.updated_at),
        "title": case((kept.title == "", new.title), else_=kept.title),
    }
