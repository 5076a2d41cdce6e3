"""The result file of a transcription task: sentences and words with their true times."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from emulator.asr import guess_language
from emulator.ear import Character

_SENTENCE_END: Final = frozenset("。！？!?；;\n….")
_PUNCTUATION: Final = re.compile(r"[^\w\s]|_")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_PAUSE_MS: Final = 500
_MOST_SPEAKERS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One decoded file and what was heard on each of the channels asked for: (channel number, its characters)."""

    url: str
    rate_hz: int
    duration_ms: int
    channel_count: int
    tracks: tuple[tuple[int, tuple[Character, ...]], ...]

    @property
    def text(self) -> str:
        """All that was heard."""
        return "".join(character.char for _, characters in self.tracks for character in characters)


def transcript_file(
    recording: Recording, *, model: str, parameters: dict[str, Any], speakers: list[int]
) -> dict[str, Any]:
    """Return the result file in the family's form; `speakers` are who speaks each sentence, in turn."""
    is_qwen = "filetrans" in model
    turns = itertools.cycle(speakers or [0]) if _is_diarized(recording, parameters, is_qwen=is_qwen) else None
    transcripts = [_transcript(*track, parameters, turns, is_qwen=is_qwen) for track in recording.tracks]
    if is_qwen:
        info = {"format": "wav", "sample_rate": recording.rate_hz}
        return {"file_url": recording.url, "audio_info": info, "transcripts": transcripts}
    properties = {
        "audio_format": "pcm_s16le",
        "channels": [number for number, _ in recording.tracks],
        "original_sampling_rate": recording.rate_hz,
        "original_duration_in_milliseconds": recording.duration_ms,
    }
    return {"file_url": recording.url, "properties": properties, "transcripts": transcripts}


def _is_diarized(recording: Recording, parameters: dict[str, Any], *, is_qwen: bool) -> bool:
    """Speakers are told apart in recordings of one channel, and not by the Qwen family."""
    return bool(parameters.get("diarization_enabled")) and recording.channel_count == 1 and not is_qwen


def _transcript(
    channel: int,
    characters: tuple[Character, ...],
    parameters: dict[str, Any],
    turns: Iterator[int] | None,
    *,
    is_qwen: bool,
) -> dict[str, Any]:
    sentences = [
        _sentence(part, number, parameters, is_qwen=is_qwen)
        for number, part in enumerate(sentences_of(characters), 0 if is_qwen else 1)
    ]
    for sentence, speaker in zip(sentences, turns or (), strict=False):
        sentence["speaker_id"] = min(speaker, (parameters.get("speaker_count") or _MOST_SPEAKERS) - 1)
    text = "".join(c.char for c in characters)
    spoken_ms = sum(s["end_time"] - s["begin_time"] for s in sentences)
    length = {} if is_qwen else {"content_duration_in_milliseconds": spoken_ms}
    return {"channel_id": channel, **length, "text": text, "sentences": sentences}


def sentences_of(characters: tuple[Character, ...]) -> Iterator[tuple[Character, ...]]:
    """Yield the sentences: they end at a mark or before a pause."""
    start = 0
    for n, character in enumerate(characters):
        following = characters[n + 1] if n + 1 < len(characters) else None
        is_marked = character.char in _SENTENCE_END and not (following and following.char in _SENTENCE_END | {'"'})
        is_decimal = character.char == "." and following is not None and not following.char.isspace()
        is_pause = following is not None and following.start_ms - character.end_ms > _PAUSE_MS
        if following is None or is_pause or (is_marked and not is_decimal):
            yield characters[start : n + 1]
            start = n + 1


def words_of(characters: tuple[Character, ...]) -> Iterator[tuple[str, str, int, int]]:
    """Yield (word, punctuation, start, end): each Han character is a word, others are cut at spaces and marks."""
    word, mark, start, end = "", "", 0, 0
    for c in characters:
        is_mark = bool(_PUNCTUATION.match(c.char))
        begins = not is_mark and (bool(mark) or word.endswith(" ") or bool(_HAN.match(c.char) or _HAN.search(word)))
        if word and begins and not c.char.isspace():
            yield word, mark, start, end
            word = mark = ""
        start, end = (c.start_ms if not word and not mark else start), c.end_ms
        if is_mark or (mark and c.char.isspace()):
            mark += c.char
        else:
            word += c.char
    if word or mark:
        yield word, mark, start, end


def _sentence(
    characters: tuple[Character, ...], number: int, parameters: dict[str, Any], *, is_qwen: bool
) -> dict[str, Any]:
    text = "".join(c.char for c in characters)
    sentence: dict[str, Any] = {"begin_time": characters[0].start_ms, "end_time": characters[-1].end_ms, "text": text}
    sentence["sentence_id"] = number
    if is_qwen:
        sentence |= {"language": parameters.get("language") or guess_language(text), "emotion": "neutral"}
    if not is_qwen or parameters.get("enable_words"):
        sentence["words"] = [
            {"begin_time": start, "end_time": end, "text": word, "punctuation": mark}
            for word, mark, start, end in words_of(characters)
        ]
    return sentence
