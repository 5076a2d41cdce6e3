import pytest

from protocol.errors import Cancelled
from services.flow import CancelToken
from services.playback import Playback


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_nobody_hears_faster_than_real_time_nor_more_than_was_sent(clock: Clock) -> None:
    playback = Playback(max_lead_s=0, clock=clock)
    playback.sent(5000)
    clock.now_s += 2

    early = playback.heard_ms()
    clock.now_s += 60

    assert (early, playback.heard_ms()) == (2000, 5000)


def test_what_was_heard_stands_still_once_playing_is_stopped(clock: Clock) -> None:
    playback = Playback(max_lead_s=0, clock=clock)
    playback.sent(5000)
    clock.now_s += 1
    playback.freeze(reported_ms=None)
    clock.now_s += 10

    playback.freeze(reported_ms=4000)

    assert playback.heard_ms() == 1000


def test_a_device_that_counted_is_believed_up_to_what_was_sent(clock: Clock) -> None:
    playback = Playback(max_lead_s=0, clock=clock)
    playback.sent(5000)

    playback.freeze(reported_ms=9000)

    assert playback.heard_ms() == 5000


def test_only_segments_heard_to_their_end_count(clock: Clock) -> None:
    playback = Playback(max_lead_s=0, clock=clock)
    playback.mark_spoken(1, at_ms=1000)
    playback.mark_spoken(3, at_ms=3000)
    playback.sent(3000)

    heard = []
    for _ in range(4):
        heard.append(playback.heard_segments())
        clock.now_s += 1

    assert heard == [0, 1, 1, 3]


def test_the_lead_is_waited_for_and_cancel_ends_the_wait(clock: Clock) -> None:
    playback, cancel = Playback(max_lead_s=1, clock=clock), CancelToken()
    playback.queue(500)
    playback.wait_for_lead(cancel)
    playback.queue(5000)
    cancel.cancel()

    with pytest.raises(Cancelled):
        playback.wait_for_lead(cancel)


def test_without_a_lead_nothing_waits(clock: Clock) -> None:
    playback = Playback(max_lead_s=0, clock=clock)
    playback.queue(10_000_000)

    assert playback.wait_for_lead(CancelToken()) is None
