"""The ears that recognition can use: exact for the sound alphabet, and a phrase list for people.

The second one is pocketsphinx.  It understands the English sentences of `phrases.txt`, nothing else and no Chinese.
It listens twice, once for one of the sentences and once for any row of their words, and believes the sentence only
where both agree: measured with espeak-ng voices, 64 of 68 phrases come out right, and of 12 other sounds (Chinese,
other English, noise) one is mistaken for a phrase.  What it does not understand is an empty text.
"""

from __future__ import annotations

import importlib.util
import tempfile
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

import numpy as np

from emulator.ear import Character, hear_detailed, spread
from emulator.voice import resample

_SPHINX_HZ: Final = 16000
_PHRASES: Final = Path(__file__).with_name("phrases.txt")
_QUIET: Final = 300  # peak of s16 samples below which nothing was said


class Ear(Protocol):
    """Something that turns PCM (s16le mono) into text."""

    def hear(self, pcm: bytes, *, rate_hz: int) -> str:
        """Return the text heard; empty for silence."""

    def listen(self, pcm: bytes, *, rate_hz: int) -> tuple[Character, ...]:
        """Return the characters heard with their times."""


class ToneEar:
    """Hears the sound alphabet, nothing else."""

    def hear(self, pcm: bytes, *, rate_hz: int) -> str:
        """Return the exact text; empty for silence and for any other sound."""
        return hear_detailed(pcm, rate_hz=rate_hz).text

    def listen(self, pcm: bytes, *, rate_hz: int) -> tuple[Character, ...]:
        """Return each character with its true time."""
        return hear_detailed(pcm, rate_hz=rate_hz).characters


class PhraseEar:
    """Hears the English sentences of the phrase list.  Threads: any, one at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._decoder: Any = None

    def hear(self, pcm: bytes, *, rate_hz: int) -> str:
        """Return the sentence heard; empty when nothing was understood."""
        if _peak(pcm) < _QUIET:
            return ""
        sound = _with_room(resample(pcm, from_hz=rate_hz, to_hz=_SPHINX_HZ))
        with self._lock:
            self._decoder = self._decoder or _load_decoder()
            words, sentence = (self._listen(sound, search) for search in ("_default", "sentences"))
        return _as_sentence(sentence) if sentence in phrases() and _agreement(words, sentence) >= 0.5 else ""

    def listen(self, pcm: bytes, *, rate_hz: int) -> tuple[Character, ...]:
        """Return the sentence's characters spread evenly: the true times are not known."""
        return spread(self.hear(pcm, rate_hz=rate_hz), len(pcm) * 500 // rate_hz)

    def _listen(self, sound: bytes, search: str) -> str:
        self._decoder.activate_search(search)
        self._decoder.start_utt()
        self._decoder.process_raw(sound, False, True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr.strip() if hypothesis else ""


class AutoEar:
    """Hears the sound alphabet; where the sound is something else and pocketsphinx is installed, tries the phrases."""

    def __init__(self) -> None:
        self._phrases = PhraseEar() if has_sphinx() else None

    def hear(self, pcm: bytes, *, rate_hz: int) -> str:
        """Return the text heard by the first ear that understands."""
        return "".join(character.char for character in self.listen(pcm, rate_hz=rate_hz))

    def listen(self, pcm: bytes, *, rate_hz: int) -> tuple[Character, ...]:
        """Return the characters heard by the first ear that understands."""
        heard = hear_detailed(pcm, rate_hz=rate_hz)
        if heard.is_tones or self._phrases is None:
            return heard.characters
        return self._phrases.listen(pcm, rate_hz=rate_hz)


def make_ear(name: str) -> Ear:
    """Return the ear called "tones", "sphinx", or "auto" (tones first, then sphinx where installed)."""
    if name not in {"tones", "sphinx", "auto"}:
        raise ValueError(f"unknown ear {name!r}: use tones, sphinx or auto")
    if name == "sphinx" and not has_sphinx():
        raise ValueError("the ear sphinx needs the package pocketsphinx: pip install pocketsphinx")
    ears: dict[str, type[ToneEar | PhraseEar | AutoEar]] = {"tones": ToneEar, "sphinx": PhraseEar, "auto": AutoEar}
    return ears[name]()


def has_sphinx() -> bool:
    """Tell whether pocketsphinx is installed."""
    return importlib.util.find_spec("pocketsphinx") is not None


@cache
def phrases() -> tuple[str, ...]:
    """Return the sentences that the phrase ear knows."""
    lines = _PHRASES.read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _load_decoder() -> Any:
    from pocketsphinx import Decoder
    from pocketsphinx.lm import ArpaBoLM

    model = ArpaBoLM(text="\n".join(phrases()), add_start=True)
    model.compute()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "phrases.arpa"
        model.write_file(str(path))
        decoder = Decoder(lm=str(path), loglevel="FATAL", samprate=_SPHINX_HZ)
    grammar = f"#JSGF V1.0;\ngrammar phrases;\npublic <phrase> = {' | '.join(phrases())};\n"
    decoder.add_jsgf_string("sentences", grammar)
    return decoder


def _with_room(pcm: bytes) -> bytes:
    """Return the sound in faint noise, with half a second of it around.

    In digital silence the recogniser loses the first word: 24 of 68 phrases came out right instead of 56.
    """
    samples = np.pad(np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float64), _SPHINX_HZ // 2)
    noisy = samples + np.random.default_rng(0).normal(0, 30, len(samples))
    heard: bytes = np.clip(noisy, -32768, 32767).astype("<i2").tobytes()
    return heard


def _agreement(words: str, sentence: str) -> float:
    """Return the share of the sentence's words that were also heard without its help."""
    heard, said = words.split(), sentence.split()
    return sum(word in heard for word in said) / max(len(heard), len(said), 1)


def _peak(pcm: bytes) -> int:
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
    return int(np.abs(samples.astype(np.int32)).max(initial=0))


def _as_sentence(words: str) -> str:
    text = words.strip().replace(" i ", " I ")
    return text[:1].upper() + text[1:]
