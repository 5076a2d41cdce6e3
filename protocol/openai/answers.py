"""The shapes of answers, for the OpenAPI document: what a client may rely on. Source: OpenAI API reference.

Answers are written without these records, in the vendor's words where it has them; tests hold the one against the
other. Keys beyond these may come.
"""

from typing import Any, Literal

from msgspec import Struct


class ErrorDetail(Struct, kw_only=True):
    """`param` names the parameter at fault; `code` is for programs, `message` for people."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(Struct, kw_only=True):
    """What every failure is answered with."""

    error: ErrorDetail


# --- chat


class ToolCallFunction(Struct, kw_only=True):
    name: str
    arguments: str


class ToolCall(Struct, kw_only=True):
    id: str
    type: str
    function: ToolCallFunction


class SpokenAnswer(Struct, kw_only=True):
    """Base64 sound in the format that was asked for, and its words."""

    id: str
    data: str
    expires_at: int
    transcript: str


class ChatAnswerMessage(Struct, kw_only=True):
    """`reasoning_content` is what a thinking model thought."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] = []
    audio: SpokenAnswer | None = None


class ChatChoice(Struct, kw_only=True):
    index: int
    message: ChatAnswerMessage
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
    logprobs: dict[str, Any] | None


class ChatUsage(Struct, kw_only=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, Any] | None = None
    completion_tokens_details: dict[str, Any] | None = None


class ChatCompletion(Struct, kw_only=True):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage | None = None


class ChatDelta(Struct, kw_only=True):
    """What is new."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[dict[str, Any]] = []


class ChatChunkChoice(Struct, kw_only=True):
    index: int
    delta: ChatDelta
    finish_reason: str | None
    logprobs: dict[str, Any] | None = None


class ChatCompletionChunk(Struct, kw_only=True):
    """A piece of a streamed answer. The stream ends with `data: [DONE]`, a stream that fails with an error object."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChatChunkChoice]
    usage: ChatUsage | None = None


# --- transcriptions


class TokenUsage(Struct, kw_only=True, tag_field="type", tag="tokens"):
    input_tokens: int
    output_tokens: int
    total_tokens: int


class DurationUsage(Struct, kw_only=True, tag_field="type", tag="duration"):
    seconds: float


class TranscriptionText(Struct, kw_only=True):
    """The answer for `json`."""

    text: str
    usage: TokenUsage | DurationUsage | None = None


class TranscriptionWord(Struct, kw_only=True):
    word: str
    start: float
    end: float


class TranscriptionSegment(Struct, kw_only=True):
    """Seconds from the beginning. What this recogniser cannot measure is 0."""

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: list[int]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class VerboseTranscription(Struct, kw_only=True):
    """The answer for `verbose_json`."""

    task: Literal["transcribe"]
    language: str
    duration: float
    text: str
    segments: list[TranscriptionSegment] = []
    words: list[TranscriptionWord] = []
    usage: DurationUsage | None = None


class SpeakerSegment(Struct, kw_only=True, tag_field="type", tag="transcript.text.segment"):
    """What one speaker said; in a stream also an event."""

    id: str
    start: float
    end: float
    text: str
    speaker: str


class DiarizedTranscription(Struct, kw_only=True):
    """The answer for `diarized_json`."""

    task: Literal["transcribe"]
    duration: float
    text: str
    segments: list[SpeakerSegment]
    usage: TokenUsage | DurationUsage | None = None


class TranscriptDelta(Struct, kw_only=True, tag_field="type", tag="transcript.text.delta"):
    """More of the text."""

    delta: str
    segment_id: str | None = None


class TranscriptDone(Struct, kw_only=True, tag_field="type", tag="transcript.text.done"):
    """The end: the whole text."""

    text: str
    usage: TokenUsage | None = None


# --- translations


class TranslationText(Struct, kw_only=True):
    """The answer for `json`."""

    text: str


class VerboseTranslation(Struct, kw_only=True):
    """The answer for `verbose_json`. `source_language` is what was spoken, where that is known."""

    task: Literal["translate"]
    language: str
    duration: float
    text: str
    segments: list[TranscriptionSegment] = []
    source_language: str | None = None
    usage: DurationUsage | None = None


# --- the server


class HealthKeys(Struct, kw_only=True):
    """With whose keys the model service is asked, and whether this server has given out tokens."""

    mode: str
    tokens: bool


class Health(Struct, kw_only=True):
    """The process is alive."""

    status: Literal["healthy"]
    timestamp: str
    time_unix: int
    service: str
    keys: HealthKeys


class Readiness(Struct, kw_only=True):
    """Whether the server can do its work, and the state of each thing that it depends on."""

    status: Literal["ready", "degraded", "unready"]
    timestamp: str
    time_unix: int
    dependencies: dict[str, Literal["ok", "away", "late"]]


class Introduction(Struct, kw_only=True):
    """What this server is."""

    name: str
    version: str
    description: str
    endpoints: list[str]
    documentation: str
    openapi: str
    authentication: str
