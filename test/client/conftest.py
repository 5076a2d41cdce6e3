"""A WebSocket server whose every word is scripted by the test, so that the client can be shown any behaviour."""

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, RejectConnection, Request, TextMessage

WAIT_S = 10


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(WAIT_S)
        self._socket = sock
        self._ws = WSConnection(ConnectionType.SERVER)
        self._events: Iterator[Any] = iter(())
        self.headers: dict[str, str] = {}
        self.target = ""

    def handshake(self, *, status: int = 101) -> None:
        request = self._next()
        assert isinstance(request, Request)
        self.headers = {name.decode().lower(): value.decode() for name, value in request.extra_headers}
        self.target = request.target
        self._write(AcceptConnection() if status == 101 else RejectConnection(status_code=status))

    def send(self, name: str, **body: Any) -> None:
        self._write(TextMessage(data=json.dumps({name: body}, ensure_ascii=False)))

    def send_text(self, text: str) -> None:
        self._write(TextMessage(data=text))

    def send_sound(self, data: bytes) -> None:
        self.send("audio_stream", event="data", data=base64.b64encode(data).decode())

    def send_binary(self, data: bytes) -> None:
        self._write(BytesMessage(data=data))

    def ping(self) -> None:
        self._write(Ping(payload=b"?"))

    def close(self, code: int) -> None:
        self._write(CloseConnection(code=code, reason="busy"))

    def receive(self) -> Any:
        """Return the next message (JSON decoded), or None when the device hung up."""
        while True:
            event = self._next()
            if isinstance(event, TextMessage):
                return json.loads(event.data)
            if isinstance(event, BytesMessage):
                return bytes(event.data)
            if event is None or isinstance(event, CloseConnection):
                return None

    def _next(self) -> Any:
        while True:
            for event in self._events:
                return event
            data = self._socket.recv(65536)
            if not data:
                return None
            self._ws.receive_data(data)
            self._events = self._ws.events()

    def _write(self, event: Any) -> None:
        self._socket.sendall(self._ws.send(event))

    # --- whole passages of the protocol

    def collect(self) -> dict[int, bytes] | None:
        """Take packets, ack them, and return them by seq once all have come; None when the device hung up."""
        packets: dict[int, bytes] = {}
        while True:
            message = self.receive()
            if message is None:
                return None
            if message.get("type") == "end":
                return packets
            packets[message["seq"]] = base64.b64decode(message["data"])
            self.send("packet_ack", seq=message["seq"], received=len(packets), total=message.get("total"))
            if len(packets) == message.get("total"):
                return packets

    def begin_answer(self, *, transcript: str = "你好") -> None:
        self.send("transcription_started", message="开始语音识别...", oss_url="http://x/1.wav")
        self.send("chat_started", message="开始生成AI回答...", user_message=transcript)

    def answer(self, *sound: bytes, chunks: tuple[str, ...] = ("您好", "。")) -> None:
        """Send a whole, orderly answer."""
        self.begin_answer()
        for number, chunk in enumerate(chunks, start=1):
            self.send("chat_chunk", chunk=chunk, full_response="".join(chunks[:number]))
        self.send("tts_started", message="开始语音合成...")
        for piece in sound:
            self.send_sound(piece)
        self.send("audio_stream", event="finished")
        self.complete()

    def complete(self, *, interrupted: bool = False, heard: bool = True, spoken: bool = True) -> None:
        extra = {"interrupted": True} if interrupted else {}
        self.send("chat_tts_complete", message="", assistant_response="您好。", tts_success=spoken, **extra)
        self.send(
            "audio_complete",
            transcription_success=heard,
            transcription_text="你好" if heard else "",
            tts_success=spoken,
        )


Script = Callable[[Peer], None]


@contextmanager
def fake_server(script: Script) -> Iterator[str]:
    """Serve every connection by the script, each in its own thread, and yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, script), name="fake server", daemon=True).start()
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/v1/chat/audio"
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, script: Script) -> None:
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(sock, script), name="fake connection", daemon=True).start()


def _serve(sock: socket.socket, script: Script) -> None:
    with sock:
        peer = Peer(sock)
        peer.handshake()
        peer.send("connected", message="音频连接已建立", session_id="s-1")
        script(peer)


@pytest.fixture
def serve_script() -> Iterator[Callable[[Script], str]]:
    """A function that serves a script and returns the address."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(fake_server(script))


@pytest.fixture
def mp3_frame() -> bytes:
    """One MPEG-2 layer III frame of 24 kHz, 64 kbit/s: 24 ms, 192 bytes."""
    return bytes([0xFF, 0xF3, 0x84, 0xC4]) + bytes(188)
