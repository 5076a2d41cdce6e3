"""Storing recordings and pictures beside the turn: never on the way to the first sound."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from protocol.errors import GatewayError
from protocol.telling import StoredFile
from services.stages import Stages
from services.storage_ports import ObjectStore, Saved

_log = logging.getLogger(__name__)

_GIVE_WAY_S = 0.15
"""Recognition goes first (docs/adr/0006), and its call is on its way by then."""
_PATIENCE_S = 2.0
"""For what is still under way when the answer has been spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One object to store. `key` is its name in the store, `url` where it will be readable."""

    key: str
    url: str
    data: bytes
    content_type: str

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]


class Filing:
    """What a person brought, on its way into the object store. Threads: its own, started and joined here."""

    def __init__(self, store: ObjectStore, uploads: Sequence[Upload], *, stages: Stages, name: str) -> None:
        self._store, self.uploads, self._stages = store, tuple(uploads), stages
        self._stored: set[str] = set()
        self._hurries = threading.Event()
        self._thread = threading.Thread(target=self._file, name=f"{name}-file", daemon=True)

    def start(self) -> None:
        """Store a moment later, beside recognition."""
        self._thread.start()

    def hurry(self) -> None:
        """Store now: recognition is over, or waits for the link."""
        self._hurries.set()

    def finish(self) -> None:
        """Wait until all is stored or has failed to be, but not long: a slow store must not hold the turn's end.

        What is late then is told as not stored. It is on its way, and the store's own deadlines end the thread.
        """
        self.hurry()
        if self._thread.ident:
            self._thread.join(_PATIENCE_S)

    def outcome(self) -> list[StoredFile]:
        """Return what became of each upload."""
        return [
            StoredFile(name=u.name, size_bytes=len(u.data), url=u.url, is_stored=u.key in self._stored)
            for u in self.uploads
        ]

    def _file(self) -> None:
        self._hurries.wait(_GIVE_WAY_S)
        for upload in self.uploads:
            try:
                if self._store.put(upload.key, upload.data, content_type=upload.content_type) is Saved.DELIVERED:
                    self._stored.add(upload.key)
            except GatewayError as error:
                _log.warning("%s not stored: %s %s", upload.content_type, error.code, error)
            except Exception:  # the outermost frame of a thread: the turn must end all the same
                _log.exception("filing broke")
        if self._stored:
            self._stages.mark("upload")


class ReplyCopy:
    """A file that keeps a spoken answer. A full disk ends the copy, never the answer. Threads: the speaking thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._has_failed = False

    def write(self, data: bytes) -> None:
        if self._has_failed:
            return
        try:
            self._file = self._file or self._path.open("wb")
            self._file.write(data)
        except OSError as error:
            self._has_failed = True
            _log.warning("spoken answer not kept: %s", error)

    def close(self) -> None:
        if self._file:
            self._file.close()
