"""What is saved comes back, once, whatever it holds and whoever saves at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import URL

from protocol.errors import StorageError
from services.storage_ports import History, TurnRecord
from storage.history import SqlHistory, open_history
from test.storage.mariadb import MariaDb
from test.storage.processes import SavingProcess

MakeTurn = Callable[..., TurnRecord]


def test_a_turn_comes_back_as_it_was_saved(history: SqlHistory, make_turn: MakeTurn) -> None:
    port: History = history
    turn = make_turn()

    port.save(turn)

    assert history.recent("session-1", limit=10) == [turn]


def test_a_turn_survives_closing_and_opening_the_history(url: URL, make_turn: MakeTurn) -> None:
    first = open_history(url)
    first.save(make_turn())
    first.close()
    first.close()

    second = open_history(url)

    assert second.recent("session-1", limit=1) == [make_turn()]
    second.close()


def test_answers_of_a_megabyte_are_kept_to_the_character(history: SqlHistory, make_turn: MakeTurn) -> None:
    turn = make_turn(answer_text="你好, wörld 😀\n" * 90_000, answer_heard="😀" * 300_000, user_text="字" * 400_000)

    history.save(turn)

    assert history.recent("session-1", limit=1) == [turn]


def test_halves_of_a_surrogate_pair_are_joined_or_marked(history: SqlHistory, make_turn: MakeTurn) -> None:
    history.save(make_turn(answer_text="joined \ud83d\ude00", answer_heard="alone \ud83d!"))

    (kept,) = history.recent("session-1", limit=1)

    assert (kept.answer_text, kept.answer_heard) == ("joined 😀", "alone \ufffd!")


def test_moments_of_any_zone_come_back_as_utc(history: SqlHistory, make_turn: MakeTurn) -> None:
    beijing = datetime(2026, 1, 1, 7, 30, 0, 1, tzinfo=timezone(timedelta(hours=8)))

    history.save(make_turn(started_at=beijing))

    (kept,) = history.recent("session-1", limit=1)
    assert kept.started_at == beijing
    assert kept.started_at.tzinfo is UTC


def test_the_same_turn_twice_is_one_row_and_stays_as_first_saved(history: SqlHistory, make_turn: MakeTurn) -> None:
    turn = make_turn()

    history.save(turn)
    history.save(replace(turn, answer_text="another"))

    assert history.recent("session-1", limit=10) == [turn]


def test_ids_that_differ_in_case_are_two_turns(history: SqlHistory, make_turn: MakeTurn) -> None:
    history.save(make_turn("turn-a"))
    history.save(make_turn("turn-A"))

    assert history.count() == 2


def test_recent_gives_the_last_turns_of_one_session_newest_last(history: SqlHistory, make_turn: MakeTurn) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for minute in (2, 0, 3, 1):
        history.save(make_turn(f"turn-{minute}", started_at=start + timedelta(minutes=minute)))
    history.save(make_turn("foreign", session_id="SESSION-1", started_at=start + timedelta(days=1)))

    recent = history.recent("session-1", limit=3)

    assert [turn.turn_id for turn in recent] == ["turn-1", "turn-2", "turn-3"]


def test_turns_of_one_moment_keep_the_order_of_saving(history: SqlHistory, make_turn: MakeTurn) -> None:
    for number in range(5):
        history.save(make_turn(f"turn-{number}"))

    assert [turn.turn_id for turn in history.recent("session-1", limit=5)] == [f"turn-{n}" for n in range(5)]


def test_threads_that_save_together_lose_nothing(history: SqlHistory, make_turn: MakeTurn) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda number: history.save(make_turn(f"turn-{number}")), range(160)))

    assert history.count() == 160


def test_threads_that_save_the_same_turn_make_one_row(history: SqlHistory, make_turn: MakeTurn) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: history.save(make_turn()), range(64)))

    assert history.count() == 1


def test_a_broken_row_is_an_error_and_not_taken_for_a_repeat(history: SqlHistory, make_turn: MakeTurn) -> None:
    with pytest.raises(StorageError, match="Could not save the turn") as caught:
        history.save(make_turn(chat_model=None))

    assert caught.value.__cause__ is not None
    assert history.count() == 0


def test_an_error_does_not_repeat_what_people_said(history: SqlHistory, make_turn: MakeTurn) -> None:
    with pytest.raises(StorageError) as caught:
        history.save(make_turn(chat_model=None, user_text="my diagnosis"))

    assert "diagnosis" not in f"{caught.value} {caught.value.__cause__}"


def test_a_moment_without_a_zone_is_refused(history: SqlHistory, make_turn: MakeTurn) -> None:
    with pytest.raises(StorageError, match="without a time zone"):
        history.save(make_turn(started_at=datetime(2026, 1, 1)))


def test_mysql_refuses_what_does_not_fit_and_never_cuts_it(mariadb: MariaDb, make_turn: MakeTurn) -> None:
    history = open_history(mariadb.new_database())

    with pytest.raises(StorageError, match="too long"):
        history.save(make_turn(asr_model="x" * 129))

    assert history.count() == 0
    history.close()


def test_a_saved_turn_survives_the_kill_of_its_process(url: URL) -> None:
    with SavingProcess(url, turn_id="turn-of-the-dead") as process:
        assert process.heard() == "ready"
        process.go_on()
        assert process.heard() == "saved"

        process.kill()

    history = open_history(url)
    assert [turn.turn_id for turn in history.recent("", limit=5)] == ["turn-of-the-dead"]
    history.close()
