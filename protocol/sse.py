"""Server-sent events: bytes in, data out, and back.  Source: WHATWG HTML §9.2 (event stream interpretation)."""

import msgspec

_encode = msgspec.json.Encoder().encode


def event(value: object) -> bytes:
    """Return one nameless event, its data in JSON on one line."""
    return b"data: " + _encode(value) + b"\n\n"


class SseDecoder:
    """Cut a byte stream into the data of its events, however the network cut it into pieces."""

    def __init__(self, *, max_event_bytes: int = 16 * 1024 * 1024) -> None:
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the data of every event that is complete now. Raises: ValueError when one passes the cap."""
        if self._is_one_event(piece):
            return [piece[6:-2]]
        if b"\n" not in piece:
            self._line += piece
            self._check_size()
            return []
        *lines, rest = (bytes(self._line) + piece).split(b"\n")
        self._line = bytearray(rest)
        return [data for line in lines for data in self._take(line.removesuffix(b"\r"))]

    def _is_one_event(self, piece: bytes) -> bool:
        """Whether this is one plain event and nothing else, as most pieces are: the short way for those."""
        is_whole = piece.startswith(b"data: ") and piece.endswith(b"\n\n") and piece.find(b"\n") == len(piece) - 2
        is_plain = is_whole and len(piece) > 8 and b"\r" not in piece and len(piece) <= self._max_event_bytes
        return is_plain and not self._line and not self._data

    def finish(self) -> list[bytes]:
        """Return the last event when the stream ended without its blank line."""
        return [data for line in (bytes(self._line).removesuffix(b"\r"), b"") for data in self._take(line)]

    def _take(self, line: bytes) -> list[bytes]:
        if not line:
            data, self._data, self._data_bytes = b"\n".join(self._data), [], 0
            return [data] if data else []
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            self._data_bytes += len(line)
            self._check_size()
        return []

    def _check_size(self) -> None:
        if len(self._line) + self._data_bytes > self._max_event_bytes:
            raise ValueError("an event of the stream is larger than the cap")
