"""A turn whose saving returned becomes one row, in its place, whatever the database does in between."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import URL, event, text

from protocol.errors import StorageError, StorageMisconfigured, StorageRefused
from services.storage_ports import History, Saved, TurnRecord
from storage.history import SqlHistory, open_history, sqlite_url
from storage.journaled_history import JournaledHistory, as_json, as_turn
from test.storage.gate import Gate, gate_to
from test.storage.mariadb import PASSWORD, MariaDb
from test.support.waiting import eventually

MakeTurn = Callable[..., TurnRecord]
OpenHistory = Callable[..., JournaledHistory]
NEVER_S = 1000.0
"""A pause that no test lives to see the end of: deliveries happen when the test says so."""


@pytest.fixture
def gate(mariadb: MariaDb) -> Iterator[Gate]:
    with gate_to(mariadb.port) as made:
        yield made


@pytest.fixture
def gated_url(mariadb: MariaDb, gate: Gate) -> URL:
    return mariadb.new_database().set(port=gate.port)


@pytest.fixture
def open_journaled(tmp_path: Path) -> Iterator[OpenHistory]:
    with ExitStack() as stack:

        def open_(url: URL, **changes: object) -> JournaledHistory:
            fields: dict[str, object] = {
                "journal": tmp_path / "journal",
                "max_bytes": 10_000_000,
                "quick_s": 1.0,
                "patient_s": 2.0,
                "longest_pause_s": 0.05,
            }
            history = JournaledHistory(url, **(fields | changes))  # type: ignore[arg-type]
            stack.callback(history.close)
            return history

        yield open_


def rows(url: URL) -> list[str]:
    """Return the ids of all turns in the order of their rows."""
    history = SqlHistory(open_history(url)._engine)
    with history._engine.connect() as connection:
        ids = [row.turn_id for row in connection.execute(text("SELECT turn_id FROM turns ORDER BY id"))]
    history.close()
    return ids


def waiting(tmp_path: Path) -> int:
    return len(list(tmp_path.glob("journal/*.entry")))


def test_a_turn_goes_straight_into_a_database_that_is_well(
    open_journaled: OpenHistory, url: URL, make_turn: MakeTurn, tmp_path: Path
) -> None:
    history: History = open_journaled(url)

    assert history.save(make_turn()) is Saved.DELIVERED

    assert (rows(url), waiting(tmp_path)) == (["turn-1"], 0)


def test_turns_of_an_outage_are_delivered_in_order_when_it_ends(
    open_journaled: OpenHistory, gated_url: URL, gate: Gate, make_turn: MakeTurn, tmp_path: Path
) -> None:
    history = open_journaled(gated_url)
    history.save(make_turn("before"))
    gate.shut()
    during = [history.save(make_turn(f"during-{n}")) for n in range(5)]

    gate.open()

    eventually(lambda: waiting(tmp_path) == 0)
    assert during == [Saved.JOURNALED] * 5
    assert history.save(make_turn("after")) is Saved.DELIVERED
    assert rows(gated_url) == ["before", *(f"during-{n}" for n in range(5)), "after"]


def test_a_restart_of_the_database_in_the_middle_loses_no_turn(
    mariadb: MariaDb, open_journaled: OpenHistory, make_turn: MakeTurn, tmp_path: Path
) -> None:
    url = mariadb.new_database()
    history = open_journaled(url)
    saved = [history.save(make_turn("1"))]
    mariadb.stop()
    try:
        saved += [history.save(make_turn(str(n))) for n in (2, 3)]
    finally:
        mariadb.start()

    eventually(lambda: waiting(tmp_path) == 0)
    saved += [history.save(make_turn("4"))]

    assert rows(url) == ["1", "2", "3", "4"]
    assert saved == [Saved.DELIVERED, Saved.JOURNALED, Saved.JOURNALED, Saved.DELIVERED]


def test_a_turn_behind_waiting_ones_waits_too_though_the_database_is_back(
    open_journaled: OpenHistory, gated_url: URL, gate: Gate, make_turn: MakeTurn
) -> None:
    history = open_journaled(gated_url, longest_pause_s=NEVER_S)
    gate.shut()
    history.save(make_turn("first"))
    gate.open()

    with history._journal.sole():  # as if another process were at the first one
        second = history.save(make_turn("second"))
    history.deliver()

    assert second is Saved.JOURNALED
    assert rows(gated_url) == ["first", "second"]


def test_a_database_that_is_silent_is_not_waited_for_twice(
    open_journaled: OpenHistory, gated_url: URL, gate: Gate, make_turn: MakeTurn, tmp_path: Path
) -> None:
    history = open_journaled(gated_url, quick_s=0.2, patient_s=0.5)
    history.save(make_turn("before"))
    gate.freeze()
    first = history.save(make_turn("first"))
    asked: list[object] = []
    for moment in ("do_connect", "checkout"):
        event.listen(history._quick._engine, moment, lambda *about: asked.append(about))

    second = history.save(make_turn("second"))
    gate.thaw()

    assert (first, second, asked) == (Saved.JOURNALED, Saved.JOURNALED, [])
    eventually(lambda: waiting(tmp_path) == 0)
    assert rows(gated_url) == ["before", "first", "second"]


def test_a_turn_that_the_database_took_without_saying_so_is_one_row(
    open_journaled: OpenHistory, url: URL, make_turn: MakeTurn, tmp_path: Path
) -> None:
    history = open_journaled(url, longest_pause_s=NEVER_S)
    history.save(make_turn("twice"))

    history._journal.add({"kind": "turn"}, as_json(make_turn("twice")))
    history.deliver()

    assert (rows(url), waiting(tmp_path)) == (["twice"], 0)


def test_the_next_start_delivers_what_waited_and_another_worker_may(
    open_journaled: OpenHistory, gated_url: URL, gate: Gate, make_turn: MakeTurn, tmp_path: Path
) -> None:
    history = open_journaled(gated_url, longest_pause_s=NEVER_S)
    gate.shut()
    history.save(make_turn("left"))
    history.close()
    gate.open()

    open_journaled(gated_url)

    eventually(lambda: waiting(tmp_path) == 0)
    assert rows(gated_url) == ["left"]


def test_a_server_that_starts_without_its_database_makes_the_tables_when_it_comes(
    open_journaled: OpenHistory, gated_url: URL, gate: Gate, make_turn: MakeTurn, tmp_path: Path
) -> None:
    gate.shut()
    history = open_journaled(gated_url)
    assert history.save(make_turn("early")) is Saved.JOURNALED

    gate.open()

    eventually(lambda: waiting(tmp_path) == 0)
    assert rows(gated_url) == ["early"]


@pytest.mark.parametrize(
    ("name", "password", "advice"),
    [("history_none", "wrong", "Check DB_USER and DB_PASSWORD"), ("history_none", PASSWORD, "Create the database")],
)
def test_a_wrong_setting_stops_the_start(
    open_journaled: OpenHistory, mariadb: MariaDb, name: str, password: str, advice: str
) -> None:
    with pytest.raises(StorageMisconfigured, match=advice):
        open_journaled(mariadb.url(name=name, password=password))


def test_a_password_that_is_changed_while_the_server_runs_costs_no_turn(
    mariadb: MariaDb, open_journaled: OpenHistory, make_turn: MakeTurn, tmp_path: Path
) -> None:
    url = mariadb.new_database()
    history = open_journaled(url)
    mariadb.run("ALTER USER gateway@'%' IDENTIFIED BY 'rotated'", "KILL USER gateway")
    try:
        during = history.save(make_turn("during"))
    finally:
        mariadb.run(f"ALTER USER gateway@'%' IDENTIFIED BY '{PASSWORD}'")

    eventually(lambda: waiting(tmp_path) == 0)
    assert (during, rows(url)) == (Saved.JOURNALED, ["during"])


def test_a_locked_sqlite_file_delays_a_turn_and_loses_none(
    open_journaled: OpenHistory, tmp_path: Path, make_turn: MakeTurn
) -> None:
    url = sqlite_url(tmp_path / "history.db")
    history = open_journaled(url, quick_s=0.05)
    with closing(sqlite3.connect(tmp_path / "history.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert history.save(make_turn()) is Saved.JOURNALED
        other.rollback()

    eventually(lambda: waiting(tmp_path) == 0)
    assert rows(url) == ["turn-1"]


def test_a_full_database_delays_turns_and_loses_none(
    open_journaled: OpenHistory, tmp_path: Path, make_turn: MakeTurn
) -> None:
    url = sqlite_url(tmp_path / "history.db")
    history = open_journaled(url)
    with history._quick._engine.connect() as quick, history._patient._engine.connect() as patient:
        for connection in (quick, patient):  # one pooled connection each: it is the one that the next caller gets
            connection.execute(text("PRAGMA max_page_count=1"))
    large = make_turn("large", answer_text="x" * 500_000)
    assert history.save(large) is Saved.JOURNALED
    with pytest.raises(StorageError, match="full"):
        eventually(lambda: history.deliver())  # until it is ours to deliver

    with history._patient._engine.connect() as patient:
        patient.execute(text("PRAGMA max_page_count=1000000"))

    eventually(lambda: waiting(tmp_path) == 0)
    assert rows(url) == ["large"]


def test_a_turn_that_is_no_row_is_set_aside_told_and_blocks_nobody(
    open_journaled: OpenHistory, mariadb: MariaDb, make_turn: MakeTurn, tmp_path: Path
) -> None:
    url = mariadb.new_database()
    history = open_journaled(url)

    with pytest.raises(StorageRefused, match="too long"):
        history.save(make_turn("poison", asr_model="x" * 129))

    assert history.save(make_turn("next")) is Saved.DELIVERED
    (kept,) = tmp_path.glob("journal/aside/*.entry")
    assert json.loads(kept.read_bytes().partition(b"\n")[2])["turn_id"] == "poison"


def test_poison_in_the_journal_is_set_aside_and_the_rest_delivered(
    open_journaled: OpenHistory, mariadb: MariaDb, make_turn: MakeTurn, tmp_path: Path
) -> None:
    url = mariadb.new_database()
    history = open_journaled(url, longest_pause_s=NEVER_S)
    turns = [make_turn("a"), make_turn("poison", asr_model="x" * 129), make_turn("b")]
    with history._journal.sole():
        for turn in turns:
            history._journal.add({"kind": "turn"}, as_json(turn))
        history._journal.add({"kind": "turn"}, b'{"turn_id": 7}')

    history.deliver()
    eventually(lambda: waiting(tmp_path) == 0)

    assert rows(url) == ["a", "b"]
    assert len(list(tmp_path.glob("journal/aside/*.entry"))) == 2


def test_a_turn_too_large_for_the_servers_line_does_not_block_those_behind_it(
    open_journaled: OpenHistory, mariadb: MariaDb, make_turn: MakeTurn, tmp_path: Path
) -> None:
    url = mariadb.new_database()
    mariadb.run("SET GLOBAL max_allowed_packet = 1048576")
    try:
        history = open_journaled(url)
        assert history.save(make_turn("stone", answer_text="x" * 2_000_000)) is Saved.JOURNALED
        assert history.save(make_turn("next")) is Saved.JOURNALED
        eventually(lambda: waiting(tmp_path) == 0)
    finally:
        mariadb.run("SET GLOBAL max_allowed_packet = 16777216")

    assert rows(url) == ["next"]
    assert len(list(tmp_path.glob("journal/aside/*.entry"))) == 1


def test_a_full_journal_is_told(open_journaled: OpenHistory, gated_url: URL, gate: Gate, make_turn: MakeTurn) -> None:
    history = open_journaled(gated_url, max_bytes=100)
    gate.shut()

    with pytest.raises(StorageError, match="JOURNAL_MAX_BYTES"):
        history.save(make_turn())


def test_turns_of_many_threads_during_an_outage_are_all_delivered_once(
    open_journaled: OpenHistory, gated_url: URL, gate: Gate, make_turn: MakeTurn, tmp_path: Path
) -> None:
    history = open_journaled(gated_url)

    def talk(session: str) -> None:
        for n in range(20):
            history.save(make_turn(f"{session}-{n:02}", session_id=session))

    threads = [threading.Thread(target=talk, args=(f"s{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    gate.shut()
    gate.open()
    for thread in threads:
        thread.join()
    eventually(lambda: waiting(tmp_path) == 0)

    found = rows(gated_url)
    assert len(found) == len(set(found)) == 160
    for n in range(8):
        assert [turn for turn in found if turn.startswith(f"s{n}-")] == [f"s{n}-{m:02}" for m in range(20)]


def test_a_turn_comes_out_of_the_journal_as_it_went_in(make_turn: MakeTurn) -> None:
    turn = make_turn(answer_text="half \ud83d of a pair", audio_seconds=0.1)

    assert as_turn(as_json(turn)) == turn


def test_a_moment_without_a_zone_is_refused_before_it_waits(make_turn: MakeTurn) -> None:
    with pytest.raises(StorageRefused, match="without a time zone"):
        as_json(replace(make_turn(), finished_at=datetime(2026, 1, 1)))
