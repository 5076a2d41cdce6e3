"""Every route as data, for the OpenAPI document: what it takes, answers and refuses.

A test holds this against the routes that the application really has, both ways.
"""

from protocol.openai.answers import (
    ChatCompletion,
    ChatCompletionChunk,
    DiarizedTranscription,
    Health,
    Introduction,
    Readiness,
    SpeakerSegment,
    TranscriptDelta,
    TranscriptDone,
    TranscriptionText,
    TranslationText,
    VerboseTranscription,
    VerboseTranslation,
)
from protocol.openai.chat import ChatRequest
from protocol.openai.models import AudioModelPage, ModelObject, ModelPage, VoicePage
from protocol.openai.speech import CONTENT_TYPES, SpeechDelta, SpeechDone, SpeechRequest
from protocol.openai.transcription import TranscriptionRequest
from protocol.openai.translation import TranslationRequest
from protocol.openapi import BYTES, TEXT, AnyOf, Events, Form, Operation, Parameter
from routes.completion_operations import COMPLETION
from routes.history_operations import HISTORY
from routes.image_operations import IMAGES
from routes.video_operations import VIDEOS

_JSON, _SSE, _HTML = "application/json", "text/event-stream", "text/html"
_GUARDED = (400, 401, 403, 429, 500, 503)
_ASKS_VENDOR = (*_GUARDED, 404, 413, 502, 504)

_CHAT = Operation(
    id="createChatCompletion",
    method="POST",
    path="/v1/chat/completions",
    tag="Chat",
    summary="Answer a conversation",
    description="Keys that this document does not name go to the vendor as they are: `enable_thinking`, …",
    request={_JSON: ChatRequest},
    examples={_JSON: {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hello!"}]}},
    answer={_JSON: ChatCompletion, _SSE: Events(record=ChatCompletionChunk)},
    failures=_ASKS_VENDOR,
)

_TRANSCRIPTION = Operation(
    id="createTranscription",
    method="POST",
    path="/v1/audio/transcriptions",
    tag="Audio",
    summary="Write down what is said in a recording",
    description="The recording may be in any usual container; it is told by its bytes.",
    request={
        "multipart/form-data": Form(record=TranscriptionRequest, file="file"),
        _JSON: TranscriptionRequest,
    },
    examples={"multipart/form-data": {"model": "whisper-1", "response_format": "verbose_json"}},
    answer={
        _JSON: AnyOf(records=(TranscriptionText, VerboseTranscription, DiarizedTranscription)),
        "text/plain": TEXT,
        "text/vtt": TEXT,
        "application/x-subrip": TEXT,
        _SSE: Events(record=TranscriptDelta | SpeakerSegment | TranscriptDone),
    },
    failures=_ASKS_VENDOR,
)

_TRANSLATION = Operation(
    id="createTranslation",
    method="POST",
    path="/v1/audio/translations",
    tag="Audio",
    summary="Write down in English what is said in a recording",
    description="Or in another language, which OpenAI's API does not offer: `target_language`.",
    request={
        "multipart/form-data": Form(record=TranslationRequest, file="file"),
        _JSON: TranslationRequest,
    },
    examples={"multipart/form-data": {"model": "whisper-1"}},
    answer={
        _JSON: AnyOf(records=(TranslationText, VerboseTranslation)),
        "text/plain": TEXT,
        "text/vtt": TEXT,
        _SSE: Events(record=TranscriptDelta | TranscriptDone),
    },
    failures=_ASKS_VENDOR,
)

_SPEECH = Operation(
    id="createSpeech",
    method="POST",
    path="/v1/audio/speech",
    tag="Audio",
    summary="Read a text aloud",
    description="The sound begins to come as soon as the voice begins to speak.",
    request={
        _JSON: SpeechRequest,
        "application/x-www-form-urlencoded": SpeechRequest,
        "multipart/form-data": SpeechRequest,
    },
    examples={_JSON: {"model": "tts-1", "voice": "alloy", "input": "Hello, how are you?"}},
    answer={
        **{kind.partition(";")[0]: BYTES for kind in CONTENT_TYPES.values()},
        _SSE: Events(record=SpeechDelta | SpeechDone),
    },
    failures=_ASKS_VENDOR,
)

_MODELS = (
    Operation(
        id="listModels",
        method="GET",
        path="/v1/models",
        tag="Models",
        summary="List the models",
        description="OpenAI's names, the vendor's models, and what the vendor lists for the caller's key.",
        answer={_JSON: ModelPage},
        failures=_GUARDED,
    ),
    Operation(
        id="retrieveModel",
        method="GET",
        path="/v1/models/{name}",
        tag="Models",
        summary="Tell about one model",
        parameters=(
            Parameter(name="name", where="path", description="Its name; `/` in it is allowed.", example="whisper-1"),
        ),
        answer={_JSON: ModelObject},
        failures=(*_GUARDED, 404),
    ),
    Operation(
        id="listAudioModels",
        method="GET",
        path="/v1/audio/models",
        tag="Models",
        summary="List the models that speak",
        answer={_JSON: AudioModelPage},
        failures=_GUARDED,
        is_public=True,
    ),
    Operation(
        id="listVoices",
        method="GET",
        path="/v1/audio/voices",
        tag="Models",
        summary="List the voices",
        parameters=(
            Parameter(
                name="limit",
                where="query",
                description="At most so many.",
                schema={"type": "integer", "minimum": 1, "maximum": 999_999},
            ),
        ),
        answer={_JSON: VoicePage},
        failures=_GUARDED,
        is_public=True,
    ),
)

_CONVERSATION = (
    Parameter(name="conversation_id", where="query", description="Go on with this conversation, or begin it."),
    Parameter(name="device_id", where="query", description="Go on with this device's conversation."),
    Parameter(name="X-Device-Id", where="header", description="The same."),
)

_DEVICES = (
    Operation(
        id="talk",
        method="GET",
        path="/v1/chat/audio",
        tag="Devices",
        summary="Hold spoken turns",
        description="Recordings go up in packets; the transcript, the answer's text and its sound come down.",
        parameters=_CONVERSATION,
        status=101,
        failures=_GUARDED,
        is_websocket=True,
    ),
    Operation(
        id="talkAboutPictures",
        method="GET",
        path="/v1/chat/vlm",
        tag="Devices",
        summary="Hold spoken turns about pictures",
        description="As `/v1/chat/audio`, and with each recording goes a picture.",
        parameters=_CONVERSATION,
        status=101,
        failures=_GUARDED,
        is_websocket=True,
    ),
)

_SERVER = (
    Operation(
        id="getHealth",
        method="GET",
        path="/health",
        tag="Server",
        summary="Tell whether the process is alive",
        answer={_JSON: Health},
        failures=_GUARDED,
        is_public=True,
    ),
    Operation(
        id="getReadiness",
        method="GET",
        path="/health/ready",
        tag="Server",
        summary="Tell whether the server can do its work",
        answer={_JSON: Readiness},
        failures=_GUARDED,
        instead={503: Readiness},
        is_public=True,
    ),
    Operation(
        id="getMetrics",
        method="GET",
        path="/metrics",
        tag="Server",
        summary="Give the numbers of this server, for Prometheus",
        answer={"text/plain": TEXT},
        failures=_GUARDED,
    ),
    Operation(
        id="getIntroduction",
        method="GET",
        path="/",
        tag="Server",
        summary="Tell what this server is; browsers get the page for spoken turns",
        answer={_JSON: Introduction, _HTML: TEXT},
        failures=_GUARDED,
        is_public=True,
    ),
    Operation(
        id="getDocumentation",
        method="GET",
        path="/docs",
        tag="Server",
        summary="Show this document as a page",
        answer={_HTML: TEXT},
        failures=_GUARDED,
        is_public=True,
    ),
    Operation(
        id="getOpenApi",
        method="GET",
        path="/openapi.json",
        tag="Server",
        summary="Give this document",
        answer={_JSON: {"type": "object"}},
        failures=_GUARDED,
        is_public=True,
    ),
    Operation(
        id="getPage",
        method="GET",
        path="/test/{name}",
        tag="Server",
        summary="Give a page, or what belongs to one",
        parameters=(Parameter(name="name", where="path", description="The file's name.", example="pages.css"),),
        answer={_HTML: TEXT, "text/css": TEXT, "text/javascript": TEXT, "image/svg+xml": TEXT},
        failures=(*_GUARDED, 404),
        is_public=True,
    ),
    Operation(
        id="getRecording",
        method="GET",
        path="/files/{key}",
        tag="Server",
        summary="Give a recording, by its signed link",
        parameters=(
            Parameter(name="key", where="path", description="Its name; `/` in it is allowed."),
            Parameter(name="expires", where="query", description="Part of the link."),
            Parameter(name="signature", where="query", description="Part of the link."),
        ),
        answer={"audio/*": BYTES, "application/octet-stream": BYTES},
        failures=(*_GUARDED, 404),
        is_public=True,
    ),
)

OPERATIONS = (
    _CHAT,
    COMPLETION,
    _TRANSCRIPTION,
    _TRANSLATION,
    _SPEECH,
    *IMAGES,
    *VIDEOS,
    *_MODELS,
    *_DEVICES,
    *HISTORY,
    *_SERVER,
)
