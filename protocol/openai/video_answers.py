"""The answers of `/v1/videos` and `/v1/video/generations`, made of what is known of a job.

Source: OpenAI API reference, the video object; NewAPI's documentation of its video routes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from protocol.videos import Size, Status, VideoOrder, write_size

Seconds = Annotated[int, Meta(description="Seconds since 1970.")]


class VideoFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why no video was made; `code` is the vendor's."""

    code: str
    message: str


class VideoObject(msgspec.Struct, frozen=True, kw_only=True):
    """A video, made or in the making. `size` and `seconds` are what is made, which may differ from what was asked."""

    id: str
    object: Literal["video"]
    model: str
    status: Status
    progress: int
    created_at: Seconds
    completed_at: Seconds | None
    expires_at: Seconds | None
    prompt: str | None
    size: str
    seconds: str
    remixed_from_video_id: str | None
    error: VideoFailure | None


class VideoPage(msgspec.Struct, frozen=True, kw_only=True):
    """Videos of one caller, by their age."""

    object: Literal["list"]
    data: list[VideoObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class VideoDeleted(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: Literal["video.deleted"]
    deleted: bool


class GenerationTask(msgspec.Struct, frozen=True, kw_only=True):
    """A video that was asked for, as NewAPI's clients know it."""

    task_id: str
    status: Status


class GenerationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the video is: seconds, pixels."""

    duration: int
    width: int
    height: int
    seed: int | None = None


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands. `url` works without a key, until it expires."""

    task_id: str
    status: Status
    url: str | None
    format: str | None
    metadata: GenerationFacts
    error: VideoFailure | None


# --- out of what is known


class Job(Protocol):
    """What is known of a video."""

    @property
    def video_id(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def order(self) -> VideoOrder: ...
    @property
    def model(self) -> str: ...
    @property
    def size(self) -> Size: ...
    @property
    def seconds(self) -> int: ...
    @property
    def status(self) -> Status: ...
    @property
    def progress(self) -> int: ...
    @property
    def completed_at(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def url(self) -> str: ...
    @property
    def error_code(self) -> str: ...
    @property
    def error_message(self) -> str: ...
    @property
    def remixed_from(self) -> str: ...


def video(job: Job) -> VideoObject:
    """Return a job as OpenAI's clients know it."""
    return VideoObject(
        id=job.video_id,
        object="video",
        model=job.model,
        status=job.status,
        progress=job.progress,
        created_at=int(job.created_at.timestamp()),
        completed_at=_seconds(job.completed_at),
        expires_at=_seconds(job.expires_at),
        prompt=job.order.prompt or None,
        size=write_size(job.size),
        seconds=str(job.seconds),
        remixed_from_video_id=job.remixed_from or None,
        error=_failure(job),
    )


def page(jobs: Sequence[Job], *, has_more: bool) -> VideoPage:
    """Return jobs as a page of a list."""
    data = [video(job) for job in jobs]
    first, last = (data[0].id, data[-1].id) if data else (None, None)
    return VideoPage(object="list", data=data, first_id=first, last_id=last, has_more=has_more)


def deleted(video_id: str) -> VideoDeleted:
    return VideoDeleted(id=video_id, object="video.deleted", deleted=True)


def started(job: Job) -> GenerationTask:
    """Return a job that has been taken, as NewAPI's clients know it."""
    return GenerationTask(task_id=job.video_id, status=job.status)


def generation(job: Job) -> Generation:
    """Return a job as NewAPI's clients know it."""
    width, height = job.size
    facts = GenerationFacts(duration=job.seconds, width=width, height=height, seed=job.order.seed)
    return Generation(
        task_id=job.video_id,
        status=job.status,
        url=job.url or None,
        format="mp4" if job.url else None,
        metadata=facts,
        error=_failure(job),
    )


def _failure(job: Job) -> VideoFailure | None:
    return VideoFailure(code=job.error_code, message=job.error_message) if job.status == "failed" else None


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None
