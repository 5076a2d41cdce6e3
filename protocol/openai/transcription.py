"""Requests for a transcription: a form or a JSON body becomes one record, or a 400 that names the parameter.

Source: OpenAI API reference, create transcription.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from protocol.errors import BadInput
from protocol.openai.forms import fold
from protocol.openai.languages import code_of
from protocol.openai.reading import convert, read_object
from protocol.openai.sound_source import SoundFields, decoded, source_of

Format = Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
Granularity = Literal["word", "segment"]

TIMED_FORMATS: tuple[Format, ...] = ("srt", "vtt", "verbose_json", "diarized_json")
"""They tell when something was said."""
STREAMED_FORMATS: tuple[Format, ...] = ("json", "text", "diarized_json")

_LISTS = (
    "languages",
    "keywords",
    "include",
    "timestamp_granularities",
    "known_speaker_names",
    "known_speaker_references",
)


class ServerVad(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a long recording may be cut: at pauses of `silence_duration_ms`.

    Nothing is ever left out of it, so there is nothing that `threshold` and `prefix_padding_ms` could keep.
    """

    type: Literal["server_vad"]
    prefix_padding_ms: Annotated[int, Meta(ge=0, le=60_000)] = 300
    silence_duration_ms: Annotated[int, Meta(ge=0, le=60_000)] = 200
    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.5


class TranscriptionRequest(SoundFields, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client may send, as it is sent. The recording itself may come beside it, as the form's file."""

    model: Annotated[str, Meta(min_length=1, max_length=200)]
    language: str = ""
    languages: list[str] = []
    keywords: Annotated[list[str], Meta(max_length=1000)] = []
    prompt: Annotated[str, Meta(max_length=40_000)] = ""
    response_format: Format = "json"
    temperature: Annotated[float, Meta(ge=0, le=1)] = 0.0
    include: list[str] = []
    timestamp_granularities: list[Granularity] = []
    stream: bool = False
    chunking_strategy: Literal["auto"] | ServerVad = "auto"
    known_speaker_names: Annotated[list[str], Meta(max_length=4)] = []
    known_speaker_references: Annotated[list[str], Meta(max_length=4)] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that can be served: checked, and its words reduced to one spelling.

    `voices` are samples (sound files) of the `speakers`, one each, or none at all.  `data` or `link` is the recording
    when it did not come as a file; `pcm_rate_hz` is 0 unless it is bare s16le mono.
    """

    model: str
    format: Format
    languages: tuple[str, ...] = ()
    context: str = ""
    temperature: float = 0.0
    with_words: bool = False
    with_segments: bool = True
    is_stream: bool = False
    silence_ms: int = 200
    speakers: tuple[str, ...] = ()
    voices: tuple[bytes, ...] = ()
    data: bytes | None = None
    link: str = ""
    pcm_rate_hz: int = 0

    @property
    def language(self) -> str:
        """The one language that it can be, "" when there are several or none was named."""
        return self.languages[0] if len(self.languages) == 1 else ""

    @property
    def needs_times(self) -> bool:
        return self.format in TIMED_FORMATS


def read_form(fields: Iterable[tuple[str, str]]) -> Asked:
    """Return what a form asks for. Raises: BadInput."""
    folded = fold(fields, lists=_LISTS)
    strategy = folded.get("chunking_strategy")
    if isinstance(strategy, str) and strategy.lstrip().startswith("{"):
        folded["chunking_strategy"] = _read_strategy(strategy)
    return _checked(convert(folded, TranscriptionRequest, is_form=True))


def _read_strategy(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput("'chunking_strategy' is not valid JSON.", param="chunking_strategy") from error


def read_body(body: bytes) -> Asked:
    """Return what a JSON body asks for. Raises: BadInput."""
    given = {name: value for name, value in read_object(body).items() if value not in (None, "")}
    return _checked(convert(given, TranscriptionRequest))


def _checked(request: TranscriptionRequest) -> Asked:
    """Refuse by name what cannot be honoured. Raises: BadInput."""
    _check_times(request)
    _check_speakers(request)
    if request.include:
        raise _unsupported("include", "This recogniser does not tell probabilities; leave 'include' out.")
    if request.stream and request.response_format not in STREAMED_FORMATS:
        raise _unsupported(
            "response_format", f"A stream is json, text or diarized_json, not {request.response_format}."
        )
    asked = Asked(
        model=request.model,
        format=request.response_format,
        languages=_languages(request),
        context="\n".join([*([request.prompt] if request.prompt else []), *request.keywords]),
        temperature=request.temperature,
        with_words="word" in request.timestamp_granularities,
        with_segments=request.timestamp_granularities != ["word"],
        is_stream=request.stream,
        silence_ms=200 if request.chunking_strategy == "auto" else request.chunking_strategy.silence_duration_ms,
        speakers=tuple(request.known_speaker_names),
        voices=tuple(_sample(text) for text in request.known_speaker_references),
    )
    return _with_sound(asked, request)


def _check_times(request: TranscriptionRequest) -> None:
    wanted = request.timestamp_granularities
    if "word" in wanted and request.response_format != "verbose_json":
        raise _unsupported("timestamp_granularities", "Times of words need response_format verbose_json.")
    if wanted and request.response_format not in TIMED_FORMATS:
        raise _unsupported("timestamp_granularities", "Times need response_format verbose_json, srt or vtt.")


def _check_speakers(request: TranscriptionRequest) -> None:
    for param in ("known_speaker_names", "known_speaker_references"):
        if getattr(request, param) and request.response_format != "diarized_json":
            raise _unsupported(param, "Speakers are told apart in response_format diarized_json only.")
    samples = request.known_speaker_references
    if samples and len(samples) != len(request.known_speaker_names):
        raise BadInput("Send one sample for each of the known_speaker_names.", param="known_speaker_references")


def _unsupported(param: str, message: str) -> BadInput:
    return BadInput(message, code="unsupported_value", param=param)


def _languages(request: TranscriptionRequest) -> tuple[str, ...]:
    codes = [code_of(request.language), *(code_of(name, param="languages") for name in request.languages)]
    return tuple(dict.fromkeys(code for code in codes if code))


# --- sounds in the fields


def _with_sound(asked: Asked, request: TranscriptionRequest) -> Asked:
    source = source_of(request)
    if source.link and asked.voices:
        raise _unsupported("known_speaker_references", "Samples of voices need the recording itself, not a link.")
    return dataclasses.replace(asked, data=source.data, link=source.link, pcm_rate_hz=source.pcm_rate_hz)


def _sample(text: str) -> bytes:
    if not text.startswith("data:"):
        raise BadInput("A sample of a voice must be a data: URI.", param="known_speaker_references")
    return decoded(text.partition(",")[2], "known_speaker_references")
