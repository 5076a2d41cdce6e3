"""CosyVoice over HTTP: a text becomes a link to a sound file, or a stream of sentences with their sound.

Source: DashScope HTTP reference §5.2, and the parser of SDK 2.0.2 (audio.http_tts).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import numpy as np
from flask import Blueprint, Response, g

from emulator import faults
from emulator.calls import Call
from emulator.cosyvoice_request import SynthesisRequest, check_synthesis
from emulator.ear import Character
from emulator.encoding import make_encoder
from emulator.files import keep_result
from emulator.models import find_model
from emulator.requests import JSON, native_error_frame, native_frames, open_native, stream_response, text_of
from emulator.transcripts import sentences_of, words_of
from emulator.tts_http import KEPT_S, audio_object
from emulator.voice import pcm_to_wav

blueprint = Blueprint("cosyvoice", __name__)
Output = dict[str, Any]
_TYPES: Final = {"mp3": "audio/mpeg", "pcm": "audio/pcm", "wav": "audio/x-wav", "opus": "audio/ogg"}


@blueprint.post("/api/v1/services/audio/tts/SpeechSynthesizer")
def synthesise() -> Response:
    """Speak a text, whole or streamed."""
    call, body, inputs = open_native()
    model = find_model(str(body.get("model") or ""), "cosyvoice", retired=call.scenario.models.retired)
    wanted = check_synthesis(model, inputs)
    fault = faults.before_answer(call, "tts_http")
    if g.is_stream:
        frames = native_frames(_stream(wanted, call), call.request_id)
        return stream_response(faults.on_stream(frames, fault, call, native_error_frame(call)))
    call.pause(call.scenario.latency.tts_first_audio_ms)
    pcm = b"".join(sentence.pcm for sentence in _spoken(wanted, call))
    answer = _ending(wanted, pcm, call) | {"request_id": call.request_id}
    return Response(faults.on_body(text_of(answer).encode(), fault), content_type=JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    """One spoken sentence; `begin_ms` counts from the beginning of the whole sound."""

    index: int
    text: str
    pcm: bytes
    begin_ms: float
    duration_ms: float
    is_last: bool


def _spoken(wanted: SynthesisRequest, call: Call) -> Iterator[_Sentence]:
    utterance, begin_ms = call.vendor.voice.begin(wanted.rate_hz), 0.0
    texts = _sentences(wanted.text)
    for index, text in enumerate(texts):
        utterance.add(text)
        is_last = index + 1 == len(texts)
        if is_last:
            utterance.finish()
        pcm = _louder(utterance.take(max(1, utterance.pending_ms)), wanted.volume)
        lasts_ms = len(pcm) * 500 / wanted.rate_hz
        yield _Sentence(index=index, text=text, pcm=pcm, begin_ms=begin_ms, duration_ms=lasts_ms, is_last=is_last)
        begin_ms += lasts_ms


def _sentences(text: str) -> list[str]:
    characters = tuple(Character(char, 0, 0) for char in text)
    return ["".join(c.char for c in sentence) for sentence in sentences_of(characters)]


def _louder(pcm: bytes, volume: int) -> bytes:
    if volume == 50:
        return pcm
    samples: bytes = np.clip(np.frombuffer(pcm, "<i2") * (volume / 50), -32768, 32767).astype("<i2").tobytes()
    return samples


def _stream(wanted: SynthesisRequest, call: Call) -> Iterator[Output]:
    """Yield the frames: each sentence begins, sounds and ends; the last frame links to the whole sound."""
    whole, pieces = bytearray(), _Pieces(wanted, call)
    for sentence in _spoken(wanted, call):
        whole += sentence.pcm
        yield _frame("begin", sentence, wanted, call)
        for data in pieces.of(sentence):
            yield _frame("synthesis", sentence, wanted, call, data=data)
        yield _frame("end", sentence, wanted, call, words=_words(sentence) if wanted.has_word_times else [])
    yield _ending(wanted, bytes(whole), call)


def _frame(
    kind: str, sentence: _Sentence, wanted: SynthesisRequest, call: Call, *, data: bytes = b"", words: Any = ()
) -> Output:
    output = {
        "finish_reason": "null",
        "type": f"sentence-{kind}",
        "original_text": sentence.text,
        "sentence": {"index": sentence.index, "words": words},
        "audio": audio_object(data, call),
    }
    return {"output": output, "usage": {"characters": wanted.characters}}


class _Pieces:
    """The sound of a stream in pieces of the wanted format, each at its time."""

    def __init__(self, wanted: SynthesisRequest, call: Call) -> None:
        self._encoder = make_encoder(_session(wanted))
        self._call, self._rate_hz = call, wanted.rate_hz
        self._due_s = time.monotonic() + call.scenario.latency.tts_first_audio_ms / 1000

    def of(self, sentence: _Sentence) -> Iterator[bytes]:
        """Yield the pieces of one sentence; an encoder may keep some of it until the next."""
        latency = self._call.scenario.latency
        size = self._rate_hz * max(20, latency.tts_delta_ms) // 1000 * 2
        for start in range(0, len(sentence.pcm), size):
            self._call.pause_until(self._due_s)
            piece = sentence.pcm[start : start + size]
            if data := self._encoded(piece, is_last=sentence.is_last and start + size >= len(sentence.pcm)):
                yield data
            self._due_s += len(piece) / 2 / self._rate_hz / latency.tts_speed if latency.tts_speed > 0 else 0

    def _encoded(self, piece: bytes, *, is_last: bool) -> bytes:
        return self._encoder.push(piece, is_last=is_last) if self._encoder else piece


def _words(sentence: _Sentence) -> list[dict[str, Any]]:
    """Return the sentence's words; a character lasts as long as its UTF-8 form is, as in the sound alphabet."""
    lengths = [len(char.encode("utf-8", "replace")) for char in sentence.text]
    ends = list(accumulate(lengths))
    scale = sentence.duration_ms / (ends[-1] + sentence.is_last)
    times = [round(sentence.begin_ms + end * scale) for end in [0, *ends]]
    heard = tuple(Character(char, times[n], times[n + 1]) for n, char in enumerate(sentence.text))
    words, at = [], 0
    for word, mark, begin_ms, end_ms in words_of(heard):
        place = {"begin_index": at, "end_index": at + len(word) + len(mark)}
        words.append({"text": word + mark} | place | {"begin_time": begin_ms, "end_time": end_ms})
        at += len(word) + len(mark)
    return words


def _ending(wanted: SynthesisRequest, pcm: bytes, call: Call) -> Output:
    """Keep the whole sound and return the last frame, which is also the body of a whole answer."""
    call.note("spoken", text=wanted.text, audio_ms=len(pcm) * 500 // wanted.rate_hz, voice=wanted.voice)
    url = keep_result(call.vendor, f"audio.{wanted.format}", _file(wanted, pcm), _TYPES[wanted.format])
    audio = audio_object("", call, expires_in_s=KEPT_S) | {"url": url}
    return {"output": {"finish_reason": "stop", "audio": audio}, "usage": {"characters": wanted.characters}}


def _file(wanted: SynthesisRequest, pcm: bytes) -> bytes:
    if wanted.format == "wav":
        return pcm_to_wav(pcm, rate_hz=wanted.rate_hz)
    encoder = make_encoder(_session(wanted))
    return encoder.push(pcm, is_last=True) if encoder else pcm


def _session(wanted: SynthesisRequest) -> dict[str, Any]:
    return {"response_format": wanted.format, "sample_rate": wanted.rate_hz, "bit_rate": wanted.bit_rate}
