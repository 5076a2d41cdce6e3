"""Dependencies are asked side by side: one that hangs makes no answer about another late."""

import threading

import pytest

from services.readiness import Dependency, Readiness


def away() -> None:
    raise ConnectionRefusedError("http://user:hush@db.example")


@pytest.fixture
def stuck() -> threading.Event:
    """What a hanging dependency waits for."""
    return threading.Event()


def test_all_that_answer_make_a_server_ready() -> None:
    report = Readiness([Dependency(name="a", ask=lambda: None), Dependency(name="b", ask=lambda: 7)]).report()

    assert report.is_ready and report.status == "ready" and report.states == {"a": "ok", "b": "ok"}


@pytest.mark.parametrize(("is_vital", "status"), [(True, "unready"), (False, "degraded")])
def test_what_is_away_matters_as_much_as_it_is_needed(is_vital: bool, status: str) -> None:
    report = Readiness([Dependency(name="a", ask=away, is_vital=is_vital)]).report()

    assert report.status == status and report.states == {"a": "away"}


def test_one_that_hangs_is_late_and_the_others_are_told(stuck: threading.Event) -> None:
    hanging = Dependency(name="a", ask=lambda: stuck.wait(30))
    readiness = Readiness([hanging, Dependency(name="b", ask=lambda: None)], patience_s=0.2)

    first, second = readiness.report(), readiness.report()

    hanging_threads = [thread for thread in threading.enumerate() if thread.name == "ready-a"]
    stuck.set()
    assert first.states == second.states == {"a": "late", "b": "ok"} and len(hanging_threads) == 1


def test_a_fresh_answer_is_not_asked_for_again() -> None:
    asked: list[str] = []
    fresh = Dependency(name="a", ask=lambda: asked.append("a"), fresh_s=1000)
    stale = Dependency(name="b", ask=lambda: asked.append("b"), fresh_s=0)
    readiness = Readiness([fresh, stale])

    for _ in range(3):
        readiness.report()

    assert asked.count("a") == 1 and asked.count("b") == 3


def test_the_log_says_who_is_away_and_repeats_no_address(caplog: pytest.LogCaptureFixture) -> None:
    Readiness([Dependency(name="database", ask=away)]).report()

    assert "database is away" in caplog.text and "hush" not in caplog.text
