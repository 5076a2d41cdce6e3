"""Sentences as subtitles: none too long to be read at a glance, each with the times of its own words.

Units: ms, columns (a Han character takes two).
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from protocol.transcription import Sentence, Word

_MOST_COLUMNS, _MOST_S = 84, 7.0
"""Two lines of 42 and seven seconds: what broadcasters ask of a subtitle at most."""
_FEW_COLUMNS = 24
"""A subtitle that ends at a mark is better than a full one, but not when it is this short."""
_PAUSE_MARKS = tuple(",;:.!?、，；：。！？…—")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One subtitle. Invariant: `text` has no line break and is not empty."""

    begin_ms: int
    end_ms: int
    text: str


def cues_of(sentences: Iterable[Sentence]) -> Iterator[Cue]:
    """Yield the subtitles in order: none begins before the one before it began, each lasts 1 ms at least."""
    latest_ms = 0
    for sentence in sentences:
        for begin_s, end_s, text in _parts(sentence):
            if line := " ".join(text.split()):
                latest_ms = max(latest_ms, round(begin_s * 1000))
                yield Cue(begin_ms=latest_ms, end_ms=max(latest_ms + 1, round(end_s * 1000)), text=line)


def _parts(sentence: Sentence) -> Iterator[tuple[float, float, str]]:
    """Yield (begin, end, text); only words tell where a sentence can be cut without inventing a time."""
    is_short = _columns(sentence.text) <= _MOST_COLUMNS and sentence.end_s - sentence.begin_s <= _MOST_S
    if is_short or len(sentence.words) < 2:
        yield sentence.begin_s, sentence.end_s, sentence.text
        return
    words, texts = list(sentence.words), _texts(sentence)
    while words:
        count = _fitting(words, texts)
        yield words[0].begin_s, words[count - 1].end_s, "".join(texts[:count])
        del words[:count], texts[:count]


def _texts(sentence: Sentence) -> list[str]:
    """Return the sentence cut where its words begin; words that are not in it are written as they are."""
    starts, at = [0], 0
    for word in sentence.words:
        found = sentence.text.find(word.text.strip(), at)
        if found < 0:
            return [f"{word.text}{word.punctuation}" for word in sentence.words]
        starts.append(found)
        at = found + len(word.text.strip())
    starts = [0, *starts[2:], len(sentence.text)]
    return [sentence.text[begin:end] for begin, end in pairwise(starts)]


def _fitting(words: list[Word], texts: list[str]) -> int:
    """Return how many of the words make the next subtitle: up to the last mark that fits, else as many as fit."""
    columns, marked, count = 0, 0, 0
    for word, text in zip(words, texts, strict=True):
        columns += _columns(text)
        if count and (columns > _MOST_COLUMNS or word.end_s - words[0].begin_s > _MOST_S):
            return marked or count
        count += 1
        if text.rstrip().endswith(_PAUSE_MARKS) and columns >= _FEW_COLUMNS:
            marked = count
    return count


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
