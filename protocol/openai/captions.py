"""A transcription in each of the shapes that clients ask for.

Source: OpenAI API reference, create transcription (objects and stream events); SubRip; W3C WebVTT §4.
"""

import math
import zlib
from collections.abc import Iterator
from typing import Any

from protocol.openai.cues import Cue, cues_of
from protocol.openai.languages import name_of
from protocol.transcription import Sentence, Transcription

Body = dict[str, Any]


def plain(heard: Transcription) -> Body:
    """Return the answer for `json`."""
    body: Body = {"text": heard.text, "usage": _usage(heard)}
    return body | ({"languages": [{"code": heard.language}]} if heard.language else {})


def text(heard: Transcription) -> str:
    """Return the answer for `text`."""
    return f"{heard.text}\n"


def verbose(heard: Transcription, *, temperature: float, with_segments: bool, with_words: bool) -> Body:
    """Return the answer for `verbose_json`; what this recogniser cannot measure of a segment is 0."""
    body: Body = {
        "task": "transcribe",
        "language": name_of(heard.language) or "unknown",
        "duration": round(heard.duration_s, 3),
        "text": heard.text,
    }
    if with_segments:
        body["segments"] = [_segment(n, sentence, temperature) for n, sentence in enumerate(_spoken(heard))]
    if with_words:
        body["words"] = [
            {"word": word.text.strip(), "start": word.begin_s, "end": word.end_s}
            for sentence in heard.sentences
            for word in sentence.words
        ]
    return body | {"usage": {"type": "duration", "seconds": _billed_s(heard)}}


def _segment(number: int, sentence: Sentence, temperature: float) -> Body:
    said = sentence.text.encode("utf-8", "replace")
    return {
        "id": number,
        "seek": int(sentence.begin_s * 100),
        "start": sentence.begin_s,
        "end": sentence.end_s,
        "text": sentence.text,
        "tokens": [],
        "temperature": temperature,
        "avg_logprob": 0.0,
        "compression_ratio": round(len(said) / len(zlib.compress(said)), 3),
        "no_speech_prob": 0.0,
    }


def diarized(heard: Transcription) -> Body:
    """Return the answer for `diarized_json`."""
    return {
        "task": "transcribe",
        "duration": round(heard.duration_s, 3),
        "text": heard.text,
        "segments": list(_turns(heard)),
        "usage": _usage(heard),
    }


def _turns(heard: Transcription) -> Iterator[Body]:
    """Yield who said what; voices without a name are lettered in the order in which they are first heard."""
    voices = dict.fromkeys(sentence.speaker or 0 for sentence in _spoken(heard))
    strangers = [voice for voice in voices if voice not in heard.names]
    names = {voice: _letters(place) for place, voice in enumerate(strangers)} | dict(heard.names)
    for number, sentence in enumerate(_spoken(heard)):
        yield {
            "type": "transcript.text.segment",
            "id": f"seg_{number}",
            "start": sentence.begin_s,
            "end": sentence.end_s,
            "text": sentence.text,
            "speaker": names[sentence.speaker or 0],
        }


def _letters(place: int) -> str:
    """Return A to Z, then AA, AB, …"""
    return (_letters(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def srt(heard: Transcription) -> str:
    """Return SubRip subtitles."""
    return "".join(
        f"{number}\n{_clock(cue.begin_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{cue.text}\n\n"
        for number, cue in enumerate(_cues(heard), 1)
    )


def vtt(heard: Transcription) -> str:
    """Return WebVTT subtitles."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.begin_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_escaped(cue.text)}\n\n" for cue in _cues(heard)
    )


def _cues(heard: Transcription) -> Iterator[Cue]:
    return cues_of(_spoken(heard))


def _spoken(heard: Transcription) -> tuple[Sentence, ...]:
    """Return the sentences; a text whose times nobody told is one, as long as the recording."""
    if heard.sentences or not heard.text:
        return heard.sentences
    return (Sentence(text=heard.text, begin_s=0.0, end_s=round(heard.duration_s, 3)),)


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(time_ms: int, mark: str) -> str:
    seconds, ms = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{ms:03}"


# --- the stream


def delta(piece: str, *, segment_id: str = "") -> Body:
    """Return the event for a piece of the text."""
    body = {"type": "transcript.text.delta", "delta": piece}
    return body | ({"segment_id": segment_id} if segment_id else {})


def spoken_turns(heard: Transcription) -> Iterator[Body]:
    """Yield the events of a recording with several voices: for each sentence its text, then who said it and when."""
    for turn in _turns(heard):
        yield delta(turn["text"], segment_id=turn["id"])
        yield turn


def done(heard: Transcription) -> Body:
    """Return the last event. Its usage can only be told in tokens."""
    body: Body = {"type": "transcript.text.done", "text": heard.text}
    body |= {"languages": [{"code": heard.language}]} if heard.language else {}
    return body | ({"usage": _usage(heard)} if heard.tokens else {})


def _usage(heard: Transcription) -> Body:
    if (tokens := heard.tokens) is None:
        return {"type": "duration", "seconds": _billed_s(heard)}
    return {
        "type": "tokens",
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "input_token_details": {"text_tokens": max(0, tokens.input - tokens.audio), "audio_tokens": tokens.audio},
    }


def _billed_s(heard: Transcription) -> int:
    return math.ceil(round(heard.duration_s, 3))
