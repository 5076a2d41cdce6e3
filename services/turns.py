"""The turns of one connection, one at a time.

Here a turn is put together out of its parts: the recording, the voice with the device's own encoder, the place where
the recording goes. What a turn then does is told in `turn.py`.
"""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from protocol.commands import Start
from protocol.errors import GatewayError
from protocol.telling import Telling
from services.admission.access import Caller
from services.filing import Filing, ReplyCopy, Upload
from services.flow import CancelToken
from services.memory import Memory
from services.outbox import Outbox
from services.playback import Playback
from services.ports import Recording
from services.sound.audio import Encoder, Mp3Encoder, PcmEncoder
from services.speaking import Speaking
from services.stages import Stages
from services.turn import Engines, Turn, TurnOptions
from services.utterance import Utterance

_TURN_END_S = 15.0
"""A cancelled turn ends in ms; one that does not is a fault, and the connection is closed rather than stuck."""


class TurnStuck(GatewayError):
    """A turn that was stopped did not end."""

    code = "turn_stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRules:
    """What every turn of this server keeps to; from the settings."""

    voice: str
    tts_rate_hz: int
    mp3_kbps: int
    max_lead_s: float
    copies: Path | None


class Turns:
    """The turns of one connection. Invariant: at most one runs. Threads: the handler's."""

    def __init__(
        self,
        engines: Engines,
        rules: TurnRules,
        *,
        memory: Memory,
        outbox: Outbox,
        session_id: str,
        caller: Caller,
        telling: Telling,
    ) -> None:
        self._engines, self._rules, self._outbox, self._caller = engines, rules, outbox, caller
        self._store, self._session_id, self._telling = engines.store, session_id, telling
        self._memory = memory
        self._running: _Running | None = None
        self._last_stem = ""
        self.count = 0

    @property
    def is_running(self) -> bool:
        return self._running is not None and self._running.thread.is_alive()

    def begin(self, utterance: Utterance, device: Start, *, is_declared: bool, cancel: CancelToken) -> None:
        """Answer an utterance; the turn before it has ended. `is_declared`: the device has sent `start`."""
        self.count += 1
        self._running = self._put_together(utterance, device, is_declared, cancel)
        self._running.thread.start()

    def stop(self, *, played_ms: float | None) -> None:
        """Stop the running turn, if any, now: its sources are shut, its queued sound is gone; it tells its own end."""
        if self._running:
            self._running.playback.freeze(reported_ms=played_ms)
            self._running.cancel.cancel()
            self._outbox.discard(self.count)

    def wait(self) -> None:
        """Wait for the end of a turn that was stopped. Raises: TurnStuck."""
        if self._running:
            self._running.thread.join(_TURN_END_S)
            if self._running.thread.is_alive():
                raise TurnStuck("上一轮对话没有及时结束，请重新连接。")
        self._running = None

    def _put_together(self, utterance: Utterance, device: Start, is_declared: bool, cancel: CancelToken) -> "_Running":
        stem, stages = self._file_stem(), Stages()
        playback = Playback(max_lead_s=self._max_lead_s(device), on_start=lambda: stages.mark("first_sent"))
        recording = self._recording(utterance, stem)
        uploads = list(self._uploads(recording, utterance, stem))
        name = f"ws-{self._session_id[:8]}-{self.count}"
        turn = Turn(
            self._engines,
            self._options(device, is_declared=is_declared),
            utterance=utterance,
            recording=recording,
            telling=self._telling,
            speaking=self._speaking(device, stem, playback=playback, stages=stages, cancel=cancel, name=name),
            filing=Filing(self._store, uploads, stages=stages, name=name),
            memory=self._memory,
            outbox=self._outbox,
            stages=stages,
            caller=self._caller,
            cancel=cancel,
        )
        thread = threading.Thread(target=turn.run, name=name, daemon=True)
        return _Running(thread=thread, cancel=cancel, playback=playback)

    def _options(self, device: Start, *, is_declared: bool) -> TurnOptions:
        return TurnOptions(
            turn_id=str(uuid.uuid4()),
            session_id=self._session_id,
            number=self.count,
            full_response=device.full_response,
            timings=device.timings,
            is_detailed=is_declared,
        )

    def _recording(self, utterance: Utterance, stem: str) -> Recording | None:
        if not utterance.is_spoken:
            return None
        container = utterance.listening.container()
        return utterance.listening.recording(url=self._store.url(self._key_of("audio", stem, container.name)))

    def _uploads(self, recording: Recording | None, utterance: Utterance, stem: str) -> Iterator[Upload]:
        """Yield what is to be stored of an utterance: the recording first, then the pictures."""
        if recording:
            container = recording.container
            key = self._key_of("audio", stem, container.name)
            yield Upload(key=key, url=recording.url, data=recording.data, content_type=container.content_type)
        for number, (kind, data) in enumerate(utterance.looking.originals() if utterance.looking else (), 1):
            key = self._key_of("image", stem if number == 1 else f"{stem}_{number}", kind.name if kind else "bin")
            content_type = kind.content_type if kind else "application/octet-stream"
            yield Upload(key=key, url=self._store.url(key), data=data, content_type=content_type)

    def _key_of(self, what: str, stem: str, ending: str) -> str:
        return f"{what}/{self._telling.prefix}{what}_{stem}.{ending}"

    def _speaking(
        self, device: Start, stem: str, *, playback: Playback, stages: Stages, cancel: CancelToken, name: str
    ) -> Speaking:
        copies = self._rules.copies
        return Speaking(
            self._engines.voices,
            voice=device.voice or self._rules.voice,
            encoder=self._encoder(device),
            rate_hz=self._rules.tts_rate_hz,
            outbox=self._outbox,
            turn=self.count,
            playback=playback,
            stages=stages,
            key=self._caller.key,
            cancel=cancel,
            name=name,
            meter=self._engines.meter,
            copy=ReplyCopy(copies / f"reply_{self._telling.prefix}audio_{stem}.{device.codec}") if copies else None,
        )

    def _encoder(self, device: Start) -> Encoder:
        from_hz = self._rules.tts_rate_hz
        if device.codec == "pcm":
            return PcmEncoder(from_hz=from_hz, to_hz=device.sample_rate or from_hz)
        return Mp3Encoder(rate_hz=from_hz, kbps=self._rules.mp3_kbps)

    def _max_lead_s(self, device: Start) -> float:
        return self._rules.max_lead_s if device.max_lead_ms is None else device.max_lead_ms / 1000

    def _file_stem(self) -> str:
        """Return what the names of this turn's files share, and no other turn's."""
        stem = f"{self._session_id}_{datetime.now():%Y%m%d_%H%M%S}"
        self._last_stem, is_taken = stem, stem == self._last_stem
        return f"{stem}_{self.count}" if is_taken else stem


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """A turn and the means to stop it."""

    thread: threading.Thread
    cancel: CancelToken
    playback: Playback
