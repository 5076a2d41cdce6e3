"""The tables are made once, whoever starts first, and finished by the next start when one was killed on the way."""

import fcntl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, Boolean, Column, Connection, Double, Integer, MetaData, String, Table, insert, text

from protocol.errors import StorageError
from services.storage_ports import TurnRecord
from storage import database
from storage.conversations import SqlConversations
from storage.history import open_history, sqlite_url
from storage.migrate import _upgrade
from storage.tables import LongText, metadata
from test.storage.mariadb import MariaDb
from test.storage.processes import SavingProcess

_NEW_IN_2 = ("owner", "conversation_id", "image_keys")
_V1_COLUMNS = [column for column in metadata.tables["turns"].columns if column.name not in ("id", *_NEW_IN_2)]


@contextmanager
def connected(url: URL) -> Iterator[Connection]:
    engine = database.connect(url, timeout_s=5)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_the_revisions_make_the_tables_that_the_code_expects(url: URL) -> None:
    open_history(url).close()

    with connected(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_processes_that_start_together_on_a_new_database_all_work(url: URL) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(SavingProcess(url, turn_id=f"turn-{number}")) for number in range(4)]
        assert [process.heard() for process in processes] == ["ready"] * 4

        for process in processes:
            process.go_on()

        assert [process.heard() for process in processes] == ["saved"] * 4

    history = open_history(url)
    assert history.count() == 4
    history.close()


def test_threads_that_open_several_new_histories_together_all_work(tmp_path: Path) -> None:
    urls = [sqlite_url(tmp_path / f"{number}.db") for number in range(8)]

    with ThreadPoolExecutor(8) as threads:
        histories = list(threads.map(open_history, urls))

    assert [history.count() for history in histories] == [0] * 8
    for history in histories:
        history.close()


def test_a_start_waits_on_mysql_while_another_changes_the_tables(mariadb: MariaDb) -> None:
    url = mariadb.new_database()
    with mariadb.connect() as other, SavingProcess(url, turn_id="turn-1") as process:
        cursor = other.cursor()
        cursor.execute("SELECT GET_LOCK(CONCAT('migrate ', MD5(%s)), 0)", (url.database,))
        assert process.heard() == "ready"

        process.go_on()

        wait_until(lambda: cursor.execute("SELECT 1 FROM information_schema.processlist WHERE state = 'User lock'"))
        assert cursor.execute(f"SHOW TABLES IN {url.database}") == 0
        cursor.execute("DO RELEASE_ALL_LOCKS()")
        assert process.heard() == "saved"


def test_a_start_waits_on_sqlite_while_another_changes_the_tables(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "history.db")
    with (tmp_path / "history.db.lock").open("w") as other, SavingProcess(url, turn_id="turn-1") as process:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert process.heard() == "ready"

        process.go_on()

        wait_until(lambda: process.has_open(tmp_path / "history.db.lock"))
        assert not (tmp_path / "history.db").exists()
        fcntl.flock(other, fcntl.LOCK_UN)
        assert process.heard() == "saved"


def test_a_start_that_was_killed_before_noting_the_revision_is_finished_by_the_next(
    url: URL, make_turn: Callable[..., TurnRecord]
) -> None:
    first = open_history(url)
    first.save(make_turn())
    first.close()
    with connected(url) as connection:
        connection.execute(text("DELETE FROM alembic_version"))

    second = open_history(url)

    assert second.recent("session-1", limit=1) == [make_turn()]
    second.close()
    with connected(url) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0004"


def test_turns_of_the_first_version_get_their_key_as_owner_and_their_session_as_conversation(url: URL) -> None:
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir()
    with connected(url) as connection:
        _upgrade(connection, url, to="0001")
        for number, (key, session) in enumerate([("k1", "s1"), ("k1", "s1"), ("k2", "s1"), ("k1", "s2")]):
            connection.execute(insert(_V1_TURNS), _v1_row(number, key=key, session=session))

    history = open_history(url)

    reader = SqlConversations(history._engine, forget_waiting=lambda *_: [])
    assert [turn.turn_id for turn in reader.window("k1", "s1", turns=9)] == ["turn-1", "turn-0"]
    assert [turn.turn_id for turn in reader.window("k2", "s1", turns=9)] == ["turn-2"]
    assert [(found.conversation_id, found.title) for found in reader.page("k1", limit=9)] == [
        ("s2", "q3"),
        ("s1", "q0"),
    ]
    history.close()


_V1_TURNS = Table("turns", MetaData(), *(Column(column.name, column.type) for column in _V1_COLUMNS))


def _v1_row(number: int, *, key: str, session: str) -> dict[str, object]:
    moment = datetime(2026, 1, 1, 0, number, tzinfo=UTC)
    row: dict[str, object] = {column.name: "" for column in _V1_COLUMNS if isinstance(column.type, String | LongText)}
    row |= {column.name: 0 for column in _V1_COLUMNS if isinstance(column.type, Integer | Double | Boolean)}
    row |= {"turn_id": f"turn-{number}", "key_fingerprint": key, "session_id": session, "user_text": f"q{number}"}
    return row | {"started_at": moment, "finished_at": moment, "stages_ms": {}}


def test_tables_of_a_newer_server_are_left_alone(url: URL) -> None:
    open_history(url).close()
    with connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StorageError, match="newer server"):
        open_history(url)


def test_the_tables_are_utf8_whatever_the_database_was_created_with(mariadb: MariaDb) -> None:
    url = mariadb.new_database()
    open_history(url).close()

    with connected(url) as connection:
        collations = connection.execute(text("SHOW FULL COLUMNS FROM turns")).mappings().all()

    assert {row["Collation"] for row in collations if row["Field"].endswith(("_id", "_text"))} == {"utf8mb4_bin"}


def test_the_turns_of_a_session_are_read_through_an_index(url: URL) -> None:
    open_history(url).close()
    explain = "EXPLAIN QUERY PLAN" if url.get_backend_name() == "sqlite" else "EXPLAIN"

    with connected(url) as connection:
        query = f"{explain} SELECT * FROM turns WHERE session_id = 's' ORDER BY started_at DESC, id DESC LIMIT 5"
        plan = str(connection.execute(text(query)).all()).lower()

    assert "turns_by_session" in plan or "sqlite_autoindex_turns_2" in plan
    assert "filesort" not in plan
    assert "temp b-tree" not in plan
