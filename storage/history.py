"""The history of turns in SQL: SQLite in a file, or MySQL/MariaDB. SQLAlchemy Core, no ORM."""

import dataclasses
from typing import Any

from sqlalchemy import URL, Engine, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from services.ports import Usage
from services.storage_ports import Saved, TurnRecord
from storage import database
from storage.database import mysql_url, sqlite_url
from storage.migrate import migrate
from storage.tables import turns

__all__ = ["SqlHistory", "mysql_url", "open_history", "sqlite_url"]

_USAGE_FIELDS = tuple(field.name for field in dataclasses.fields(Usage))
_OWN_FIELDS = tuple(field.name for field in dataclasses.fields(TurnRecord) if field.name != "usage")


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
                with self._engine.begin() as connection:
                    connection.execute(insert(turns), _row_of(turn))
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
            return [_turn_of(row) for row in reversed(connection.execute(newest_first).all())]

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

    def _has(self, turn_id: str) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(select(turns.c.id).where(turns.c.turn_id == turn_id)).first() is not None


def _row_of(turn: TurnRecord) -> dict[str, Any]:
    return {name: getattr(turn, name) for name in _OWN_FIELDS} | dataclasses.asdict(turn.usage)


def _turn_of(row: Row[Any]) -> TurnRecord:
    usage = Usage(**{name: getattr(row, name) for name in _USAGE_FIELDS})
    return TurnRecord(usage=usage, **{name: getattr(row, name) for name in _OWN_FIELDS})
