"""What the services need from the outside, as protocols. Providers and storage implement them; `app.py` joins them.

Threads: a stream object belongs to the threads named in its docstring. Every blocking method ends early, raising
`protocol.errors.Cancelled`, when the `Cancel` given to it is cancelled, and has a deadline of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

from protocol.keys import ApiKey
from protocol.media import Container
from protocol.transcription import Tokens, Transcription
from protocol.translation import Wording


class Cancel(Protocol):
    """The stop signal of one turn or request, and how long it has waited for the vendor."""

    @property
    def is_cancelled(self) -> bool: ...

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` when the turn was stopped."""

    def on_cancel(self, stop: Callable[[], None]) -> Callable[[], None]:
        """Run `stop` on cancel (at once if it happened already); returns a function that takes the wish back."""

    def wait(self, timeout_s: float) -> bool:
        """Sleep up to `timeout_s`; return True at once when cancelled."""

    def note_waiting(self, seconds: float) -> None:
        """Note that the vendor was waited for: what remains of the call's time is ours."""


# --- hearing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One utterance as it was uploaded. `url` is where it will be readable, maybe a moment later."""

    data: bytes
    container: Container
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFile:
    """A whole recording in a file that can be read from its beginning as often as need be.

    `pcm_rate_hz`: it is bare s16le mono; no vendor gets it like that.
    """

    file: BinaryIO
    size_bytes: int
    container: Container
    pcm_rate_hz: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A recording that the vendor fetches itself: http://, https:// or its own oss://."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingOptions:
    """What helps recognition: codes of the languages that it can be, words to expect, and whether voices are told
    apart (`speakers` of them, 0 = not known)."""

    languages: tuple[str, ...] = ()
    context: str = ""
    with_speakers: bool = False
    speakers: int = 0

    @property
    def language(self) -> str:
        """The one language, "" when it must be detected."""
        return self.languages[0] if len(self.languages) == 1 else ""


ANYTHING = HearingOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A piece of a text as it was recognised, and what has become known with it."""

    text: str = ""
    language: str = ""
    tokens: Tokens | None = None
    request_id: str = ""


class LiveTranscription(Protocol):
    """One recognition that runs while the sound arrives. Threads: one owner, plus cancel."""

    @property
    def texts(self) -> Sequence[str]:
        """What is recognised for good so far, in order."""

    def append(self, pcm: bytes) -> None:
        """Send s16le mono 16 000 Hz sound; any length."""

    def finish(self) -> Transcript:
        """Close the utterance and return its whole text."""

    def close(self) -> None:
        """Free the connection; harmless when repeated."""


class LiveRecogniser(Protocol):
    """Hears sound while it arrives."""

    @property
    def model(self) -> str: ...

    @property
    def is_live(self) -> Literal[True]: ...

    @property
    def reads_link(self) -> Literal[False]: ...

    def open(
        self, *, is_paced: bool, key: ApiKey, cancel: Cancel, options: HearingOptions = ANYTHING
    ) -> LiveTranscription:
        """Connect. `is_paced`: the sound comes at the speed of speech, so pauses may cut it; else in a burst."""


class WholeRecogniser(Protocol):
    """Hears a recording when it is complete."""

    @property
    def model(self) -> str: ...

    @property
    def is_live(self) -> Literal[False]: ...

    @property
    def reads_link(self) -> bool:
        """Whether the vendor fetches the recording by its link, so that it must be stored first."""

    def transcribe(self, recording: Recording, *, key: ApiKey, cancel: Cancel) -> Transcript:
        """Return the text, empty for silence. Raises: UpstreamError, TooLarge, Cancelled."""


Recogniser = LiveRecogniser | WholeRecogniser


class ShortRecogniser(Protocol):
    """Hears up to five minutes in one call and tells the words as it finds them, but not when they were said."""

    @property
    def model(self) -> str: ...

    @property
    def kind(self) -> Literal["short"]: ...

    def hear(self, sound: Recording | Link, *, options: HearingOptions, key: ApiKey, cancel: Cancel) -> Iterator[Heard]:
        """Yield the text as it is found, nothing for silence. Raises: UpstreamError, TooLarge, Cancelled."""


class FileRecogniser(Protocol):
    """Hears recordings of any length as a task, and tells when each word was said."""

    @property
    def model(self) -> str: ...

    @property
    def kind(self) -> Literal["file"]: ...

    @property
    def tells_speakers(self) -> bool: ...

    def transcribe_file(
        self, sound: SoundFile | Link, *, options: HearingOptions, key: ApiKey, cancel: Cancel
    ) -> Transcription:
        """Return the text and its times, no sentence for silence. Raises: BadInput, UpstreamError, Cancelled."""


class StreamRecogniser(LiveRecogniser, Protocol):
    @property
    def kind(self) -> Literal["live"]: ...


AnyRecogniser = StreamRecogniser | ShortRecogniser | FileRecogniser


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    text: str
    request_id: str = ""


class TextTranslator(Protocol):
    def translate(self, text: str, *, wording: Wording, key: ApiKey, cancel: Cancel) -> Translated:
        """Return the text in the other language, its lines kept. Raises: UpstreamError, Cancelled."""


# --- thinking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as the model is shown it: jpeg, png or webp, upright. Units: pixels."""

    data: bytes
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A piece of the model's text as it came; the last one carries the usage."""

    text: str = ""
    usage: Usage | None = None


class ChatModel(Protocol):
    @property
    def model(self) -> str: ...

    def stream(self, messages: Sequence[Message], *, key: ApiKey, cancel: Cancel) -> Iterator[Delta]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A model as the vendor lists it. `created` in seconds since 1970, 0 = not told."""

    id: str
    created: int = 0
    owned_by: str = ""


class ModelSource(Protocol):
    """Knows which models a key may use."""

    def fetch(self, *, key: ApiKey, cancel: Cancel) -> Sequence[ListedModel]:
        """Return the vendor's list. Raises: UpstreamError, Cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """A whole answer as it came. `request_id` is the vendor's name for the call."""

    body: bytes
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStream:
    """A streamed answer as it comes: the data of its events, together what arrived together."""

    request_id: str
    batches: Iterator[list[bytes]]


NO_HEADERS: Mapping[str, str] = {}


class Completions(Protocol):
    """Chat completions as the vendor words them.

    `uses_uploads`: the body names files uploaded to the vendor; `headers` are more of the vendor's own.
    """

    def ask(
        self, body: bytes, *, uses_uploads: bool, key: ApiKey, cancel: Cancel, headers: Mapping[str, str] = NO_HEADERS
    ) -> RawAnswer:
        """Raises: UpstreamError, Cancelled."""

    def stream(
        self, body: bytes, *, uses_uploads: bool, key: ApiKey, cancel: Cancel, headers: Mapping[str, str] = NO_HEADERS
    ) -> AbstractContextManager[RawStream]:
        """Begin a streamed answer; leaving it early ends the call. Raises: UpstreamError, Cancelled."""


# --- speaking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A piece of the synthesiser's sound (s16le mono, `Synthesiser.rate_hz`), or news about it.

    `spoken` is how many of the segments said so far are completely in the sound up to and including this piece.
    `usage` comes with the end of a call to the vendor and is that call's own; `request_id` is the vendor's.
    """

    pcm: bytes
    spoken: int
    usage: Usage | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a text is to be spoken; what is empty or None is left to the voice.

    `language` is an English name (Chinese, Japanese, …) or Auto; `rate` and `pitch` are factors, `volume` 0 to 100.
    """

    language: str = ""
    instructions: str = ""
    rate: float = 1.0
    pitch: float | None = None
    volume: int | None = None
    seed: int | None = None


PLAIN = Manner()


class Segments(Protocol):
    """What is to be spoken, as it becomes known. Iterating waits for the next segment."""

    def __iter__(self) -> Iterator[str]: ...

    def stop(self) -> None:
        """End the iteration, from any thread."""

    @property
    def is_stopped(self) -> bool: ...


class Speech(Protocol):
    """A voice that is ready: one answer, one connection. Threads: one owner, plus cancel."""

    def sounds(self, segments: Segments) -> Iterator[Sound]:
        """Yield the sound of every segment in order; raises `UpstreamError` when the voice fails."""

    def close(self) -> None: ...


class Synthesiser(Protocol):
    @property
    def model(self) -> str: ...

    @property
    def rate_hz(self) -> int: ...

    def open(self, *, voice: str, key: ApiKey, cancel: Cancel) -> Speech:
        """Connect and agree on voice and format, so that the first segment is spoken at once."""


class Narrator(Protocol):
    """A synthesiser that reads whole texts aloud, and can be told how."""

    @property
    def model(self) -> str: ...

    @property
    def rate_hz(self) -> int: ...

    @property
    def most_chars(self) -> int | None:
        """How much one call can speak, so that a longer text takes several; None when one speaks it all."""

    @property
    def obeys(self) -> frozenset[str]:
        """The fields of `Manner` that mean something to this model, beside `rate`."""

    @property
    def rates(self) -> tuple[float, float]:
        """The slowest and the fastest `Manner.rate` of this model; (1, 1) when it knows one speed."""

    def open(self, *, voice: str, key: ApiKey, cancel: Cancel, manner: Manner = PLAIN) -> Speech:
        """Make ready to speak. Raises: UpstreamError, Cancelled."""
