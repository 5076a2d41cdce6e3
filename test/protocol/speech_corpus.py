"""The speech corpus: what a model writes and what is to be said, from speech_corpus.txt."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_suffix(".txt")


class Case(NamedTuple):
    """One line of the corpus."""

    section: str
    line: int
    written: str
    spoken: str


def cases() -> list[Case]:
    """Return every case, in the order of the file."""
    return list(_read(_FILE.read_text(encoding="utf-8").splitlines()))


def _read(lines: list[str]) -> Iterator[Case]:
    section = ""
    for number, line in enumerate(lines, 1):
        if line.startswith("%%"):
            section = line.removeprefix("%%").strip()
        elif line:
            written, arrow, spoken = line.partition(" ⇒")
            assert arrow, f"line {number} has no ⇒"
            yield Case(section, number, _characters(written), _characters(spoken.removeprefix(" ")))


def _characters(text: str) -> str:
    named = re.sub("⟦([0-9a-f]+)⟧", lambda m: chr(int(m[1], 16)), text)
    return named.replace("⏎", "\n")
