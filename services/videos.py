"""`/v1/videos`: videos are asked for, looked after, given out and forgotten, each for its owner alone.

How it works.  A job is written down before the vendor is asked, so that nothing is paid for that nobody could find
again.  The vendor is asked how it stands when its owner asks; what is over is written down and never asked about again,
for the vendor forgets a task after a day.  Pictures that came as bytes are kept beside the job, for a remix needs them.
"""

import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec

from protocol.errors import BadInput, NotFound, StorageError, UpstreamError, UpstreamNotFound
from protocol.keys import ApiKey
from protocol.openai.videos import Asked
from protocol.videos import STORED, VideoNews, VideoOrder, VideoPlan
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.pictures import PictureRules, prepare
from services.ports import Cancel, Picture
from services.storage_ports import ObjectStore
from services.video_ports import VideoFile, VideoMaker, VideoRecord, VideoStore

_log = logging.getLogger(__name__)

_KEPT = timedelta(hours=24)
"""How long the vendor keeps a task and what it made.  Source: DashScope HTTP reference §12.1."""
_UNKNOWN_FOR = timedelta(minutes=2)
"""A new task may not be known everywhere at once; later, one that the vendor does not know is lost."""
_USUAL_S, _USUAL_S_PER_SECOND = 60, 12
"""How long the making of a video takes, beside what each second of it takes."""
_FRESHEN_AT_MOST = 10
"""Jobs of one list that the vendor is asked about: it answers 20 questions a second for the whole account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    records: Sequence[VideoRecord]
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks: whose the videos are, with which key the vendor is asked, and the request's stop signal."""

    owner: str
    key: ApiKey
    cancel: CancelToken


class Videos:
    """The videos of whoever asks. Threads: any. Every method raises StorageError, UpstreamError, Cancelled."""

    def __init__(
        self, maker: VideoMaker, store: VideoStore, *, objects: ObjectStore, catalogue: Catalogue, rules: PictureRules
    ) -> None:
        self._maker, self._store, self._objects = maker, store, objects
        self._catalogue, self._rules = catalogue, rules

    def create(self, asked: Asked, asker: Asker) -> VideoRecord:
        """Have a video made. Raises: BadInput."""
        model = self._resolved(asked.order.model)
        video_id = f"video_{secrets.token_hex(16)}"
        given = {"input_reference": asked.first, "last_frame": asked.last}
        pictures = {name: self._prepared(data, name) for name, data in given.items() if data}
        names = {name: f"videos/{video_id}/{name}.{_ending(picture)}" for name, picture in pictures.items()}
        order = msgspec.structs.replace(
            asked.order,
            model=model,
            first=_stored(names.get("input_reference")) or asked.order.first,
            last=_stored(names.get("last_frame")) or asked.order.last,
        )
        plan = self._maker.plan(order)
        for name, picture in pictures.items():
            self._objects.put(names[name], picture.data, content_type=picture.content_type)
        return self._make(video_id, order, plan, asker)

    def remix(self, video_id: str, prompt: str, asker: Asker) -> VideoRecord:
        """Make a video again with other words and all else as it was. Raises: BadInput, NotFound."""
        source = self._store.get(asker.owner, video_id)
        new_id = f"video_{secrets.token_hex(16)}"
        order = msgspec.structs.replace(source.order, prompt=prompt, **self._copied(source.order, new_id))
        plan = self._maker.plan(order)
        return self._make(new_id, order, plan, asker, remixed_from=video_id)

    def page(self, asker: Asker, *, limit: int, after: str, oldest_first: bool) -> Page:
        """Return a page of videos. Raises: NotFound (of `after`)."""
        found = self._store.page(asker.owner, limit=limit + 1, after=after, oldest_first=oldest_first)
        records, left = [], _FRESHEN_AT_MOST
        for record in found[:limit]:
            is_asked = not record.is_over and left > 0
            left -= is_asked
            records.append(self._freshened(record, asker) if is_asked else record)
        return Page(records=records, has_more=len(found) > limit)

    def get(self, video_id: str, asker: Asker) -> tuple[VideoRecord, str]:
        """Return a video as it stands now, and the vendor's name for the question. Raises: NotFound."""
        record = self._store.get(asker.owner, video_id)
        return (record, "") if record.is_over else self._looked(record, asker)

    def delete(self, video_id: str, asker: Asker) -> None:
        """Forget a video; one that has not begun is not made at all. Raises: NotFound."""
        record = self._store.get(asker.owner, video_id)
        if record.task_id and record.status == "queued":
            with suppress(UpstreamError):  # what cannot be stopped is forgotten all the same
                self._maker.stop(record.task_id, key=asker.key, cancel=asker.cancel)
        self._store.delete(asker.owner, video_id)
        for picture in _own(record.order):
            with suppress(StorageError):
                self._objects.delete(picture)

    def open(self, video_id: str, asker: Asker, *, part: str = "") -> AbstractContextManager[VideoFile]:
        """Give a video that is made. Raises: NotFound when there is none (yet, or any more)."""
        record, _ = self.get(video_id, asker)
        if record.status == "failed":
            raise NotFound(f"There is no video: {record.error_message}", code="video_failed", param="video_id")
        if record.status != "completed":
            message = f"Video not ready: it is {record.status.replace('_', ' ')}. Ask again later."
            raise NotFound(message, code="video_not_ready", param="video_id")
        if record.expires_at and record.expires_at <= datetime.now(UTC):
            raise _expired()
        return self._opened(record.url, part, asker.cancel)

    # --- making

    def _make(
        self, video_id: str, order: VideoOrder, plan: VideoPlan, asker: Asker, *, remixed_from: str = ""
    ) -> VideoRecord:
        """Write a job down, then have it taken; what the vendor refuses leaves no trace."""
        record = VideoRecord(
            video_id=video_id,
            owner=asker.owner,
            created_at=datetime.now(UTC),
            order=order,
            model=plan.model,
            size=plan.size,
            seconds=plan.seconds,
            remixed_from=remixed_from,
        )
        self._store.add(record)
        try:
            task_id = self._submitted(record, plan, asker)
        except BaseException:
            self._forget(record)
            raise
        record = replace(record, task_id=task_id)
        try:
            self._store.update(record)
        except StorageError as error:
            error.is_spent = True
            raise
        return record

    def _submitted(self, record: VideoRecord, plan: VideoPlan, asker: Asker) -> str:
        """Return the task's name. A client that leaves now does not lose it: the video is in its list."""
        addresses = [self._address(picture, plan.model, asker) for picture in record.order.pictures]
        asker.cancel.raise_if_cancelled()
        unstopped = CancelToken()
        try:
            return self._maker.submit(record.order, plan, addresses, key=asker.key, cancel=unstopped)
        finally:
            asker.cancel.note_waiting(unstopped.waited_s)

    def _address(self, picture: str, model: str, asker: Asker) -> str:
        if not picture.startswith(STORED):
            return picture
        data = self._objects.get(picture.removeprefix(STORED))
        return self._maker.lend(
            self._prepared(data, "input_reference"), model=model, key=asker.key, cancel=asker.cancel
        )

    def _forget(self, record: VideoRecord) -> None:
        with suppress(StorageError):
            self._store.delete(record.owner, record.video_id)
            for picture in _own(record.order):
                self._objects.delete(picture)

    def _resolved(self, name: str) -> str:
        known = self._catalogue.find(name)
        if known and known.kind != "video":
            raise BadInput(f"The model {name!r} makes no videos.", code="unsupported_value", param="model")
        return self._catalogue.resolve_video(name)

    def _prepared(self, data: bytes, name: str) -> Picture:
        try:
            return prepare(data, rules=self._rules)
        except BadInput as error:
            error.param = name
            raise

    def _copied(self, order: VideoOrder, video_id: str) -> dict[str, str]:
        """Return an order's stored pictures under names of a new job's. Raises: NotFound when one is gone."""
        copied = {}
        for name in ("first", "last"):
            if not (picture := getattr(order, name)).startswith(STORED):
                continue
            old = picture.removeprefix(STORED)
            new = f"videos/{video_id}/{old.rpartition('/')[2]}"
            self._objects.put(new, self._objects.get(old), content_type=f"image/{old.rpartition('.')[2]}")
            copied[name] = f"{STORED}{new}"
        return copied

    # --- looking

    def _freshened(self, record: VideoRecord, asker: Asker) -> VideoRecord:
        try:
            return self._looked(record, asker)[0]
        except UpstreamError as error:
            _log.info("a list of videos tells what was known before: %s", error.code)
            return record

    def _looked(self, record: VideoRecord, asker: Asker) -> tuple[VideoRecord, str]:
        """Return a job as the vendor says it stands, noted if that is news."""
        age = datetime.now(UTC) - record.created_at
        if not record.task_id:
            return (record if age < _UNKNOWN_FOR else self._noted(record, _lost(record)), "")
        news = self._maker.look(record.task_id, key=asker.key, cancel=asker.cancel)
        if news.is_known:
            return self._noted(record, _with(record, news)), news.request_id
        if age > _KEPT:
            return self._noted(record, _failed(record, "expired", "The vendor keeps a video for a day.")), ""
        return (record if age < _UNKNOWN_FOR else _lost(record)), news.request_id

    def _noted(self, old: VideoRecord, new: VideoRecord) -> VideoRecord:
        if replace(new, progress=old.progress) != old:
            self._store.update(new)
        return new

    @contextmanager
    def _opened(self, url: str, part: str, cancel: Cancel) -> Iterator[VideoFile]:
        try:
            with self._maker.open(url, part=part, cancel=cancel) as file:
                yield file
        except UpstreamNotFound as error:
            raise _expired() from error


def _with(record: VideoRecord, news: VideoNews) -> VideoRecord:
    """Return a job with what the vendor has told."""
    if news.status == "failed":
        return _failed(record, news.error_code, news.error_message)
    if news.status != "completed":
        return replace(record, status=news.status, progress=_progress(record) if news.status == "in_progress" else 0)
    completed_at = news.ended_at or datetime.now(UTC)
    return replace(
        record,
        status="completed",
        progress=100,
        url=news.url,
        completed_at=completed_at,
        expires_at=_end_of(news.url) or completed_at + _KEPT,
        size=news.size or record.size,
        seconds=news.seconds or record.seconds,
    )


def _progress(record: VideoRecord) -> int:
    """Return an estimate in percent: the vendor tells none. Measured times are one to five minutes."""
    usual_s = _USUAL_S + _USUAL_S_PER_SECOND * record.seconds
    elapsed_s = (datetime.now(UTC) - record.created_at).total_seconds()
    return max(1, min(99, int(100 * elapsed_s / usual_s)))


def _end_of(url: str) -> datetime | None:
    """Return when a signed link ends, as it says itself."""
    told = parse_qs(urlsplit(url).query).get("Expires", [""])[0]
    return datetime.fromtimestamp(int(told), UTC) if told.isascii() and told.isdigit() and len(told) < 12 else None


def _failed(record: VideoRecord, code: str, message: str) -> VideoRecord:
    return replace(record, status="failed", error_code=code[:128], error_message=message)


def _lost(record: VideoRecord) -> VideoRecord:
    return _failed(record, "task_unknown", "The model service does not know this task.")


def _expired() -> NotFound:
    return NotFound("The video has expired: it is kept for a day.", code="video_expired", param="video_id")


def _own(order: VideoOrder) -> list[str]:
    return [picture.removeprefix(STORED) for picture in order.pictures if picture.startswith(STORED)]


def _stored(name: str | None) -> str:
    return f"{STORED}{name}" if name else ""


def _ending(picture: Picture) -> str:
    return picture.content_type.rpartition("/")[2]
