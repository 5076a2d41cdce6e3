"""A folder in which things wait until the place where they belong is back: one file each, the oldest name first.

How it works.  An entry is written to a draft, synced, and renamed into place, so that a name means a whole entry,
whatever was killed when.  It is gone when it was delivered; what can never be delivered is moved to `aside/`, where it
blocks nobody and people can look at it.  Names begin with the time, so they sort into the order of writing.

Who may touch an entry.  Any process adds.  One at a time delivers: it holds `flock` on `.lock`.  Whoever brings an
entry to its place by itself holds `flock` on the entry's own file (`hold=True`), and the deliverer passes it by.  Both
locks end with their process, so a kill leaves none behind.

The file: one line of JSON (what the entry is, the SHA-256 of the rest), then the rest.
"""

import fcntl
import hashlib
import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol.errors import StorageError

_log = logging.getLogger(__name__)

_SUFFIX: Final = ".entry"
_DRAFT: Final = ".part"
_ASIDE: Final = "aside"
_DRAFT_LIFE_S: Final = 3600.0
"""A draft so old was left by a process that is gone."""
_LOOK_AGAIN_S: Final = 0.02
_RECOUNT_S, _RECOUNT_SHARE = 5.0, 0.05
"""How often at most the size is taken anew, and what part of the time: 100 000 entries take a second to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is in an entry: a few words about it, and its bytes."""

    about: Mapping[str, str]
    data: bytes


class Damaged(Exception):
    """An entry that is not what was written."""


class Entry:
    """One waiting thing. Invariant: while it is held here, no other process delivers it."""

    def __init__(self, path: Path, *, free: Callable[[int], None] = lambda size_bytes: None) -> None:
        self.path, self._free = path, free
        self._descriptor: int | None = None

    def read(self) -> Content:
        """Return what was written. Raises: Damaged, FileNotFoundError (it was delivered meanwhile)."""
        line, _, data = self.path.read_bytes().partition(b"\n")
        try:
            head = json.loads(line)
            about, digest = dict(head["about"]), str(head["sha256"])
        except (ValueError, TypeError, LookupError) as error:
            raise Damaged(f"its first line is no head: {error}") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise Damaged("its bytes are not those that were written")
        return Content(about=about, data=data)

    def take_over(self, descriptor: int) -> None:
        """Hold the entry by a file that is open and locked already."""
        self._descriptor = descriptor

    def hold(self) -> bool:
        """Take the entry for this thread; False when it is another's, or gone."""
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Leave the entry to the deliverer; harmless when repeated."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def remove(self) -> None:
        """Forget the entry: it was delivered. Should its name survive a power cut, it is delivered again: no harm."""
        with suppress(FileNotFoundError):
            size_bytes = self.path.stat().st_size
            self.path.unlink()
            self._free(size_bytes)
        self.release()

    def set_aside(self, reason: str) -> None:
        """Take the entry out of the way for good; people may look at it."""
        aside = self.path.parent / _ASIDE
        _log.error("journal sets an entry aside: %s: %s", aside / self.path.name, reason)
        with suppress(FileNotFoundError):
            aside.mkdir(mode=0o700, exist_ok=True)
            self.path.replace(aside / self.path.name)
        self.release()


class Journal:
    """The entries of one kind. Threads: any number, also of several processes on one folder."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._lock = threading.Lock()
        self._last_ns = self._size_bytes = 0
        self._recount_s = float("-inf")
        with _told(folder, "open"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.recount()

    def add(self, about: Mapping[str, str], data: bytes, *, label: str = "0", hold: bool = False) -> Entry:
        """Write an entry durably; `label` is letters and digits by which `find` finds it.

        Raises: StorageError when it is full, or the disk is.
        """
        head = json.dumps({"about": dict(about), "sha256": hashlib.sha256(data).hexdigest()})
        content = head.encode() + b"\n" + data
        self._make_room(len(content))
        with _told(self._folder, "write to"):
            return self._write(content, self._folder / f"{self._next_ns():020d}-{os.getpid()}-{label}{_SUFFIX}", hold)

    def entries(self) -> list[Entry]:
        """Return what waits, oldest first."""
        with _told(self._folder, "read"):
            names = sorted(name for name in os.listdir(self._folder) if name.endswith(_SUFFIX))
        return [Entry(self._folder / name, free=self._free) for name in names]

    def find(self, label: str) -> list[Entry]:
        """Return what waits under a label, oldest first."""
        return [entry for entry in self.entries() if entry.path.name.endswith(f"-{label}{_SUFFIX}")]

    def take(self, label: str, *, within_s: float) -> list[Entry]:
        """Return what waits under a label, held. What another is bringing to its place this moment is waited for.

        Raises: StorageError when that takes longer; nothing is held then.
        """
        held: list[Entry] = []
        end_s = time.monotonic() + within_s
        for entry in self.find(label):
            while not (is_held := entry.hold()) and entry.path.exists():
                if time.monotonic() > end_s:
                    for other in held:
                        other.release()
                    raise StorageError(f"{entry.path.name} is on its way this moment: try again.")
                time.sleep(_LOOK_AGAIN_S)
            held += [entry] if is_held else []
        return held

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, what is set aside not counted. Raises: StorageError."""
        with _told(self._folder, "read"), os.scandir(self._folder) as files:
            return not any(file.name.endswith(_SUFFIX) for file in files)

    @contextmanager
    def sole(self) -> Iterator[bool]:
        """Say whether the caller alone may deliver now, of all processes and threads. Raises: StorageError."""
        with _told(self._folder, "lock"):
            descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield flocked(descriptor)
        finally:
            os.close(descriptor)

    def recount(self) -> None:
        """Take the size anew, if that was not done just now: other processes add and remove too."""
        began_s = time.monotonic()
        if began_s < self._recount_s:
            return
        size_bytes, ended_s = _size_of(self._folder), time.monotonic()
        with self._lock:
            self._size_bytes = size_bytes
            self._recount_s = ended_s + max(_RECOUNT_S, (ended_s - began_s) / _RECOUNT_SHARE)

    def sweep(self) -> None:
        """Remove drafts that a killed process left."""
        for draft in self._folder.glob(f".*{_DRAFT}"):
            with suppress(OSError):
                if time.time() - draft.stat().st_mtime > _DRAFT_LIFE_S:
                    draft.unlink()

    def _next_ns(self) -> int:
        """Return the time, later than any this process gave before."""
        with self._lock:
            self._last_ns = max(self._last_ns + 1, time.time_ns())
            return self._last_ns

    def _make_room(self, size_bytes: int) -> None:
        if self._size_bytes + size_bytes > self._max_bytes:
            self.recount()
        with self._lock:
            if self._size_bytes + size_bytes > self._max_bytes:
                raise StorageError(f"The journal in {self._folder} is full: see JOURNAL_MAX_BYTES.")
            self._size_bytes += size_bytes

    def _free(self, size_bytes: int) -> None:
        with self._lock:
            self._size_bytes -= size_bytes

    def _write(self, content: bytes, path: Path, hold: bool) -> Entry:
        descriptor, draft = tempfile.mkstemp(prefix=".", suffix=_DRAFT, dir=self._folder)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(content)
            os.fsync(descriptor)
            if hold:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(draft, path)
            _sync_folder(self._folder)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            os.close(descriptor)
            raise
        entry = Entry(path, free=self._free)
        entry.take_over(descriptor)
        if not hold:
            entry.release()
        return entry


def flocked(descriptor: int) -> bool:
    """Lock an open file if it is free; the lock ends with the descriptor, so with the process at the latest."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _size_of(folder: Path) -> int:
    """Return the bytes that wait and that are set aside; what vanishes meanwhile counts nothing."""
    total = 0
    for where in (folder, folder / _ASIDE):
        with suppress(FileNotFoundError), os.scandir(where) as files:
            for file in files:
                with suppress(FileNotFoundError):
                    total += file.stat().st_size
    return total


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(folder: Path, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"Could not {doing} the journal in {folder}: {error}") from error
