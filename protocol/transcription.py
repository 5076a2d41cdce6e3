"""What was said in a recording, when and by whom.

Units: times in seconds from the beginning of the recording.  They are the recogniser's own; where it told none there
is no sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """`punctuation` follows the word and belongs to the text, not to the word."""

    text: str
    begin_s: float
    end_s: float
    punctuation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """`speaker` counts the voices of the recording; None = nobody told them apart."""

    text: str
    begin_s: float
    end_s: float
    speaker: int | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a recognition cost, when the vendor counts in tokens."""

    input: int
    output: int
    audio: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(input=self.input + other.input, output=self.output + other.output, audio=self.audio + other.audio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """One recording, recognised. `language` is a code like `zh`, empty when nobody told it."""

    text: str
    duration_s: float = 0.0
    language: str = ""
    sentences: tuple[Sentence, ...] = ()
    tokens: Tokens | None = None
    request_id: str = ""
    names: Mapping[int, str] = field(default_factory=dict)
    """Of the voices that are known."""
