"""The SDKs that people have, each walked once through a running server."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from client.check.chat import red_square
from emulator import Emulator
from emulator.ear import hear
from test.support.device import spoken_wav
from test.support.packages import node_packages, python_packages
from test.support.servers import RunningServer, running_server

HERE = Path(__file__).parent
QUESTION = "今天天气怎么样？"
_WALK_S = 120


@dataclass(frozen=True)
class Walk:
    """What one client saw, step by step, and the sounds it received."""

    steps: dict[str, Any]
    folder: Path

    def heard(self, step: str) -> str:
        return hear((self.folder / f"{step}.pcm").read_bytes(), rate_hz=24000)


@pytest.fixture(scope="session")
def walk_key() -> str:
    """The key of all walks, which take place one after the other; every step sets the scenario that it needs."""
    return f"sk-walk-{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def walked_server(
    emulator: Emulator, walk_key: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    data_dir = tmp_path_factory.mktemp("walked") / "data"
    with running_server(emulator, data_dir, key=walk_key, model_aliases="my/model=qwen-plus") as server:
        yield server


@pytest.fixture(scope="session")
def take_walk(
    walked_server: RunningServer, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Walk]:
    """Run a walk as a program: `take_walk(["python", "walk.py"], PYTHONPATH=…)`."""

    def take(command: list[str], **environment: str) -> Walk:
        folder = tmp_path_factory.mktemp("walk")
        (folder / "question.wav").write_bytes(spoken_wav(QUESTION))
        (folder / "red.png").write_bytes(red_square())
        done = subprocess.run(
            [*command, f"{walked_server.url}/v1", emulator.url, walked_server.key, str(folder)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=_WALK_S,
            check=False,
        )
        assert done.returncode == 0, f"the walk of {command[-1]} did not end well:\n{done.stderr[-3000:]}"
        return Walk(json.loads(done.stdout.splitlines()[-1]), folder)

    return take


PYTHON_SDKS = {
    "openai 1.30": ("openai==1.30.5", "httpx<0.28"),
    "openai 1.109": ("openai==1.109.1",),
    "openai 2": ("openai==2.54.0",),
    "openai installed here": (),
}
JAVASCRIPT_SDKS = {"openai for JavaScript": ("openai@6.49.0",)}
"""6 is the newest that runs on the Node of Debian and Ubuntu; 7 wants Node 22."""


@pytest.fixture(scope="session", params=[*PYTHON_SDKS, *JAVASCRIPT_SDKS])
def walk(request: pytest.FixtureRequest, take_walk: Callable[..., Walk]) -> Walk:
    """The walk of one release of OpenAI's SDK."""
    if packages := JAVASCRIPT_SDKS.get(request.param):
        folder = node_packages(*packages)
        return take_walk(["node", str(HERE / "openai_walk.mjs"), str(folder)])
    packages = PYTHON_SDKS[request.param]
    path = str(python_packages(*packages)) if packages else ""
    return take_walk([sys.executable, str(HERE / "openai_walk.py")], PYTHONPATH=path)
