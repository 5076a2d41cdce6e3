"""Jobs of videos when something fails between their steps: nothing paid for is lost, nothing is asked for in vain."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import BadInput, Cancelled, NotFound, StorageError, UpstreamBusy, UpstreamForbidden
from protocol.keys import ApiKey
from protocol.openai.videos import Asked
from protocol.videos import VideoNews, VideoOrder, VideoPlan
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.openai.videos import Asker, Videos
from services.pictures import PictureRules
from services.ports import Cancel
from services.video_ports import Taken, VideoFile, VideoRecord
from storage.local_files import LocalFiles
from test.support.photos import photo

ASKED = Asked(order=VideoOrder(model="", prompt="a cat"))
WITH_PICTURE = Asked(order=VideoOrder(model="", prompt="a cat"), first=photo())


@dataclass
class Shelf:
    """A store that does what the test says before it does its work."""

    before: Callable[[str], None] = lambda _what: None
    records: dict[str, VideoRecord] = field(default_factory=dict)

    def add(self, record: VideoRecord) -> None:
        self.before("add")
        self.records[record.video_id] = record

    def update(self, record: VideoRecord) -> None:
        self.before("update")
        self.records[record.video_id] = record

    def get(self, owner: str, video_id: str) -> VideoRecord:
        if video_id not in self.records:
            raise NotFound("none", param="video_id")
        return self.records[video_id]

    def page(self, owner: str, *, limit: int, after: str = "", oldest_first: bool = False) -> Sequence[VideoRecord]:
        return list(self.records.values())[:limit]

    def delete(self, owner: str, video_id: str) -> None:
        self.records.pop(video_id, None)


@dataclass
class Maker:
    """A maker of videos that says what the test says and notes what it was asked."""

    news: VideoNews = VideoNews(status="queued")
    during_submit: Callable[[], None] = lambda: None
    during_open: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)

    def plan(self, order: VideoOrder) -> VideoPlan:
        return VideoPlan(model=order.model, size=(1280, 720), seconds=4)

    def lend(self, picture: object, *, model: str, key: ApiKey, cancel: Cancel) -> str:
        return "oss://lent"

    def submit(self, order: object, plan: object, pictures: object, *, key: ApiKey, cancel: Cancel) -> Taken:
        self.asked.append("submit")
        self.during_submit()
        cancel.raise_if_cancelled()
        return Taken(task_id="task", request_id="req")

    def look(self, task_id: str, *, key: ApiKey, cancel: Cancel) -> VideoNews:
        self.asked.append("look")
        return self.news

    def stop(self, task_id: str, *, key: ApiKey, cancel: Cancel) -> None:
        self.asked.append("stop")
        raise UpstreamBusy("not now")

    @contextmanager
    def open(self, url: str, *, part: str, cancel: Cancel) -> Iterator[VideoFile]:
        self.during_open()
        yield VideoFile(status=200, headers={}, pieces=iter([b"film"]))


class Rig:
    """The service with everything around it scripted but the files, which are real."""

    def __init__(self, folder: Path) -> None:
        self.shelf, self.maker, self.folder = Shelf(), Maker(), folder
        files = LocalFiles(folder, base_url="http://here", secret=b"s" * 32, lifetime_s=60)
        rules = PictureRules(max_side=2000, max_pixels=10**8)
        self.videos = Videos(self.maker, self.shelf, objects=files, catalogue=Catalogue(), rules=rules)
        self.asker = Asker(owner="ann", key=ApiKey("k"), cancel=CancelToken())

    @property
    def pictures(self) -> list[Path]:
        return list(self.folder.rglob("*.jpeg"))

    def aged(self, **age: float) -> VideoRecord:
        """Make a job that was made so long ago."""
        record, _ = self.videos.create(ASKED, self.asker)
        old = replace(record, created_at=datetime.now(UTC) - timedelta(**age))
        self.shelf.records[record.video_id] = old
        return old


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def failing(when: str) -> Callable[[str], None]:
    def before(what: str) -> None:
        if what == when:
            raise StorageError("away")

    return before


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


# --- making


def test_nothing_is_bought_that_cannot_be_written_down(rig: Rig) -> None:
    rig.shelf.before = failing("add")

    with pytest.raises(StorageError) as refused:
        rig.videos.create(WITH_PICTURE, rig.asker)

    assert rig.maker.asked == [] and not refused.value.is_spent and rig.pictures == []


def test_what_was_bought_and_not_noted_is_not_to_be_bought_again(rig: Rig) -> None:
    rig.shelf.before = failing("update")

    with pytest.raises(StorageError) as refused:
        rig.videos.create(ASKED, rig.asker)

    assert refused.value.is_spent and len(rig.shelf.records) == 1


def test_what_the_vendor_refuses_leaves_no_trace(rig: Rig) -> None:
    rig.maker.during_submit = raising(UpstreamBusy("later"))

    with pytest.raises(UpstreamBusy):
        rig.videos.create(WITH_PICTURE, rig.asker)

    assert rig.shelf.records == {} and rig.pictures == []


def test_a_client_that_leaves_in_the_middle_finds_its_video_in_its_list(rig: Rig) -> None:
    rig.maker.during_submit = rig.asker.cancel.cancel

    rig.videos.create(ASKED, rig.asker)

    assert [record.task_id for record in rig.shelf.records.values()] == ["task"]


def test_a_client_that_left_before_buys_nothing(rig: Rig) -> None:
    rig.asker.cancel.cancel()

    with pytest.raises(Cancelled):
        rig.videos.create(WITH_PICTURE, rig.asker)

    assert rig.maker.asked == [] and rig.shelf.records == {} and rig.pictures == []


def test_a_remix_whose_picture_is_gone_is_refused_and_buys_nothing(rig: Rig) -> None:
    record, _ = rig.videos.create(WITH_PICTURE, rig.asker)
    rig.pictures[0].unlink()

    with pytest.raises(NotFound):
        rig.videos.remix(record.video_id, "again", rig.asker)

    assert rig.maker.asked == ["submit"]


def test_a_picture_that_is_none_is_refused_by_its_name(rig: Rig) -> None:
    with pytest.raises(BadInput) as refused:
        rig.videos.create(replace(ASKED, last=b"no picture"), rig.asker)

    assert refused.value.param == "last_frame"


# --- looking


def test_what_is_over_is_never_asked_about_again(rig: Rig) -> None:
    record, _ = rig.videos.create(ASKED, rig.asker)
    rig.maker.news = VideoNews(status="completed", url="https://a.example/v.mp4")

    seen = [rig.videos.get(record.video_id, rig.asker)[0].status for _ in range(3)]

    assert seen == ["completed"] * 3 and rig.maker.asked == ["submit", "look"]


@pytest.mark.parametrize(
    ("age", "told", "kept"),
    [({"seconds": 30}, "queued", "queued"), ({"hours": 1}, "failed", "queued"), ({"hours": 25}, "failed", "failed")],
)
def test_a_task_that_is_unknown_may_be_found_again_but_not_after_a_day(
    rig: Rig, age: dict[str, float], told: str, kept: str
) -> None:
    record = rig.aged(**age)
    rig.maker.news = VideoNews(status="queued", is_known=False)

    seen, _ = rig.videos.get(record.video_id, rig.asker)

    assert (seen.status, rig.shelf.records[record.video_id].status) == (told, kept)


def test_a_job_whose_server_died_before_it_was_taken_has_failed(rig: Rig) -> None:
    record = replace(rig.aged(minutes=5), task_id="")
    rig.shelf.records[record.video_id] = record

    seen, _ = rig.videos.get(record.video_id, rig.asker)

    assert (seen.status, seen.error_code) == ("failed", "task_unknown") and rig.maker.asked == ["submit"]


def test_a_long_list_asks_the_vendor_about_some_alone(rig: Rig) -> None:
    for _ in range(30):
        rig.videos.create(ASKED, rig.asker)

    page = rig.videos.page(rig.asker, limit=20, after="", oldest_first=False)

    assert (len(page.records), page.has_more) == (20, True)
    assert rig.maker.asked.count("look") == 10


# --- giving out, forgetting


def opened(rig: Rig, **changes: Any) -> bytes:
    record, _ = rig.videos.create(ASKED, rig.asker)
    done = replace(record, status="completed", url="https://a.example/v.mp4", **changes)
    rig.shelf.records[record.video_id] = done
    with rig.videos.open(record.video_id, rig.asker) as file:
        return b"".join(file.pieces)


def test_a_video_whose_time_has_come_is_not_asked_for(rig: Rig) -> None:
    rig.maker.during_open = raising(AssertionError("it was asked for"))

    with pytest.raises(NotFound) as refused:
        opened(rig, expires_at=datetime.now(UTC))

    assert refused.value.code == "video_expired"


def test_a_link_that_has_run_out_is_told_as_that(rig: Rig) -> None:
    rig.maker.during_open = raising(UpstreamForbidden("Request has expired."))

    with pytest.raises(NotFound) as refused:
        opened(rig)

    assert refused.value.code == "video_expired"


def test_a_video_is_given_until_its_time_has_come(rig: Rig) -> None:
    assert opened(rig, expires_at=datetime.now(UTC) + timedelta(hours=1)) == b"film"


def test_what_cannot_be_stopped_is_forgotten_all_the_same(rig: Rig) -> None:
    record, _ = rig.videos.create(WITH_PICTURE, rig.asker)

    rig.videos.delete(record.video_id, rig.asker)

    assert rig.maker.asked == ["submit", "stop"] and rig.shelf.records == {} and rig.pictures == []
