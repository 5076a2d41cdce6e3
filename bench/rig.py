"""Server and emulator as processes of their own, so that each one's CPU and memory can be told apart."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import urllib3

from emulator import voice
from protocol.media import wav_header

KEY = "sk-bench"
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Rig:
    """A running server whose vendor is a running emulator."""

    url: str
    emulator_url: str
    worker: psutil.Process

    @property
    def audio_url(self) -> str:
        return f"ws{self.url[4:]}/v1/chat/audio"

    def script(self, **scenario: object) -> None:
        """Tell the emulator what to say, how slowly, and what goes wrong."""
        answer = urllib3.request(
            "POST", f"{self.emulator_url}/emulator/scenario", json=scenario, headers={"Authorization": f"Bearer {KEY}"}
        )
        assert answer.status == 200, answer.data

    def cpu_s(self) -> float:
        """Return the CPU seconds that the server's worker has used."""
        times = self.worker.cpu_times()
        return times.user + times.system

    def rss_bytes(self) -> int:
        return int(self.worker.memory_info().rss)


@contextlib.contextmanager
def rig(**environment: str) -> Iterator[Rig]:
    """Run emulator and server on free ports, with these variables set for the server."""
    with tempfile.TemporaryDirectory() as data_dir, contextlib.ExitStack() as stack:
        emulator_url, url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        port = emulator_url.rpartition(":")[2]
        stack.enter_context(process([sys.executable, "-m", "emulator", "--port", port, "--voice", "tones"], {}))
        wait_for(f"{emulator_url}/emulator/health")
        variables = _settings(url, emulator_url, data_dir) | environment
        server = stack.enter_context(process([sys.executable, "app.py"], variables))
        wait_for(f"{url}/health")
        [worker, *_] = psutil.Process(server.pid).children()
        yield Rig(url=url, emulator_url=emulator_url, worker=worker)


def spoken_wav(text: str) -> bytes:
    """Return a recording that the emulator understands to the character."""
    pcm = voice.speak(text, rate_hz=16_000)
    return wav_header(pcm_bytes=len(pcm), rate_hz=16_000) + pcm


def _settings(url: str, emulator_url: str, data_dir: str) -> dict[str, str]:
    return {
        "QWEN_API_KEY": KEY,
        "QWEN_API_CHAT_URL": f"{emulator_url}/compatible-mode/v1/chat/completions",
        "DASHSCOPE_BASE_URL": f"{emulator_url}/api/v1",
        "REAL_TIME_AUDIO_URL": f"ws{emulator_url[4:]}/api-ws/v1/realtime?model=qwen3-tts-flash-realtime",
        "HOST": "127.0.0.1",
        "PORT": url.rpartition(":")[2],
        "DATA_DIR": data_dir,
        "LOG_LEVEL": "WARNING",
    }


@contextlib.contextmanager
def process(command: list[str], variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for as long as the block lasts."""
    running = subprocess.Popen(
        command, cwd=Path(__file__).parent.parent, env=os.environ | variables, stdout=subprocess.DEVNULL
    )
    try:
        yield running
    finally:
        running.terminate()
        running.wait(60)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, *, within_s: float = _START_S) -> None:
    """Return when something answers there.  Raises: RuntimeError."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", url, retries=False, timeout=1).status == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing answers at {url}")
