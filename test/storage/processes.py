"""Other processes that save a turn, led step by step."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
from sqlalchemy import URL

_ROOT = Path(__file__).parents[2]


class SavingProcess:
    """A running `saving_process.py`. Invariant: it does nothing until told to `go_on`."""

    def __init__(self, url: URL, *, turn_id: str) -> None:
        command = [sys.executable, str(_ROOT / "test/storage/saving_process.py")]
        command += [url.render_as_string(hide_password=False), turn_id]
        environment = os.environ | {"PYTHONPATH": str(_ROOT)}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> "SavingProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def heard(self) -> str:
        """Return the next word that it says; empty when it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go on\n")
        self._process.stdin.flush()

    def has_open(self, path: Path) -> bool:
        """Whether it holds this file open."""
        return any(Path(file.path) == path for file in psutil.Process(self._process.pid).open_files())

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()
        self._process.communicate()
