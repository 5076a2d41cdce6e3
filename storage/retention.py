"""Deleting recordings of this machine that are older than the operator wants to keep them.

Once a day for all workers together: whoever finds that a day has passed since the last sweep takes a lock and sweeps;
the time of the last sweep is that of a file beside the recordings, so restarts do not sweep again.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from storage.journal import flocked

_log = logging.getLogger(__name__)

_DAY_S: Final = 86400.0
_LOOK_S: Final = 600.0
"""How often each worker looks whether a day has passed."""
_STAMP: Final = ".swept"


class Retention:
    """Sweeps a folder daily. Threads: its own, started and joined here; other processes may sweep the same folder."""

    def __init__(self, folder: Path, *, keep_days: int, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._keep_s, self._clock = folder, keep_days * _DAY_S, clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recordings-sweep", daemon=True)

    def start(self) -> None:
        """Begin, unless everything is kept for ever."""
        if self._keep_s:
            self._thread.start()

    def close(self) -> None:
        """End the thread; a sweep ends after the file that it is at."""
        self._stop.set()
        if self._thread.ident:
            self._thread.join()

    def sweep_if_due(self) -> int:
        """Delete what is too old if a day has passed since anybody did; returns how many went. Raises: OSError."""
        with _sole(self._folder / _STAMP) as descriptor:
            if descriptor is None or self._clock() - os.fstat(descriptor).st_mtime < _DAY_S:
                return 0
            count = sum(map(self._delete, self._too_old()))
            os.utime(descriptor, (self._clock(), self._clock()))
            _log.info("recordings deleted: count=%d older_than_days=%g", count, self._keep_s / _DAY_S)
            return count

    def _too_old(self) -> Iterator[Path]:
        limit_s = self._clock() - self._keep_s
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = Path(folder, name)
                if name != _STAMP and not self._stop.is_set() and _modified_s(path) < limit_s:
                    yield path

    def _delete(self, path: Path) -> bool:
        try:
            path.unlink()
        except OSError as error:
            _log.warning("recording not deleted: %s", error)
            return False
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.sweep_if_due()
            except Exception:  # the outermost frame of a thread: one that died would keep recordings for ever
                _log.exception("sweeping broke")
            self._stop.wait(_LOOK_S)


@contextmanager
def _sole(stamp: Path) -> Iterator[int | None]:
    """Yield the open stamp, locked, or None when another worker holds it. A new stamp is as old as time."""
    stamp.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not stamp.exists()
    descriptor = os.open(stamp, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        is_ours = flocked(descriptor)
        if is_ours and is_new:
            os.utime(descriptor, (0, 0))
        yield descriptor if is_ours else None
    finally:
        os.close(descriptor)


def _modified_s(path: Path) -> float:
    """Return when a file was written; one that vanishes was written just now."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")
