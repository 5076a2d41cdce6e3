"""Conversations and their turns, read by owner. SQLAlchemy Core, no ORM.

Every page is found through an index whose columns are the order of the page, from where the page before ended: as fast
at the millionth turn as at the first. An export is many such pages rather than one open cursor, because who reads it
may be slow, and a cursor would hold one of few connections and run into the database's patience meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, and_, delete, func, or_, select, true, update

from protocol.errors import NotFound
from services.storage_ports import Conversation, TurnRecord
from storage import database
from storage.history import turn_of
from storage.tables import conversations
from storage.tables import turns as turn_table

_EXPORT_PAGE: Final = 200
_T, _C = turn_table.c, conversations.c


class SqlConversations:
    """Implements `Conversations`. Threads: any number; each call takes a connection from a bounded pool.

    `forget_waiting` removes what of a conversation still waits in a journal and returns its objects' keys;
    `waiting_objects` only returns them.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        forget_waiting: Callable[[str, str], Sequence[str]],
        waiting_objects: Callable[[str, str], Sequence[str]] = lambda _owner, _conversation_id: (),
    ) -> None:
        self._engine, self._forget_waiting, self._waiting_objects = engine, forget_waiting, waiting_objects

    def window(self, owner: str, conversation_id: str, *, turns: int) -> Sequence[TurnRecord]:
        """Return the last turns of a conversation, newest first; nothing for an unknown one."""
        return self._turns(_in(owner, conversation_id).order_by(_T.started_at.desc(), _T.id.desc()).limit(turns))

    def page(self, owner: str, *, limit: int, after: str = "", oldest_first: bool = False) -> Sequence[Conversation]:
        """Return conversations, the last used first unless told otherwise. Raises: NotFound for `after`."""
        is_next = _is_after if oldest_first else _is_before
        wanted = select(conversations).where(_C.owner == owner)
        with self._reading() as connection:
            if after:
                last = _row(connection, owner, after, param="after")
                wanted = wanted.where(is_next(_C.updated_at, _C.id, last.updated_at, last.id))
            wanted = wanted.order_by(*_ordered(_C.updated_at, _C.id, newest_first=not oldest_first)).limit(limit)
            return [_conversation_of(row) for row in connection.execute(wanted)]

    def counts(self, owner: str, conversation_ids: Sequence[str]) -> Mapping[str, int]:
        """Return how many turns each of some conversations has."""
        is_one = and_(_T.owner == owner, _T.conversation_id.in_(conversation_ids))
        wanted = select(_T.conversation_id, func.count()).where(is_one).group_by(_T.conversation_id)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(wanted)}

    def conversation(self, owner: str, conversation_id: str) -> Conversation:
        """Return one conversation. Raises: NotFound."""
        with self._reading() as connection:
            return _conversation_of(_row(connection, owner, conversation_id))

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
        is_next = _is_before if newest_first else _is_after
        wanted = _in(owner, conversation_id).limit(limit)
        with self._reading() as connection:
            _row(connection, owner, conversation_id)
            if after:
                last = connection.execute(_in(owner, conversation_id).where(_T.turn_id == after)).first()
                if last is None:
                    raise NotFound(f"There is no turn {after!r} in this conversation.", param="after")
                wanted = wanted.where(is_next(_T.started_at, _T.id, last.started_at, last.id, including=including))
            wanted = wanted.order_by(*_ordered(_T.started_at, _T.id, newest_first=newest_first))
            return [turn_of(row) for row in connection.execute(wanted)]

    def between(
        self, owner: str, conversation_id: str, *, after: datetime | None, before: datetime, limit: int
    ) -> Sequence[TurnRecord]:
        """Return turns that began between two moments, both excluded, oldest first; nothing for an unknown one."""
        wanted = _in(owner, conversation_id).where(_T.started_at < before)
        if after:
            wanted = wanted.where(_T.started_at > after)
        return self._turns(wanted.order_by(_T.started_at, _T.id).limit(limit))

    def summarise(self, conversation: Conversation, summary: str, *, until: datetime) -> None:
        """Keep a summary, unless the conversation has been deleted since it was read, and maybe begun anew."""
        is_row = and_(_C.owner == conversation.owner, _C.conversation_id == conversation.conversation_id)
        is_same = and_(is_row, _C.created_at == conversation.created_at)
        with database.reported(self._engine.url, "keep a summary"), self._engine.begin() as connection:
            connection.execute(update(conversations).where(is_same).values(summary=summary, summary_until=until))

    def export(self, owner: str, conversation_id: str = "") -> Iterator[TurnRecord]:
        """Yield all turns of an owner, or of one conversation, each conversation oldest first, in bounded memory."""
        for wanted_id in [conversation_id] if conversation_id else self._ids(owner):
            for rows in self._pages(_in(owner, wanted_id)):
                yield from map(turn_of, rows)

    def objects(self, owner: str, conversation_id: str) -> Sequence[str]:
        """Return the keys of a conversation's objects. Raises: NotFound."""
        waiting = self._waiting_objects(owner, conversation_id)
        keys = [key for rows in self._pages(_in(owner, conversation_id)) for row in rows for key in _keys_of(row)]
        if not keys and not waiting:
            self.conversation(owner, conversation_id)
        return list(dict.fromkeys([*keys, *waiting]))

    def delete(self, owner: str, conversation_id: str) -> Sequence[str]:
        """Forget a conversation; returns the keys of its objects, which the caller deletes. Raises: NotFound."""
        waiting = self._forget_waiting(owner, conversation_id)
        is_its = and_(_T.owner == owner, _T.conversation_id == conversation_id)
        with database.reported(self._engine.url, "delete a conversation"), self._engine.begin() as connection:
            rows = connection.execute(select(_T.audio_key, _T.image_keys).where(is_its)).all()
            connection.execute(delete(turn_table).where(is_its))
            is_row = and_(_C.owner == owner, _C.conversation_id == conversation_id)
            count = connection.execute(delete(conversations).where(is_row)).rowcount
        if not (rows or count or waiting):
            raise _unknown(conversation_id)
        keys = [key for row in rows for key in _keys_of(row)]
        return list(dict.fromkeys([*keys, *waiting]))

    def _ids(self, owner: str) -> Iterator[str]:
        last = ""
        while True:
            wanted = select(_C.conversation_id).where(_C.owner == owner, _C.conversation_id > last)
            with self._reading() as connection:
                found = connection.execute(wanted.order_by(_C.conversation_id).limit(_EXPORT_PAGE)).scalars().all()
            yield from found
            if len(found) < _EXPORT_PAGE:
                return
            last = found[-1]

    def _pages(self, wanted: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
        """Yield rows of turns, the oldest first, each page by a query of its own."""
        rows: Sequence[Row[Any]] = ()
        while True:
            bound = _is_after(_T.started_at, _T.id, rows[-1].started_at, rows[-1].id) if rows else true()
            with self._reading() as connection:
                page = wanted.where(bound).order_by(_T.started_at, _T.id).limit(_EXPORT_PAGE)
                rows = connection.execute(page).all()
            yield rows
            if len(rows) < _EXPORT_PAGE:
                return

    def _turns(self, wanted: Select[Any]) -> list[TurnRecord]:
        with self._reading() as connection:
            return [turn_of(row) for row in connection.execute(wanted)]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database.reported(self._engine.url, "read conversations"), self._engine.connect() as connection:
            yield connection


def _in(owner: str, conversation_id: str) -> Select[Any]:
    return select(turn_table).where(_T.owner == owner, _T.conversation_id == conversation_id)


def _is_after(
    first: Any, second: Any, first_value: Any, second_value: Any, *, including: bool = False
) -> ColumnElement[bool]:
    """Compare two columns with two values; the first comparison alone says nothing new, but an index can use it."""
    is_second = second >= second_value if including else second > second_value
    return and_(first >= first_value, or_(first > first_value, is_second))


def _is_before(
    first: Any, second: Any, first_value: Any, second_value: Any, *, including: bool = False
) -> ColumnElement[bool]:
    is_second = second <= second_value if including else second < second_value
    return and_(first <= first_value, or_(first < first_value, is_second))


def _ordered(first: Any, second: Any, *, newest_first: bool) -> tuple[Any, Any]:
    return (first.desc(), second.desc()) if newest_first else (first, second)


def _keys_of(row: Any) -> list[str]:
    return [key for key in (row.audio_key, *(row.image_keys or ())) if key]


def _row(connection: Connection, owner: str, conversation_id: str, *, param: str = "conversation_id") -> Row[Any]:
    is_it = and_(_C.owner == owner, _C.conversation_id == conversation_id)
    row = connection.execute(select(conversations).where(is_it)).first()
    if row is None:
        raise _unknown(conversation_id, param=param)
    return row


def _unknown(conversation_id: str, *, param: str = "conversation_id") -> NotFound:
    return NotFound(f"There is no conversation {conversation_id!r}.", param=param)


def _conversation_of(row: Row[Any]) -> Conversation:
    return Conversation(
        conversation_id=row.conversation_id,
        owner=row.owner,
        title=row.title,
        created_at=row.created_at,
        updated_at=row.updated_at,
        summary=row.summary or "",
        summary_until=row.summary_until,
    )
