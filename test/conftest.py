"""Fixtures for every floor: one emulator for the whole run, a key of its own for each test."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import emulator as emulator_package
from emulator import Emulator
from test.support.device import TestDevice
from test.support.servers import RunningServer, running_server

settings.register_profile(
    "house",
    deadline=None,  # no test is timed
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,  # the same examples in every run; `--hypothesis-profile=default` looks for new ones
)
settings.load_profile("house")


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with emulator_package.start(voice="tones", ear="tones") as running:
        yield running


@pytest.fixture
def key() -> str:
    """A key that no other test uses, so that scenarios and journals are this test's own."""
    return f"sk-test-{uuid.uuid4().hex}"


@pytest.fixture
def serve(emulator: Emulator, key: str, tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Start servers with the settings that the test names."""
    with ExitStack() as stack:

        def start(**settings: object) -> RunningServer:
            return stack.enter_context(running_server(emulator, tmp_path / "data", key=key, **settings))

        yield start


@pytest.fixture
def scenario(emulator: Emulator, key: str) -> Callable[..., None]:
    """Script the vendor for this test's key."""
    return lambda **fields: emulator.set_scenario(key, fields)


@pytest.fixture
def connect() -> Iterator[Callable[..., TestDevice]]:
    """Connect devices; they leave when the test ends."""
    with ExitStack() as stack:
        yield lambda server, **options: stack.enter_context(TestDevice(server.audio_url, **options))
