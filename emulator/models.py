"""The model table: which names exist, which are retired, what they take and at which door.  Source: issue notices of
2026-10-10 and the model index of the same day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from emulator.errors import ApiError, model_not_found, model_retired, wrong_endpoint

Family = Literal["text", "multimodal", "omni", "asr", "asr_task", "asr_realtime", "tts", "tts_realtime", "other"]


@dataclass(frozen=True, slots=True)
class Model:
    """One model name."""

    name: str
    family: Family
    thinks_by_default: bool = False
    is_retired: bool = False


_TEXT: Final = "qwen-plus qwen-plus-latest qwen-flash qwen-max qwen-long qwen3.7-max qwen-mt-plus qwen-mt-flash"
_THINKING: Final = (
    "qwen3.5-plus qwen3.6-plus qwen3.7-plus qwen3.5-flash qwen3.6-flash qwen3.7-flash qwen3.8-flash qwen3.8-max"
)
_MULTIMODAL: Final = "qwen3-vl-plus qwen3.5-ocr"
_OMNI: Final = "qwen3.5-omni-plus qwen3.5-omni-flash qwen3-omni-flash qwen3.8-omni-flash"
_ASR: Final = "qwen3-asr-flash qwen3-asr-flash-2025-09-08"
_ASR_TASK: Final = "qwen3-asr-flash-filetrans fun-asr paraformer-v2 paraformer-8k-v2"
_ASR_REALTIME: Final = (
    "qwen3-asr-flash-realtime qwen3-asr-flash-realtime-2025-10-27 qwen3-asr-flash-realtime-2026-02-10"
)
_TTS: Final = "qwen3-tts-flash qwen3-tts-flash-2025-11-27 qwen3-tts-flash-2025-09-18"
_TTS_REALTIME: Final = (
    "qwen3-tts-flash-realtime qwen3-tts-flash-realtime-2025-11-27 qwen3-tts-flash-realtime-2025-09-18"
    " qwen3-tts-vc-realtime-2026-01-15 qwen3-tts-vd-realtime-2026-01-15"
)
_OTHER: Final = (
    "cosyvoice-v3.5-plus cosyvoice-v3.5-flash cosyvoice-v3-plus cosyvoice-v3-flash cosyvoice-v2 fun-asr-realtime"
    " paraformer-realtime-v2 qwen3.5-omni-plus-realtime qwen3.5-omni-flash-realtime qwen-image-2.0 wan2.7-image"
)
_RETIRED: Final = (
    "qwen-turbo qwen-turbo-latest qwen-vl-plus qwen-vl-max qwq-plus qvq-max qvq-plus qwen-math-turbo qwen-coder-turbo"
    " qwen-coder-plus qwen3-max qwen3-max-preview qwen3-vl-flash qwen3-coder-plus qwen-vl-ocr qwen-omni-turbo"
    " qwen-omni-turbo-latest qwen-omni-turbo-realtime qwen3-omni-flash-realtime qwen-tts qwen-tts-latest"
    " qwen-tts-realtime qwen-tts-realtime-latest qwen3-tts-instruct-flash qwen3-tts-instruct-flash-realtime"
    " cosyvoice-v1 qwen-voice-enrollment paraformer-v1 paraformer-8k-v1 paraformer-mtl-v1 paraformer-realtime-v1"
    " paraformer-realtime-8k-v1 sensevoice-v1 fun-asr-mtl gummy-realtime-v1 gummy-chat-v1 qwen-audio-asr qwen-image"
)


def _table() -> dict[str, Model]:
    families: dict[Family, str] = {
        "text": _TEXT,
        "multimodal": f"{_THINKING} {_MULTIMODAL}",
        "omni": _OMNI,
        "asr": _ASR,
        "asr_task": _ASR_TASK,
        "asr_realtime": _ASR_REALTIME,
        "tts": _TTS,
        "tts_realtime": _TTS_REALTIME,
        "other": _OTHER,
    }
    thinking = set(_THINKING.split())
    table = {
        name: Model(name, family, thinks_by_default=name in thinking)
        for family, names in families.items()
        for name in names.split()
    }
    return table | {name: Model(name, "other", is_retired=True) for name in _RETIRED.split()}


MODELS: Final = _table()


def current_models() -> list[Model]:
    """Return the models in service."""
    return [model for model in MODELS.values() if not model.is_retired]


def find_model(name: str, *families: Family) -> Model:
    """Return the model of that name if it belongs to one of the families.

    Raises: ApiError 404 (unknown), 403 (retired), 400 (asked at the door of another family).
    """
    model = MODELS.get(name)
    if model is None:
        raise model_not_found(name)
    if model.is_retired:
        raise model_retired()
    if families and model.family not in families:
        raise wrong_endpoint()
    return model


def find_chat_model(name: object) -> Model:
    """Return a model that the compatible chat surface serves.  Raises: ApiError."""
    if not isinstance(name, str) or not name:
        raise ApiError("you must provide a model parameter.", compat_code="invalid_request_error", is_gateway=True)
    model = find_model(name)
    if model.family not in {"text", "multimodal", "omni", "asr"}:
        message = f"Unsupported model {name} for OpenAI compatibility mode."
        raise ApiError(message, status=404, code="ModelNotFound", compat_code="model_not_supported")
    return model
