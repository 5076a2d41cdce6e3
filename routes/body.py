"""The body of a request, never more of it than allowed."""

from typing import IO, cast

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream


class BoundedRequest(Request):
    """A request whose body ends at `max_content_length` with an error, also when it came without its length.

    Werkzeug compares the length that a request announces; of a chunked body it silently reads the beginning alone, so
    that half a recording would be transcribed as if it were the whole.
    """

    @cached_property
    def stream(self) -> IO[bytes]:
        limit = self.max_content_length
        if self.content_length is not None or limit is None or "wsgi.input_terminated" not in self.environ:
            return super().stream
        return cast(IO[bytes], _Bounded(self.environ["wsgi.input"], limit))


class _Bounded(LimitedStream):
    """A stream of which one byte too many is an error."""

    def __init__(self, stream: IO[bytes], limit_bytes: int) -> None:
        super().__init__(stream, limit_bytes + 1, is_max=True)

    def readinto(self, buffer: bytearray) -> int | None:  # type: ignore[override]
        size = super().readinto(buffer)
        if self.is_exhausted:
            raise RequestEntityTooLarge
        return size
