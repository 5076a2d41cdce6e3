"""The system voices of the synthesis models.  Source: the voice lists of the synthesis guide, 2026."""

from __future__ import annotations

import re
from typing import Final

SYSTEM_VOICES: Final = frozenset(
    [
        "Cherry",
        "Serena",
        "Ethan",
        "Chelsie",
        "Momo",
        "Vivian",
        "Moon",
        "Maia",
        "Kai",
        "Nofish",
        "Bella",
        "Jennifer",
        "Ryan",
        "Katerina",
        "Aiden",
        "Mia",
        "Mochi",
        "Bellona",
        "Vincent",
        "Bunny",
        "Neil",
        "Elias",
        "Arthur",
        "Nini",
        "Ebona",
        "Seren",
        "Pip",
        "Stella",
        "Bodega",
        "Sonrisa",
        "Alek",
        "Dolce",
        "Sohee",
        "Lenn",
        "Emilien",
        "Andre",
        "Jada",
        "Dylan",
        "Li",
        "Marcus",
        "Roy",
        "Peter",
        "Sunny",
        "Eric",
        "Rocky",
        "Kiki",
    ]
) | {"Eldric Sage", "Ono Anna", "Radio Gol"}


# The omni models have voices of their own besides; the reference names this one, their default.
OMNI_VOICES: Final = SYSTEM_VOICES | {"Tina"}


def is_known_voice(voice: object, model: str) -> bool:
    """Tell whether a model speaks with a voice; models for cloned and designed voices take any name."""
    return isinstance(voice, str) and (voice in SYSTEM_VOICES or ("-vc-" in model or "-vd-" in model) and bool(voice))


# Each generation has voices of its own; cosyvoice-v3.5 has none but those that were cloned or designed for it.
_COSYVOICE_VOICES: Final = {
    "cosyvoice-v1": r"loo?ng[a-z]+",
    "cosyvoice-v2": r"loo?ng[a-z]+_v2",
    "cosyvoice-v3-flash": r"longan[a-z]+|loo?ng[a-z]+_v3",
    "cosyvoice-v3-plus": r"longanyang|longanhuan",
    "qwen-audio-3.0-tts-plus": r"longan[a-z]+(_v3\.6)?",
    "qwen-audio-3.0-tts-flash": r"longan[a-z]+(_v3\.6)?",
    "qwen-audio-3.1-tts-flash": r"[a-z]+_v3\.1",
    "qwen-audio-3.1-tts-next": r"[a-z]+_v3\.1",
}


def is_cosyvoice_voice(voice: str, model: str) -> bool:
    """Tell whether a voice belongs to a model's generation; a cloned voice's name begins with its model's."""
    pattern = _COSYVOICE_VOICES.get(model)
    return voice.startswith(f"{model}-") or (pattern is not None and re.fullmatch(pattern, voice) is not None)
