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


@pytest.fixture
def chat(emulator: Emulator, http: requests.Session) -> Callable[..., requests.Response]:
    """Post a chat to the compatible surface: `chat(model, text or messages, **options)`."""

    def post(model: str, content: object = "Hello.", **options: object) -> requests.Response:
        is_messages = isinstance(content, list) and content and "role" in content[0]
        messages = content if is_messages else [{"role": "user", "content": content}]
        body = {"model": model, "messages": messages, **options}
        return http.post(f"{emulator.compatible_url}/chat/completions", json=body, timeout=10)

    return post
