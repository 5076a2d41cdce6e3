"""Texts put together for a translator: a line each, some at a time.  Units: characters."""

import re
from collections.abc import Iterable, Iterator

Batch = tuple[str, ...]
_MOST_LINES, _MOST_CHARS = 16, 1500
"""Small enough to be done soon and side by side, large enough for a sentence to have its context."""
_ENDS = re.compile(r"(?<=[。！？；])|(?<=[.!?;])\s+|\n+")


def batches_of(texts: Iterable[str]) -> Iterator[Batch]:
    """Yield the texts in batches of some lines; each text is one line of its own, its line breaks made spaces."""
    batch: list[str] = []
    chars = 0
    for text in texts:
        line = " ".join(text.split())
        if batch and (len(batch) == _MOST_LINES or chars + len(line) > _MOST_CHARS):
            yield tuple(batch)
            batch, chars = [], 0
        batch.append(line)
        chars += len(line)
    if batch:
        yield tuple(batch)


def passages_of(text: str) -> Iterator[str]:
    """Yield a text in its sentences; one that never ends is cut."""
    for sentence in _ENDS.split(text):
        for begin in range(0, len(sentence), _MOST_CHARS):
            if passage := sentence[begin : begin + _MOST_CHARS].strip():
                yield passage


def lines_of(text: str) -> list[str]:
    """Return the lines of a translated batch; what is empty is none."""
    return [stripped for line in text.split("\n") if (stripped := line.strip())]
