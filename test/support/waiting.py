"""Waiting on conditions, with a deadline."""

import threading
import time
from collections.abc import Callable

_tick = threading.Event()


def eventually(condition: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Return as soon as the condition holds. Raises: AssertionError when it does not in time."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not in time: {condition}"
        _tick.wait(0.01)
