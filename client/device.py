"""One simulated device: a connection that holds turns, one after the other or one into the other.

    with Device("ws://127.0.0.1:5000/v1/chat/audio", start={"timings": True}) as device:
        result = device.turn(Path("hello.wav").read_bytes())

A device is driven by `poll.drive`, alone (the methods here) or among many (`fleet`). The protocol has no turn numbers:
when a device talks into an answer (barge-in), acks and complaints about packets belong to the newest turn, and
everything else to the oldest turn that is not over.  Threads: one owner.  Source: docs/protocol.md
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from client import poll
from client.hearing import Codec
from client.line import Line, LineError
from client.result import TurnResult
from client.turn import PLAIN, Options, Turn, parse
from client.upload import Upload, cut

_ABOUT_PACKETS: Final = {"missing_packets", "invalid_packet", "too_large", "invalid_json", "invalid_message"}


class DeviceError(Exception):
    """The device could not do what it was asked. The text says why."""


class Device:
    """Invariant: `is_ready` once the server has greeted it and, when `start` was given, agreed to it.

    Raises: DeviceError when the connection fails outside a turn; within a turn the failure is in its result.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        start: Mapping[str, Any] | None = None,
        options: Options = PLAIN,
        connect_timeout_s: float = 10.0,
        seed: int = 0,
    ) -> None:
        self.url = url
        self.options = options
        self.session_id = ""
        self.ready: Mapping[str, Any] = {}
        self.failure = ""
        self.is_ready = False
        self._key = key
        self._start = start
        self._connect_timeout_s = connect_timeout_s
        self._seed = seed
        self._line: Line | None = None
        self._turns: deque[Turn] = deque()
        self._newest: Turn | None = None

    # --- for a caller that has one device

    def __enter__(self) -> Self:
        self.connect()
        if not self.wait(lambda: self.is_ready, timeout_s=self._connect_timeout_s):
            self.close()
            raise DeviceError(self.failure or f"No greeting from {self.url} within {self._connect_timeout_s:g} s.")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def turn(self, data: bytes, *, timeout_s: float = 3600.0, **how: Any) -> TurnResult:
        """Say a recording and listen to the whole answer. `how`: the arguments of `upload.cut`."""
        return self.listen(self.begin(data, **how), timeout_s=timeout_s)

    def ask(self, question: Upload, *, timeout_s: float = 3600.0) -> TurnResult:
        """Send what `question.ask` made, on the picture socket, and listen to the whole answer."""
        return self.listen(self.say(question), timeout_s=timeout_s)

    def listen(self, turn: Turn, *, timeout_s: float) -> TurnResult:
        """Let a turn come to its end and return what came of it."""
        if not self.wait(lambda: turn.is_over, timeout_s=timeout_s):
            turn.fail(self.failure or f"The turn was not over after {timeout_s:g} s.")
        return turn.result()

    def begin(self, data: bytes, **how: Any) -> Turn:
        """Begin to say a recording and return its turn at once; `wait` moves it on. In an answer this is barge-in."""
        return self.say(cut(data, **{"binary": bool(self.ready.get("binary")) and bool(how.get("live"))} | how))

    def wait(self, until: Callable[[], bool], *, timeout_s: float) -> bool:
        """Let the device talk and listen until something is so; False when time ran out or the connection ended."""
        return poll.drive([self], until=until, timeout_s=timeout_s)

    # --- for a caller that drives it

    def connect(self) -> None:
        """Open the connection. Raises: DeviceError."""
        try:
            self._line = Line(
                self.url,
                key=self._key,
                bytes_per_s=self.options.link.read_bytes_per_s,
                connect_timeout_s=self._connect_timeout_s,
                now_s=time.monotonic(),
            )
        except LineError as error:
            raise DeviceError(str(error)) from error

    @property
    def line(self) -> Line | None:
        """The open connection, None before and after."""
        return self._line

    def say(self, upload: Upload, *, at_s: float | None = None) -> Turn:
        """Begin a turn now, or at a moment to come, and return it."""
        self._seed += 1
        began_at_s = time.monotonic() if at_s is None else at_s
        codec = Codec(name=self.ready.get("codec", "mp3"), rate_hz=self.ready.get("sample_rate", 24000))
        self._newest = Turn(upload, self.options, at_s=began_at_s, codec=codec, seed=self._seed)
        self._turns.append(self._newest)
        return self._newest

    def send(self, message: str | bytes) -> None:
        """Send any message as it is."""
        if self._line is None:
            raise DeviceError(self.failure or "The device is not connected.")
        self._line.send(message)

    @property
    def next_at_s(self) -> float:
        """When `step` must be called again at the latest."""
        times = [turn.next_at_s for turn in self._turns]
        if self._line is not None and self._line.paused_until_s is not None:
            times.append(self._line.paused_until_s)
        return min(times, default=float("inf"))

    def step(self, now_s: float) -> None:
        """Read what came, send what is due."""
        try:
            self._read(now_s)
            self._write(now_s)
        except LineError as error:
            self._end(str(error))

    def _read(self, now_s: float) -> None:
        assert self._line is not None
        for message in self._line.receive(now_s):
            if isinstance(message, bytes):
                self._on_sound(message, now_s)
            else:
                self._on_text(message, now_s)

    def _write(self, now_s: float) -> None:
        assert self._line is not None
        self._line.flush()
        for turn in list(self._turns):
            for message in turn.due(now_s):
                self._line.send(message)
            if turn.is_over:
                self._turns.remove(turn)

    def _on_sound(self, data: bytes, now_s: float) -> None:
        if self._turns:
            self._turns[0].hear_sound(data, now_s=now_s)

    def _on_text(self, text: str, now_s: float) -> None:
        try:
            name, body = parse(text)
        except (ValueError, TypeError) as error:
            raise LineError(f"The server sent something that is no event: {error}.") from error
        if not self.is_ready:
            self._greet(name, body)
        elif turn := self._owner(name, body):
            turn.hear(name, body, size=len(text), now_s=now_s)
            if turn.is_over:
                self._turns.remove(turn)

    def _owner(self, name: str, body: Mapping[str, Any]) -> Turn | None:
        if not self._turns:
            return None
        about_packets = name == "packet_ack" or (name == "error" and body.get("code") in _ABOUT_PACKETS)
        return self._newest if about_packets and self._newest in self._turns else self._turns[0]

    def _greet(self, name: str, body: Mapping[str, Any]) -> None:
        if name == "connected":
            self.session_id = body["session_id"]
            if self._start is None:
                self.is_ready = True
            else:
                self.send(msgspec.json.encode({"type": "start"} | dict(self._start)).decode())
        elif name == "ready":
            self.ready, self.is_ready = body, True
        elif name == "error":
            raise LineError(f"The server refused the device: {body['message']}")

    def _end(self, sentence: str) -> None:
        self.failure = sentence
        for turn in self._turns:
            turn.fail(sentence)
        self.close()

    def close(self) -> None:
        """Hang up; harmless when repeated."""
        self._turns.clear()
        self.is_ready = False
        if self._line is not None:
            self._line.close()
            self._line = None
