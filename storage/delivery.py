"""Emptying a journal into the place where its entries belong, in order, by one process at a time.

Exactly once is the work of two: an entry is removed only after it was taken, so it is delivered at least once; and
whoever takes it takes the same one twice without effect (a `turn_id` is unique, an object's key is its own).

An entry that fails must not stop those behind it, and a place that is away must not condemn an entry.  Refused for good
(`StorageRefused`) or damaged: set aside at once.  Failed otherwise: the place is taken to be away, and all wait, in
order.  Only when the same entry has failed a few times, while the place says that it is well, is the next one tried; if
that goes through and the first still fails, the fault is in the first.
"""

import logging
import random
import threading
from collections.abc import Callable

from protocol.errors import StorageError, StorageRefused
from storage.journal import Content, Damaged, Entry, Journal

_log = logging.getLogger(__name__)

_TRIES_BEFORE_DOUBT = 3
_FIRST_PAUSE_S = 0.1
_BUSY_PAUSE_S = 0.2
"""Until the journal is looked at again that another process was delivering."""
_CLOSE_S = 5.0
"""One that hangs at a silent place longer is left behind: nothing that it does can be lost by a kill."""
_IDLE_S = 5.0
"""How often an idle deliverer looks for what a process left that died. Its own process wakes it."""


class Deliverer:
    """Empties one journal. `send` takes an entry to its place, `check` says (by raising) that the place is away.

    Threads: one of its own, started and joined here; `wake`, `deliver` and `close` may be called from any.
    """

    def __init__(
        self,
        journal: Journal,
        send: Callable[[Content], None],
        *,
        name: str,
        check: Callable[[], None] = lambda: None,
        longest_pause_s: float = 5.0,
    ) -> None:
        self._journal, self._send, self._check, self._name = journal, send, check, name
        self._longest_pause_s = longest_pause_s
        self._failures: dict[str, int] = {}
        self._is_place_known = False
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin with what a former process left."""
        self._thread.start()

    def wake(self) -> None:
        """Say that something waits."""
        self._wake.set()

    def close(self) -> None:
        """End the thread after the entry that it is at; what is left waits for the next start."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident:
            self._thread.join(_CLOSE_S)

    def deliver(self) -> bool:
        """Deliver all that waits; False when another process is at it. Raises: StorageError when the place is away."""
        with self._journal.sole() as is_sole:
            if not is_sole:
                return False
            self._check()
            self._deliver_all()
            return True

    def _deliver_all(self) -> None:
        doubtful: tuple[Entry, StorageError] | None = None
        for entry in self._journal.entries():
            if self._stop.is_set():
                break
            try:
                is_through = self._deliver_one(entry)
            except StorageError as error:
                if doubtful or not self._is_doubtful(entry):
                    raise
                doubtful = entry, error
                continue
            if doubtful and is_through:
                self._judge(*doubtful)
                doubtful = None
        if doubtful:
            raise doubtful[1]

    def _deliver_one(self, entry: Entry) -> bool:
        """Take one entry to its place; False when there is nothing to take. Raises: StorageError (not now)."""
        if not entry.hold():
            return False
        try:
            self._send(entry.read())
        except FileNotFoundError:
            return False
        except (Damaged, StorageRefused) as error:
            entry.set_aside(str(error))
            return False
        except StorageError:
            self._failures[entry.path.name] = self._failures.get(entry.path.name, 0) + 1
            raise
        else:
            entry.remove()
        finally:
            entry.release()
            self._forget_the_gone(entry)
        return True

    def _is_doubtful(self, entry: Entry) -> bool:
        """Whether an entry failed so often that the next one may be tried. Raises: StorageError when all is away."""
        if self._failures.get(entry.path.name, 0) < _TRIES_BEFORE_DOUBT:
            return False
        self._check()
        return True

    def _judge(self, entry: Entry, error: StorageError) -> None:
        """Set an entry aside that fails where another went through."""
        try:
            self._deliver_one(entry)
        except StorageError:
            entry.set_aside(f"others are taken, this is not: {error}")

    def _forget_the_gone(self, entry: Entry) -> None:
        if not entry.path.exists():
            self._failures.pop(entry.path.name, None)

    # --- the thread

    def _run(self) -> None:
        self._journal.sweep()
        failures = 0
        while not self._stop.is_set():
            self._wake.clear()
            try:
                self._journal.recount()
                is_done = self._look()
            except StorageError as error:
                failures += 1
                self._tell_away(error, failures)
                self._stop.wait(self._pause_s(failures))
            except Exception:  # the outermost frame of a thread: one that died would deliver nothing any more
                _log.exception("delivery broke: %s", self._name)
                self._stop.wait(self._longest_pause_s)
            else:
                failures = self._tell_back(failures)
                self._wake.wait(_IDLE_S if is_done else _BUSY_PAUSE_S)

    def _look(self) -> bool:
        """Deliver what waits; False when another process is at it."""
        if not self._is_place_known:
            self._check()
            self._is_place_known = True
        return self._journal.is_empty or self.deliver()

    def _pause_s(self, failures: int) -> float:
        return float(min(self._longest_pause_s, _FIRST_PAUSE_S * 2 ** min(failures, 16)) * random.uniform(0.5, 1.0))

    def _tell_away(self, error: StorageError, failures: int) -> None:
        """Log the first failure and then ever fewer."""
        if failures & (failures - 1) == 0:
            _log.warning("delivery waits: %s failures=%d %s", self._name, failures, error)

    def _tell_back(self, failures: int) -> int:
        if failures:
            _log.warning("delivery goes on: %s after failures=%d", self._name, failures)
        return 0
