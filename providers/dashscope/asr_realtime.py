"""Recognition while the sound arrives, over one realtime connection per utterance.

How it works.  Sound that comes at the speed of speech is cut into sentences by the service (`server_vad`), so that at
its end only the last sentence is left to recognise. A recording sent in one burst would outrun that detection; then we
say ourselves where the service shall cut (`turn_detection: null` and `commit`), at a quiet moment of every minute. The
results of the sentences come in order, in both modes, and joined they are the utterance.

The caller's thread does everything: each time it sends sound it first reads what the service has said meanwhile, so
that neither side's buffer fills up.

Source: DashScope realtime reference §4, §8.1.
"""

from typing import Final
from urllib.parse import quote

from protocol.dashscope import RealtimeEvent, realtime_failure
from protocol.errors import UpstreamBroken, UpstreamError, UpstreamRefused
from protocol.keys import ApiKey
from protocol.texts import join_texts
from providers.dashscope.socket import RealtimeSocket
from services.ports import ANYTHING, Cancel, HearingOptions, Transcript

_RATE_HZ = 16_000
_BYTES_PER_S = _RATE_HZ * 2
_MESSAGE_BYTES = _BYTES_PER_S
"""A second at most per message, far below the service's 15 MiB, so that a stop is never behind a long send."""
_MANY = 100
"""Events read at most between two sends; whatever is left waits for the next."""

_VAD = {"type": "server_vad", "threshold": 0.0, "silence_duration_ms": 400}
"""The vendor's own recommendation for recognition."""

_ITEM_BYTES, _LONGEST_ITEM_BYTES = 40 * _BYTES_PER_S, 55 * _BYTES_PER_S
"""Without VAD an item shall not pass 60 s: from 40 s on it ends at the first quiet moment, at 55 s in any case."""
_SHORTEST_ITEM_BYTES = _BYTES_PER_S // 10
"""The service refuses less, and no word is shorter."""
_QUIET_PEAK = 1000
"""Of 32 767: -30 dB, the space between two words."""

_COMMIT_TRIES, _COMMIT_PAUSE_S = 4, 0.3
"""A `commit` close behind an `append` may overtake it and be refused ("buffer too small")."""

_COMPLETED = "conversation.item.input_audio_transcription.completed"
_FAILED = "conversation.item.input_audio_transcription.failed"


class RealtimeRecogniser:
    """`qwen3-asr-flash-realtime` and its kin."""

    kind: Final = "live"
    is_live: Final = True
    reads_link: Final = False

    def __init__(self, *, websocket_url: str, model: str, connect_s: float, idle_s: float) -> None:
        self.model = model
        self._url = f"{websocket_url}/realtime?model={quote(model)}"
        self._connect_s, self._idle_s = connect_s, idle_s

    def open(
        self, *, is_paced: bool, key: ApiKey, cancel: Cancel, options: HearingOptions = ANYTHING
    ) -> "RealtimeTranscription":
        """Connect and agree on the format. Raises: UpstreamError, Cancelled."""
        socket = RealtimeSocket(self._url, key=key, cancel=cancel, connect_s=self._connect_s, idle_s=self._idle_s)
        try:
            _agree(socket, has_vad=is_paced, options=options)
        except BaseException:
            socket.close()
            raise
        return RealtimeTranscription(socket, has_vad=is_paced, cancel=cancel)


def _agree(socket: RealtimeSocket, *, has_vad: bool, options: HearingOptions) -> None:
    socket.wait_for("session.created")
    language = {"language": options.language} if options.language else {}
    corpus = {"corpus": {"text": options.context}} if options.context else {}
    hints = {"input_audio_transcription": language | corpus} if language or corpus else {}
    session = {
        "modalities": ["text"],
        "input_audio_format": "pcm",
        "sample_rate": _RATE_HZ,
        "turn_detection": _VAD if has_vad else None,
        **hints,
    }
    socket.send({"type": "session.update", "session": session})
    agreed = socket.wait_for("session.updated").session
    if agreed and agreed.sample_rate not in (None, _RATE_HZ):
        raise UpstreamBroken(
            f"识别服务改用了 {agreed.sample_rate} Hz，与要求的 {_RATE_HZ} Hz 不符。",
            english=f"The speech service chose {agreed.sample_rate} Hz instead of {_RATE_HZ} Hz.",
        )


class RealtimeTranscription:
    """One utterance on its connection. Threads: one owner, plus cancel."""

    def __init__(self, socket: RealtimeSocket, *, has_vad: bool, cancel: Cancel) -> None:
        self._socket, self._has_vad, self._cancel = socket, has_vad, cancel
        self._texts: dict[str, str] = {}
        """By item, in the order of arrival; a repeated event changes nothing."""
        self._language = ""
        self._failure: UpstreamError | None = None
        self._answered: set[str] = set()
        self._committed: set[str] = set()
        self._open_bytes = 0
        """Sound appended since the last commit."""

    @property
    def texts(self) -> list[str]:
        """What is recognised for good so far, in order."""
        return list(self._texts.values())

    def append(self, pcm: bytes) -> None:
        """Send sound (s16le mono 16 000 Hz). Raises: UpstreamError, Cancelled."""
        for begin in range(0, len(pcm), _MESSAGE_BYTES):
            piece = pcm[begin : begin + _MESSAGE_BYTES]
            self._read_arrived()
            self._socket.send({"type": "input_audio_buffer.append", "audio": piece})
            self._open_bytes += len(piece)
            if not self._has_vad and self._ends_item(piece):
                self._commit()

    def finish(self) -> Transcript:
        """Return the whole text. Raises: UpstreamError when nothing but failures came, Cancelled."""
        if not self._has_vad and self._open_bytes >= _SHORTEST_ITEM_BYTES:
            self._commit()
        while not self._committed <= self._answered:
            self._take(self._socket.receive())
        self._socket.send({"type": "session.finish"})
        while (event := self._socket.receive()).type != "session.finished":
            self._take(event)
        if self._failure and not self._texts:
            raise self._failure
        return Transcript(text=join_texts(self._texts.values()), language=self._language)

    def close(self) -> None:
        self._socket.close()

    def _read_arrived(self) -> None:
        for _ in range(_MANY):
            if (event := self._socket.receive_arrived()) is None:
                return
            self._take(event)

    def _take(self, event: RealtimeEvent) -> None:
        if event.type == _COMPLETED:
            self._texts.setdefault(event.item_id or f"nameless {len(self._texts)}", event.transcript or "")
            self._language = self._language or event.language or ""
        elif event.type == _FAILED:
            self._failure = self._failure or realtime_failure(event.error)
        if event.type in (_COMPLETED, _FAILED):
            self._answered.add(event.item_id or "")

    # --- without VAD

    def _ends_item(self, piece: bytes) -> bool:
        if self._open_bytes < _ITEM_BYTES:
            return False
        return self._open_bytes >= _LONGEST_ITEM_BYTES or _peak(piece) < _QUIET_PEAK

    def _commit(self) -> None:
        """Let the service recognise what it has. Raises: UpstreamError."""
        for _ in range(_COMMIT_TRIES - 1):
            try:
                return self._commit_once()
            except UpstreamRefused as error:
                if "buffer too small" not in error.message:
                    raise
                self._cancel.wait(_COMMIT_PAUSE_S)
        self._commit_once()

    def _commit_once(self) -> None:
        self._socket.send({"type": "input_audio_buffer.commit"})
        while (event := self._socket.receive()).type != "input_audio_buffer.committed":
            self._take(event)
        self._committed.add(event.item_id or "")
        self._open_bytes = 0


def _peak(pcm: bytes) -> int:
    samples = memoryview(pcm[: len(pcm) // 2 * 2]).cast("h")
    return max(max(samples, default=0), -min(samples, default=0))
