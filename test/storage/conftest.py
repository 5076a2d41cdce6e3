"""Real databases for the storage tests: a SQLite file, and a private MariaDB that lives as long as the test run."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL

from services.ports import Usage
from services.storage_ports import TurnRecord
from storage.history import SqlHistory, open_history, sqlite_url
from test.storage.mariadb import PASSWORD, USER, MariaDb


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    if not (shutil.which("mariadbd") and shutil.which("mariadb-install-db")):
        pytest.fail("mariadbd is missing: `make test` installs the package mariadb-server-core.", pytrace=False)
    with tempfile.TemporaryDirectory(prefix="mariadb-", ignore_cleanup_errors=True) as folder:
        server = MariaDb(Path(folder))
        server.install()
        server.start()
        try:
            server.run(f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'")
            server.run(f"GRANT ALL ON `history\\_%`.* TO {USER}@'%'")
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
        "error_code": "request_timeout",
        "owner": "device-1",
        "conversation_id": "conversation-1",
        "image_keys": ("image/a.jpg", "image/图.png"),
    }
    return TurnRecord(**(fields | changes))  # type: ignore[arg-type]
