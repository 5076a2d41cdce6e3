"""Requests for a translation of speech, and the shapes of their answers.

Source: OpenAI API reference, create translation.  Beyond it: `target_language` (English, unless it is said),
`source_language`, `terms` and `stream`, and the ways to say where the recording is that transcriptions have.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from protocol.errors import BadInput
from protocol.openai import captions
from protocol.openai.forms import fold
from protocol.openai.languages import code_of, name_of
from protocol.openai.reading import convert, read_object
from protocol.openai.sound_source import SoundFields, source_of
from protocol.transcription import Transcription
from protocol.translation import Term, Wording

Format = Literal["json", "text", "srt", "verbose_json", "vtt"]
TIMED_FORMATS: tuple[Format, ...] = ("srt", "vtt", "verbose_json")
"""They tell when something was said."""
_ENGLISH = "en"


class TranslationRequest(SoundFields, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client may send, as it is sent. The recording itself may come beside it, as the form's file."""

    model: Annotated[str, Meta(min_length=1, max_length=200)]
    prompt: Annotated[str, Meta(max_length=4000)] = ""
    response_format: Format = "json"
    temperature: Annotated[float, Meta(ge=0, le=1)] = 0.0
    target_language: str = ""
    source_language: str = ""
    terms: Annotated[list[Term], Meta(max_length=500)] | Annotated[dict[str, str], Meta(max_length=500)] = []
    stream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request that can be served: checked, and its words reduced to one spelling.

    `data` or `link` is the recording when it did not come as a file; `pcm_rate_hz` is 0 unless it is bare s16le mono.
    """

    model: str
    format: Format = "json"
    wording: Wording = Wording(target=_ENGLISH)
    temperature: float = 0.0
    is_stream: bool = False
    data: bytes | None = None
    link: str = ""
    pcm_rate_hz: int = 0

    @property
    def needs_times(self) -> bool:
        return self.format in TIMED_FORMATS


def read_form(fields: Iterable[tuple[str, str]]) -> Wanted:
    """Return what a form asks for. Raises: BadInput."""
    folded = fold(fields, lists=())
    if isinstance(terms := folded.get("terms"), str):
        folded["terms"] = _read_terms(terms)
    return _checked(folded, is_form=True)


def read_body(body: bytes) -> Wanted:
    """Return what a JSON body asks for. Raises: BadInput."""
    return _checked({name: value for name, value in read_object(body).items() if value not in (None, "")})


def _read_terms(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:  # the library's errors are ValueErrors
        raise BadInput("'terms' is not valid JSON.", param="terms") from error


def _checked(given: dict[str, Any], *, is_form: bool = False) -> Wanted:
    """Refuse by name what cannot be honoured. Raises: BadInput."""
    if "language" in given:
        raise BadInput(
            "'language' could mean either: say 'source_language' for what is spoken or 'target_language'.",
            code="unsupported_parameter",
            param="language",
        )
    request = convert(given, TranslationRequest, is_form=is_form)
    if request.stream and request.response_format in TIMED_FORMATS:
        raise BadInput(
            f"A stream is json or text, not {request.response_format}.",
            code="unsupported_value",
            param="response_format",
        )
    source = source_of(request)
    return Wanted(
        model=request.model,
        format=request.response_format,
        wording=_wording(request),
        temperature=request.temperature,
        is_stream=request.stream,
        data=source.data,
        link=source.link,
        pcm_rate_hz=source.pcm_rate_hz,
    )


def _wording(request: TranslationRequest) -> Wording:
    return Wording(
        target=code_of(request.target_language, param="target_language") or _ENGLISH,
        source=code_of(request.source_language, param="source_language"),
        terms=tuple(_terms(request.terms)),
        domain=request.prompt,
    )


def _terms(given: list[Term] | dict[str, str]) -> Iterable[Term]:
    if isinstance(given, dict):
        return (Term(source=source, target=target) for source, target in given.items())
    return given


# --- the answers


def plain(told: Transcription) -> captions.Body:
    """Return the answer for `json`."""
    return {"text": told.text}


def verbose(told: Transcription, wanted: Wanted) -> captions.Body:
    """Return the answer for `verbose_json`. `source_language` is beyond OpenAI's API."""
    body = captions.verbose(told, temperature=wanted.temperature, with_segments=True, with_words=False)
    source = {"source_language": name_of(told.language)} if told.language else {}
    return body | {"task": "translate", "language": name_of(wanted.wording.target)} | source


def done(told: Transcription) -> captions.Body:
    """Return the last event of a stream; the language of a transcription would be the wrong one here."""
    body = captions.done(told)
    body.pop("languages", None)
    return body
