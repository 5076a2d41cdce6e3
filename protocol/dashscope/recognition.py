"""Recognition over HTTP: in one call, and as a task on a file. Source: DashScope HTTP reference §3.2, §3.6, §4."""

import re
from collections.abc import Iterable

import msgspec

# --- pieces of text ----------------------------------------------------------------------------------------------

_NO_SPACE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
"""Han, kana and their punctuation. Hangul puts spaces between its words, as Latin does."""
_SEAM_WITHOUT_SPACE = re.compile(f"(?<=[{_NO_SPACE}])\x00|\x00(?=[{_NO_SPACE}])")


def join_texts(texts: Iterable[str]) -> str:
    """Return pieces of one utterance as one text: Chinese and Japanese directly, others with a space between."""
    joined = "\x00".join(text.strip() for text in texts if text.strip())
    return _SEAM_WITHOUT_SPACE.sub("", joined).replace("\x00", " ")


# --- recognition in one call -------------------------------------------------------------------------------------


class TextPart(msgspec.Struct, frozen=True):
    text: str = ""


class RecognisedMessage(msgspec.Struct, frozen=True):
    content: list[TextPart] = []


class RecognisedChoice(msgspec.Struct, frozen=True):
    message: RecognisedMessage = RecognisedMessage()


class RecognisedOutput(msgspec.Struct, frozen=True):
    choices: list[RecognisedChoice] = []


class RecognitionBody(msgspec.Struct, frozen=True):
    """The native answer of `qwen3-asr-flash`; silence is an empty `content`."""

    output: RecognisedOutput = RecognisedOutput()
