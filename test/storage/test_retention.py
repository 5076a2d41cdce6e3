"""Old recordings go, once a day, whoever sweeps; young ones stay."""

import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from storage.retention import Retention
from test.support.waiting import eventually

DAY_S = 86400.0


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def retention(tmp_path: Path, clock: Clock) -> Retention:
    return Retention(tmp_path / "files", keep_days=7, clock=clock)


def record(folder: Path, name: str, *, age_days: float, clock: Clock) -> Path:
    path = folder / "files" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF")
    os.utime(path, (clock.now - age_days * DAY_S,) * 2)
    return path


def test_what_is_older_than_the_days_to_keep_is_deleted(retention: Retention, tmp_path: Path, clock: Clock) -> None:
    old = record(tmp_path, "audio/old.wav", age_days=7.1, clock=clock)
    young = record(tmp_path, "audio/young.wav", age_days=6.9, clock=clock)

    assert retention.sweep_if_due() == 1

    assert (old.exists(), young.exists()) == (False, True)


def test_a_day_passes_between_two_sweeps_also_of_different_workers(
    retention: Retention, tmp_path: Path, clock: Clock
) -> None:
    other = Retention(tmp_path / "files", keep_days=7, clock=clock)
    retention.sweep_if_due()
    record(tmp_path, "old.wav", age_days=8, clock=clock)
    at_once = other.sweep_if_due()

    clock.now += DAY_S + 1

    assert (at_once, other.sweep_if_due(), retention.sweep_if_due()) == (0, 1, 0)


def test_while_another_worker_sweeps_nothing_is_done(retention: Retention, tmp_path: Path, clock: Clock) -> None:
    record(tmp_path, "old.wav", age_days=8, clock=clock)
    with (tmp_path / "files" / ".swept").open("w") as stamp:
        os.utime(stamp.fileno(), (0, 0))
        fcntl.flock(stamp, fcntl.LOCK_EX)
        meanwhile = retention.sweep_if_due()
        fcntl.flock(stamp, fcntl.LOCK_UN)

    assert (meanwhile, retention.sweep_if_due()) == (0, 1)


def test_a_link_out_of_the_folder_deletes_nothing_there(retention: Retention, tmp_path: Path, clock: Clock) -> None:
    outside = record(tmp_path, "../outside/old.wav", age_days=30, clock=clock)
    record(tmp_path, "young.wav", age_days=0, clock=clock)
    (tmp_path / "files" / "folder").symlink_to(outside.parent)

    retention.sweep_if_due()

    assert outside.exists()


def test_the_thread_sweeps_when_it_starts_and_ends_when_told(
    retention: Retention, tmp_path: Path, clock: Clock
) -> None:
    old = record(tmp_path, "old.wav", age_days=8, clock=clock)

    retention.start()
    eventually(lambda: not old.exists())
    retention.close()

    assert "recordings-sweep" not in {thread.name for thread in threading.enumerate()}


def test_zero_days_keep_everything_for_ever(tmp_path: Path, clock: Clock) -> None:
    kept = record(tmp_path, "old.wav", age_days=4000, clock=clock)
    retention = Retention(tmp_path / "files", keep_days=0, clock=clock)

    retention.start()
    retention.close()

    assert kept.exists()
