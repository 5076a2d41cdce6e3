"""Every fault of the bucket beside every fault of the database: all arrives once when both heal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulator import Emulator
from protocol.keys import ApiKey
from services.storage_ports import Saved, TurnRecord
from storage.journaled_history import JournaledHistory
from storage.oss import OssBucket
from storage.spool import SpooledStore
from test.storage.gate import gate_to
from test.storage.mariadb import PASSWORD, MariaDb
from test.storage.test_journaled_history import rows
from test.support.oss import OssAccount
from test.support.waiting import eventually

FAULTS = ("none", "down", "slow", "refusing", "wrong credentials", "full")
KEY, DATA = "audio/turn-1.wav", b"RIFF the recording"
_FULL = "CREATE TRIGGER {0}.full BEFORE INSERT ON {0}.turns FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114"


class Rig:
    """A database and a bucket, each behind a gate."""

    def __init__(self, emulator: Emulator, mariadb: MariaDb, folder: Path) -> None:
        self._mariadb, self.account = mariadb, OssAccount(emulator)
        self.account.set()
        self.url, self._folder = mariadb.new_database(), folder
        self._database = self.url.database

    @contextmanager
    def open(self) -> Iterator[tuple[JournaledHistory, SpooledStore]]:
        with gate_to(self._mariadb.port) as self.db_gate, gate_to(self.account.emulator.port) as self.oss_gate:
            history = JournaledHistory(
                self.url.set(port=self.db_gate.port),
                journal=self._folder / "turns",
                max_bytes=10_000_000,
                quick_s=0.4,
                patient_s=1.0,
                longest_pause_s=0.05,
            )
            store = SpooledStore(
                self._bucket(), spool=self._folder / "objects", max_bytes=10_000_000, longest_pause_s=0.05
            )
            try:
                yield history, store
            finally:
                history.close()
                store.close()

    def break_bucket(self, fault: str) -> None:
        actions: dict[str, Callable[[], None]] = {
            "down": self.oss_gate.shut,
            "slow": self.oss_gate.freeze,
            "refusing": lambda: self.account.fail("status", status=503, times=0),
            "wrong credentials": lambda: self.account.set(access_key_secret="rotated"),
            "full": lambda: self.account.set(capacity_bytes=0),
        }
        actions.get(fault, lambda: None)()

    def break_database(self, fault: str) -> None:
        name = self._database
        actions: dict[str, Callable[[], None]] = {
            "down": self.db_gate.shut,
            "slow": self.db_gate.freeze,
            "refusing": lambda: self._mariadb.run(f"RENAME TABLE {name}.turns TO {name}.away"),
            "wrong credentials": lambda: self._mariadb.run(
                "ALTER USER gateway@'%' IDENTIFIED BY 'rotated'", "KILL USER gateway"
            ),
            "full": lambda: self._mariadb.run(_FULL.format(name)),
        }
        actions.get(fault, lambda: None)()

    def heal(self, *, bucket: str, database: str) -> None:
        name = self._database
        actions: dict[str, Callable[[], None]] = {
            "down": self.db_gate.open,
            "slow": self.db_gate.thaw,
            "refusing": lambda: self._mariadb.run(f"RENAME TABLE {name}.away TO {name}.turns"),
            "wrong credentials": lambda: self._mariadb.run(f"ALTER USER gateway@'%' IDENTIFIED BY '{PASSWORD}'"),
            "full": lambda: self._mariadb.run(f"DROP TRIGGER {name}.full"),
        }
        actions.get(database, lambda: None)()
        self.account.set()
        {"down": self.oss_gate.open, "slow": self.oss_gate.thaw}.get(bucket, lambda: None)()

    def _bucket(self) -> OssBucket:
        return OssBucket(
            access_key_id=self.account.access_key_id,
            secret=ApiKey(self.account.secret),
            bucket=self.account.bucket_name,
            region="cn-beijing",
            endpoint=f"http://127.0.0.1:{self.oss_gate.port}",
            lifetime_s=60,
            connect_s=1.0,
            idle_s=0.6,
            deadline_s=0.0,
        )


@pytest.mark.parametrize("database", FAULTS)
@pytest.mark.parametrize("bucket", FAULTS)
def test_a_turn_and_its_recording_arrive_once(
    emulator: Emulator,
    mariadb: MariaDb,
    tmp_path: Path,
    make_turn: Callable[..., TurnRecord],
    bucket: str,
    database: str,
) -> None:
    rig = Rig(emulator, mariadb, tmp_path)
    with rig.open() as (history, store):
        history.save(make_turn("turn-0"))
        rig.break_bucket(bucket)
        rig.break_database(database)
        try:
            stored = store.put(KEY, DATA, content_type="audio/wav")
            saved = [history.save(make_turn(f"turn-{n}", audio_key=KEY)) for n in (1, 2)]
        finally:
            rig.heal(bucket=bucket, database=database)
        eventually(lambda: not list(tmp_path.glob("*/*.entry")))

    assert stored is (Saved.DELIVERED if bucket == "none" else Saved.JOURNALED)
    assert saved == [Saved.DELIVERED if database == "none" else Saved.JOURNALED] * 2
    assert rows(rig.url) == ["turn-0", "turn-1", "turn-2"]
    assert rig.account.objects() == {KEY: DATA}
    assert not list(tmp_path.glob("*/aside/*"))
