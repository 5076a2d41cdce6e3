"""What a device is told while bucket or database are away, and what is there when they are back."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from emulator import Emulator
from protocol.keys import ApiKey
from storage.history import open_history, sqlite_url
from test.storage.gate import Gate, gate_to
from test.storage.mariadb import PASSWORD, USER, MariaDb
from test.storage.test_journaled_history import rows
from test.support.device import TestDevice, spoken_wav
from test.support.oss import OssAccount
from test.support.servers import RunningServer
from test.support.waiting import eventually

QUESTION = "今天天气怎么样"
Serve = Callable[..., RunningServer]
Connect = Callable[..., TestDevice]


@pytest.fixture
def account(emulator: Emulator) -> OssAccount:
    made = OssAccount(emulator)
    made.set()
    return made


@pytest.fixture
def gate(mariadb: MariaDb) -> Iterator[Gate]:
    with gate_to(mariadb.port) as made:
        yield made


@pytest.fixture
def serve_with_bucket(serve: Serve, account: OssAccount) -> Serve:
    """Start servers whose bucket is the emulator's, signed as the test says."""

    def start(*, signature: str = "v1", **settings: object) -> RunningServer:
        return serve(
            oss_access_key_id=account.access_key_id,
            oss_access_key_secret=ApiKey(account.secret),
            oss_bucket=account.bucket_name,
            oss_endpoint=account.emulator.url,
            oss_signature=signature,
            **settings,
        )

    return start


@pytest.fixture
def serve_with_mariadb(serve: Serve, mariadb: MariaDb, gate: Gate) -> Callable[..., tuple[RunningServer, str]]:
    """Start servers whose database is behind the gate; returns the database's name too."""

    def start(**settings: object) -> tuple[RunningServer, str]:
        name = str(mariadb.new_database().database)
        server = serve(
            db_host="127.0.0.1", db_port=gate.port, db_user=USER, db_password=ApiKey(PASSWORD), db_name=name, **settings
        )
        return server, name

    return start


def waiting(server: RunningServer) -> list[Path]:
    return list(server.data_dir.glob("journal/*/*.entry"))


@pytest.mark.parametrize("signature", ["v1", "v4"])
def test_a_recording_goes_into_the_bucket_and_its_link_opens_it(
    serve_with_bucket: Serve, connect: Connect, account: OssAccount, signature: str
) -> None:
    server = serve_with_bucket(signature=signature)
    recording = spoken_wav(QUESTION)
    device = connect(server)

    complete = device.turn(recording)

    told = device.bodies("transcription_started")[0]["oss_url"]
    answer = requests.get(told, timeout=10)
    assert complete["oss_uploaded"] and complete["oss_url"] == told
    assert (answer.content, answer.headers["Content-Type"]) == (recording, "audio/wav")
    assert list(account.objects()) == [f"audio/{complete['filename']}"]


def test_a_bucket_that_is_away_is_told_and_gets_the_recording_later_under_the_same_link(
    serve_with_bucket: Serve, connect: Connect, account: OssAccount
) -> None:
    server = serve_with_bucket()
    account.fail("status", status=503, times=0)
    recording = spoken_wav(QUESTION)

    complete = connect(server).turn(recording)
    account.set()

    eventually(lambda: not waiting(server), within_s=20)
    assert (complete["transcription_text"], complete["tts_success"]) == (QUESTION, True)
    assert not complete["oss_uploaded"]
    assert requests.get(complete["oss_url"], timeout=10).content == recording


def test_a_bucket_that_stalls_holds_no_turn_until_its_own_deadlines(
    serve_with_bucket: Serve, connect: Connect, account: OssAccount
) -> None:
    server = serve_with_bucket()
    account.fail("stall", times=0)

    complete = connect(server).turn(spoken_wav(QUESTION))

    stalled = [entry for entry in account.emulator.journal(account.access_key_id) if entry["kind"] == "gone"]
    assert (complete["tts_success"], complete["oss_uploaded"], stalled) == (True, False, [])
    assert len(waiting(server)) == 1


def test_a_turn_without_its_database_is_whole_says_so_and_is_saved_later(
    serve_with_mariadb: Callable[..., tuple[RunningServer, str]], connect: Connect, mariadb: MariaDb, gate: Gate
) -> None:
    server, name = serve_with_mariadb()
    gate.shut()
    device = connect(server)
    first = device.turn(spoken_wav(QUESTION))
    gate.open()
    eventually(lambda: not waiting(server))

    device.turn(spoken_wav("后来呢"))

    saved = [body["db_saved"] for body in device.bodies("chat_tts_complete")]
    assert (first["tts_success"], saved) == (True, [False, True])
    assert not device.bodies("error")
    assert len(rows(mariadb.url(name=name))) == 2


def test_a_server_started_without_its_database_serves_and_saves_when_it_comes(
    serve_with_mariadb: Callable[..., tuple[RunningServer, str]], connect: Connect, mariadb: MariaDb, gate: Gate
) -> None:
    gate.shut()
    server, name = serve_with_mariadb()
    device = connect(server)

    complete = device.turn(spoken_wav(QUESTION))
    gate.open()

    eventually(lambda: not waiting(server), within_s=20)
    assert (complete["tts_success"], len(rows(mariadb.url(name=name)))) == (True, 1)


def test_a_journal_that_is_full_is_told_in_the_event_and_the_turn_goes_on(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    server = serve(journal_bytes=10)
    history = open_history(sqlite_url(server.data_dir / "history.sqlite3"))
    device = connect(server)
    with ExitStack() as stack:
        connection = stack.enter_context(history._engine.connect())
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        complete = device.turn(spoken_wav(QUESTION))
        stack.callback(connection.rollback)
    history.close()

    assert (complete["tts_success"], device.bodies("chat_tts_complete")[0]["db_saved"]) == (True, False)
