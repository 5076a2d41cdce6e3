"""The system voices of the synthesis models.  Source: the voice lists of the synthesis guide, 2026."""

from __future__ import annotations

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
    return voice in SYSTEM_VOICES or ("-vc-" in model or "-vd-" in model) and isinstance(voice, str) and bool(voice)
