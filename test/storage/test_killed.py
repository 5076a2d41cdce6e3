"""`kill -9` at any moment while database and bucket come and go: what was saved is there, once, in order."""

import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL

from emulator import Emulator
from protocol.keys import ApiKey
from storage.journaled_history import JournaledHistory
from storage.oss import OssBucket
from storage.spool import SpooledStore
from test.storage.gate import Gate, gate_to
from test.storage.mariadb import MariaDb
from test.storage.test_journaled_history import rows
from test.support.oss import OssAccount
from test.support.waiting import eventually

ROUNDS = 200
_ROOT = Path(__file__).parents[2]
_LONGEST_LIFE_S = 0.08


class Mortal:
    """A running `dying_process.py`: one child after the other, each killed at a random moment."""

    def __init__(self, url: URL, account: OssAccount, folder: Path) -> None:
        command = [sys.executable, str(_ROOT / "test/storage/dying_process.py")]
        command += [url.render_as_string(hide_password=False), account.emulator.url]
        command += [account.access_key_id, account.secret, account.bucket_name, str(folder)]
        environment = os.environ | {"PYTHONPATH": str(_ROOT)}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self._rest = b""
        self.saved: dict[str, list[str]] = {"turn": [], "object": []}

    def live_and_die(self, number: int, *, life_s: float, is_early: bool, meanwhile: Callable[[], None]) -> None:
        """Let one child live so long, do something to the world half way, kill it, hear what it had said.

        `is_early`: its life counts from its birth, so it may die while it opens history and spool.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(b"%d\n" % number)
        self._process.stdin.flush()
        child = int(self._hear("born"))
        if not is_early:
            self._hear("open")
        self._listen(life_s / 2)
        meanwhile()
        self._listen(life_s / 2)
        os.kill(child, signal.SIGKILL)
        self._hear("dead")

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _hear(self, word: str) -> str:
        """Return what follows a word; everything before it is noted."""
        while True:
            kind, _, what = self._line().partition(" ")
            if kind == word:
                return what
            self._note(kind, what)

    def _listen(self, duration_s: float) -> None:
        end = time.monotonic() + duration_s
        while (left_s := end - time.monotonic()) > 0:
            if b"\n" in self._rest or select.select([self._process.stdout], [], [], left_s)[0]:
                kind, _, what = self._line().partition(" ")
                self._note(kind, what)

    def _note(self, kind: str, what: str) -> None:
        assert kind in ("open", *self.saved), f"a child ended by itself: {kind} {what}"
        if kind in self.saved:
            self.saved[kind].append(what)

    def _line(self) -> str:
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            data = os.read(self._process.stdout.fileno(), 65536)
            assert data, "the process ended"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()


class Weather:
    """What happens to database and bucket, by a seed, so that every run sees the same."""

    def __init__(self, gate: Gate, account: OssAccount, chance: random.Random) -> None:
        self._gate, self._account, self._chance = gate, account, chance
        self._is_database_up = True

    def change(self) -> None:
        match self._chance.randrange(5):
            case 0 | 1:
                self.set_database(not self._is_database_up)
            case 2:
                self._account.fail(self._chance.choice(["cut", "reset"]), is_late=True, operation="put", times=3)
            case 3:
                self._account.fail("status", status=503, times=0)
            case _:
                self._account.set()

    def clear(self) -> None:
        self.set_database(True)
        self._account.set()

    def set_database(self, is_up: bool) -> None:
        if is_up != self._is_database_up:
            (self._gate.open if is_up else self._gate.shut)()
        self._is_database_up = is_up


@contextmanager
def heir(url: URL, account: OssAccount, folder: Path) -> Iterator[None]:
    """Be the server that starts when all has passed."""
    bucket = OssBucket(
        access_key_id=account.access_key_id,
        secret=ApiKey(account.secret),
        bucket=account.bucket_name,
        region="cn-beijing",
        endpoint=account.emulator.url,
        lifetime_s=60,
    )
    store = SpooledStore(bucket, spool=folder / "objects", max_bytes=10_000_000_000)
    history = JournaledHistory(url, journal=folder / "turns", max_bytes=10_000_000_000)
    try:
        yield
    finally:
        history.close()
        store.close()


@pytest.fixture
def account(emulator: Emulator) -> OssAccount:
    made = OssAccount(emulator, secret="no-spaces-in-an-argument")
    made.set()
    return made


@contextmanager
def mortals(url: URL, account: OssAccount, folder: Path, *, count: int) -> Iterator[list[Mortal]]:
    with ExitStack() as stack:
        made = [Mortal(url, account, folder) for _ in range(count)]
        for mortal in made:
            stack.callback(mortal.end)
        yield made


def assert_nothing_is_lost_or_double(
    url: URL, account: OssAccount, folder: Path, *, saved: dict[str, list[str]]
) -> None:
    """Let an heir deliver what waits; then every turn that was saved is one row and every object in the bucket."""
    with heir(url, account, folder):
        eventually(lambda: not list(folder.glob("*/*.entry")), within_s=60)
    found, kept = rows(url), account.objects()
    assert len(found) == len(set(found)) and set(found) >= set(saved["turn"])
    assert {name: kept.get(f"{name}.wav") for name in saved["object"]} == {
        name: name.encode() * 50 for name in saved["object"]
    }
    assert not list(folder.glob("*/aside/*"))


def test_two_hundred_kills_lose_nothing_double_nothing_and_change_no_order(
    mariadb: MariaDb, account: OssAccount, tmp_path: Path
) -> None:
    chance, url = random.Random(20261121), mariadb.new_database()
    with gate_to(mariadb.port) as gate, mortals(url.set(port=gate.port), account, tmp_path, count=1) as (mortal,):
        weather = Weather(gate, account, chance)
        for number in range(ROUNDS):
            life_s, is_early = chance.uniform(0.0, _LONGEST_LIFE_S), chance.random() < 0.2
            mortal.live_and_die(number, life_s=life_s, is_early=is_early, meanwhile=weather.change)
        weather.clear()

    saved = mortal.saved["turn"]
    assert_nothing_is_lost_or_double(url, account, tmp_path, saved=mortal.saved)
    assert len(saved) > ROUNDS
    assert [name for name in rows(url) if name in set(saved)] == saved == sorted(saved)


def test_workers_that_die_side_by_side_lose_nothing_and_double_nothing(
    mariadb: MariaDb, account: OssAccount, tmp_path: Path
) -> None:
    chance, url = random.Random(7), mariadb.new_database()
    with gate_to(mariadb.port) as gate, mortals(url.set(port=gate.port), account, tmp_path, count=3) as three:
        weather = Weather(gate, account, chance)
        for number in range(10):
            live_side_by_side(three, number, change=weather.change)
        weather.clear()

    for which, mortal in enumerate(three):
        assert_nothing_is_lost_or_double(url, account, tmp_path, saved=mortal.saved)
        mine = [name for name in rows(url) if name in set(mortal.saved["turn"])]
        assert mine == sorted(mine) and mine[0].startswith(f"{which}0")


def live_side_by_side(three: list[Mortal], number: int, *, change: Callable[[], None]) -> None:
    """Let one child of each live at the same time; the world changes while they do."""
    lives = [
        threading.Thread(
            target=mortal.live_and_die,
            args=(which * 1000 + number,),
            kwargs={"life_s": 0.2 + which / 10, "is_early": False, "meanwhile": change if which == 0 else int},
        )
        for which, mortal in enumerate(three)
    ]
    for life in lives:
        life.start()
    for life in lives:
        life.join()
