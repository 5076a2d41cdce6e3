"""G16: the speech corpus at every cut, and how fast the normaliser and the segmenter are in a token-by-token feed.

Figure: the best of several rounds of CPU time over bench/speech_answers.txt (typical answers in Chinese and
English, with markdown, prices and dates), fed as a tokenizer would cut it; the same in the larger deltas that
the vendor usually sends, and in one piece.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.results import Row
from protocol.segments import Segmenter
from protocol.speech_text import SpeechText, speakable
from test.protocol.speech_corpus import Case, cases

_TARGET_MB = 5.0
_TARGET_CASES = 300
_ROUNDS = 25
_TOKEN = re.compile(r"[\u4e00-\u9fff]{1,2}[，。：]?| ?\*\*|#+| ?[A-Za-z]+|\d|[^\w\s]?\n+|[^\w\s]|\s")


def measure() -> list[Row]:
    """Return the rows of G16."""
    tokens = _tokens()
    return [
        _corpus_row(cases()),
        _speed_row("normaliser, one token per delta", tokens, _normalise),
        _speed_row("normaliser, four tokens per delta", _grouped(tokens, 4), _normalise),
        _speed_row("normaliser, the answer in one piece", ["".join(tokens)], _normalise),
        _speed_row("segmenter behind it, one token per delta", _spoken(tokens), _segment),
    ]


def cuts(text: str) -> Iterator[list[str]]:
    """Yield every way to cut a text in two, and the text character by character."""
    yield list(text)
    yield from ([text[:at], text[at:]] for at in range(len(text) + 1))


def _passes(case: Case) -> bool:
    return all(_joined(pieces).strip() == case.spoken for pieces in cuts(case.written))


def _joined(pieces: Sequence[str]) -> str:
    stream = SpeechText()
    return "".join([*map(stream.feed, pieces), stream.finish()])


def _corpus_row(corpus: list[Case]) -> Row:
    passed = sum(map(_passes, corpus))
    is_met = passed == len(corpus) >= _TARGET_CASES
    figure = f"{passed} of {len(corpus)}"
    return Row(goal="G16", what="speech corpus, every cut", figure=figure, target="all of ≥ 300", met=is_met)


def _speed_row(what: str, pieces: Sequence[str], work: Callable[[Sequence[str]], None]) -> Row:
    size = len("".join(pieces).encode())
    speed = size / min(_cpu_s(work, pieces) for _ in range(_ROUNDS)) / 1e6
    figure = f"{speed:.1f} MB/s ({size / len(pieces):.0f} bytes per delta)"
    return Row(goal="G16", what=what, figure=figure, target=f"≥ {_TARGET_MB:.0f} MB/s", met=speed >= _TARGET_MB)


def _cpu_s(work: Callable[[Sequence[str]], None], pieces: Sequence[str]) -> float:
    began = time.process_time_ns()
    work(pieces)
    return (time.process_time_ns() - began) / 1e9


def _normalise(pieces: Sequence[str]) -> None:
    stream = SpeechText()
    for piece in pieces:
        stream.feed(piece)
    stream.finish()


def _segment(pieces: Sequence[str]) -> None:
    segmenter = Segmenter()
    for piece in pieces:
        segmenter.feed(piece)
    segmenter.finish()


def _tokens() -> list[str]:
    answers = Path(__file__).with_name("speech_answers.txt").read_text(encoding="utf-8") * 8
    return _TOKEN.findall(answers)


def _grouped(tokens: list[str], count: int) -> list[str]:
    return ["".join(tokens[at : at + count]) for at in range(0, len(tokens), count)]


def _spoken(tokens: list[str]) -> list[str]:
    return _TOKEN.findall(speakable("".join(tokens)))


def _print_rows() -> None:
    import sys

    for row in measure():
        sys.stdout.write(f"{row.what:44} {row.figure:32} {row.target:14} {'met' if row.met else 'missed'}\n")


if __name__ == "__main__":
    _print_rows()
