"""The server as its users run it: `python app.py` in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from emulator import Emulator
from test.support.waiting import eventually

ROOT = Path(__file__).parents[2]
_START_S, _END_S = 30.0, 30.0


def vendor_settings(emulator: Emulator, *, key: str) -> dict[str, str]:
    """Return the variables that make a server take the emulator for the vendor."""
    return {
        "QWEN_API_KEY": key,
        "QWEN_API_CHAT_URL": f"{emulator.compatible_url}/chat/completions",
        "DASHSCOPE_BASE_URL": emulator.native_url,
        "REAL_TIME_AUDIO_URL": f"{emulator.websocket_url}/realtime?model=qwen3-tts-flash-realtime",
    }


class ServerProcess:
    """A running server in a folder of its own, leader of its process group. Who makes it leaves it (`with`)."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.audio_url = f"ws://127.0.0.1:{self.port}/v1/chat/audio"
        self._out, self._err = folder / "stdout", folder / "stderr"
        environment = {"PATH": os.environ["PATH"], "PORT": str(self.port), "DATA_DIR": str(folder / "data"), **settings}
        with self._out.open("w") as out, self._err.open("w") as err:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py")],
                cwd=folder,  # no .env there
                env=environment,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.members():
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_END_S)

    @property
    def said(self) -> str:
        """What it wrote for people."""
        return self._out.read_text("utf-8")

    @property
    def logged(self) -> str:
        return self._err.read_text("utf-8")

    def started(self) -> "ServerProcess":
        """Wait until it says where it is."""
        eventually(lambda: self.url in self.said or self._process.poll() is not None, within_s=_START_S)
        assert self._process.poll() is None, self.logged
        return self

    def ended(self) -> int:
        """Wait for its end and return its exit status."""
        return self._process.wait(_END_S)

    def terminate(self) -> None:
        """Tell its first process alone, as service managers do."""
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """Tell all its processes, as a terminal's Ctrl-C does."""
        os.killpg(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End all its processes at once, as a power cut does."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_END_S)

    def members(self) -> list[psutil.Process]:
        """Return the processes of its group that still run."""
        return [process for process in psutil.process_iter() if _group(process.pid) == self._process.pid]


def _group(pid: int) -> int | None:
    try:
        is_over = psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        return None if is_over else os.getpgid(pid)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
