"""However the network cuts a stream of events, the events are the same."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.sse import SseDecoder

NATIVE = (
    b'id:1\nevent:result\n:HTTP_STATUS/200\ndata:{"output":1}\n\n'
    b'id:2\nevent:error\n:HTTP_STATUS/400\ndata:{"code":"InvalidParameter"}\n\n'
)
COMPATIBLE = 'data: {"a":"你好"}\n\ndata: {"b":2}\r\n\r\n: a comment\n\ndata: [DONE]\n\n'.encode()


def decode(*pieces: bytes, **options: int) -> list[bytes]:
    decoder = SseDecoder(**options)
    return [data for piece in pieces for data in decoder.feed(piece)] + decoder.finish()


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(stream)) for place in places} | {0, len(stream)})
    return [stream[begin:end] for begin, end in pairwise(ends)]


@given(st.lists(st.integers(0, len(COMPATIBLE))))
def test_any_cut_gives_the_same_events(places: list[int]) -> None:
    assert decode(*cut(COMPATIBLE, places)) == ['{"a":"你好"}'.encode(), b'{"b":2}', b"[DONE]"]


def test_a_stream_that_comes_byte_by_byte_is_read() -> None:
    pieces = [bytes([byte]) for byte in NATIVE]

    assert decode(*pieces) == [b'{"output":1}', b'{"code":"InvalidParameter"}']


def test_an_event_is_given_out_as_soon_as_its_blank_line_is_there() -> None:
    decoder = SseDecoder()

    assert decoder.feed(b"data: 1\n") == []
    assert decoder.feed(b"\ndata: 2") == [b"1"]


def test_several_data_lines_are_one_event() -> None:
    assert decode(b"data: a\ndata:b\ndata:  c\n\n") == [b"a\nb\n c"]


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert decode(b"data: 1\n\ndata: 2") == [b"1", b"2"]
    assert decode(b"data: 1\n\ndata: 2\r\n") == [b"1", b"2"]


@pytest.mark.parametrize("stream", [b"", b"\n\n\n", b": ping\n\n", b"event: x\nid: 3\n\n", b"data:\n\n", b"data: \n\n"])
def test_what_holds_no_data_is_no_event(stream: bytes) -> None:
    assert decode(stream) == []


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 200, b"data: 12345678\n" * 20], ids=["one line", "many lines"])
def test_an_event_that_never_ends_is_refused_at_the_cap(stream: bytes) -> None:
    pieces = [stream[begin : begin + 10] for begin in range(0, len(stream), 10)]

    with pytest.raises(ValueError, match="larger than the cap"):
        decode(*pieces, max_event_bytes=100)


def test_the_cap_is_for_one_event_and_not_for_the_stream() -> None:
    decoder = SseDecoder(max_event_bytes=100)

    events = [data for _ in range(100) for data in decoder.feed(b"data: 1234567890\n\n")]

    assert events == [b"1234567890"] * 100
