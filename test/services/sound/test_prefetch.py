import threading

import pytest

from services.ports import Sound
from services.sound.prefetch import Prefetch

LIMIT = 10


def sound(size: int) -> Sound:
    return Sound(pcm=bytes(size), spoken=0)


def test_a_stream_comes_out_as_it_went_in() -> None:
    ahead = Prefetch(lambda: (sound(size) for size in range(30)), limit_bytes=LIMIT, name="ahead")

    assert [len(item.pcm) for item in ahead] == list(range(30))
    ahead.close()


def test_a_failure_is_raised_after_what_came_before_it() -> None:
    def failing() -> object:
        yield sound(1)
        raise ValueError("broke")

    ahead = Prefetch(failing, limit_bytes=LIMIT, name="ahead")

    assert len(next(ahead).pcm) == 1
    with pytest.raises(ValueError, match="broke"):
        next(ahead)
    ahead.close()


def test_closing_ends_a_reader_that_waits_for_room() -> None:
    taken = []
    ahead = Prefetch(lambda: (taken.append(n) or sound(LIMIT) for n in range(1000)), limit_bytes=LIMIT, name="ahead")
    next(ahead)

    ahead.close()

    assert len(taken) <= 4
    assert "ahead" not in [thread.name for thread in threading.enumerate()]
