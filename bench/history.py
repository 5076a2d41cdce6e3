"""The history at 100 000 turns: reading a window and a page of conversations, saving, exporting, on both databases.

Figure: the median and the 99th percentile of the call as the server makes it, decoding included, one caller, for owners
picked at random. 200 owners with 50 conversations of 10 turns each. MariaDB is a private one with 16 MB of buffers, so
that most of it comes from disk or the system's cache. Beside it, what a turn costs while the database is away: the
journal.
"""

import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, insert

from bench.results import Row
from services.ports import Usage
from services.storage_ports import TurnRecord
from storage.history import row_of, sqlite_url
from storage.journal import Journal
from storage.journaled_history import JournaledHistory, as_json
from storage.tables import conversations, turns
from test.storage.mariadb import PASSWORD, USER, MariaDb

_OWNERS, _CONVERSATIONS, _TURNS = 200, 50, 10
_BATCH = 5000
_CALLS = 500
_TARGET_MS = 10.0
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ANSWER = "今天北京晴，最高气温二十度，适合出门散步。" * 6


def measure() -> list[Row]:
    """Return the rows of both databases, and of the journal."""
    with tempfile.TemporaryDirectory(prefix="bench-history-") as name:
        folder = Path(name)
        rows = [_journal_row(folder / "away")]
        rows += _database_rows("SQLite", sqlite_url(folder / "history.sqlite3"), folder / "lite")
        with _mariadb(folder / "server") as url:
            rows += _database_rows("MariaDB", url, folder / "maria")
    return rows


def _database_rows(kind: str, url: URL, journal: Path) -> list[Row]:
    history, chance = JournaledHistory(url, journal=journal, max_bytes=2**30), random.Random(7)
    try:
        _fill(history)
        reader = history.conversations

        def window() -> object:
            return reader.window(_owner(chance), _conversation(chance), turns=20)

        def page() -> object:
            return reader.page(_owner(chance), limit=20)

        def deep_page() -> object:
            return reader.page(_owner(chance), limit=20, after=_conversation(chance))

        def turn_page() -> object:
            return reader.turns(_owner(chance), _conversation(chance), limit=20)

        fresh = iter(range(10**9))
        return [
            _row(f"{kind}, 100 000 turns: window of 20 turns", window),
            _row(f"{kind}: first page of 20 conversations", page),
            _row(f"{kind}: a later page of conversations", deep_page),
            _row(f"{kind}: page of 20 messages", turn_page),
            _row(f"{kind}: save a turn", lambda: history.save(_turn(0, 0, 1000 + next(fresh)))),
            _export_row(kind, history),
        ]
    finally:
        history.close()


def _fill(history: JournaledHistory) -> None:
    """Write the turns in large steps, past the saving one by one, in the order in which they happened."""
    engine = history._patient._engine
    order = [(o, c, t) for t in range(_TURNS) for c in range(_CONVERSATIONS) for o in range(_OWNERS)]
    for begin in range(0, len(order), _BATCH):
        with engine.begin() as connection:
            connection.execute(insert(turns), [row_of(_turn(*where)) for where in order[begin : begin + _BATCH]])
    made = [_conversation_row(o, c) for c in range(_CONVERSATIONS) for o in range(_OWNERS)]
    with engine.begin() as connection:
        connection.execute(insert(conversations), made)


def _turn(owner: int, conversation: int, number: int) -> TurnRecord:
    started_at = _START + timedelta(days=number, minutes=conversation, seconds=owner % 60)
    return TurnRecord(
        turn_id=f"{owner}-{conversation}-{number}",
        session_id=f"session-{owner}-{conversation}",
        started_at=started_at,
        finished_at=started_at + timedelta(seconds=8),
        key_fingerprint="0a1b2c3d",
        user_text="今天天气怎么样？",
        answer_text=_ANSWER,
        answer_heard=_ANSWER,
        interrupted=False,
        audio_key=f"audio/{owner}-{conversation}-{number}.wav",
        audio_url="https://recordings.oss-cn-beijing.aliyuncs.com/audio/a.wav?" + "x" * 120,
        audio_seconds=2.5,
        asr_model="qwen3-asr-flash",
        chat_model="qwen-plus",
        tts_model="qwen3-tts-flash-realtime",
        usage=Usage(prompt_tokens=100, completion_tokens=50, total_tokens=150),
        stages_ms={"asr": 300.0, "first_token": 600.0, "first_sent": 900.0, "end": 8000.0},
        owner=f"owner-{owner}",
        conversation_id=f"conversation-{conversation}",
    )


def _conversation_row(owner: int, conversation: int) -> dict[str, object]:
    first, last = _turn(owner, conversation, 0), _turn(owner, conversation, _TURNS - 1)
    belongs = {"owner": first.owner, "conversation_id": first.conversation_id, "title": first.user_text}
    return belongs | {"created_at": first.started_at, "updated_at": last.finished_at}


def _owner(chance: random.Random) -> str:
    return f"owner-{chance.randrange(_OWNERS)}"


def _conversation(chance: random.Random) -> str:
    return f"conversation-{chance.randrange(_CONVERSATIONS)}"


def _row(what: str, call: Callable[[], object]) -> Row:
    times = sorted(_ms(call) for _ in range(_CALLS))
    middle, slow = statistics.median(times), times[int(_CALLS * 0.99)]
    figure = f"{middle:.2f} ms p50, {slow:.2f} ms p99"
    return Row(goal="", what=what, figure=figure, target=f"< {_TARGET_MS:.0f} ms p50", met=middle < _TARGET_MS)


def _ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def _export_row(kind: str, history: JournaledHistory) -> Row:
    began = time.perf_counter()
    count = sum(1 for _ in history.conversations.export("owner-7"))
    speed = count / (time.perf_counter() - began)
    met = count == _CONVERSATIONS * _TURNS
    return Row(goal="", what=f"{kind}: export an owner", figure=f"{speed:.0f} turns/s", target="all of 500", met=met)


def _journal_row(folder: Path) -> Row:
    journal, body = Journal(folder, max_bytes=2**30), as_json(_turn(0, 0, 0))
    return _row("journal: a turn while the database is away", lambda: journal.add({"kind": "turn"}, body))


@contextmanager
def _mariadb(folder: Path) -> Iterator[URL]:
    if not shutil.which("mariadbd"):
        raise SystemExit("mariadbd is missing: `make test` installs it.")
    folder.mkdir()
    server = MariaDb(folder)
    server.install()
    server.start()
    try:
        server.run(f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'", f"GRANT ALL ON `history\\_%`.* TO {USER}@'%'")
        yield server.new_database()
    finally:
        server.stop()
