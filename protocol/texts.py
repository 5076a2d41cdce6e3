"""Pieces of text put together as a person would write them."""

import re
from collections.abc import Iterable

_NO_SPACE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
"""Han, kana and their punctuation. Hangul puts spaces between its words, as Latin does."""
_SEAM_WITHOUT_SPACE = re.compile(f"(?<=[{_NO_SPACE}])\x00|\x00(?=[{_NO_SPACE}])")


def join_texts(texts: Iterable[str]) -> str:
    """Return pieces of one utterance as one text: Chinese and Japanese directly, others with a space between."""
    joined = "\x00".join(text.strip() for text in texts if text.strip())
    return _SEAM_WITHOUT_SPACE.sub("", joined).replace("\x00", " ")
