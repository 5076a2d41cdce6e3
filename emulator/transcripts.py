"""The result file of a transcription task: sentences and words with their true times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from emulator.asr import guess_language
from emulator.ear import Character

_SENTENCE_END: Final = frozenset("。！？!?；;\n….")
_PUNCTUATION: Final = re.compile(r"[^\w\s]|_")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_PAUSE_MS: Final = 500


def transcript_file(
    url: str, characters: tuple[Character, ...], *, model: str, parameters: dict[str, Any], audio: tuple[int, int]
) -> dict[str, Any]:
    """Return the result file in the family's form; `audio` is (duration in ms, rate in Hz)."""
    is_qwen = "filetrans" in model
    sentences = [
        _sentence(part, number, parameters, is_qwen=is_qwen)
        for number, part in enumerate(sentences_of(characters), 0 if is_qwen else 1)
    ]
    text = "".join(c.char for c in characters)
    if is_qwen:
        info = {"format": "wav", "sample_rate": audio[1]}
        return {
            "file_url": url,
            "audio_info": info,
            "transcripts": [{"channel_id": 0, "text": text, "sentences": sentences}],
        }
    spoken_ms = sum(s["end_time"] - s["begin_time"] for s in sentences)
    transcript = {"channel_id": 0, "content_duration_in_milliseconds": spoken_ms, "text": text, "sentences": sentences}
    properties = {
        "audio_format": "pcm_s16le",
        "channels": [0],
        "original_sampling_rate": audio[1],
        "original_duration_in_milliseconds": audio[0],
    }
    return {"file_url": url, "properties": properties, "transcripts": [transcript]}


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
    if parameters.get("diarization_enabled"):
        sentence["speaker_id"] = 0
    if not is_qwen or parameters.get("enable_words"):
        sentence["words"] = [
            {"begin_time": start, "end_time": end, "text": word, "punctuation": mark}
            for word, mark, start, end in words_of(characters)
        ]
    return sentence
