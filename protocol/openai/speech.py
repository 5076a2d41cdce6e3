"""`POST /v1/audio/speech`: what may be asked, and the events of a streamed answer.

Source: OpenAI API reference, create speech; DashScope HTTP reference §5 for the parameters beyond OpenAI's.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from protocol.errors import BadInput
from protocol.openai.reading import convert, read_object

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
StreamFormat = Literal["audio", "sse"]
SampleRate = Literal[8000, 16000, 22050, 24000, 44100, 48000]

CONTENT_TYPES: dict[Format, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
RATE_HZ = 24_000
"""Of every format that nobody wishes otherwise, but Opus."""

_CHOICES = {
    "response_format": get_args(Format),
    "stream_format": get_args(StreamFormat),
    "sample_rate": get_args(SampleRate),
}
_MOST_INSTRUCTIONS = 4096
_ABSENT_INSTRUCTIONS = ("None", "none", "null")
"""What clients send that turn an empty setting into text."""


class VoiceId(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A voice by its id, as custom voices are named."""

    id: str


class SpeechRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One text to be read aloud.

    Empty and null mean "not said", except for `input`. The last five are not OpenAI's: the language's English name
    (or Auto), the sample rate in Hz, and what some of the vendor's voices let one choose.
    """

    input: Annotated[str, Meta(min_length=1)]
    model: str = ""
    voice: str | VoiceId = ""
    instructions: Annotated[str, Meta(max_length=_MOST_INSTRUCTIONS)] = ""
    response_format: Format = "mp3"
    speed: Annotated[float, Meta(ge=0.25, le=4)] = 1.0
    stream_format: StreamFormat = "audio"
    language_type: str = ""
    sample_rate: SampleRate | None = None
    pitch: Annotated[float, Meta(ge=0.5, le=2)] | None = None
    volume: Annotated[int, Meta(ge=0, le=100)] | None = None
    seed: Annotated[int, Meta(ge=0, le=65535)] | None = None

    @property
    def content_type(self) -> str:
        """What the answer is; bare PCM says its rate, because clients that wrap it read it from here."""
        if self.response_format == "pcm":
            return f"audio/pcm;rate={self.sample_rate or RATE_HZ};channels=1"
        return CONTENT_TYPES[self.response_format]

    @property
    def voice_name(self) -> str:
        return self.voice if isinstance(self.voice, str) else self.voice.id


def read_speech_request(body: bytes) -> SpeechRequest:
    """Return what a JSON body asks for. Raises: BadInput naming the parameter."""
    return _read(read_object(body))


def read_speech_form(fields: Mapping[str, str]) -> SpeechRequest:
    """Return what the fields of a form ask for. Raises: BadInput naming the parameter."""
    return _read(dict(fields), is_form=True)


def _read(fields: dict[str, Any], *, is_form: bool = False) -> SpeechRequest:
    said = {name: value for name, value in fields.items() if name == "input" or value not in (None, "")}
    if said.get("instructions") in _ABSENT_INSTRUCTIONS:
        del said["instructions"]
    try:
        request = convert(said, SpeechRequest, is_form=is_form)
    except BadInput as error:
        raise _with_choices(error) from error
    if request.speed != request.speed:  # not a number passes every comparison
        raise BadInput("Invalid 'speed': expected a number from 0.25 to 4.", param="speed")
    return request


def _with_choices(error: BadInput) -> BadInput:
    """Return the refusal of a value that is none of a few, with the few."""
    choices = _CHOICES.get(error.param or "")
    if not choices or error.code != "invalid_value":
        return error
    message = f"Invalid '{error.param}': expected one of {', '.join(map(str, choices))}."
    return BadInput(message, code=error.code, param=error.param)


class SpeechUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer cost: the text as the vendor counts it, the sound in its tokens."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class SpeechDelta(msgspec.Struct, frozen=True, kw_only=True, tag="speech.audio.delta", tag_field="type"):
    """A piece of the sound, in the format that was asked for."""

    audio: bytes


class SpeechDone(msgspec.Struct, frozen=True, kw_only=True, tag="speech.audio.done", tag_field="type"):
    """The end of a streamed answer."""

    usage: SpeechUsage
