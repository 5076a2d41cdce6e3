"""A device under the test's control: it says what the test says, and checks the order of all that it hears."""

import base64
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import websocket

from emulator import ear, voice
from protocol.order import TurnOrder

Message = dict[str, Any]
DEADLINE_S = 20.0


def spoken_wav(text: str, *, rate_hz: int = 16_000) -> bytes:
    """Return a WAV file in which the text is said in the emulator's sound alphabet."""
    from protocol.media import wav_header

    pcm = voice.speak(text, rate_hz=rate_hz)
    return wav_header(pcm_bytes=len(pcm), rate_hz=rate_hz) + pcm


def heard_in(data: bytes) -> str:
    """Return the text that a spoken answer says, whatever its container."""
    pcm, rate_hz = ear.decode_audio(data)
    return ear.hear(pcm, rate_hz=rate_hz)


def packets(data: bytes, *, size: int = 4096) -> list[Message]:
    """Cut a recording into packets, each a base64 text of its own."""
    parts = [data[begin : begin + size] for begin in range(0, len(data), size)]
    return [
        {"seq": seq, "total": len(parts), "data": base64.b64encode(part).decode()} for seq, part in enumerate(parts, 1)
    ]


class TestDevice:
    """One connection. Invariant: every message received has passed the table of orders."""

    __test__ = False

    def __init__(self, url: str, **options: Any) -> None:
        self.ws = websocket.create_connection(url, timeout=DEADLINE_S, **options)
        self.order = TurnOrder()
        self.messages: list[Message] = []
        self.sound = bytearray()

    def __enter__(self) -> "TestDevice":
        return self

    def __exit__(self, *_: object) -> None:
        self.ws.close(timeout=1)
        self.ws.shutdown()

    def send(self, *messages: Message | bytes | str) -> None:
        for message in messages:
            if isinstance(message, bytes):
                self.ws.send_binary(message)
            else:
                self.ws.send(message if isinstance(message, str) else json.dumps(message, ensure_ascii=False))

    def receive(self) -> Message:
        """Return the next message; binary ones are the sound itself."""
        opcode, data = self.ws.recv_data()
        if opcode == websocket.ABNF.OPCODE_BINARY:
            message: Message = {"audio_stream": {"event": "data", "data": data}}
            self.sound += data
        elif opcode == websocket.ABNF.OPCODE_CLOSE:
            raise ConnectionError(f"closed with {int.from_bytes(data[:2])}")
        else:
            message = json.loads(data)
            if sound := message.get("audio_stream", {}).get("data"):
                self.sound += base64.b64decode(sound)
        self.order.take(message)
        self.messages.append(message)
        return message

    def until(self, name: str, where: Callable[[Message], bool] = lambda body: True) -> Message:
        """Receive until an event of this name comes and return its body."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            message = self.receive()
            if name in message and where(message[name]):
                return message[name]  # type: ignore[no-any-return]
        raise AssertionError(f"no {name} in time; had {[next(iter(m)) for m in self.messages][-20:]}")

    def until_closed(self) -> str:
        """Receive until the server closes; return what the closing said."""
        while True:
            try:
                self.receive()
            except (ConnectionError, websocket.WebSocketException) as closed:
                return str(closed)

    def turn(self, data: bytes | Iterable[Message]) -> Message:
        """Send one recording and return the body of its `audio_complete`."""
        self.sound.clear()
        self.send(*(packets(data) if isinstance(data, bytes) else data))
        return self.until("audio_complete")

    def bodies(self, name: str) -> list[Message]:
        return [message[name] for message in self.messages if name in message]

    def heard(self) -> str:
        """Return the text in the sound received so far."""
        return heard_in(bytes(self.sound))
