"""One request of one key: its script, its journal, its waiting; a task that outlives it; the vendor that all share."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Final, Protocol

from emulator.journal import Journal
from emulator.listeners import Ear
from emulator.models import Model
from emulator.scenario import Fault, Scenario, Script, Scripts
from emulator.store import FileStore, Shelf
from emulator.voice import Voice

LONGEST_WAIT_S: Final = 600.0
_POLL_S: Final = 0.05


class ClientGone(ConnectionError):
    """The client closed its side, or a fault cut the line, or the emulator stops.

    A ConnectionError, so that the web server drops the line without an answer.
    """


@dataclass(slots=True, kw_only=True)
class Vendor:
    """The pretended vendor: everything that lives as long as the emulator."""

    voice: Voice
    ear: Ear
    scripts: Scripts = field(default_factory=Scripts)
    journal: Journal = field(default_factory=Journal)
    files: FileStore = field(default_factory=FileStore)
    tasks: Shelf[Task] = field(default_factory=Shelf)
    uploaders: Shelf[str] = field(default_factory=Shelf)
    stopping: Event = field(default_factory=Event)
    url: str = ""


@dataclass(slots=True, kw_only=True)
class Call:
    """One request: who asks, at which endpoint, over which socket."""

    vendor: Vendor
    key: str
    endpoint: str
    line: socket.socket
    resolves_uploads: bool = False
    request_id: str = field(default_factory=lambda: new_request_id())

    @property
    def script(self) -> Script:
        """The script that this key plays."""
        return self.vendor.scripts.of(self.key)

    @property
    def scenario(self) -> Scenario:
        """The scenario that this key set."""
        return self.script.scenario

    def note(self, kind: str, **detail: Any) -> None:
        """Write into the key's journal."""
        self.vendor.journal.note(self.key, self.endpoint, kind, **detail)

    def next_fault(self, stage: str) -> Fault | None:
        """Return the fault that hits this request, if any, and note it."""
        fault = self.script.next_fault(stage)
        if fault is not None:
            self.note("fault", stage=stage, fault=fault.kind)
        return fault

    def pause(self, duration_ms: float) -> None:
        """Wait, but not longer than the client does.  Raises: ClientGone."""
        self.pause_until(time.monotonic() + duration_ms / 1000)

    def pause_until(self, moment_s: float) -> None:
        """Wait for a moment of the monotonic clock.  Raises: ClientGone."""
        limit_s = min(moment_s, time.monotonic() + LONGEST_WAIT_S)
        while (left_s := limit_s - time.monotonic()) > 0:
            if left_s > _POLL_S and self.is_client_gone():
                self.note("gone")
                raise ClientGone("the client went away")
            if self.vendor.stopping.wait(min(left_s, _POLL_S)):
                raise ClientGone("the emulator stops")

    def is_client_gone(self) -> bool:
        """Tell whether the client has closed its side of the line."""
        try:
            readable, _, _ = select.select([self.line], [], [], 0)
            return bool(readable) and not self.line.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True

    def hang_up(self, *, rudely: bool = False) -> ClientGone:
        """Cut the line (with a TCP reset if rudely) and return the exception that ends the request."""
        if rudely:
            _reset(self.line)
        else:
            shut(self.line)
        return ClientGone("the line was cut by a fault")


class Job(Protocol):
    """The work behind a task.  `kind` is its path in the service's words, `takes_ms` how long it takes at least."""

    kind: str

    @property
    def takes_ms(self) -> float: ...

    def run(self, failure: Fault | None) -> bool:
        """Do the work, or fail as a scenario wants it; return whether any of it is good."""

    def output(self, status: str) -> dict[str, Any]:
        """Return what the answer of a poll holds beside the task's id, state and times."""

    def usage(self) -> dict[str, Any]:
        """Return what the work cost."""


@dataclass(slots=True)
class Task:
    """What a call asked for, how far it is, what came of it.  Threads: `lock` guards a step."""

    call: Call
    model: Model
    job: Job
    failure: Fault | None
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    submitted_s: float = field(default_factory=time.time)
    ended_s: float = 0.0
    status: str = "PENDING"
    polls: int = 0
    lock: Lock = field(default_factory=Lock)


def shut(line: socket.socket) -> None:
    """Shut both directions of a socket, whatever state it is in."""
    with suppress(OSError):  # it was closed already
        line.shutdown(socket.SHUT_RDWR)


def _reset(line: socket.socket) -> None:
    """End a connection with a TCP reset.

    The descriptor itself is closed: `close` would wait for the web server's files on the same socket.  Shutting the
    reading side first wakes a thread that waits in `recv`, without telling the client anything.
    """
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        line.shutdown(socket.SHUT_RD)
    os.close(line.detach())


def new_request_id() -> str:
    """Return a request id in the service's fashion: a UUID whose version digit is 9."""
    text = str(uuid.uuid4())
    return f"{text[:14]}9{text[15:]}"
