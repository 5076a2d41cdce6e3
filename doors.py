"""The doors of OpenAI's API, each joined to its parts; `app.py` hangs them in."""

import functools

from flask import Blueprint

from config import Settings
from providers.dashscope import narrators, recognisers
from providers.dashscope.chat import CompatibleCompletions, NativeCompletions
from providers.dashscope.images import Painter
from providers.dashscope.models import CompatibleModels
from providers.dashscope.translation import SpeechInterpreter, TextTranslator
from providers.dashscope.transport import Transport
from providers.dashscope.videos import TaskVideos
from routes import (
    chat_api,
    completion_api,
    images_api,
    models_api,
    speech_api,
    transcription_api,
    translation_api,
    videos_api,
)
from services import catalogue
from services.catalogue import Catalogue
from services.openai.chat import ChatCompletions
from services.openai.completions import TextCompletions
from services.openai.images import Images
from services.openai.model_list import ModelList
from services.openai.speech_synthesis import SpeechRules, SpeechSynthesis
from services.openai.transcription import TranscriptionService
from services.openai.translation import TranslationService
from services.openai.videos import Videos
from services.pictures import PictureRules
from services.ports import AnyRecogniser
from storage.opening import Storage

_PICTURE_SIDE = 3072
"""Pixels of what a picture is made from; the models that edit look at no more.  Source: Qwen image editing API."""

_FRAME_SIDE = 2000
"""Pixels of what a video begins with, at most.  Source: Wan image-to-video API."""


def open_transport(settings: Settings, *, idle_s: float) -> Transport:
    """Return a line to the vendor; `idle_s` is the patience with its silence."""
    pool_size = settings.max_ws_sessions + settings.http_threads
    return Transport(connect_s=settings.connect_timeout_s, idle_s=idle_s, pool_size=pool_size)


def models(settings: Settings, transport: Transport) -> Blueprint:
    """Return the door of the lists of models and voices."""
    known = _catalogue(settings)
    source = CompatibleModels(transport, chat_url=settings.chat_url)
    return models_api.blueprint(ModelList(known, source), known)


def chats(settings: Settings) -> tuple[Blueprint, Blueprint]:
    """Return the doors of chat and text completions; their line to the vendor has more patience than spoken turns'."""
    transport = open_transport(settings, idle_s=settings.chat_idle_s)
    compatible = CompatibleCompletions(transport, url=settings.chat_url)
    native = NativeCompletions(transport, base_url=settings.base_url)
    completions = ChatCompletions(compatible, _catalogue(settings), native=native)
    return chat_api.blueprint(completions), completion_api.blueprint(TextCompletions(completions))


def speech(settings: Settings, transport: Transport) -> Blueprint:
    """Return the door of texts that are read aloud."""
    rules = SpeechRules(
        voice=settings.tts_voice,
        instructed_model=settings.instructed_tts_model,
        mp3_kbps=settings.mp3_kbps,
        max_chars=settings.max_speech_chars,
    )
    build = functools.partial(
        narrators.build,
        transport=transport,
        base_url=settings.base_url,
        realtime_url=settings.realtime_tts_url,
        connect_s=settings.connect_timeout_s,
        idle_s=settings.upstream_idle_s,
    )
    return speech_api.blueprint(SpeechSynthesis(build, catalogue=_catalogue(settings), rules=rules))


def transcription(settings: Settings, transport: Transport) -> Blueprint:
    """Return the door of recordings that are written down."""
    service = _transcription(settings, transport)
    return transcription_api.blueprint(service, max_upload_bytes=settings.max_upload_bytes)


def translation(settings: Settings, transport: Transport) -> Blueprint:
    """Return the door of recordings that are translated."""

    def interpreter(model: str, target: str) -> SpeechInterpreter:
        return SpeechInterpreter(transport, chat_url=settings.chat_url, model=model, target=target)

    def translator(model: str) -> TextTranslator:
        return TextTranslator(transport, chat_url=settings.chat_url, model=model)

    service = TranslationService(
        _transcription(settings, transport),
        interpreter=interpreter,
        translator=translator,
        text_model=settings.text_translation_model,
        catalogue=_catalogue(settings),
    )
    return translation_api.blueprint(service, max_upload_bytes=settings.max_upload_bytes)


def images(settings: Settings) -> Blueprint:
    """Return the door of pictures. A model that draws at once says nothing until it has drawn."""
    transport = open_transport(settings, idle_s=settings.image_s)

    def painter(model: str) -> Painter:
        return Painter(transport, base_url=settings.base_url, model=model, limit_s=settings.image_s)

    rules = PictureRules(
        max_side=_PICTURE_SIDE, max_pixels=settings.max_picture_pixels, most_bytes=settings.max_picture_bytes
    )
    return images_api.blueprint(Images(painter, catalogue=_catalogue(settings), rules=rules))


def videos(settings: Settings, transport: Transport, storage: Storage) -> Blueprint:
    """Return the door of videos."""
    service = Videos(
        TaskVideos(transport, base_url=settings.base_url),
        storage.videos,
        objects=storage.store,
        catalogue=_catalogue(settings),
        rules=PictureRules(
            max_side=min(_FRAME_SIDE, settings.max_picture_side), max_pixels=settings.max_picture_pixels
        ),
    )
    return videos_api.blueprint(service, max_picture_bytes=settings.max_picture_bytes)


def _transcription(settings: Settings, transport: Transport) -> TranscriptionService:
    def build(model: str) -> AnyRecogniser:
        return recognisers.build(
            model,
            transport,
            base_url=settings.base_url,
            websocket_url=settings.websocket_base_url,
            connect_s=settings.connect_timeout_s,
            idle_s=settings.upstream_idle_s,
            task_s=settings.file_asr_s,
        )

    return TranscriptionService(build, catalogue=_catalogue(settings), file_model=settings.file_asr_model)


def _catalogue(settings: Settings) -> Catalogue:
    defaults = catalogue.Defaults(
        chat=settings.chat_model,
        vision=settings.vlm_model,
        transcription=settings.asr_model,
        diarization=settings.diarization_model,
        translation=settings.translation_model,
        speech=settings.tts_model,
        video=settings.video_model,
        image=settings.image_model,
        image_edit=settings.image_edit_model,
    )
    return Catalogue(
        defaults=defaults,
        aliases=catalogue.read_aliases(settings.model_aliases),
        replaces_retired=settings.retired_models == "replace",
    )
