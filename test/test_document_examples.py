"""What the documents for OpenAI's clients say: their examples are run as they stand, their tables compared."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from protocol.errors import GatewayError, PacketError, StorageRefused
from test.support.device import spoken_wav
from test.support.packages import node_packages, python_packages
from test.support.servers import RunningServer

DOCS = Path(__file__).resolve().parents[1] / "docs"
DOCUMENTS = ("clients.md", "openai.md")
ADDRESS, KEY = "http://127.0.0.1:5000", "sk-your-key"
LANGCHAIN = ("langchain-openai==1.7.3", "llama-index-llms-openai-like==0.8.1")  # one folder for both: see test/clients
NODE_SDK = ("openai@6.49.0",)
RUN_S = 120


@dataclass(frozen=True)
class Example:
    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}-{self.language}"


def examples_of(document: str, text: str) -> Iterator[Example]:
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Example(document, text.count("\n", 0, found.start()) + 1, found[1], found[2])


EXAMPLES = [one for name in DOCUMENTS for one in examples_of(name, (DOCS / name).read_text("utf-8"))]


def python(text: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    (folder / "example.py").write_text(text)
    path = str(python_packages(*LANGCHAIN)) if "langchain" in text else ""
    return [sys.executable, "example.py"], {"PYTHONPATH": path}


def bash(text: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Let curl fail on a status that is an error, which by itself it would not."""
    (folder / "example.sh").write_text(f'set -e\ncurl() {{ command curl --silent --fail-with-body "$@"; }}\n{text}')
    return ["bash", "example.sh"], {}


def js(text: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    (folder / "example.mjs").write_text(text)
    (folder / "node_modules").symlink_to(node_packages(*NODE_SDK) / "node_modules")
    return ["node", "example.mjs"], {}


RUNNERS = {"python": python, "bash": bash, "js": js}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an example runs: with a recording, as its reader would have one."""
    (tmp_path / "question.wav").write_bytes(spoken_wav("今天天气怎么样？"))
    return tmp_path


def run(example: Example, server: RunningServer, folder: Path) -> "subprocess.CompletedProcess[str]":
    text = example.text.replace(ADDRESS, server.url).replace(KEY, server.key)
    command, environment = RUNNERS[example.language](text, folder)
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=RUN_S, check=False
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_works_as_it_stands(example: Example, serve: Callable[..., RunningServer], folder: Path) -> None:
    done = run(example, serve(), folder)

    made = folder / "answer.mp3"
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.strip() or made.stat().st_size > 1000
    assert '"error"' not in done.stdout


def test_an_example_that_does_not_work_is_noticed(serve: Callable[..., RunningServer], folder: Path) -> None:
    broken = Example("none.md", 1, "bash", f"curl {ADDRESS}/v1/models/none -H 'Authorization: Bearer {KEY}'\necho")

    done = run(broken, serve(), folder)

    assert done.returncode != 0 and "model_not_found" in done.stdout


def test_every_language_of_an_example_can_be_run() -> None:
    assert {example.language for example in EXAMPLES} == set(RUNNERS)
    assert all(shutil.which(program) for program in ("bash", "curl", "node"))


def kinds_of(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from kinds_of(child)


HTTP_ERRORS = [
    kind
    for kind in kinds_of(GatewayError)
    if kind.__module__ == "protocol.errors" and kind not in (PacketError, StorageRefused)  # devices' and journal's own
]


@pytest.mark.parametrize("kind", HTTP_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_is_in_the_table_of_its_status(kind: type[GatewayError]) -> None:
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \| (.*?) \|", (DOCS / "openai.md").read_text("utf-8"), re.MULTILINE)

    assert any(
        status == str(kind.status) and name == kind.type and f"`{kind.code}`" in codes for status, name, codes in rows
    )
