"""Cut a whole text into passages, each spoken by one call to the vendor.

A passage ends at a sentence wherever one ends in time. The first is short, so that its sound begins soon; later ones
grow, because a voice reads a paragraph better than its pieces. Units: characters.
"""

from collections.abc import Iterator

from protocol.segments import Segmenter
from protocol.speech_text import speakable
from protocol.texts import join_texts

_FIRST, _GROWTH = 80, 2


def passages(text: str, *, most: int) -> Iterator[str]:
    """Yield a text as a voice can say it, in passages of at most `most` characters; nothing of what is not said."""
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
    segmenter = Segmenter()
    for segment in segmenter.feed(speakable(text)) + segmenter.finish():
        yield from (segment[begin : begin + most] for begin in range(0, len(segment), most))
