"""Jobs of videos, on SQLite and on MariaDB."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from protocol.errors import NotFound, StorageError
from protocol.videos import VideoOrder
from services.video_ports import VideoRecord
from storage.database import sqlite_url
from storage.history import open_history
from storage.videos import SqlVideos

MOMENT = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)


def record(video_id: str = "video_1", owner: str = "ann", **changes: object) -> VideoRecord:
    fields: dict[str, object] = {
        "video_id": video_id,
        "owner": owner,
        "created_at": MOMENT,
        "order": VideoOrder(model="sora-2", prompt="一只猫🐈", size=(1, 2), own_words={"x": [1, {"y": None}]}),
        "model": "wan2.7-t2v",
        "size": (1280, 720),
        "seconds": 5,
    }
    return VideoRecord(**fields | changes)  # type: ignore[arg-type]


@pytest.fixture
def store(url: URL) -> Iterator[SqlVideos]:
    open_history(url).close()  # makes the tables
    opened = SqlVideos(url)
    yield opened
    opened.close()


@pytest.fixture
def fill(store: SqlVideos) -> Callable[..., None]:
    """Write five jobs of Ann down, two of them of one moment, and one of Bob."""

    def fill() -> None:
        for number, minutes in enumerate((0, 1, 1, 2, 3)):
            store.add(record(f"video_{number}", created_at=MOMENT + timedelta(minutes=minutes)))
        store.add(record("video_bobs", owner="bob"))

    return fill


def test_a_job_comes_back_as_it_was_written_down(store: SqlVideos) -> None:
    store.add(record())

    assert store.get("ann", "video_1") == record()


def test_news_of_a_job_are_kept(store: SqlVideos) -> None:
    done = record(
        task_id="t", status="completed", progress=100, url="https://x", completed_at=MOMENT, expires_at=MOMENT
    )
    store.add(record())

    store.update(done)

    assert store.get("ann", "video_1") == done


def test_a_job_is_its_owners_alone(store: SqlVideos) -> None:
    store.add(record())

    with pytest.raises(NotFound) as refused:
        store.get("bob", "video_1")
    assert refused.value.param == "video_id"
    store.delete("bob", "video_1")
    store.update(replace(record(owner="bob"), status="failed"))
    assert store.get("ann", "video_1") == record()


def test_a_job_that_is_forgotten_is_gone_and_stays_so(store: SqlVideos) -> None:
    store.add(record())

    store.delete("ann", "video_1")
    store.update(record(status="failed"))
    store.delete("ann", "video_1")

    assert store.page("ann", limit=9) == []


@pytest.mark.parametrize("oldest_first", [False, True])
def test_pages_hold_every_job_once_in_order(store: SqlVideos, fill: Callable[..., None], oldest_first: bool) -> None:
    fill()

    seen: list[str] = []
    while page := store.page("ann", limit=2, after=seen[-1] if seen else "", oldest_first=oldest_first):
        seen += [job.video_id for job in page]

    in_order = [f"video_{number}" for number in range(5)]
    assert seen == (in_order if oldest_first else in_order[::-1])


def test_a_page_behind_what_is_not_there_is_refused(store: SqlVideos, fill: Callable[..., None]) -> None:
    fill()

    with pytest.raises(NotFound) as refused:
        store.page("ann", limit=2, after="video_bobs")
    assert refused.value.param == "after"


def test_a_database_that_is_not_ready_is_a_storage_error() -> None:
    store = SqlVideos(sqlite_url(Path("/nowhere/at/all.db")))

    with pytest.raises(StorageError):
        store.add(record())
    store.close()
