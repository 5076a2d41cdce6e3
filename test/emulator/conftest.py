"""Fixtures for the emulator's own tests: realtime clients and plain HTTP, each with the test's key."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests

from emulator import Emulator
from test.emulator.realtime_client import RealtimeClient


@pytest.fixture
def open_session(emulator: Emulator, key: str) -> Iterator[Callable[..., RealtimeClient]]:
    with ExitStack() as stack:

        def open_(model: str = "qwen3-tts-flash-realtime") -> RealtimeClient:
            return stack.enter_context(RealtimeClient(emulator, key, model))

        yield open_


@pytest.fixture
def http(key: str) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        yield session
