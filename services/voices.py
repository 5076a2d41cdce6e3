"""The voices as data: what each is called, which languages it speaks, which models speak with it; and OpenAI's names.

A name is looked up without regard to case. OpenAI's names stand for a voice of the model's own family, cloned and
designed voices go through by the pattern of their names, and everything else is refused with names that exist.
Source: DashScope HTTP reference §5.1, §5.2; the vendor's voice lists; OpenAI API reference, create speech.
"""

import re
from dataclasses import dataclass
from typing import Final

from protocol.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One voice. `models` are those that speak with it: their names begin so."""

    id: str
    name: str
    languages: tuple[str, ...]
    models: tuple[str, ...]


_QWEN_LANGUAGES = ("zh", "en", "fr", "de", "ru", "it", "es", "pt", "ja", "ko")
_QWEN3, _QWEN = "qwen3-tts", "qwen-tts"
_COSY_3, _COSY_2 = "cosyvoice-v3-", "cosyvoice-v2"


def _voices(names: str, *models: str, languages: tuple[str, ...] = _QWEN_LANGUAGES) -> tuple[Voice, ...]:
    return tuple(Voice(id=name, name=name, languages=languages, models=models) for name in re.split(r"[,\s]\s*", names))


VOICES: Final[tuple[Voice, ...]] = (
    *_voices("Cherry Serena Ethan Chelsie", _QWEN3, _QWEN),
    *_voices(
        "Momo Vivian Moon Maia Kai Nofish Bella Jennifer Ryan Katerina Aiden Mia Mochi Bellona Vincent Bunny Neil Elias"
        " Arthur Nini Ebona Seren Pip Stella Bodega Sonrisa Alek Dolce Sohee Lenn Emilien Andre",
        _QWEN3,
    ),
    *(Voice(id=name, name=name, languages=_QWEN_LANGUAGES, models=(_QWEN3,)) for name in
      ("Eldric Sage", "Ono Anna", "Radio Gol")),
    *_voices("Jada Dylan Sunny", _QWEN3, _QWEN),
    *_voices("Li Marcus Roy Peter Eric Rocky Kiki", _QWEN3),
)  # fmt: skip
"""Every system voice that this server knows by name."""

OPENAI_VOICES: Final[dict[str, str]] = {
    "alloy": "Chelsie",
    "ash": "Ethan",
    "ballad": "Serena",
    "coral": "Cherry",
    "echo": "Kai",
    "fable": "Maia",
    "onyx": "Nofish",
    "nova": "Vivian",
    "sage": "Moon",
    "shimmer": "Bella",
    "verse": "Ryan",
    "marin": "Jennifer",
    "cedar": "Aiden",
}
"""OpenAI's voices -> voices of Qwen3-TTS."""


def resolve_voice(name: str, model: str) -> str:
    """Return the voice that a name stands for with this model. Raises: BadInput (`voice`)."""
    return OPENAI_VOICES.get(name.lower(), name)
