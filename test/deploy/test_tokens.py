"""The command that makes tokens, as operators use it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.keys import digest

ROOT = Path(__file__).parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tokens(tmp_path: Path) -> Command:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path / "data")}
        command = [sys.executable, "-m", "deploy.tokens", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)

    return run


def test_a_token_is_shown_once_listed_by_name_and_revoked(tokens: Command, tmp_path: Path) -> None:
    token = tokens("new", "kitchen").stdout.strip()
    listed = tokens("list").stdout
    kept = (tmp_path / "data" / "api_tokens").read_text()

    assert token.startswith("vb-") and len(token) > 40
    assert listed == "kitchen\n" and kept == f"kitchen sha256:{digest(token)}\n"
    assert tokens("revoke", "kitchen").returncode == 0 and tokens("list").stdout == ""


def test_what_goes_wrong_is_said_in_one_sentence(tokens: Command) -> None:
    done = tokens("revoke", "nobody")

    assert (done.returncode, done.stdout) == (2, "") and done.stderr == "There is no token 'nobody'.\n"
