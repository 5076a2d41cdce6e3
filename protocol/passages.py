"""Cut a whole text into passages, each spoken by one call to the vendor.

A passage ends at a sentence wherever one ends in time. The first is short, so that its sound begins soon; later ones
grow, because a voice reads a paragraph better than its pieces. Units: characters.
"""

from collections.abc import Iterator

from protocol.segments import Segmenter
from protocol.speech_text import SpeechText
from protocol.texts import join_texts

_FIRST, _GROWTH, _MOST = 80, 2, 320
"""The longest takes a voice a good minute, which is kept here for clients that play while they read."""
_STEP = 256
"""Text that is looked at at once: a book must not be read to its end before its first word is said (5 ms a page)."""


def passages(text: str, *, most: int) -> Iterator[str]:
    """Yield a text as a voice can say it, in passages of at most `most` characters, reading on as they are taken."""
    most = min(most, _MOST)
    limit, passage = min(_FIRST, most), ""
    for segment in _segments(text, most=most):
        joined = join_texts((passage, segment))
        if passage and len(joined) > limit:
            yield passage
            limit, joined = min(limit * _GROWTH, most), segment
        passage = joined
    if passage:
        yield passage


def _segments(text: str, *, most: int) -> Iterator[str]:
    speech, segmenter = SpeechText(), Segmenter()
    for begin in range(0, len(text), _STEP):
        yield from _pieces(segmenter.feed(speech.feed(text[begin : begin + _STEP])), most=most)
    yield from _pieces(segmenter.feed(speech.finish()) + segmenter.finish(), most=most)


def _pieces(segments: list[str], *, most: int) -> Iterator[str]:
    for segment in segments:
        yield from (segment[begin : begin + most] for begin in range(0, len(segment), most))
