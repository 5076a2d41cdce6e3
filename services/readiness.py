"""Whether this server can do its work: what it depends on, each asked in its own time.

A dependency is asked in a thread of its own and waited for `_PATIENCE_S` at most; one that still hangs is not asked
again, and its being late is its state. So no dependency makes the answer about another late.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from services.flow import Deadline

_log = logging.getLogger(__name__)

_PATIENCE_S = 2.0
State = Literal["ok", "away", "late"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """Something that is needed. `ask` raises when it is away; what it says holds for `fresh_s`.

    Without what is `vital` nothing works; the absence of the rest is bridged, by the journal for example.
    """

    name: str
    ask: Callable[[], object]
    fresh_s: float = 1.0
    is_vital: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The state of every dependency by its name."""

    states: dict[str, State]
    is_ready: bool

    @property
    def status(self) -> Literal["ready", "degraded", "unready"]:
        if not self.is_ready:
            return "unready"
        return "ready" if set(self.states.values()) <= {"ok"} else "degraded"


class Readiness:
    """All dependencies of a server. Threads: any."""

    def __init__(self, dependencies: Sequence[Dependency], *, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._inquiries = [_Inquiry(dependency) for dependency in dependencies]

    def report(self) -> Report:
        """Ask all at once and return what they say; takes no longer than the patience with one."""
        deadline = Deadline(self._patience_s)
        for inquiry in self._inquiries:
            inquiry.begin()
        states = {inquiry.dependency.name: inquiry.state(deadline.left_s()) for inquiry in self._inquiries}
        vital = {inquiry.dependency.name for inquiry in self._inquiries if inquiry.dependency.is_vital}
        return Report(states=states, is_ready=all(states[name] == "ok" for name in vital))


class _Inquiry:
    """One dependency, asked by one thread at a time."""

    def __init__(self, dependency: Dependency) -> None:
        self.dependency = dependency
        self._state: State = "late"
        self._asked_s = 0.0
        self._is_known = threading.Event()
        self._is_known.set()
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Ask, unless somebody is asking or the last answer is fresh."""
        with self._lock:
            is_fresh = self._asked_s and time.monotonic() - self._asked_s < self.dependency.fresh_s
            if is_fresh or not self._is_known.is_set():
                return
            self._is_known.clear()
        threading.Thread(target=self._ask, name=f"ready-{self.dependency.name}", daemon=True).start()

    def state(self, timeout_s: float) -> State:
        return self._state if self._is_known.wait(timeout_s) else "late"

    def _ask(self) -> None:
        try:
            self.dependency.ask()
            self._state = "ok"
        except Exception as error:  # whatever it is, it is away; a check must not break what it checks
            _log.warning("%s is away: %s", self.dependency.name, type(error).__name__)
            self._state = "away"
        finally:
            self._asked_s = time.monotonic()
            self._is_known.set()
