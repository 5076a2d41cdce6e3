"""A database that is away, silent, full of errors or back again: a clear `StorageError` in time, and no password."""

import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from protocol.errors import StorageError
from protocol.keys import ApiKey
from services.storage_ports import TurnRecord
from storage.database import connect
from storage.history import SqlHistory, mysql_url, open_history, sqlite_url
from test.storage.mariadb import MariaDb

MakeTurn = Callable[..., TurnRecord]
PASSWORD = "hunter2-密码"


@pytest.fixture
def on_mariadb(mariadb: MariaDb) -> Iterator[SqlHistory]:
    history = open_history(mariadb.new_database(), timeout_s=0.5)
    yield history
    history.close()


def all_texts(error: BaseException | None) -> str:
    """Return the messages of an error and of all its causes, as a log would show them."""
    return "" if error is None else f"{error!r} {error} {all_texts(error.__cause__)} {all_texts(error.__context__)}"


def in_time(call: Callable[[], object]) -> object:
    """Return what a call returns; fail when it hangs."""
    outcome: Future[object] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except StorageError as error:
            outcome.set_exception(error)

    Thread(target=run, name="in-time", daemon=True).start()
    return outcome.result(timeout=10)


def test_a_wrong_password_says_what_to_check_and_not_the_password(mariadb: MariaDb) -> None:
    url = mariadb.url(name="history_none", password=PASSWORD)

    with pytest.raises(StorageError, match="Check DB_USER and DB_PASSWORD") as caught:
        open_history(url)

    assert caught.value.__cause__ is not None
    assert PASSWORD not in all_texts(caught.value)


def test_a_missing_database_says_that_it_must_be_created(mariadb: MariaDb) -> None:
    with pytest.raises(StorageError, match="Create the database first"):
        open_history(mariadb.url(name="history_none"))


def test_a_server_that_is_down_is_reported_at_the_start() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    url = mysql_url(host="127.0.0.1", port=port, user="u", password=ApiKey(PASSWORD), name="n")

    with pytest.raises(StorageError, match="Check DB_HOST and DB_PORT") as caught:
        open_history(url)

    assert PASSWORD not in all_texts(caught.value)


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = mysql_url(host="127.0.0.1", port=silent.getsockname()[1], user="u", password=ApiKey("p"), name="n")

        with pytest.raises(StorageError, match="timed out"):
            in_time(lambda: open_history(url, timeout_s=0.2))


def test_a_server_that_stops_answering_fails_the_save_and_then_takes_it(
    mariadb: MariaDb, on_mariadb: SqlHistory, make_turn: MakeTurn
) -> None:
    on_mariadb.save(make_turn("before"))
    mariadb.freeze()
    try:
        with pytest.raises(StorageError, match="Could not save the turn"):
            in_time(lambda: on_mariadb.save(make_turn("frozen")))
    finally:
        mariadb.thaw()

    on_mariadb.save(make_turn("frozen"))

    assert on_mariadb.count() == 2


def test_a_restart_of_the_server_loses_no_saved_turn_and_the_next_save_works(
    mariadb: MariaDb, on_mariadb: SqlHistory, make_turn: MakeTurn
) -> None:
    on_mariadb.save(make_turn("before"))
    mariadb.stop()
    try:
        with pytest.raises(StorageError, match="Check DB_HOST and DB_PORT"):
            on_mariadb.save(make_turn("during"))
    finally:
        mariadb.start()

    on_mariadb.save(make_turn("after"))

    assert [turn.turn_id for turn in on_mariadb.recent("session-1", limit=9)] == ["before", "after"]


def test_connections_that_the_server_closed_are_replaced_unseen(
    mariadb: MariaDb, on_mariadb: SqlHistory, make_turn: MakeTurn
) -> None:
    on_mariadb.save(make_turn("before"))
    mariadb.run("KILL USER gateway")

    on_mariadb.save(make_turn("after"))

    assert on_mariadb.count() == 2


def test_a_sqlite_file_locked_by_another_is_an_error_and_not_a_hang(tmp_path: Path, make_turn: MakeTurn) -> None:
    history = open_history(sqlite_url(tmp_path / "history.db"), timeout_s=0.1)
    with closing(sqlite3.connect(tmp_path / "history.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="database is locked"):
            history.save(make_turn())
        other.rollback()

    history.save(make_turn())

    assert history.count() == 1
    history.close()


def test_a_commit_on_sqlite_is_synced_and_readers_are_not_blocked(tmp_path: Path) -> None:
    history = open_history(sqlite_url(tmp_path / "history.db"))

    with history._engine.connect() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]

    assert settings == ["wal", 2]
    history.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("buy milk " * 200)

    with pytest.raises(StorageError, match=r"notes\.db: file is not a database"):
        open_history(sqlite_url(tmp_path / "notes.db"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="Could not prepare the tables"):
        open_history(sqlite_url(tmp_path / "file" / "history.db"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"mysql+pymysql//user:{PASSWORD}@host/db", "not a valid URL"),
        (f"mysql+pymysql://user:{PASSWORD}@host:port/db", "not a valid URL"),
        (f"postgresql://user:{PASSWORD}@host/db", "not 'postgresql'"),
        (f"nosuchthing://user:{PASSWORD}@host/db", "not 'nosuchthing'"),
        ("sqlite://", "kept in memory"),
        ("sqlite:///:memory:", "kept in memory"),
    ],
)
def test_an_address_that_cannot_hold_a_history_is_refused(url: str, words: str) -> None:
    with pytest.raises(StorageError, match=words) as caught:
        open_history(url)

    assert PASSWORD not in all_texts(caught.value)


@pytest.mark.parametrize(("deadlocks", "is_saved"), [(2, True), (9, False)])
def test_a_save_that_the_server_tells_to_begin_again_begins_again_a_few_times(
    mariadb: MariaDb, make_turn: MakeTurn, deadlocks: int, is_saved: bool
) -> None:
    url = mariadb.new_database()
    history = open_history(url)
    mariadb.run(
        f"CREATE TABLE {url.database}.deadlocks (n INT) ENGINE=MyISAM",  # a rollback brings nothing of it back
        *[f"INSERT INTO {url.database}.deadlocks VALUES (1)"] * deadlocks,
        f"CREATE TRIGGER {url.database}.t BEFORE INSERT ON {url.database}.turns FOR EACH ROW"
        f" IF EXISTS (SELECT 1 FROM {url.database}.deadlocks) THEN DELETE FROM {url.database}.deadlocks LIMIT 1;"
        " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF",
    )

    if is_saved:
        history.save(make_turn())
    else:
        with pytest.raises(StorageError):
            history.save(make_turn())

    assert history.count() == int(is_saved)
    history.close()


def test_connections_to_mariadb_share_their_tls_settings(mariadb: MariaDb) -> None:
    engine = connect(mariadb.new_database(), timeout_s=5)

    with engine.connect() as first, engine.connect() as second:
        settings = [one.connection.dbapi_connection.ctx for one in (first, second)]

    engine.dispose()
    assert settings[0] is settings[1]
    assert settings[0].verify_mode == ssl.CERT_NONE
