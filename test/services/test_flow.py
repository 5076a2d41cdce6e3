import threading

import pytest

from protocol.errors import Cancelled
from services.flow import CancelToken, Deadline


def test_cancelling_runs_every_stop_once() -> None:
    token, ran = CancelToken(), []
    token.on_cancel(lambda: ran.append("a"))
    token.on_cancel(lambda: ran.append("b"))

    token.cancel()
    token.cancel()

    assert ran == ["a", "b"] and token.is_cancelled


def test_a_stop_that_was_taken_back_does_not_run() -> None:
    token, ran = CancelToken(), []
    forget = token.on_cancel(lambda: ran.append("a"))

    forget()
    token.cancel()

    assert ran == []


def test_a_stop_that_comes_late_runs_at_once() -> None:
    token, ran = CancelToken(), []
    token.cancel()

    token.on_cancel(lambda: ran.append("late"))

    assert ran == ["late"]


def test_a_cancelled_token_raises_and_wakes_who_waits() -> None:
    token = CancelToken()
    waiter = threading.Thread(target=token.wait, args=(60,))
    waiter.start()

    token.cancel()
    waiter.join(5)

    assert not waiter.is_alive()
    with pytest.raises(Cancelled):
        token.raise_if_cancelled()


def test_a_deadline_has_nothing_left_when_it_has_passed() -> None:
    passed, far = Deadline(0), Deadline(threading.TIMEOUT_MAX)

    assert passed.left_s() == 0
    assert far.left_s() > 1000
