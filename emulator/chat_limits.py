"""What only some chat models do or demand: answering in a stream, speaking, translating.

Source: DashScope HTTP reference §2.5, §2.6 and §6.  Messages that the reference does not hold are the emulator's own.
"""

from __future__ import annotations

from typing import Any, Final

from emulator.chat_formats import check_formats
from emulator.chat_request import ChatRequest
from emulator.errors import ApiError
from emulator.voices import OMNI_VOICES

_STREAM_ONLY: Final = "This model only support stream mode, please enable the stream parameter to access the model."
_NO_THINKING: Final = "parameter.enable_thinking must be set to false for non-streaming calls"
_MODALITIES: Final = (["text"], ["text", "audio"], ["audio", "text"])


def check_limits(chat: ChatRequest, *, is_stream: bool) -> None:
    """Refuse what this model does not do.  Raises: ApiError with the service's message."""
    check_formats(chat)
    _check_sound(chat, is_stream=is_stream)
    _check_stream(chat, is_stream=is_stream)
    if chat.model.family in {"livetranslate", "translation"}:
        _check_translation(chat)


def _check_stream(chat: ChatRequest, *, is_stream: bool) -> None:
    if is_stream:
        return
    if chat.options.get("stream_options"):
        raise ApiError("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    if chat.model.streams == "always":
        raise ApiError(_STREAM_ONLY)
    if chat.model.streams == "thinking" and chat.is_thinking:
        raise ApiError(_NO_THINKING)


def _check_sound(chat: ChatRequest, *, is_stream: bool) -> None:
    modalities = chat.options.get("modalities")
    if modalities is not None and modalities not in _MODALITIES:
        raise ApiError("Input should be ['text'] or ['text', 'audio']: modalities")
    if not chat.wants_sound:
        return
    if not is_stream:
        raise ApiError("'audio' output only support with stream=true")
    if not chat.model.speaks:
        raise ApiError(f"The model {chat.model.name} does not support 'audio' output.")
    if chat.options.get("enable_thinking"):
        raise ApiError("'audio' output does not support enable_thinking=true")
    _check_voice(chat.options.get("audio"))


def _check_voice(audio: Any) -> None:
    if audio is None:
        return
    if audio.get("format", "wav") != "wav":
        raise ApiError("Input should be 'wav': audio.format")
    if str(audio.get("voice", "Cherry")) not in OMNI_VOICES:
        raise ApiError(f"Voice '{audio['voice']}' is not supported.")


def _check_translation(chat: ChatRequest) -> None:
    if not chat.target_language:
        raise ApiError("Field required: translation_options.target_lang")
    if [message["role"] for message in chat.messages] != ["user"]:
        raise ApiError("Translation takes exactly one message, and its role must be user.")
