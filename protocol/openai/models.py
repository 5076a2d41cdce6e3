"""Answers about models and voices.

Source: OpenAI API reference, models; the lists below /v1/audio are not OpenAI's, Open WebUI and Home Assistant ask for
them and read any of the keys `models`, `voices` and `data`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class ModelObject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model. The keys after `owned_by` are not OpenAI's and stand only where they are known."""

    id: Annotated[str, Meta(description="The name that requests carry.")]
    object: Literal["model"]
    created: Annotated[int, Meta(description="Seconds since 1970.")]
    owned_by: str
    type: Annotated[str, Meta(description="What it does: chat, vision, omni, asr, asr-file, tts, …")] = ""
    description: str = ""
    context_length: Annotated[int, Meta(description="Tokens.")] = 0


class ModelPage(msgspec.Struct, frozen=True, kw_only=True):
    """Every model, OpenAI's names for them included."""

    object: Literal["list"]
    data: list[ModelObject]


class AudioModelPage(msgspec.Struct, frozen=True, kw_only=True):
    """The models that speak, for people's settings pages; `data` says the same as `models`."""

    object: Literal["list"]
    models: list[ModelObject]
    data: list[ModelObject]


class VoiceObject(msgspec.Struct, frozen=True, kw_only=True):
    """One voice. OpenAI's names are voices, too; each stands for one of the vendor's."""

    id: str
    name: str
    languages: list[str]
    models: list[str]


class VoicePage(msgspec.Struct, frozen=True, kw_only=True):
    """Voices; `data` says the same as `voices`."""

    object: Literal["list"]
    voices: list[VoiceObject]
    data: list[VoiceObject]
    has_more: bool
