"""The real SDK, in the two generations that people have installed, walked through the emulator once each."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator import Emulator
from emulator.ear import hear
from emulator.painting import paint
from emulator.voice import pcm_to_wav, speak
from test.support.packages import python_packages

OLD_SDK = "dashscope==1.24.10"
WALK = Path(__file__).with_name("dashscope_walk.py")
QUESTION = "今天天气怎么样？"


@dataclass(frozen=True)
class Walk:
    """What one release of the SDK saw, step by step, and the sounds it received."""

    steps: dict[str, Any]
    folder: Path

    def heard(self, step: str) -> str:
        return hear((self.folder / f"{step}.pcm").read_bytes(), rate_hz=24000)


@pytest.fixture(scope="session", params=["installed SDK", OLD_SDK])
def walk(request: pytest.FixtureRequest, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    folder = tmp_path_factory.mktemp("walk")
    sound = speak(QUESTION, rate_hz=16000)
    (folder / "question.wav").write_bytes(pcm_to_wav(sound, rate_hz=16000))
    (folder / "drawing.png").write_bytes(paint(64, 48, {"prompt": "begin"}))
    path = str(python_packages(OLD_SDK, with_dependencies=False)) if request.param == OLD_SDK else ""
    done = subprocess.run(
        [sys.executable, str(WALK), emulator.native_url, emulator.websocket_url, "sk-walk", str(folder)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"the walk through {request.param} did not end well:\n{done.stderr[-3000:]}"
    return Walk(json.loads(done.stdout.splitlines()[-1]), folder)
