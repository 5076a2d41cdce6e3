"""The spoken side of one answer: the model's text in, sound for the device out.

How it works.  The turn's thread calls `say` with the text as the model writes it; it is made speakable, cut into
segments and added to the script. The speaking thread opens the voice at once, before there is anything to say, then
reads sound from it, encodes it with the one encoder of this answer and puts it into the outbox, where it waits while
the device is slow; so does, in turn, the vendor. When a voice fails, the next one goes on from the first segment that
was not spoken to its end: a person is interrupted and starts the sentence again, but no word is lost.

Threads: the turn says and finishes; the speaking thread (started and joined here) does the rest.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence

from protocol.errors import Cancelled, GatewayError, UpstreamError
from protocol.events import AudioFinished, TtsStarted
from protocol.keys import ApiKey
from protocol.segments import Segmenter
from protocol.speech_text import SpeechText
from protocol.texts import join_texts
from services.filing import ReplyCopy
from services.meter import Meter
from services.outbox import Outbox
from services.playback import Playback
from services.ports import Cancel, Sound, Synthesiser
from services.sound.audio import Encoder, PcmResampler
from services.stages import Stages

_log = logging.getLogger(__name__)

_FIRST_MS, _LATER_MS, _MOST_MS = 60, 160, 400
"""Sound in the first message, in later ones at least, in any at most: a fast start, then few wake-ups beside busy
threads (20 ms pushes made the encoder wait for the interpreter lock: 60 s of sound took 3.5 to 22 s)."""

_GIVE_WAY_S = 0.15
"""The voice connects in the shadow of recognition, not before it: when 60 devices ended together, connecting at once
kept their recordings from leaving (first sound 390 ms late instead of 250)."""


class Script:
    """The segments of one answer as they become known. Invariant: a segment's number never changes."""

    def __init__(self) -> None:
        self.segments: list[str] = []
        self._is_whole = False
        self._changed = threading.Condition()

    def add(self, segments: Sequence[str]) -> None:
        with self._changed:
            self.segments += segments
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._is_whole = True
            self._changed.notify_all()

    @property
    def is_blank(self) -> bool:
        """Whether it is known that there is nothing to say."""
        return self._is_whole and not self.segments

    def reading(self, *, start: int) -> "Reading":
        return Reading(self, start)

    def wait_for(self, index: int, reading: "Reading") -> str | None:
        """Return a segment, waiting until it is known; None when there will be none. The writer always closes."""
        with self._changed:
            while index >= len(self.segments) and not self._is_whole and not reading.is_stopped:
                self._changed.wait()
            return self.segments[index] if index < len(self.segments) and not reading.is_stopped else None

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Reading:
    """One pass over the script by one voice."""

    def __init__(self, script: Script, start: int) -> None:
        self._script, self._index = script, start
        self.is_stopped = False

    def __iter__(self) -> Iterator[str]:
        while (segment := self._script.wait_for(self._index, self)) is not None:
            self._index += 1
            yield segment

    def stop(self) -> None:
        self.is_stopped = True
        self._script.wake()


class Speaking:
    """One answer being spoken. Invariant: sound leaves in the order of the script, through one encoder."""

    def __init__(
        self,
        voices: Sequence[Synthesiser],
        *,
        voice: str,
        encoder: Encoder,
        rate_hz: int,
        outbox: Outbox,
        turn: int,
        playback: Playback,
        stages: Stages,
        key: ApiKey,
        cancel: Cancel,
        name: str,
        meter: Meter,
        copy: ReplyCopy | None = None,
    ) -> None:
        self._voices, self._voice = voices, voice
        self._encoder, self._rate_hz = encoder, rate_hz
        self._outbox, self._turn, self._playback = outbox, turn, playback
        self._stages, self._key, self._cancel, self._copy, self._meter = stages, key, cancel, copy, meter
        self._text, self._segmenter, self.script = SpeechText(), Segmenter(), Script()
        self._waiting = bytearray()
        self._ms = 0.0
        self.spoken = self.chunks = 0
        self._has_failed = self._has_ended = False
        self._hurries = threading.Event()
        self._thread = threading.Thread(target=self._speak, name=f"{name}-tts", daemon=True)

    # --- the turn's side

    def start(self) -> None:
        """Open the voice a moment later, so that it is warm when the first words come."""
        self._thread.start()

    def hurry(self) -> None:
        """Open the voice now: words will come."""
        self._hurries.set()

    def say(self, text: str) -> None:
        """Speak a piece of the answer as the model wrote it."""
        self._add(self._segmenter.feed(self._text.feed(text)))

    def finish(self) -> None:
        """Say the rest and wait until all sound is handed over for sending."""
        self._add(self._segmenter.feed(self._text.finish()) + self._segmenter.finish())
        self.stop()

    def stop(self) -> None:
        """Add no more and wait for the speaking thread; harmless when repeated."""
        self.script.close()
        self._hurries.set()
        if self._thread.ident:
            self._thread.join()
        if self.script.segments and not self._has_ended:
            self._has_ended = True
            self._outbox.put(AudioFinished())

    @property
    def is_success(self) -> bool:
        """Whether every segment was spoken and handed over."""
        return bool(self.script.segments) and self.spoken >= len(self.script.segments) and not self._has_failed

    def heard(self) -> str:
        """Return the part of the script that the person can have heard."""
        return join_texts(self.script.segments[: self._playback.heard_segments()])

    def _add(self, segments: Sequence[str]) -> None:
        if segments and not self.script.segments:
            self._stages.mark("first_sentence")
            self._outbox.put(TtsStarted())
        self.script.add(segments)

    # --- the speaking thread

    def _speak(self) -> None:
        try:
            self._hurries.wait(_GIVE_WAY_S)
            for sound in self._voiced() if not self.script.is_blank else ():
                self._deliver(sound)
            self._encode()
            self._put(self._encoder.finish(), duration_ms=0)
        except Cancelled:
            self._has_failed = True
        except GatewayError as error:
            self._has_failed = True
            _log.warning("voice failed: %s %s", error.code, error)
        except Exception:  # the outermost frame of a thread: the turn must go on and end
            self._has_failed = True
            _log.exception("speaking broke")
        finally:
            if self._copy:
                self._copy.close()

    def _voiced(self) -> Iterator[Sound]:
        """Yield the sound of the whole script, by the first voice that can, from where the one before it stopped."""
        for number, synthesiser in enumerate(self._voices):
            is_last = number == len(self._voices) - 1
            for attempt in (1, 2):
                began_ms = self._ms
                try:
                    with self._meter.stage("tts"):
                        yield from self._voiced_by(synthesiser)
                    return
                except UpstreamError as error:
                    _log.warning("voice %s failed: %s %s", synthesiser.model, error.code, error)
                    if is_last and attempt == 2:
                        raise
                if self._ms > began_ms and not is_last:
                    break  # it failed in mid-answer: a fresh connection is for those that never began

    def _voiced_by(self, synthesiser: Synthesiser) -> Iterator[Sound]:
        start = self.spoken
        resampler = PcmResampler(from_hz=synthesiser.rate_hz, to_hz=self._rate_hz)
        speech = synthesiser.open(voice=self._voice, key=self._key, cancel=self._cancel)
        self._stages.mark("tts_connect")
        with contextlib.closing(speech):
            for sound in speech.sounds(self.script.reading(start=start)):
                yield Sound(pcm=resampler.feed(sound.pcm), spoken=start + sound.spoken)
            yield Sound(pcm=resampler.finish(), spoken=self.spoken)

    def _deliver(self, sound: Sound) -> None:
        if sound.pcm:
            self._stages.mark("first_pcm")
            self._waiting += sound.pcm
        if self._is_due(ends_segment=sound.spoken > self.spoken):
            self._encode()
        if sound.spoken > self.spoken:
            self.spoken = sound.spoken
            self._playback.mark_spoken(sound.spoken, at_ms=self._ms)

    def _is_due(self, *, ends_segment: bool) -> bool:
        due_ms = _LATER_MS if self._ms else _FIRST_MS
        return ends_segment or len(self._waiting) >= self._bytes(due_ms)

    def _encode(self) -> None:
        """Encode what waits and hand it over, in messages that a small device can take."""
        step = self._bytes(_MOST_MS)
        for begin in range(0, len(self._waiting), step):
            pcm = bytes(self._waiting[begin : begin + step])
            duration_ms = len(pcm) / 2 / self._rate_hz * 1000
            self._ms += duration_ms
            self._put(self._encoder.feed(pcm), duration_ms=duration_ms)
        self._waiting.clear()

    def _put(self, data: bytes, *, duration_ms: float) -> None:
        self._playback.wait_for_lead(self._cancel)
        self._playback.queue(duration_ms)
        if data:
            self._outbox.put_audio(data, turn=self._turn, playback=self._playback, duration_ms=duration_ms)
            self.chunks += 1
            if self._copy:
                self._copy.write(data)

    def _bytes(self, duration_ms: int) -> int:
        return self._rate_hz * 2 * duration_ms // 1000
