"""The vendor's models as data: what each one does, and the names that OpenAI's users know.

Source: DashScope model index and context sizes of 2026-10-10; OpenAI API reference, models.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "chat",
    "vision",
    "omni",
    "asr",
    "asr-file",
    "asr-realtime",
    "tts",
    "tts-realtime",
    "omni-realtime",
    "translation",
    "image",
    "video",
    "",
]
Role = Literal[
    "chat", "vision", "omni", "transcription", "diarization", "translation", "speech", "image", "image_edit", "video"
]

CATALOGUED_AT = 1791590400
"""When the list was made, seconds since 1970: the vendor does not tell when each model was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One name that a request may carry. `kind` "" and `context` 0 (tokens) mean that it is not known."""

    id: str
    kind: Kind
    description: str
    owned_by: str = "alibaba"
    created: int = CATALOGUED_AT
    context: int = 0
    thinks: bool = False

    @property
    def is_alias(self) -> bool:
        """Whether the name stands for another one's model."""
        return self.owned_by == "dashscope"


def _models(kind: Kind, names: str, description: str, *, context: int = 0, thinks: bool = False) -> tuple[Model, ...]:
    return tuple(
        Model(id=name, kind=kind, description=description, context=context, thinks=thinks) for name in names.split()
    )


_M = 1_000_000

MODELS: tuple[Model, ...] = (
    *_models("chat", "qwen-plus qwen-flash", "Text, balanced and fast", context=_M),
    *_models("chat", "qwen3.7-max", "Text, the strongest", context=_M, thinks=True),
    *_models("vision", "qwen3.8-max", "Text, pictures and video, the strongest", context=_M, thinks=True),
    *_models("vision", "qwen3.7-plus qwen3.6-plus qwen3.5-plus", "Text, pictures and video", context=_M, thinks=True),
    *_models(
        "vision",
        "qwen3.8-flash qwen3.7-flash qwen3.6-flash qwen3.5-flash",
        "Text, pictures and video, fast",
        context=_M,
        thinks=True,
    ),
    *_models("vision", "qwen3-vl-plus", "Pictures and video", context=262_144),
    *_models("vision", "qwen3.5-ocr", "Text in pictures", context=262_144),
    *_models("chat", "qwen-max", "Text, the strongest of the classic line", context=32_768),
    *_models("chat", "qwen-long", "Text, very long documents"),
    *_models("chat", "farui-plus", "Chinese law"),
    *_models("translation", "qwen-mt-plus qwen-mt-flash qwen-mt-lite", "Translates text"),
    *_models("translation", "qwen3-livetranslate-flash", "Translates speech", context=53_248),
    *_models("omni", "qwen3.5-omni-plus qwen3.5-omni-flash", "Text, pictures, sound, video; speaks", context=262_144),
    *_models("omni", "qwen3-omni-flash", "Text, pictures, sound, video; speaks", context=65_536, thinks=True),
    *_models("omni", "qwen3.8-omni-flash", "Text, pictures, sound, video; answers in text"),
    *_models("omni-realtime", "qwen3.5-omni-plus-realtime qwen3.5-omni-flash-realtime", "Speech to speech, live"),
    *_models("asr", "qwen3-asr-flash", "Hears up to 5 minutes in one call"),
    *_models("asr-file", "qwen3-asr-flash-filetrans fun-asr paraformer-v2", "Hears up to 12 hours, with times"),
    *_models("asr-file", "paraformer-8k-v2", "Hears telephone recordings, with times"),
    *_models(
        "asr-realtime",
        "qwen3-asr-flash-realtime fun-asr-realtime paraformer-realtime-v2",
        "Hears while the sound arrives",
    ),
    *_models("tts", "qwen3-tts-flash", "Speaks"),
    *_models(
        "tts",
        "cosyvoice-v3.5-plus cosyvoice-v3.5-flash cosyvoice-v3-plus cosyvoice-v3-flash cosyvoice-v2",
        "Speaks; own voices, speed and pitch",
    ),
    *_models("tts-realtime", "qwen3-tts-flash-realtime", "Speaks while the text arrives"),
    *_models(
        "image",
        "qwen-image-2.0 qwen-image-2.0-pro qwen-image-2.1-pro qwen-image-3.0 qwen-image-3.0-pro wan2.7-image"
        " wan2.7-image-pro",
        "Draws, from words and other pictures",
    ),
    *_models("image", "z-image-turbo wan2.6-t2i wan2.5-t2i-preview", "Draws from words"),
    *_models("image", "wan2.6-image wan2.5-i2i-preview", "Draws from words and other pictures"),
    *_models("video", "wan2.7-t2v wan2.6-t2v happyhorse-1.1-t2v", "Makes videos from words"),
    *_models("video", "wan2.7-i2v wan2.6-i2v happyhorse-1.1-i2v", "Makes videos that begin with a picture"),
    *_models("video", "wan3.0-video", "Makes videos from words and pictures"),
)

ALIASES: dict[str, Role] = {
    **dict.fromkeys("whisper-1 gpt-4o-transcribe gpt-4o-mini-transcribe gpt-transcribe".split(), "transcription"),
    "gpt-4o-transcribe-diarize": "diarization",
    **dict.fromkeys("tts-1 tts-1-hd gpt-4o-mini-tts".split(), "speech"),
    **dict.fromkeys(
        "dall-e-2 dall-e-3 gpt-image-1 gpt-image-1-mini gpt-image-1.5 gpt-image-2 chatgpt-image-latest".split(), "image"
    ),
    **dict.fromkeys("sora-2 sora-2-pro".split(), "video"),
    **dict.fromkeys("gpt-4o-audio-preview gpt-4o-mini-audio-preview gpt-audio gpt-audio-mini".split(), "omni"),
    **dict.fromkeys(
        "gpt-3.5-turbo gpt-4 gpt-4-turbo gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini gpt-4.1-nano chatgpt-4o-latest"
        " gpt-5 gpt-5-mini gpt-5-nano gpt-5-chat-latest gpt-5.1 gpt-5.2 o1 o3 o3-mini o4-mini".split(),
        "chat",
    ),
}
"""OpenAI's names -> what they are asked for. Snapshots (`gpt-4o-2024-08-06`, `tts-1-1106`) go with their name."""

SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4}|preview|latest)$")
"""The end of a name that fixes its version."""

OPENAI_CHAT = re.compile(r"(gpt-(3\.5|[4-9])|chatgpt-|o[1-9](-|$))(?!.*(transcribe|tts|audio|realtime|image|embed))")
"""The start of the names of OpenAI's chat models, those too that came after this list."""

OPENAI_IMAGE = re.compile(r"((chat)?gpt-image|dall-e)-")
"""The start of the names of OpenAI's models that draw, those too that came after this list."""

STREAM_ONLY = re.compile(r"(?!.*-realtime)(.*-omni-|qwq-|qvq-|qwen3-livetranslate-|qwen3-.*-thinking)")
"""Models that answer whole calls with an error.  Source: DashScope HTTP reference §2.5, §2.6."""

INTERPRETED = frozenset("zh en ru fr de pt es it id ko ja vi th ar yue hi el tr".split())
"""The languages between which `qwen3-livetranslate-*` translate.  Source: the vendor's page of the model."""

RETIRED = {
    "qwen-turbo": "qwen-flash",
    "qwen-vl-plus": "qwen3-vl-plus",
    "qwen-vl-max": "qwen3-vl-plus",
    "qwq-plus": "qwen3.7-plus",
    "qwen3-max": "qwen3.7-max",
    "qwen3-max-preview": "qwen3.7-max",
    "qwen3-vl-flash": "qwen3.6-flash",
    "paraformer-v1": "paraformer-v2",
    "paraformer-8k-v1": "paraformer-8k-v2",
    "paraformer-mtl-v1": "fun-asr",
    "paraformer-realtime-v1": "paraformer-realtime-v2",
    "sensevoice-v1": "fun-asr",
    "fun-asr-mtl": "fun-asr",
    "qwen-audio-asr": "qwen3-asr-flash",
    "qwen-tts": "qwen3-tts-flash",
    "qwen-tts-latest": "qwen3-tts-flash",
    "qwen-tts-realtime": "qwen3-tts-flash-realtime",
    "qwen-tts-realtime-latest": "qwen3-tts-flash-realtime",
    "qwen3-tts-instruct-flash": "qwen3-tts-flash",
    "qwen3-tts-instruct-flash-realtime": "qwen3-tts-flash-realtime",
    "cosyvoice-v1": "cosyvoice-v3-plus",
    **dict.fromkeys("qwen-image qwen-image-plus qwen-image-max".split(), "qwen-image-2.0"),
    **dict.fromkeys("qwen-image-edit qwen-image-edit-plus qwen-image-edit-max".split(), "qwen-image-2.0"),
    "qwen-omni-turbo": "qwen3.5-omni-plus",
    "qwen-omni-turbo-realtime": "qwen3.5-omni-plus-realtime",
    "qwen3-omni-flash-realtime": "qwen3.5-omni-plus-realtime",
}
"""Retired on 2026-10-10 -> what took its place.  Source: DashScope model deprecation page."""
