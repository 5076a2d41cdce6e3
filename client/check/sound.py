"""The server's voice, and its ear: what it says in each format, and whether it understands what it said."""

import base64
import io
import math
import struct
import wave
from functools import partial
from typing import Any, Final

import msgspec

from client.check.site import Answer, Failed
from client.check.visit import SAYING, Surface, Visit

_SPEECH: Final = "/v1/audio/speech"
_TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
_TONE_HZ, _TONE_RATE_HZ, _TONE_S = 440, 16_000, 1.0
_MAGIC: Final = {
    "mp3": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa"),
    "opus": (b"OggS",),
    "aac": (b"\xff\xf1", b"\xff\xf9"),
    "flac": (b"fLaC",),
    "wav": (b"RIFF",),
    "pcm": (b"",),
}
"""How the sound of each `response_format` begins; AAC comes in ADTS frames, PCM is bare."""
_STREAMING: Final = {"whisper-1": "gpt-4o-mini-transcribe", "tts-1": "gpt-4o-mini-tts"}
"""OpenAI's older models do not stream, these do.  Source: OpenAI API reference, create transcription, create speech"""


def speech(visit: Visit, kind: str) -> str:
    """Let the server say something in one format; the WAV is kept for its ear."""
    answer = visit.site.post(_SPEECH, _saying(visit, response_format=kind)).expect(200)
    if answer.content_type.startswith(("application/json", "text/")):
        raise Failed(f"{answer.content_type} instead of sound")
    if not answer.body or not answer.body.startswith(_MAGIC[kind]):
        raise Failed(f"this is not {kind}: it begins with {answer.body[:4].hex() or 'nothing'}")
    if kind == "wav":
        visit.recording = answer.body
    return f"{len(answer.body):,} bytes, {answer.content_type}"


def speech_events(visit: Visit) -> str:
    model = _STREAMING.get(visit.tts_model, visit.tts_model)
    request = _saying(visit, stream_format="sse", model=model)
    answer = visit.site.post(_SPEECH, request).expect(200, "text/event-stream")
    events = _events(answer)
    sound = b"".join(base64.b64decode(e["audio"]) for e in events if e["type"] == "speech.audio.delta")
    if not sound:
        raise Failed("no sound in speech.audio.delta")
    if events[-1]["type"] != "speech.audio.done":
        raise Failed(f"the last event is {events[-1]['type']}")
    return f"{len(sound):,} bytes in {len(events) - 1} pieces"


def transcript(visit: Visit) -> str:
    return visit.expect_saying(_text(_heard(visit, "json").expect(200, "application/json").json()))


def transcript_verbose(visit: Visit) -> str:
    body = _heard(visit, "verbose_json").expect(200, "application/json").json()
    seconds = body.get("duration")
    if not isinstance(seconds, int | float) or seconds <= 0:
        raise Failed(f"duration is {seconds!r}")
    return f"{visit.expect_saying(_text(body))}, {seconds:.1f} s, {len(body.get('segments') or [])} segments"


def captions(visit: Visit, kind: str) -> str:
    text = _heard(visit, kind).expect(200).text
    if kind == "vtt" and not text.startswith("WEBVTT"):
        raise Failed(f"it begins with {text[:12]!r} instead of WEBVTT")
    cues = text.count(" --> ")
    if visit.recording and not cues:
        raise Failed("no cue")
    return f"{cues} cues"


def transcript_streamed(visit: Visit) -> str:
    model = _STREAMING.get(visit.asr_model, visit.asr_model)
    events = _events(_heard(visit, "json", model=model, stream="true").expect(200, "text/event-stream"))
    if events[-1]["type"] != "transcript.text.done":
        raise Failed(f"the last event is {events[-1]['type']}")
    deltas = "".join(event["delta"] for event in events if event["type"] == "transcript.text.delta")
    if deltas.strip() != events[-1]["text"].strip():
        raise Failed(f"the deltas say {deltas!r}, the end says {events[-1]['text']!r}")
    return f"{visit.expect_saying(events[-1]['text'])}, {len(events)} events"


def tone() -> bytes:
    """Return a WAV file of one second of a plain tone, for an ear whose server has no voice."""
    count = int(_TONE_RATE_HZ * _TONE_S)
    samples = [int(8000 * math.sin(math.tau * _TONE_HZ * n / _TONE_RATE_HZ)) for n in range(count)]
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, _TONE_RATE_HZ, count, "NONE", ""))
        sound.writeframes(struct.pack(f"<{count}h", *samples))
    return file.getvalue()


def _saying(visit: Visit, **more: str) -> dict[str, Any]:
    return {"model": visit.tts_model, "voice": visit.voice, "input": SAYING} | more


def _recording(visit: Visit) -> bytes:
    return visit.recording or tone()


def _heard(visit: Visit, kind: str, **more: str) -> Answer:
    fields = {"model": visit.asr_model, "response_format": kind} | more
    return visit.site.upload(_TRANSCRIPTIONS, file=_recording(visit), filename="check.wav", fields=fields)


def _text(body: dict[str, Any]) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise Failed("no `text`")
    return text


def _events(answer: Answer) -> list[dict[str, Any]]:
    events = [msgspec.json.decode(e, type=dict[str, Any]) for e in answer.events() if e != "[DONE]"]
    for event in events:
        if "error" in event:
            raise Failed(f"the stream broke off: {event['error'].get('message')}")
    if not events:
        raise Failed("no event")
    return events


SURFACES = (
    *(Surface(name=f"speech, {kind}", look=partial(speech, kind=kind)) for kind in _MAGIC),
    Surface(name="speech, events", look=speech_events, is_optional=True),
    Surface(name="transcription", look=transcript),
    Surface(name="transcription, verbose", look=transcript_verbose),
    *(Surface(name=f"transcription, {kind}", look=partial(captions, kind=kind)) for kind in ("srt", "vtt")),
    Surface(name="transcription, streamed", look=transcript_streamed),
)
