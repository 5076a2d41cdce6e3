"""What a walk through a server carries along: the names to ask with, and what was learnt on the way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final

from client.check.site import Failed, Site

SAYING: Final = "What is the weather today?"
"""Said by the server's voice, and given back to its ear. The emulator's phrase ear knows it as well."""
_ALIKE: Final = 0.6
"""A recogniser may write a word differently; below this it heard something else."""
_CHAT_MODELS: Final = ("qwen-plus", "gpt-4o-mini", "gpt-4.1-mini")
_VISION_MODELS: Final = ("qwen3-vl-plus", "gpt-4o-mini", "gpt-4.1-mini")
_NO_CHAT: Final = ("asr", "tts", "whisper", "embed", "image", "dall-e", "realtime", "transcribe", "video", "rerank")


@dataclass(slots=True, kw_only=True)
class Visit:
    """One walk. `models`: the server's list, empty until it was read; `recording`: its voice, empty until it spoke."""

    site: Site
    wanted_chat_model: str = ""
    wanted_vision_model: str = ""
    asr_model: str = "whisper-1"
    tts_model: str = "tts-1"
    voice: str = "alloy"
    recording: bytes = b""
    models: list[str] = field(default_factory=list)

    @property
    def chat_model(self) -> str:
        """The model to talk with: the one wanted, else one that the server lists."""
        return self.wanted_chat_model or _choose(_CHAT_MODELS, self.models)

    @property
    def vision_model(self) -> str:
        listed = (name for name in _VISION_MODELS if name in self.models)
        return self.wanted_vision_model or next(listed, self.chat_model)

    def expect_saying(self, heard: str) -> str:
        """Return what was heard, in quotes.  Raises: Failed when it is not what the server's voice had said."""
        if self.recording and not _is_alike(heard, SAYING):
            raise Failed(f"heard {heard!r} instead of {SAYING!r}")
        return f"“{heard}”" if heard else "silence"


def _choose(preferred: tuple[str, ...], names: list[str]) -> str:
    fitting = [name for name in names if not any(word in name.lower() for word in _NO_CHAT)]
    return next((name for name in preferred if name in names), fitting[0] if fitting else preferred[0])


def _is_alike(heard: str, said: str) -> bool:
    return SequenceMatcher(None, _letters(heard), _letters(said)).ratio() >= _ALIKE


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """One thing that a server offers. `look` returns what to show of it, or raises Failed.

    `is_optional`: servers of this kind may be without it; then it is not there, which is no failure.
    """

    name: str
    look: Callable[[Visit], str]
    is_optional: bool = False
