"""A line to a server that can be shut, frozen and opened again: TCP, byte for byte."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Gate:
    """Passes connections on to `port`. Shut: they are refused, open ones cut. Frozen: they are taken, nothing moves."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._lock = threading.Lock()
        self._lines: set[socket.socket] = set()
        self._thaw = threading.Event()
        self._thaw.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accept()

    def shut(self) -> None:
        """Refuse new connections, cut those that are open."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        with self._lock:
            for line in self._lines:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
        self._thaw.set()

    def open(self) -> None:
        """Let connections through again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._accept()

    def freeze(self) -> None:
        """Take connections and bytes, and let nothing through."""
        self._thaw.clear()

    def thaw(self) -> None:
        """Let through what was held."""
        self._thaw.set()

    def _accept(self) -> None:
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), name="gate", daemon=True)
        self._thread.start()

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._join, args=(client,), name="gate-line", daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self._target)) as server:
            with self._lock:
                self._lines |= {client, server}
            back = threading.Thread(target=self._pass, args=(server, client), name="gate-back", daemon=True)
            back.start()
            self._pass(client, server)
            back.join()
        with self._lock:
            self._lines = {line for line in self._lines if line.fileno() >= 0}

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._thaw.wait()
                sink.sendall(data)
        for line in (source, sink):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def gate_to(port: int) -> Iterator[Gate]:
    """Open a gate for as long as it is needed."""
    gate = Gate(port)
    try:
        yield gate
    finally:
        gate.shut()
