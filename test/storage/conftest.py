"""Real databases for the storage tests: a SQLite file, and a private MariaDB that lives as long as the test run."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import URL

from protocol.keys import ApiKey
from services.ports import TurnRecord, Usage
from storage.history import SqlHistory, mysql_url, open_history, sqlite_url

USER, PASSWORD = "gateway", "s3cret-p@ss/wörd"
_START_TIMEOUT_S = 20.0
_numbers = count()


class MariaDb:
    """One `mariadbd` of our own on a free loopback port. Who calls `start` calls `stop`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = str(folder / "socket")
        self._user = ["--user=mysql"] if os.geteuid() == 0 else []
        self.port = _free_port()

    def install(self) -> None:
        if self._user:
            shutil.chown(self._folder, "mysql")
        command = ["mariadb-install-db", "--no-defaults", f"--datadir={self._folder}/data", "--skip-test-db"]
        command += ["--auth-root-authentication-method=normal", "--innodb-log-file-size=8M", *self._user]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        command = ["mariadbd", "--no-defaults", f"--datadir={self._folder}/data", f"--socket={self._socket}"]
        command += [f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve", *self._user]
        command += ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, "mariadbd does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it as a power cut would: its data is thrown away, or recovered by the next `start`."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def run(self, *statements: str) -> None:
        with pymysql.connect(unix_socket=self._socket, user="root", connect_timeout=5) as connection:
            for statement in statements:
                connection.cursor().execute(statement)

    def new_database(self) -> URL:
        name = f"history_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} CHARACTER SET latin1")  # the tables must not inherit this
        return self.url(name=name)

    def url(self, *, name: str, password: str = PASSWORD) -> URL:
        return mysql_url(host="127.0.0.1", port=self.port, user=USER, password=ApiKey(password), name=name)

    def _answers(self) -> bool:
        try:
            self.run()
        except pymysql.err.OperationalError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    if not (shutil.which("mariadbd") and shutil.which("mariadb-install-db")):
        pytest.fail("mariadbd is missing: `make test` installs the package mariadb-server.", pytrace=False)
    with tempfile.TemporaryDirectory(prefix="mariadb-", ignore_cleanup_errors=True) as folder:
        server = MariaDb(Path(folder))
        server.install()
        server.start()
        try:
            server.run(
                f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'", f"GRANT ALL ON `history\\_%`.* TO {USER}@'%'"
            )
            yield server
        finally:
            server.stop()


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """The address of a new, empty database, once of each kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "data" / "history.db")
    return request.getfixturevalue("mariadb").new_database()


@pytest.fixture
def history(url: URL) -> Iterator[SqlHistory]:
    opened = open_history(url)
    yield opened
    opened.close()


@pytest.fixture
def make_turn() -> Callable[..., TurnRecord]:
    return _make_turn


def _make_turn(turn_id: str = "turn-1", **changes: object) -> TurnRecord:
    fields: dict[str, object] = {
        "turn_id": turn_id,
        "session_id": "session-1",
        "started_at": datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
        "finished_at": datetime(2026, 3, 1, 12, 0, 9, 999999, tzinfo=UTC),
        "key_fingerprint": "0a1b2c3d",
        "user_text": "今天天气怎么样?",
        "answer_text": "晴天 ☀️, 家人 👨‍👩‍👧‍👦, 𠮷野家 and “quotes” '\";--\n\t\\ %s :name",
        "answer_heard": "晴天",
        "interrupted": True,
        "audio_key": "2026/03/01/session-1/turn-1.wav",
        "audio_url": "http://127.0.0.1:5000/files/" + "x" * 2000,
        "audio_seconds": 2.0000001,
        "asr_model": "qwen3-asr-flash",
        "chat_model": "qwen-plus",
        "tts_model": "qwen3-tts-flash-realtime",
        "usage": Usage(prompt_tokens=12, completion_tokens=34, total_tokens=46),
        "stages_ms": {"upload": 0.5, "语音": 1234.5678},
        "error_code": "upstream_timeout",
    }
    return TurnRecord(**(fields | changes))  # type: ignore[arg-type]
