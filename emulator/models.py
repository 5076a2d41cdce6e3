"""The model table: which names exist, which are retired, what they take, at which door and in which manner.

Source: DashScope's retirement notices for 2026-10-10, the model index of the same day, DashScope HTTP reference §7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from emulator.errors import ApiError, model_not_found, model_retired, wrong_endpoint

Family = Literal[
    "text", "translation", "multimodal", "omni", "livetranslate", "asr", "asr_task", "asr_realtime", "tts", "cosyvoice",
    "tts_realtime", "native", "image", "image_task", "video", "other",
]  # fmt: skip
Retired = Literal["403", "404", "served"]
CHAT_FAMILIES: Final = frozenset({"text", "translation", "multimodal", "omni", "livetranslate", "asr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model name.  `streams` tells when it answers in a stream only; `takes_instructions` is for synthesis."""

    name: str
    family: Family
    thinks_by_default: bool = False
    is_retired: bool = False
    streams: Literal["", "always", "thinking"] = ""

    @property
    def speaks(self) -> bool:
        """Whether the model can answer a chat with sound."""
        return self.family in {"omni", "livetranslate"} and self.name != "qwen3.8-omni-flash"

    @property
    def is_cumulative(self) -> bool:
        """Whether each streamed delta is the whole text so far."""
        return self.name.startswith(("qwen-mt-plus", "qwen-mt-turbo"))

    @property
    def takes_instructions(self) -> bool:
        """Whether synthesis follows instructions."""
        return "-instruct-" in self.name


_THINKING: Final = (
    "qwen3.5-plus qwen3.6-plus qwen3.7-plus qwen3.5-flash qwen3.6-flash qwen3.7-flash qwen3.8-flash qwen3.8-max"
)
_CURRENT: Final[dict[Family, str]] = {
    "text": "qwen-plus qwen-plus-latest qwen-flash qwen-max qwen-long qwen3.7-max",
    "translation": "qwen-mt-plus qwen-mt-flash qwen-mt-lite",
    "native": "farui-plus",  # text, but not at the compatible surface
    "multimodal": f"{_THINKING} qwen3-vl-plus qwen3.5-ocr",
    "omni": "qwen3.5-omni-plus qwen3.5-omni-flash qwen3-omni-flash qwen3.8-omni-flash",
    "livetranslate": "qwen3-livetranslate-flash",
    "asr": "qwen3-asr-flash qwen3-asr-flash-2025-09-08",
    "asr_task": "qwen3-asr-flash-filetrans fun-asr paraformer-v2 paraformer-8k-v2",
    "asr_realtime": (
        "qwen3-asr-flash-realtime qwen3-asr-flash-realtime-2025-10-27 qwen3-asr-flash-realtime-2026-02-10"
    ),
    "tts": "qwen3-tts-flash qwen3-tts-flash-2025-11-27 qwen3-tts-flash-2025-09-18",
    "cosyvoice": (
        "cosyvoice-v3.5-plus cosyvoice-v3.5-flash cosyvoice-v3-plus cosyvoice-v3-flash cosyvoice-v2"
        " qwen-audio-3.0-tts-plus qwen-audio-3.0-tts-flash qwen-audio-3.1-tts-flash qwen-audio-3.1-tts-next"
    ),
    "tts_realtime": (
        "qwen3-tts-flash-realtime qwen3-tts-flash-realtime-2025-11-27 qwen3-tts-flash-realtime-2025-09-18"
        " qwen3-tts-vc-realtime-2026-01-15 qwen3-tts-vd-realtime-2026-01-15"
    ),
    "other": ("fun-asr-realtime paraformer-realtime-v2 qwen3.5-omni-plus-realtime qwen3.5-omni-flash-realtime"),
    "image": (
        "qwen-image-2.0 qwen-image-2.0-pro qwen-image-2.1-pro qwen-image-3.0 qwen-image-3.0-pro z-image-turbo"
        " wan2.7-image wan2.7-image-pro wan2.6-image wan2.6-t2i"
    ),
    "image_task": (
        "wan2.5-t2i-preview wan2.2-t2i-flash wan2.2-t2i-plus wanx2.1-t2i-turbo wan2.5-i2i-preview wanx2.1-imageedit"
    ),
    "video": (
        "wan3.0-video wan2.7-t2v wan2.7-i2v wan2.6-t2v wan2.6-i2v wan2.6-i2v-flash wan2.5-t2v-preview"
        " wan2.5-i2v-preview wan2.2-t2v-plus wan2.2-i2v-plus wan2.2-i2v-flash wan2.2-kf2v-flash wanx2.1-t2v-turbo"
        " wanx2.1-t2v-plus wanx2.1-i2v-turbo wanx2.1-i2v-plus wanx2.1-kf2v-plus happyhorse-1.0-t2v happyhorse-1.0-i2v"
        " happyhorse-1.1-t2v happyhorse-1.1-i2v"
    ),
}
_RETIRED: Final[dict[Family, str]] = {
    "text": (
        "qwen-turbo qwen-turbo-latest qwq-plus qwen-math-turbo qwen-coder-turbo qwen-coder-plus qwen3-max"
        " qwen3-max-preview qwen3-coder-plus qwen3-8b qwen3-32b qwen3-235b-a22b"
    ),
    "translation": "qwen-mt-turbo",
    "multimodal": "qwen-vl-plus qwen-vl-max qvq-max qvq-plus qwen3-vl-flash qwen-vl-ocr",
    "omni": "qwen-omni-turbo qwen-omni-turbo-latest",
    "asr_task": "paraformer-v1 paraformer-8k-v1 paraformer-mtl-v1 sensevoice-v1 fun-asr-mtl",
    "tts": "qwen-tts qwen-tts-latest qwen3-tts-instruct-flash",
    "cosyvoice": "cosyvoice-v1",
    "tts_realtime": "qwen-tts-realtime qwen-tts-realtime-latest qwen3-tts-instruct-flash-realtime",
    "other": (
        "qwen-omni-turbo-realtime qwen3-omni-flash-realtime qwen-voice-enrollment paraformer-realtime-v1"
        " paraformer-realtime-8k-v1 gummy-realtime-v1 gummy-chat-v1 qwen-audio-asr"
    ),
    "image": (
        "qwen-image qwen-image-plus qwen-image-max qwen-image-edit qwen-image-edit-plus qwen-image-edit-max"
        " qwen-image-plus-2026-01-09"
    ),
}
_OPEN_THINKING: Final = frozenset({"qwen3-8b", "qwen3-32b", "qwen3-235b-a22b"})


def _model(name: str, family: Family, *, is_retired: bool) -> Model:
    always_thinks = name.startswith(("qwq", "qvq"))
    streams: Literal["", "always", "thinking"] = "thinking" if name in _OPEN_THINKING else ""
    if always_thinks or family in {"omni", "livetranslate"}:
        streams = "always"
    thinks = always_thinks or name in _OPEN_THINKING or name in _THINKING.split()
    return Model(name=name, family=family, thinks_by_default=thinks, is_retired=is_retired, streams=streams)


MODELS: Final = {
    name: _model(name, family, is_retired=table is _RETIRED)
    for table in (_CURRENT, _RETIRED)
    for family, names in table.items()
    for name in names.split()
}


def current_models() -> list[Model]:
    """Return the models in service."""
    return [model for model in MODELS.values() if not model.is_retired]


def find_model(name: str, *families: Family, retired: Retired = "403") -> Model:
    """Return the model of that name if it belongs to one of the families.

    Raises: ApiError 404 (unknown, or retired where `retired` says so), 403 (retired), 400 (asked at a wrong door).
    """
    model = MODELS.get(name)
    if model is None or (model.is_retired and retired == "404"):
        raise model_not_found(name)
    if model.is_retired and retired == "403":
        raise model_retired()
    if families and model.family not in families:
        raise wrong_endpoint()
    return model


def find_chat_model(name: object, *, retired: Retired = "403") -> Model:
    """Return a model that the compatible chat surface serves.  Raises: ApiError."""
    if not isinstance(name, str) or not name:
        raise ApiError("you must provide a model parameter.", compat_code="invalid_request_error", is_gateway=True)
    model = find_model(name, retired=retired)
    if model.family not in CHAT_FAMILIES:
        message = f"Unsupported model {name} for OpenAI compatibility mode."
        raise ApiError(message, status=404, code="ModelNotFound", compat_code="model_not_supported")
    return model
