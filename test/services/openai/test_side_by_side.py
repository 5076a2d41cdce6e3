"""Several recordings heard at once and told in order; a fake recogniser says when each one speaks."""

import threading
from collections.abc import Iterator

import pytest

from protocol.errors import Cancelled, UpstreamBroken
from protocol.media import MP3
from protocol.transcription import Tokens
from services.flow import CancelToken
from services.openai.side_by_side import side_by_side
from services.ports import Heard, Recording

WAIT_S = 20


def recordings(*names: str) -> Iterator[Recording]:
    return iter([Recording(data=name.encode(), container=MP3, url="") for name in names])


def says_its_name(recording: Recording, _: CancelToken) -> Iterator[Heard]:
    yield Heard(text=recording.data.decode())


def text_of(heard: Iterator[Heard]) -> str:
    return "".join(piece.text for piece in heard)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["one"], "one"),
        (["one.", "two."], "one. two."),
        (["你好。", "再见。"], "你好。再见。"),
        (["one.", " two."], "one. two."),
        (["one.", "", "two."], "one. two."),
        (list("abcdefghi"), "a b c d e f g h i"),
    ],
)
def test_what_is_heard_is_one_text(names: list[str], text: str) -> None:
    assert text_of(side_by_side(recordings(*names), says_its_name, cancel=CancelToken())) == text


def test_a_single_recording_is_heard_by_the_callers_own_thread() -> None:
    threads: list[str] = []

    def hear(recording: Recording, stop: CancelToken) -> Iterator[Heard]:
        threads.append(threading.current_thread().name)
        yield Heard(text="x")

    list(side_by_side(recordings("one"), hear, cancel=CancelToken()))

    assert threads == [threading.current_thread().name]


def test_a_later_recording_is_heard_before_the_first_one_ends() -> None:
    later = threading.Event()

    def hear(recording: Recording, stop: CancelToken) -> Iterator[Heard]:
        if recording.data == b"one":
            assert later.wait(WAIT_S)
        later.set()
        yield Heard(text=recording.data.decode())

    assert text_of(side_by_side(recordings("one", "two"), hear, cancel=CancelToken())) == "one two"


def test_no_more_than_four_are_heard_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def hear(recording: Recording, stop: CancelToken) -> Iterator[Heard]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        stop.wait(0.01)
        with lock:
            running -= 1
        yield Heard(text="x")

    list(side_by_side(recordings(*"abcdefghijkl"), hear, cancel=CancelToken()))

    assert 1 < most <= 4


def test_costs_are_summed_up() -> None:
    def hear(recording: Recording, stop: CancelToken) -> Iterator[Heard]:
        yield Heard(text="x", tokens=Tokens(input=1, output=1))
        yield Heard(text="y", tokens=Tokens(input=10, output=2))  # cumulative, as the vendor counts

    *_, last = side_by_side(recordings("a", "b", "c"), hear, cancel=CancelToken())

    assert last.tokens == Tokens(input=30, output=6)


def pauses(recording: Recording, stop: CancelToken) -> Iterator[Heard]:
    if recording.data == b"bad":
        raise UpstreamBroken("broken")
    if recording.data == b"slow":
        assert stop.wait(WAIT_S)
        stop.raise_if_cancelled()
    yield Heard(text=recording.data.decode())


def helpers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.endswith("-piece")]


def test_a_failure_is_raised_at_its_place_and_stops_the_others() -> None:
    heard: list[Heard] = []

    with pytest.raises(UpstreamBroken):
        heard.extend(side_by_side(recordings("good", "bad", "slow"), pauses, cancel=CancelToken()))

    assert helpers() == []


def test_who_closes_early_leaves_no_helper_behind() -> None:
    heard = side_by_side(recordings("good", "slow", "slow"), pauses, cancel=CancelToken())
    assert next(heard).text == "good"

    heard.close()  # type: ignore[attr-defined]

    assert helpers() == []


def test_the_callers_stop_signal_stops_all() -> None:
    cancel = CancelToken()
    heard = side_by_side(recordings("good", "slow", "slow"), pauses, cancel=cancel)
    assert next(heard).text == "good"

    cancel.cancel()

    with pytest.raises(Cancelled):
        list(heard)
    assert helpers() == []
