"""The server as people run it, with two workers, killed in the middle of an outage: the next start makes up for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from emulator import Emulator
from test.storage.gate import Gate, gate_to
from test.storage.mariadb import PASSWORD, USER, MariaDb
from test.storage.test_journaled_history import rows
from test.support.device import TestDevice, spoken_wav
from test.support.oss import OssAccount
from test.support.server_process import ServerProcess, vendor_settings
from test.support.waiting import eventually


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
def start(
    emulator: Emulator, key: str, tmp_path: Path, account: OssAccount, gate: Gate
) -> Iterator[Callable[[str], ServerProcess]]:
    """Start servers on one folder, one database and one bucket."""
    with ExitStack() as stack:

        def start_(database: str) -> ServerProcess:
            settings = vendor_settings(emulator, key=key) | {
                "WORKERS": "2",
                "DB_HOST": "127.0.0.1",
                "DB_PORT": str(gate.port),
                "DB_USER": USER,
                "DB_PASSWORD": PASSWORD,
                "DB_NAME": database,
                "ACCESSKEY_ID": account.access_key_id,
                "ACCESSKEY_SECRET": account.secret,
                "BUCKET": account.bucket_name,
                "OSS_ENDPOINT": emulator.url,
            }
            return stack.enter_context(ServerProcess(tmp_path / "server", **settings)).started()

        yield start_


def test_turns_and_recordings_of_an_outage_survive_the_kill_of_the_server(
    start: Callable[[str], ServerProcess], mariadb: MariaDb, gate: Gate, account: OssAccount
) -> None:
    database, recording = str(mariadb.new_database().database), spoken_wav("今天天气怎么样")
    server = start(database)
    gate.shut()
    account.fail("status", status=503, times=0)
    with ExitStack() as stack:
        devices = [stack.enter_context(TestDevice(server.audio_url)) for _ in range(4)]
        told = [device.turn(recording) for device in devices]
        saved = [device.bodies("chat_tts_complete")[0]["db_saved"] for device in devices]
        server.kill()

    gate.open()
    account.set()
    start(database)

    eventually(lambda: len(account.objects()) == 4 and len(rows(mariadb.url(name=database))) == 4, within_s=20)
    assert (saved, {complete["oss_uploaded"] for complete in told}) == ([False] * 4, {False})
    links = [complete["oss_url"] for complete in told]
    assert [requests.get(link, timeout=10).content for link in links] == [recording] * 4
    assert account.secret not in server.logged and PASSWORD not in server.logged
