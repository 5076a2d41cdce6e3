"""Storing a recording beside the turn: never on the way to the first sound."""

import logging
import threading
from pathlib import Path
from typing import BinaryIO

from protocol.errors import GatewayError
from services.ports import Recording
from services.stages import Stages
from services.storage_ports import ObjectStore, Saved

_log = logging.getLogger(__name__)


class Filing:
    """One recording on its way into the object store. Threads: its own, started and joined here."""

    def __init__(self, store: ObjectStore, recording: Recording, *, object_key: str, stages: Stages, name: str) -> None:
        self._store, self._recording, self._stages = store, recording, stages
        self.object_key = object_key
        self.is_stored = False
        self._thread = threading.Thread(target=self._file, name=f"{name}-file", daemon=True)

    def start(self) -> None:
        """Begin to store; harmless when repeated."""
        if not self._thread.ident:
            self._thread.start()

    def finish(self) -> None:
        """Wait until the recording is stored or has failed to be; the store's own deadlines bound it."""
        if self._thread.ident:
            self._thread.join()

    def _file(self) -> None:
        try:
            data, content_type = self._recording.data, self._recording.container.content_type
            saved = self._store.put(self.object_key, data, content_type=content_type)
            self.is_stored = saved is Saved.DELIVERED
            self._stages.mark("upload")
        except GatewayError as error:
            _log.warning("recording not stored: %s %s", error.code, error)
        except Exception:  # the outermost frame of a thread: the turn must end all the same
            _log.exception("filing broke")


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
