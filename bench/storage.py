"""First audio while the bucket or the database is slow, or away: they stand beside the answer, never before it.

Figure: the median time to first audio over the same with local files and SQLite. One server, one vendor and one talker
for each state; the talkers speak in turn, each round in another order, so that noise and what a turn leaves to be
delivered hit all alike.  Nothing is made easy: the upstream is quick, so that no wait of ours can hide behind
one of its own, and every turn is a new connection of a device that goes on with its conversation, so that the history
is asked each time.
"""

import secrets
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import urllib3
from sqlalchemy import URL

from bench.results import Row
from bench.rig import Rig, free_port, process, rig, spoken_wav, wait_for
from client.device import Device
from client.turn import LOAD
from test.storage.mariadb import PASSWORD, USER, MariaDb

_WARM_ROUNDS, _ROUNDS = 3, 40
_TARGET_MS = 5.0
_LATENCY = {"asr_ms": 50.0, "chat_first_token_ms": 50.0, "tts_first_audio_ms": 50.0, "tts_speed": 10.0}
_QUESTION, _ANSWER = "今天的天气怎么样", "好的，我来回答。"
_BASELINE, _FROZEN = "local files, SQLite", "MariaDB frozen"
_SLOW_PUT_MS = 2000


def measure() -> list[Row]:
    """Return a row for each state of bucket and database."""
    with ExitStack() as stack:
        database = stack.enter_context(_mariadb())
        slow, away = stack.enter_context(_slow_bucket()), f"http://127.0.0.1:{free_port()}"
        states = {
            _BASELINE: {},
            f"bucket that takes {_SLOW_PUT_MS / 1000:.0f} s for each object": _bucket(slow),
            "bucket down": _bucket(away),
            _FROZEN: _database(database.new_database()),
        }
        talkers = {name: _Talker(stack.enter_context(rig(**variables))) for name, variables in states.items()}
        _rounds(talkers, count=_WARM_ROUNDS)
        database.freeze()
        first_ms = _rounds(talkers, count=_ROUNDS)
        database.thaw()
    baseline_ms = statistics.median(first_ms.pop(_BASELINE))
    return [_row(name, statistics.median(times), baseline_ms=baseline_ms) for name, times in first_ms.items()]


class _Talker:
    """A device that connects anew for every turn of its one conversation."""

    def __init__(self, running: Rig) -> None:
        running.script(replies=[_ANSWER], transcripts=[_QUESTION], latency=_LATENCY)
        self._url = f"{running.audio_url}?device_id=bench"
        self._question = spoken_wav(_QUESTION)

    def first_audio_ms(self) -> float:
        """Hold a turn and return how long its first sound took."""
        with Device(self._url, options=LOAD) as device:
            result = device.turn(self._question)
        assert result.is_ok and result.first_audio_ms is not None, result.failure
        return result.first_audio_ms


def _rounds(talkers: Mapping[str, _Talker], *, count: int) -> dict[str, list[float]]:
    """Let each talker speak once a round; who begins changes from round to round."""
    names = list(talkers)
    first_ms: dict[str, list[float]] = {name: [] for name in names}
    for number in range(count):
        begin = number % len(names)
        for name in names[begin:] + names[:begin]:
            first_ms[name].append(talkers[name].first_audio_ms())
    return first_ms


def _row(name: str, middle_ms: float, *, baseline_ms: float) -> Row:
    added_ms = middle_ms - baseline_ms
    return Row(
        goal="",
        what=f"first audio, p50, over local files and SQLite: {name}",
        figure=f"{added_ms:+.1f} ms ({middle_ms:.0f} / {baseline_ms:.0f} ms)",
        target=f"<= {_TARGET_MS:.0f} ms",
        met=added_ms <= _TARGET_MS,
    )


# --- the bucket and the database


_ACCOUNT = {
    "access_key_id": "LTAIbench",
    "access_key_secret": secrets.token_hex(16),
    "bucket": "recordings-bench",
    "faults": [{"operation": "put", "kind": "delay", "delay_ms": _SLOW_PUT_MS, "times": 0}],
}


@contextmanager
def _slow_bucket() -> Iterator[str]:
    """Run a storage service of its own, so that its work is not the vendor's, and give its address."""
    url = f"http://127.0.0.1:{free_port()}"
    with process([sys.executable, "-m", "emulator", "--port", url.rpartition(":")[2]], {}):
        wait_for(f"{url}/emulator/health")
        answer = urllib3.request("POST", f"{url}/emulator/oss", json=_ACCOUNT)
        assert answer.status == 200, answer.data
        yield url


def _bucket(endpoint: str) -> dict[str, str]:
    return {
        "ACCESSKEY_ID": str(_ACCOUNT["access_key_id"]),
        "ACCESSKEY_SECRET": str(_ACCOUNT["access_key_secret"]),
        "BUCKET": str(_ACCOUNT["bucket"]),
        "OSS_ENDPOINT": endpoint,
    }


def _database(url: URL) -> dict[str, str]:
    return {
        "DB_HOST": str(url.host),
        "DB_PORT": str(url.port),
        "DB_USER": USER,
        "DB_PASSWORD": PASSWORD,
        "DB_NAME": str(url.database),
    }


@contextmanager
def _mariadb() -> Iterator[MariaDb]:
    if not shutil.which("mariadbd"):
        raise SystemExit("mariadbd is missing: `make test` installs it.")
    with tempfile.TemporaryDirectory(prefix="bench-storage-", ignore_cleanup_errors=True) as folder:
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
