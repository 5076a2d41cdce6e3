"""The ear: it hears the sound alphabet exactly, and says where the sound is damaged.

How it works
------------
Every 10 ms the strength of the 64 tones is measured in a 40 ms Hann window (whose zeros fall on the neighbouring
tones).  At each instant either the even or the odd tones win; the moments where they change places are the
boundaries between symbols.  Between two boundaries lies one symbol of 60 ms: its loudest low tone and loudest high
tone are its byte.  A run that is too short was cut; one that is too long hides a lost or repeated symbol; a pause
must be followed by an even symbol; and where the row of boundaries jumps off its 60 ms grid, a piece shorter than a
symbol was lost or repeated.  All are reported as damage; where a byte is missing the text has U+FFFD.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emulator.alphabet import SYMBOL_MS
from emulator.containers import decode_audio
from emulator.spectrum import HOP_MS, Floats, Ints, Spectrum, spectrum_of

__all__ = ["Character", "Damage", "Hearing", "decode_audio", "hear", "hear_detailed", "spread"]

_HOPS_PER_SYMBOL: Final = SYMBOL_MS // HOP_MS
_SHORTEST, _LONGEST = 4, 8  # hops a sound symbol may seem to last: codecs move a boundary by up to two
_LARGEST_JITTER_MS: Final = 9.0
_FLOOR: Final = 0.002  # of full scale: -54 dB


@dataclass(frozen=True, slots=True)
class Character:
    """One heard character and the time of its sound."""

    char: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A place where the sound was not a clean row of symbols."""

    at_ms: int
    kind: str  # "cut" | "joined" | "start lost" | "shifted"


@dataclass(frozen=True, slots=True)
class Hearing:
    """What was heard: the text, each character's time, and every damaged place."""

    text: str
    characters: tuple[Character, ...]
    damage: tuple[Damage, ...]
    is_tones: bool


@dataclass(frozen=True, slots=True)
class _Symbol:
    """One symbol; byte -1 stands for a byte that cannot be told."""

    byte: int
    start_ms: float
    end_ms: float
    damage: str = ""


def hear(pcm: bytes, *, rate_hz: int) -> str:
    """Return the text spoken in the sound alphabet; silence and other sounds give an empty text."""
    return hear_detailed(pcm, rate_hz=rate_hz).text


def hear_detailed(pcm: bytes, *, rate_hz: int) -> Hearing:
    """Return the text with the time of each character and every damaged place.

    Shape: PCM is s16le mono at `rate_hz` (8 000 or more), any length.
    """
    sound = spectrum_of(pcm, rate_hz=rate_hz)
    labels = _label(sound)
    runs = _runs_of(labels, sound)
    if not _is_alphabet(sound, labels, runs.ends - runs.starts):
        return Hearing("", (), (), is_tones=False)
    symbols = list(_symbols(sound, labels, runs))
    characters = tuple(_characters(symbols))
    damage = [Damage(round(s.start_ms), s.damage) for s in symbols if s.damage] + list(_shifts(symbols))
    damage.sort(key=lambda place: place.at_ms)
    return Hearing("".join(c.char for c in characters), characters, tuple(damage), is_tones=True)


def spread(text: str, duration_ms: int) -> tuple[Character, ...]:
    """Return the characters of a text spread evenly over a duration, where nobody knows the true times."""
    step = duration_ms / max(1, len(text))
    return tuple(Character(char, int(n * step), int((n + 1) * step)) for n, char in enumerate(text))


def _label(sound: Spectrum) -> Ints:
    """Return per hop 0 for a pause, 1 where the even tones win, 2 where the odd ones do."""
    strength = sound.strength
    is_sound = _without_dips(strength > np.maximum(_FLOOR, 0.2 * _loudness_around(strength)))
    return np.where(is_sound, np.where(sound.lead_of_even > 0, 1, 2), 0)


def _without_dips(is_sound: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the same with pauses of one or two hops filled: between two symbols the sound may dip."""
    starts, ends = _runs(is_sound.astype(np.intp))
    is_dip = ~is_sound[starts] & (ends - starts <= 2) & (starts > 0) & (ends < len(is_sound))
    return np.repeat(is_sound[starts] | is_dip, ends - starts)


def _loudness_around(strength: Floats) -> Floats:
    """Return the peak within about half a second of each hop: levels may change, edges must stay edges."""
    size = 25
    blocks = np.pad(strength, (0, -len(strength) % size)).reshape(-1, size).max(axis=1)
    wide = np.pad(blocks, 2)
    peaks = np.max([wide[n : n + len(blocks)] for n in range(5)], axis=0)
    around: Floats = np.repeat(peaks, size)[: len(strength)]
    return around


def _runs(labels: Ints) -> tuple[Ints, Ints]:
    edges = np.flatnonzero(np.diff(labels)) + 1
    return np.concatenate([[0], edges]), np.concatenate([edges, [len(labels)]])


def _moments(lead: Floats, starts: Ints) -> NDArray[np.float64]:
    """Return the start of each run in hops, as exactly as the change of the lead tells."""
    before, after = lead[np.maximum(starts - 1, 0)], lead[starts]
    is_crossing = (before > 0) != (after > 0)
    share = np.where(is_crossing, before / np.where(is_crossing, before - after, 1), 1.0)
    return np.where(starts > 0, starts - 1 + share, 0.0)


def _is_alphabet(sound: Spectrum, labels: Ints, lengths: Ints) -> bool:
    """Tell whether the sound is ours: two pure tones at a time, in steps of one symbol."""
    is_sound = labels > 0
    if not is_sound.any():
        return False
    pair = np.square(sound.low.max(axis=1)) + np.square(sound.high.max(axis=1))
    purity = np.median(pair[is_sound] / (2 * sound.level[is_sound] + 1e-9))
    sounding = labels[np.cumsum(lengths) - 1] > 0
    regular = (lengths >= _SHORTEST) & (lengths <= _LONGEST) & sounding
    return bool(purity > 0.5 and regular.sum() >= 0.5 * sounding.sum())


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of hops with one label, and the moment at which each begins."""

    starts: Ints
    ends: Ints
    begin_ms: NDArray[np.float64]


def _runs_of(labels: Ints, sound: Spectrum) -> _Runs:
    starts, ends = _runs(labels)
    return _Runs(starts, ends, _moments(sound.lead_of_even, starts) * sound.hop_ms)


def _symbols(sound: Spectrum, labels: Ints, runs: _Runs) -> Iterator[_Symbol]:
    moments = [*runs.begin_ms.tolist(), len(labels) * sound.hop_ms]
    parity = labels[runs.starts] - 1
    for n, (start, end) in enumerate(zip(runs.starts.tolist(), runs.ends.tolist(), strict=True)):
        odd = int(parity[n])
        if odd < 0:
            continue
        follows_pause = n == 0 or parity[n - 1] < 0
        precedes_pause = n + 1 == len(parity) or parity[n + 1] < 0
        begin_ms, finish_ms = moments[n], moments[n + 1]
        if end - start <= _LONGEST:  # a pause has no exact edge: its neighbours last one symbol
            begin_ms = finish_ms - SYMBOL_MS if follows_pause and not precedes_pause else begin_ms
            finish_ms = begin_ms + SYMBOL_MS if precedes_pause else finish_ms
        if follows_pause and odd:
            yield _Symbol(-1, begin_ms, begin_ms, "start lost")
        low, high = sound.low[start:end, odd::2], sound.high[start:end, odd::2]
        yield from _split(low, high, begin_ms, finish_ms)


def _split(low: Floats, high: Floats, begin_ms: float, finish_ms: float) -> Iterator[_Symbol]:
    """Yield the symbol of a run; a run of the wrong length yields what can be told of it, and the damage."""
    length, one = len(low), _HOPS_PER_SYMBOL
    if length < _SHORTEST:
        yield _Symbol(-1, begin_ms, finish_ms, "cut")
    elif length <= _LONGEST:
        yield _Symbol(_byte(low, high), begin_ms, finish_ms)
    else:
        yield _Symbol(_byte(low[:one], high[:one]), begin_ms, begin_ms + SYMBOL_MS)
        yield _Symbol(-1, begin_ms + SYMBOL_MS, max(begin_ms, finish_ms - SYMBOL_MS), "joined")
        if length >= 2 * one - 1:
            yield _Symbol(_byte(low[-one:], high[-one:]), finish_ms - SYMBOL_MS, finish_ms)


def _byte(low: Floats, high: Floats) -> int:
    """Return the byte of the loudest pair, measured away from the symbol's edges."""
    return 16 * int(low[1:-1].sum(axis=0).argmax()) + int(high[1:-1].sum(axis=0).argmax())


def _shifts(symbols: list[_Symbol]) -> Iterator[Damage]:
    """Yield the places where a row of symbols leaves its 60 ms grid: a piece shorter than a symbol went or came."""
    for row in _rows(symbols):
        offsets = np.array([symbol.start_ms for symbol in row]) - SYMBOL_MS * np.arange(len(row))
        padded = np.pad(offsets, 3, mode="edge") if len(row) else offsets
        smooth = np.median([padded[n : n + len(row) + 4] for n in range(3)], axis=0)
        jumps = np.abs(smooth[3 : 3 + len(row)] - smooth[: len(row)])
        for n in np.flatnonzero(jumps > _LARGEST_JITTER_MS).tolist():
            if jumps[n] > jumps[max(0, n - 3) : n].max(initial=0) and jumps[n] == jumps[n : n + 4].max():
                yield Damage(round(row[n].start_ms), "shifted")


def _rows(symbols: list[_Symbol]) -> Iterator[list[_Symbol]]:
    """Yield the undamaged symbols that follow each other without a pause."""
    row: list[_Symbol] = []
    for symbol in symbols:
        if symbol.damage or (row and symbol.start_ms - row[-1].end_ms > SYMBOL_MS / 2):
            yield row
            row = []
        row += [] if symbol.damage else [symbol]
    yield row


def _characters(symbols: list[_Symbol]) -> Iterator[Character]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    began: float | None = None
    for symbol in symbols:
        began = symbol.start_ms if began is None else began
        text = decoder.decode(bytes([symbol.byte])) if symbol.byte >= 0 else decoder.decode(b"", final=True) + "\ufffd"
        for char in text:
            yield Character(char, round(began), round(symbol.end_ms))
        began = None if text else began
        if symbol.byte < 0:
            decoder.reset()
    for char in decoder.decode(b"", final=True):
        yield Character(char, round(began or 0), round(symbols[-1].end_ms))
