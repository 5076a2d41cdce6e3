"""What becomes of a job by what the vendor says, and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from protocol.videos import VideoNews, VideoOrder
from services.openai.video_news import brought_up, untaken
from services.video_ports import VideoRecord

BEGAN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RECORD = VideoRecord(
    video_id="video_1",
    owner="ann",
    created_at=BEGAN,
    order=VideoOrder(model="m", prompt="p"),
    model="m",
    size=(1280, 720),
    seconds=5,
    task_id="t",
)
UNKNOWN = VideoNews(status="queued", is_known=False)


def after(news: VideoNews, *, seconds: float = 60) -> VideoRecord:
    return brought_up(RECORD, news, now=BEGAN + timedelta(seconds=seconds))


@pytest.mark.parametrize(("seconds", "progress"), [(0, 1), (60, 50), (119, 99), (100_000, 99)])
def test_progress_is_estimated_and_never_all(seconds: float, progress: int) -> None:
    record = after(VideoNews(status="in_progress"), seconds=seconds)

    assert (record.status, record.progress) == ("in_progress", progress)


def test_what_waits_has_made_no_progress() -> None:
    assert after(VideoNews(status="queued")) == RECORD


def test_a_video_is_kept_until_its_link_runs_out() -> None:
    record = after(VideoNews(status="completed", url="https://a.example/v?Expires=1795500000&Signature=x"))

    assert (record.progress, record.completed_at) == (100, BEGAN + timedelta(minutes=1))
    assert record.expires_at == datetime.fromtimestamp(1795500000, UTC)


@pytest.mark.parametrize("query", ["", "?Expires=", "?Expires=soon", "?Expires=99999999999999", "?Expires=²"])
def test_without_a_told_end_a_video_is_kept_a_day_from_when_it_was_made(query: str) -> None:
    ended_at = BEGAN + timedelta(seconds=30)

    record = after(VideoNews(status="completed", url=f"https://a.example/v{query}", ended_at=ended_at))

    assert (record.completed_at, record.expires_at) == (ended_at, ended_at + timedelta(days=1))


def test_what_was_made_counts_more_than_what_was_planned() -> None:
    told: dict[str, Any] = {"status": "completed", "url": "u"}

    assert (after(VideoNews(**told)).size, after(VideoNews(**told)).seconds) == ((1280, 720), 5)
    made = after(VideoNews(**told, size=(720, 1280), seconds=10))
    assert (made.size, made.seconds) == ((720, 1280), 10)


@pytest.mark.parametrize(
    ("seconds", "status", "code"),
    [(60, "queued", ""), (180, "failed", "task_unknown"), (86_300, "failed", "task_unknown"),
     (86_500, "failed", "expired")],
)  # fmt: skip
def test_a_task_that_the_vendor_does_not_know_is_new_then_lost_then_expired(
    seconds: float, status: str, code: str
) -> None:
    record = after(UNKNOWN, seconds=seconds)

    assert (record.status, record.error_code) == (status, code)


def test_a_job_that_was_never_taken_is_given_up() -> None:
    moments = [BEGAN + timedelta(seconds=seconds) for seconds in (60, 180)]

    assert [untaken(RECORD, now=now).status for now in moments] == ["queued", "failed"]


def test_a_failure_has_a_reason_of_a_length_that_can_be_stored() -> None:
    record = after(VideoNews(status="failed", error_code="x" * 500, error_message="y"))

    assert (record.status, len(record.error_code), record.error_message) == ("failed", 128, "y")
