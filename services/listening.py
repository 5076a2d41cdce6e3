"""One utterance: from its first packet to its words.

How it works.  The handler gives packets to `Listening`; the contiguous part of the recording grows. When the
recogniser works live, a thread starts with the first sound: it decodes the recording while it is still arriving and
sends it on, so that at the last packet only the tail is left to recognise. Otherwise the turn's thread sends the
whole recording.

Threads: the handler accepts; the recognising thread (started and joined here) reads `_Inflow`; the turn transcribes.
"""

import threading
from collections.abc import Iterator

from protocol.commands import InputFormat
from protocol.errors import BadInput, Cancelled, GatewayError, TooLarge, UpstreamError
from protocol.keys import ApiKey
from protocol.media import SNIFF_BYTES, UNKNOWN, WAV, Container, sniff, wav_header
from protocol.packets import Limits, Packet, Reassembly
from services.ports import Cancel, LiveRecogniser, Recogniser, Recording, Transcript
from services.sound.audio import PCM_RATE_HZ, decode_live, decode_pcm, decode_whole, duration_s

_APPEND_BYTES = PCM_RATE_HZ * 2 // 10
"""100 ms: the packet size that the realtime services recommend."""


class _Inflow:
    """The recording as a file that is still being written. Threads: one feeds, one reads."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._read = 0
        self._is_whole = False
        self._changed = threading.Condition()

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        with self._changed:
            self._data += data
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._is_whole = True
            self._changed.notify_all()

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, waiting for the first of them; b"" at the end."""
        with self._changed:
            while self._read == len(self._data) and not self._is_whole:
                self._changed.wait()  # the device's silence has its own limit; an utterance that is dropped is closed
            piece = bytes(self._data[self._read :][: None if size < 0 else size])
            self._read += len(piece)
            return piece


class Listening:
    """One utterance. Invariant: what `recording` returns is every byte that was acknowledged, in order."""

    def __init__(
        self,
        recogniser: Recogniser,
        *,
        limits: Limits,
        input_format: InputFormat,
        max_s: float,
        ffmpeg_path: str,
        key: ApiKey,
        cancel: Cancel,
        name: str,
    ) -> None:
        self._recogniser, self._key, self._cancel = recogniser, key, cancel
        self._packets = Reassembly(limits)
        self._max_s, self._ffmpeg_path = max_s, ffmpeg_path
        self._pcm_rate_hz = input_format.sample_rate if input_format.format == "pcm" else 0
        self._fed = 0
        self._inflow = _Inflow()
        self._heard: Transcript | GatewayError | Cancelled | None = None
        self._thread = threading.Thread(
            target=self._recognise_live, args=(recogniser,), name=f"{name}-asr", daemon=True
        )
        self._is_paced = False
        self.duration_s = 0.0

    # --- the handler's side

    @property
    def received(self) -> int:
        return self._packets.received

    @property
    def total(self) -> int | None:
        return self._packets.total

    @property
    def is_complete(self) -> bool:
        return self._packets.is_complete

    @property
    def last_seq(self) -> int:
        """The highest number so far: the one of the last binary message."""
        return self._packets.highest

    def missing(self) -> list[int]:
        return self._packets.missing()

    def accept(self, packet: Packet) -> None:
        """Take a packet in. Raises: BadInput; what was accepted before is kept."""
        self._is_paced = self._is_paced or packet.total is None
        self._packets.add(packet)
        self._flow()

    def accept_sound(self, data: bytes) -> None:
        """Take the next binary message in. Raises: BadInput."""
        self._is_paced = True
        self._packets.next_whole(data)
        self._flow()

    def end(self, total: int | None) -> None:
        """Close a live upload. Raises: BadInput."""
        if total is not None:
            self._packets.set_total(total)
        self._packets.finish()
        self._flow()

    def drop(self) -> None:
        """Forget the utterance and end its thread; the cancel token has been cancelled before."""
        self._inflow.close()
        if self._thread.ident:
            self._thread.join()

    def _flow(self) -> None:
        data = self._packets.data
        if self._recogniser.is_live and len(data) >= SNIFF_BYTES and not self._thread.ident:
            self._thread.start()
        if self._recogniser.is_live:
            self._inflow.feed(memoryview(data)[self._fed :].tobytes())
            self._fed = len(data)
        if self.is_complete:
            self._inflow.close()

    # --- the turn's side

    def container(self) -> Container:
        """Return what the recording is, `UNKNOWN` when it is nothing that we can hear."""
        try:
            return WAV if self._pcm_rate_hz else sniff(self._packets.data)
        except BadInput:
            return UNKNOWN

    def recording(self, *, url: str) -> Recording:
        """Return the whole recording; bare PCM becomes a WAV file."""
        data = bytes(self._packets.data)
        if self._pcm_rate_hz:
            data = wav_header(pcm_bytes=len(data), rate_hz=self._pcm_rate_hz) + data
        return Recording(data=data, container=self.container(), url=url)

    def transcribe(self, recording: Recording) -> Transcript:
        """Return the words of the utterance, empty for silence. Raises: GatewayError, Cancelled."""
        if not self._pcm_rate_hz:
            sniff(recording.data)
        if self._recogniser.is_live:
            return self._transcribed_live(self._recogniser, recording)
        self.duration_s = duration_s(
            recording.data, recording.container, limit_s=self._max_s, ffmpeg_path=self._ffmpeg_path
        )
        return self._recogniser.transcribe(recording, key=self._key, cancel=self._cancel)

    def _transcribed_live(self, recogniser: LiveRecogniser, recording: Recording) -> Transcript:
        """Return what was recognised while the sound arrived; if that broke, recognise the recording once more."""
        if self._thread.ident:
            self._thread.join()
        if isinstance(self._heard, Transcript):
            return self._heard
        if isinstance(self._heard, Exception) and not self._may_try_again(self._heard):
            raise self._heard
        sound = decode_whole(recording.data, recording.container, limit_s=self._max_s, ffmpeg_path=self._ffmpeg_path)
        return self._recognise(recogniser, sound, is_paced=False)

    def _may_try_again(self, error: Exception) -> bool:
        """Whether the whole recording may succeed where its stream failed: a lost connection, an index at the end."""
        if isinstance(error, UpstreamError):
            return error.retryable
        return isinstance(error, BadInput) and not isinstance(error, TooLarge)

    def _recognise_live(self, recogniser: LiveRecogniser) -> None:
        """The recognising thread; what it found or met waits for the turn."""
        try:
            self._heard = self._recognise(recogniser, self._arriving_sound(), is_paced=self._is_paced)
        except (GatewayError, Cancelled) as error:
            self._heard = error
        except Exception as error:  # the outermost frame of a thread: the turn must learn of it
            self._heard = GatewayError(f"内部错误：{type(error).__name__}")

    def _arriving_sound(self) -> Iterator[bytes]:
        if self._pcm_rate_hz:
            return decode_pcm(self._inflow, rate_hz=self._pcm_rate_hz, limit_s=self._max_s)
        return decode_live(self._inflow, self.container(), limit_s=self._max_s)

    def _recognise(self, recogniser: LiveRecogniser, sound: Iterator[bytes], *, is_paced: bool) -> Transcript:
        live = recogniser.open(is_paced=is_paced, key=self._key, cancel=self._cancel)
        size = 0
        try:
            for pcm in in_pieces(sound, size_bytes=_APPEND_BYTES):
                live.append(pcm)
                size += len(pcm)
            return live.finish()
        finally:
            self.duration_s = size / 2 / PCM_RATE_HZ
            live.close()


def in_pieces(sound: Iterator[bytes], *, size_bytes: int) -> Iterator[bytes]:
    """Yield the same bytes in pieces of at least `size_bytes`, the last one excepted."""
    waiting = bytearray()
    for piece in sound:
        waiting += piece
        if len(waiting) >= size_bytes:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
