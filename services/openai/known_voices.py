"""Speakers who are known by a sample of their voice.

How it works.  The vendor tells voices apart but knows nobody. So the samples are put before the recording, with pauses
between: whoever is heard in a sample's time has its name in the recording, and the times of the samples are taken out
of what comes back.

Shape: PCM is s16le mono 16 000 Hz.
"""

import dataclasses
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from protocol.errors import BadInput, TooLarge
from protocol.texts import join_texts
from protocol.transcription import Sentence, Transcription, Word
from services.flow import CancelToken
from services.sound.audio import PCM_RATE_HZ
from services.sound.sound_files import Length, open_sound, pcm_of

_BYTES_PER_S = PCM_RATE_HZ * 2
_PAUSE_S = 1.0
"""Long enough for every recogniser to end a sentence."""
_MOST_S = 30.0
_PARAM = "known_speaker_references"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVoices:
    """Samples as they stand before the recording: whose they are, when each begins and ends, and their sound."""

    spans: tuple[tuple[str, float, float], ...] = ()
    pcm: bytes = b""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / _BYTES_PER_S


def known_voices(names: Sequence[str], samples: Sequence[bytes], *, cancel: CancelToken) -> KnownVoices:
    """Return the samples in a row. Raises: BadInput, TooLarge, Cancelled."""
    spans, pcm = [], bytearray()
    for name, sample in zip(names, samples, strict=False):
        begin = len(pcm)
        pcm += _decoded(sample, cancel)
        spans.append((name, begin / _BYTES_PER_S, len(pcm) / _BYTES_PER_S))
        pcm += bytes(int(_PAUSE_S * _BYTES_PER_S))
    return KnownVoices(spans=tuple(spans), pcm=bytes(pcm))


def _decoded(sample: bytes, cancel: CancelToken) -> bytes:
    length, pcm = Length(), bytearray()
    try:
        for piece in pcm_of(open_sound(io.BytesIO(sample)), length=length, cancel=cancel):
            pcm += piece
            if length.seconds > _MOST_S:
                raise TooLarge(f"A sample of a voice is longer than {_MOST_S:g} seconds.")
    except BadInput as error:
        raise type(error)(error.english, code=error.code, param=_PARAM) from error
    return bytes(pcm)


def named(heard: Transcription, voices: KnownVoices, names: Sequence[str]) -> Transcription:
    """Return a transcription without its samples, its voices named: by their samples, or else as they come."""
    if voices.spans:
        return _without_samples(heard, voices)
    order = dict.fromkeys(sentence.speaker or 0 for sentence in heard.sentences)
    return dataclasses.replace(heard, names=dict(zip(order, names, strict=False)))


def _without_samples(heard: Transcription, voices: KnownVoices) -> Transcription:
    begin_s = voices.seconds - _PAUSE_S / 2
    kept = tuple(_earlier(s, voices.seconds) for s in heard.sentences if (s.begin_s + s.end_s) / 2 >= begin_s)
    names: dict[int, str] = {}
    for name, *span in voices.spans:
        if (speaker := _heard_in(heard, *span)) is not None:
            names.setdefault(speaker, name)
    return dataclasses.replace(heard, text=join_texts(sentence.text for sentence in kept), sentences=kept, names=names)


def _heard_in(heard: Transcription, begin_s: float, end_s: float) -> int | None:
    """Return who speaks most of the time between two moments."""
    spoken: Counter[int] = Counter()
    for sentence in heard.sentences:
        common_s = min(sentence.end_s, end_s) - max(sentence.begin_s, begin_s)
        if common_s > 0:
            spoken[sentence.speaker or 0] += round(common_s * 1000)
    return spoken.most_common(1)[0][0] if spoken else None


def _earlier(sentence: Sentence, seconds: float) -> Sentence:
    def moved(time_s: float) -> float:
        return max(0.0, round(time_s - seconds, 3))

    words = tuple(
        Word(text=w.text, punctuation=w.punctuation, begin_s=moved(w.begin_s), end_s=moved(w.end_s))
        for w in sentence.words
    )
    return dataclasses.replace(sentence, begin_s=moved(sentence.begin_s), end_s=moved(sentence.end_s), words=words)
