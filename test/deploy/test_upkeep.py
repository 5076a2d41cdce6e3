"""What a worker does beside its requests."""

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.upkeep import GarbageCollection
from test.support.server_process import ServerProcess
from test.support.waiting import eventually


@pytest.fixture
def full_collections() -> Iterator[list[str]]:
    """The threads that ran a full collection."""
    seen: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            seen.append(threading.current_thread().name)

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


def test_garbage_is_looked_for_again_and_again(full_collections: list[str]) -> None:
    garbage = GarbageCollection(interval_s=0.01)

    eventually(lambda: full_collections.count("garbage") >= 2)

    garbage.stop()
    assert "garbage" not in [thread.name for thread in threading.enumerate()]


def test_with_an_interval_of_nothing_python_has_its_own_way() -> None:
    garbage = GarbageCollection(interval_s=0)

    assert "garbage" not in [thread.name for thread in threading.enumerate()]
    garbage.stop()


def test_a_server_looks_for_garbage_as_its_operator_wants(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, GC_INTERVAL_SECONDS="1", LOG_LEVEL="DEBUG") as server:
        server.started()
        eventually(lambda: "garbage: " in server.logged)

        server.terminate()

        assert server.ended() == 0
