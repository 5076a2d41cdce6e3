"""What the making of videos needs from outside, as protocols: who makes them, and where jobs are written down."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from protocol.keys import ApiKey
from protocol.videos import Size, Status, VideoNews, VideoOrder, VideoPlan
from services.ports import Cancel, Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFile:
    """A video on its way: `headers` are those of HTTP that tell of its length and part. Threads: one owner."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A task that was taken, and the vendor's name for the call."""

    task_id: str
    request_id: str = ""


class VideoMaker(Protocol):
    """Makes videos as tasks of its own. Threads: any. Every call raises UpstreamError, Cancelled."""

    def plan(self, order: VideoOrder) -> VideoPlan:
        """Return what will be made of an order. Raises: BadInput naming what the model cannot do."""

    def lend(self, picture: Picture, *, model: str, key: ApiKey, cancel: Cancel) -> str:
        """Return an address at which the vendor can read a picture."""

    def submit(
        self, order: VideoOrder, plan: VideoPlan, pictures: Sequence[str], *, key: ApiKey, cancel: Cancel
    ) -> Taken:
        """Have a video made. It is asked once: a second time might be paid for, too.

        `pictures` are addresses that the vendor can read.
        """

    def look(self, task_id: str, *, key: ApiKey, cancel: Cancel) -> VideoNews:
        """Return how a task stands."""

    def stop(self, task_id: str, *, key: ApiKey, cancel: Cancel) -> None:
        """Give up a task that has not begun; harmless for any other."""

    def open(self, url: str, *, part: str, cancel: Cancel) -> AbstractContextManager[VideoFile]:
        """Give a video from where it lies; `part` is a Range header or empty. Raises: UpstreamNotFound when gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRecord:
    """A job as it is written down. An empty `task_id`: the vendor has not taken it (yet).

    `status` is the last one seen; what is completed or failed stays so. `url` is the vendor's, good until `expires_at`.
    """

    video_id: str
    owner: str
    created_at: datetime
    order: VideoOrder
    model: str
    size: Size
    seconds: int
    task_id: str = ""
    status: Status = "queued"
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    url: str = ""
    error_code: str = ""
    error_message: str = ""
    remixed_from: str = ""

    progress: int = 0

    @property
    def is_over(self) -> bool:
        return self.status in ("completed", "failed")


class VideoStore(Protocol):
    """Jobs by owner. Threads: any. Every method raises StorageError when the database is away.

    A video that does not exist (any more), or is another owner's, raises NotFound.
    """

    def add(self, record: VideoRecord) -> None:
        """Write a new job down."""

    def update(self, record: VideoRecord) -> None:
        """Write down what has changed; nothing happens when the job is gone."""

    def get(self, owner: str, video_id: str) -> VideoRecord:
        """Return one job."""

    def page(self, owner: str, *, limit: int, after: str = "", oldest_first: bool = False) -> Sequence[VideoRecord]:
        """Return jobs, the newest first unless told otherwise, behind the one called `after`."""

    def delete(self, owner: str, video_id: str) -> None:
        """Forget a job; harmless when it is gone."""
