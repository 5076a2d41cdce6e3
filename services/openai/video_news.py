"""A job and what the vendor says of it, brought together. Pure: the moment is given.

the vendor says             then the job is
pending, running            queued, in progress with an estimate of how far
succeeded                   completed, until its link runs out
failed, cancelled           failed, with the vendor's reason
it knows no such task       as it was for a moment (news spreads), then failed; after a day it has expired
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from protocol.videos import VideoNews
from services.video_ports import VideoRecord

EXPIRED = "expired"
_KEPT = timedelta(hours=24)
"""How long the vendor keeps a task and what it made.  Source: DashScope HTTP reference §12.1."""
_UNKNOWN_FOR = timedelta(minutes=2)
"""A new task may not be known everywhere at once; later, one that the vendor does not know is lost."""
_USUAL_S, _USUAL_S_PER_SECOND = 60, 12
"""How long the making of a video takes, beside what each second of it takes: together one to five minutes."""


def brought_up(record: VideoRecord, news: VideoNews, *, now: datetime) -> VideoRecord:
    """Return a job with what the vendor has told."""
    if not news.is_known:
        return _unknown(record, now)
    if news.status == "failed":
        return _failed(record, news.error_code, news.error_message)
    if news.status != "completed":
        progress = _progress(record, now) if news.status == "in_progress" else 0
        return replace(record, status=news.status, progress=progress)
    completed_at = news.ended_at or now
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


def untaken(record: VideoRecord, *, now: datetime) -> VideoRecord:
    """Return a job of which nobody knows whether the vendor has taken it: its server was stopped in that moment."""
    return record if now - record.created_at < _UNKNOWN_FOR else _lost(record)


def _unknown(record: VideoRecord, now: datetime) -> VideoRecord:
    age = now - record.created_at
    if age > _KEPT:
        return _failed(record, EXPIRED, "The model service keeps a video for a day.")
    return record if age < _UNKNOWN_FOR else _lost(record)


def _lost(record: VideoRecord) -> VideoRecord:
    return _failed(record, "task_unknown", "The model service does not know this task.")


def _failed(record: VideoRecord, code: str, message: str) -> VideoRecord:
    return replace(record, status="failed", error_code=code[:128], error_message=message)


def _progress(record: VideoRecord, now: datetime) -> int:
    """Return an estimate in percent: the vendor tells none."""
    usual_s = _USUAL_S + _USUAL_S_PER_SECOND * record.seconds
    return max(1, min(99, int(100 * (now - record.created_at).total_seconds() / usual_s)))


def _end_of(url: str) -> datetime | None:
    """Return when a signed link ends, as it says itself."""
    told = parse_qs(urlsplit(url).query).get("Expires", [""])[0]
    return datetime.fromtimestamp(int(told), UTC) if told.isascii() and told.isdigit() and len(told) < 12 else None
