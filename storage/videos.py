"""Jobs of videos in SQL, by owner. SQLAlchemy Core, no ORM."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import URL, ColumnElement, Connection, Row, and_, delete, insert, or_, select, update

from protocol.errors import NotFound
from protocol.videos import VideoOrder, write_size
from services.video_ports import VideoRecord
from storage import database
from storage.tables import videos

_V = videos.c
_SAME = (
    *("video_id", "owner", "created_at", "model", "seconds", "task_id", "status", "completed_at", "expires_at"),
    *("url", "error_code", "error_message", "remixed_from"),
)
"""The fields of a record that are columns as they are."""


class SqlVideos:
    """Implements `VideoStore`. The tables are made with the history's. Threads: any number."""

    def __init__(self, url: URL, *, timeout_s: float = 5.0) -> None:
        self._engine = database.connect(url, timeout_s=timeout_s)

    def add(self, record: VideoRecord) -> None:
        """Write a new job down. Raises: StorageError."""
        with self._writing() as connection:
            connection.execute(insert(videos), _row_of(record))

    def update(self, record: VideoRecord) -> None:
        """Write down what has changed; nothing happens when the job is gone. Raises: StorageError."""
        with self._writing() as connection:
            connection.execute(update(videos).where(_is(record.owner, record.video_id)), _row_of(record))

    def get(self, owner: str, video_id: str) -> VideoRecord:
        """Return one job. Raises: NotFound, StorageError."""
        with self._reading() as connection:
            return _record_of(_row(connection, owner, video_id, param="video_id"))

    def page(self, owner: str, *, limit: int, after: str = "", oldest_first: bool = False) -> Sequence[VideoRecord]:
        """Return jobs, the newest first unless told otherwise. Raises: NotFound for `after`, StorageError."""
        wanted = select(videos).where(_V.owner == owner)
        with self._reading() as connection:
            if after:
                last = _row(connection, owner, after, param="after")
                wanted = wanted.where(_is_behind(last, oldest_first=oldest_first))
            order = (_V.created_at, _V.id) if oldest_first else (_V.created_at.desc(), _V.id.desc())
            return [_record_of(row) for row in connection.execute(wanted.order_by(*order).limit(limit))]

    def delete(self, owner: str, video_id: str) -> None:
        """Forget a job; harmless when it is gone. Raises: StorageError."""
        with self._writing() as connection:
            connection.execute(delete(videos).where(_is(owner, video_id)))

    def close(self) -> None:
        """Close the idle connections; harmless when repeated."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database.reported(self._engine.url, "read videos"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with database.reported(self._engine.url, "write a video down"), self._engine.begin() as connection:
            yield connection


def _is(owner: str, video_id: str) -> ColumnElement[bool]:
    return and_(_V.owner == owner, _V.video_id == video_id)


def _is_behind(last: Row[Any], *, oldest_first: bool) -> ColumnElement[bool]:
    """Compare with the last row of the page before; the first comparison is for the index, it says nothing new."""
    if oldest_first:
        behind = or_(_V.created_at > last.created_at, _V.id > last.id)
        return and_(_V.created_at >= last.created_at, behind)
    return and_(_V.created_at <= last.created_at, or_(_V.created_at < last.created_at, _V.id < last.id))


def _row(connection: Connection, owner: str, video_id: str, *, param: str) -> Row[Any]:
    row = connection.execute(select(videos).where(_is(owner, video_id))).first()
    if row is None:
        raise NotFound(f"There is no video {video_id[:80]!r}.", param=param)
    return row


def _row_of(record: VideoRecord) -> dict[str, Any]:
    order = msgspec.json.encode(record.order).decode()
    return {name: getattr(record, name) for name in _SAME} | {"video_order": order, "size": write_size(record.size)}


def _record_of(row: Row[Any]) -> VideoRecord:
    width, _, height = row.size.partition("x")
    order = msgspec.json.decode(row.video_order, type=VideoOrder)
    columns = {name: getattr(row, name) for name in _SAME}
    progress = 100 if row.status == "completed" else 0
    return VideoRecord(order=order, size=(int(width), int(height)), progress=progress, **columns)
