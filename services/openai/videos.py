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
from datetime import UTC, datetime

import msgspec

from protocol.errors import BadInput, NotFound, StorageError, UpstreamError, UpstreamForbidden, UpstreamNotFound
from protocol.keys import ApiKey
from protocol.openai.videos import Asked
from protocol.videos import STORED, VideoOrder, VideoPlan
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.openai.video_news import EXPIRED, brought_up, untaken
from services.pictures import PictureRules, prepare
from services.ports import Cancel, Picture
from services.storage_ports import ObjectStore
from services.video_ports import Taken, VideoFile, VideoMaker, VideoRecord, VideoStore

_log = logging.getLogger(__name__)

_FRESHEN_AT_MOST = 10
"""Jobs of one list that the vendor is asked about: it answers 20 questions a second for the whole account."""


Told = tuple[VideoRecord, str]
"""A video as it stands, and the vendor's name for the call, empty when it was not asked."""


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


@dataclass(frozen=True, slots=True)
class _Job:
    """A video to be made. `first` and `last` are the pictures that came as bytes."""

    video_id: str
    order: VideoOrder
    first: Picture | None = None
    last: Picture | None = None
    remixed_from: str = ""

    @property
    def pictures(self) -> list[Picture | str]:
        """What it begins and ends with, links where there are no bytes."""
        given = (self.first or self.order.first, self.last or self.order.last)
        return [picture for picture in given if picture]


class Videos:
    """The videos of whoever asks. Threads: any. Every method raises StorageError, UpstreamError, Cancelled."""

    def __init__(
        self, maker: VideoMaker, store: VideoStore, *, objects: ObjectStore, catalogue: Catalogue, rules: PictureRules
    ) -> None:
        self._maker, self._store, self._objects = maker, store, objects
        self._catalogue, self._rules = catalogue, rules

    def create(self, asked: Asked, asker: Asker) -> Told:
        """Have a video made. Raises: BadInput."""
        video_id, model = _new_id(), self._resolved(asked.order.model)
        first, last = self._prepared(asked.first, "input_reference"), self._prepared(asked.last, "last_frame")
        order = msgspec.structs.replace(
            asked.order,
            model=model,
            first=_kept_as(video_id, "first", first) if first else asked.order.first,
            last=_kept_as(video_id, "last", last) if last else asked.order.last,
        )
        return self._make(_Job(video_id, order, first=first, last=last), asker)

    def remix(self, video_id: str, prompt: str, asker: Asker) -> Told:
        """Make a video again with other words and all else as it was. Raises: BadInput, NotFound."""
        source, new_id = self._store.get(asker.owner, video_id), _new_id()
        first, last = self._kept(source.order.first), self._kept(source.order.last)
        order = msgspec.structs.replace(
            source.order,
            prompt=prompt,
            first=_kept_as(new_id, "first", first) if first else source.order.first,
            last=_kept_as(new_id, "last", last) if last else source.order.last,
        )
        return self._make(_Job(new_id, order, first=first, last=last, remixed_from=video_id), asker)

    def page(self, asker: Asker, *, limit: int, after: str, oldest_first: bool) -> Page:
        """Return a page of videos. Raises: NotFound (of `after`)."""
        found = self._store.page(asker.owner, limit=limit + 1, after=after, oldest_first=oldest_first)
        records, left = [], _FRESHEN_AT_MOST
        for record in found[:limit]:
            is_asked = not record.is_over and left > 0
            left -= is_asked
            records.append(self._freshened(record, asker) if is_asked else record)
        return Page(records=records, has_more=len(found) > limit)

    def get(self, video_id: str, asker: Asker) -> Told:
        """Return a video as it stands now. Raises: NotFound."""
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

    def _make(self, job: _Job, asker: Asker) -> Told:
        """Write a job down, then have it taken; what the vendor refuses leaves no trace."""
        plan = self._maker.plan(job.order)
        record = VideoRecord(
            video_id=job.video_id,
            owner=asker.owner,
            created_at=datetime.now(UTC),
            order=job.order,
            model=plan.model,
            size=plan.size,
            seconds=plan.seconds,
            remixed_from=job.remixed_from,
        )
        try:
            self._keep(job)
            self._store.add(record)
            taken = self._submitted(job, plan, asker)
        except BaseException:
            self._forget(record)
            raise
        record = replace(record, task_id=taken.task_id)
        try:
            self._store.update(record)
        except StorageError as error:
            error.is_spent = True
            raise
        return record, taken.request_id

    def _submitted(self, job: _Job, plan: VideoPlan, asker: Asker) -> Taken:
        """Return the task. A client that leaves now does not lose it: the video is in its list."""

        def lent(picture: Picture) -> str:
            return self._maker.lend(picture, model=plan.model, key=asker.key, cancel=asker.cancel)

        addresses = [lent(given) if isinstance(given, Picture) else given for given in job.pictures]
        asker.cancel.raise_if_cancelled()
        unstopped = CancelToken()
        try:
            return self._maker.submit(job.order, plan, addresses, key=asker.key, cancel=unstopped)
        finally:
            asker.cancel.note_waiting(unstopped.waited_s)

    def _keep(self, job: _Job) -> None:
        for name, picture in ((job.order.first, job.first), (job.order.last, job.last)):
            if picture:
                self._objects.put(name.removeprefix(STORED), picture.data, content_type=picture.content_type)

    def _kept(self, name: str) -> Picture | None:
        """Return a picture of an earlier job, None for a link. Raises: NotFound when it is gone."""
        if not name.startswith(STORED):
            return None
        return self._prepared(self._objects.get(name.removeprefix(STORED)), "video_id")

    def _forget(self, record: VideoRecord) -> None:
        with suppress(StorageError):
            self._store.delete(record.owner, record.video_id)
            for picture in _own(record.order):
                self._objects.delete(picture)

    def _resolved(self, name: str) -> str:
        known = self._catalogue.find(name)
        if known and known.kind not in (
            "video",
            "",
        ):  # nobody here knows what stands behind some of an operator's names
            raise BadInput(f"The model {name!r} makes no videos.", code="unsupported_value", param="model")
        return self._catalogue.resolve_video(name)

    def _prepared(self, data: bytes | None, name: str) -> Picture | None:
        """Return a picture as the model gets it. Raises: BadInput naming the parameter."""
        if data is None:
            return None
        try:
            return prepare(data, rules=self._rules)
        except BadInput as error:
            error.param = name
            raise

    # --- looking

    def _freshened(self, record: VideoRecord, asker: Asker) -> VideoRecord:
        try:
            return self._looked(record, asker)[0]
        except UpstreamError as error:
            _log.info("a list of videos tells what was known before: %s", error.code)
            return record

    def _looked(self, record: VideoRecord, asker: Asker) -> Told:
        """Return a job as the vendor says it stands, noted if that is news."""
        if not record.task_id:
            return untaken(record, now=datetime.now(UTC)), ""
        news = self._maker.look(record.task_id, key=asker.key, cancel=asker.cancel)
        new = brought_up(record, news, now=datetime.now(UTC))
        if new.status != record.status and (news.is_known or new.error_code == EXPIRED):
            self._store.update(new)
        return new, news.request_id

    @contextmanager
    def _opened(self, url: str, part: str, cancel: Cancel) -> Iterator[VideoFile]:
        try:
            with self._maker.open(url, part=part, cancel=cancel) as file:
                yield file
        except (UpstreamNotFound, UpstreamForbidden) as error:  # the link is dead, or has run out
            raise _expired() from error


def _expired() -> NotFound:
    return NotFound("The video has expired: it is kept for a day.", code="video_expired", param="video_id")


def _own(order: VideoOrder) -> list[str]:
    return [picture.removeprefix(STORED) for picture in order.pictures if picture.startswith(STORED)]


def _new_id() -> str:
    return f"video_{secrets.token_hex(16)}"


def _kept_as(video_id: str, name: str, picture: Picture) -> str:
    return f"{STORED}videos/{video_id}/{name}.{picture.content_type.rpartition('/')[2]}"
