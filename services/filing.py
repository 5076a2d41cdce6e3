"""Storing a recording beside the turn: never on the way to the first sound."""

import io
import logging
import threading
from pathlib import Path
from typing import BinaryIO

from protocol.errors import BadInput, GatewayError
from protocol.media import UNKNOWN, WAV
from services.audio import PCM_RATE_HZ, decode
from services.ports import ObjectStore, Recording
from services.stages import Stages

_log = logging.getLogger(__name__)

_ANY_LENGTH_S = 604_800.0
"""The upload's own cap on bytes is the limit here."""


class Filing:
    """One recording on its way into the object store. Threads: its own, started and joined here."""

    def __init__(self, store: ObjectStore, recording: Recording, *, object_key: str, stages: Stages) -> None:
        self._store, self._recording, self._stages = store, recording, stages
        self.object_key = object_key
        self.is_stored = False
        self.duration_s = 0.0
        self._thread = threading.Thread(target=self._file, name=f"{threading.current_thread().name}-file", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Wait until the recording is stored or has failed to be; the store's own deadlines bound it."""
        if self._thread.ident:
            self._thread.join()

    def _file(self) -> None:
        try:
            data, content_type = self._recording.data, self._recording.container.content_type
            self._store.put(self.object_key, data, content_type=content_type)
            self.is_stored = True
            self._stages.mark("upload")
            self.duration_s = duration_s(self._recording)
        except GatewayError as error:
            _log.warning("recording not stored or not readable: %s %s", error.code, error)
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


def duration_s(recording: Recording) -> float:
    """Return the seconds of sound in a recording. Raises: BadInput when it is no audio."""
    data = recording.data
    if recording.container is WAV and data[12:16] == b"fmt " and data[36:40] == b"data":
        byte_rate = int.from_bytes(data[28:32], "little")
        return (len(data) - 44) / byte_rate if byte_rate else 0.0
    if recording.container is UNKNOWN:
        raise BadInput("录音不是可识别的音频。", code="unsupported_audio")
    pieces = decode(io.BytesIO(data), recording.container, limit_s=_ANY_LENGTH_S)
    return sum(map(len, pieces)) / 2 / PCM_RATE_HZ
