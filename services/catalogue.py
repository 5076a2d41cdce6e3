"""Which model serves a request: OpenAI's names and an operator's own, each resolved to a name of the vendor.

In this order: the operator's names (MODEL_ALIASES), OpenAI's (`known_models.ALIASES`, each stands for one of this
server's defaults), then the name as it is: what nobody here knows is the vendor's to serve or to refuse. A retired
name still goes through, with a warning, for accounts and compatible servers that go on serving it; with
RETIRED_MODELS=replace its successor is asked.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.known_models import (
    ALIASES,
    MODELS,
    OPENAI_CHAT,
    OPENAI_IMAGE,
    RETIRED,
    SNAPSHOT,
    STREAM_ONLY,
    Kind,
    Model,
    Role,
)

__all__ = ["RETIRED", "Catalogue", "Defaults", "Model", "read_aliases", "retired_among"]

_log = logging.getLogger(__name__)
_BY_ID = {model.id: model for model in MODELS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """The model of each role."""

    chat: str = "qwen-plus"
    vision: str = "qwen3-vl-plus"
    omni: str = "qwen3.5-omni-flash"
    transcription: str = "qwen3-asr-flash"
    diarization: str = "paraformer-v2"
    translation: str = "qwen3-livetranslate-flash"
    speech: str = "qwen3-tts-flash"
    image: str = "qwen-image-2.0"
    image_edit: str = "qwen-image-2.0"
    video: str = "wan2.7-t2v"

    def of(self, role: Role) -> str:
        name: str = getattr(self, role)
        return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Names and what they stand for. Threads: any; what is told once is told once, or twice in a race."""

    defaults: Defaults = field(default_factory=Defaults)
    aliases: Mapping[str, str] = field(default_factory=dict)
    replaces_retired: bool = False
    _told: set[str] = field(default_factory=set)

    def resolve_chat(self, model: str, *, has_pictures: bool = False) -> str:
        """Return the model to ask for a chat completion; an empty name is the default's."""
        return self._resolve(model, {"chat": "vision" if has_pictures else "chat", "omni": "omni"})

    def resolve_transcription(self, model: str) -> str:
        """Return the model to hear with; an empty name is the default's."""
        return self._resolve(model, {"transcription": "transcription", "diarization": "diarization"})

    def resolve_translation(self, model: str) -> str:
        """Return the model to translate speech with; OpenAI's names for transcription stand for the default here."""
        return self._resolve(model, dict.fromkeys(("translation", "transcription", "diarization"), "translation"))

    def resolve_speech(self, model: str) -> str:
        """Return the model to speak with; an empty name is the default's."""
        return self._resolve(model, {"speech": "speech"})

    def resolve_image(self, model: str, *, is_edit: bool = False) -> str:
        """Return the model to draw with; OpenAI's names stand for another default when it begins from pictures."""
        return self._resolve(model, {"image": "image_edit" if is_edit else "image"})

    def resolve_video(self, model: str) -> str:
        """Return the model to make a video with; an empty name is the default's."""
        return self._resolve(model, {"video": "video"})

    def diarizes(self, model: str) -> bool:
        """Whether the name promises to tell speakers apart."""
        return role_of(self.aliases.get(model, model)) == "diarization"

    def is_stream_only(self, model: str) -> bool:
        """Whether the vendor refuses whole calls to this (resolved) model."""
        return STREAM_ONLY.match(model) is not None

    def find(self, model: str) -> Model | None:
        """Return what is known here about a name, an alias described as the model behind it; None for a stranger."""
        return _BY_ID.get(model) or self._describe_alias(model)

    def listed(self) -> list[Model]:
        """Return every model and alias, each name once, the operator's own first."""
        names = dict.fromkeys([*self.aliases, *ALIASES])
        described = [model for name in names if (model := self._describe_alias(name))]
        return described + [model for model in self._known() if model.id not in names]

    def _known(self) -> Iterable[Model]:
        """Yield the models of the list, and the defaults that an operator chose beyond it."""
        yield from MODELS
        for role, kind in _KIND_OF.items():
            if (name := self.defaults.of(role)) not in _BY_ID:
                yield Model(id=name, kind=kind, description=f"This server's model for {role}")

    def _describe_alias(self, name: str) -> Model | None:
        target = self.aliases.get(name)
        role = role_of(target or name)
        if target is None and role is None:
            return None
        model = self.defaults.of(role) if role else target or name
        known = _BY_ID.get(model)
        kind = known.kind if known else _KIND_OF[role] if role else ""
        context = known.context if known else 0
        return Model(id=name, kind=kind, description=f"Stands for {model}", owned_by="dashscope", context=context)

    def _resolve(self, model: str, roles: Mapping[Role, Role]) -> str:
        """Return the default of the role that the name stands for; `roles` are those that fit, the usual one first."""
        name = self.aliases.get(model, model)
        role = role_of(name) if name else next(iter(roles))
        return self._in_service(self.defaults.of(roles[role]) if role and role in roles else name)

    def _in_service(self, name: str) -> str:
        successor = RETIRED.get(name)
        if successor is None:
            return name
        if name not in self._told:
            self._told.add(name)
            _log.warning("model %s was retired by the vendor; its successor is %s", name, successor)
        return successor if self.replaces_retired else name


_KIND_OF: dict[Role, Kind] = {
    "chat": "chat",
    "vision": "vision",
    "omni": "omni",
    "transcription": "asr",
    "diarization": "asr-file",
    "translation": "translation",
    "speech": "tts",
    "image": "image",
    "image_edit": "image",
    "video": "video",
}


def role_of(name: str) -> Role | None:
    """Return what a name of OpenAI's is asked for; None for any other name."""
    role = ALIASES.get(name) or ALIASES.get(SNAPSHOT.sub("", name))
    if role is None and OPENAI_IMAGE.match(name):
        return "image"
    if role is None and OPENAI_CHAT.match(name):
        return "chat"
    return role


def read_aliases(text: str) -> dict[str, str]:
    """Return MODEL_ALIASES (`name=model,name=model`) as a table; its rule has been checked."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair.strip())
    return {name.strip(): model.strip() for name, _, model in pairs}


def retired_among(*names: str) -> Iterator[tuple[str, str]]:
    """Yield (name, successor) for every name that the vendor has retired."""
    for name in dict.fromkeys(names):
        if name in RETIRED:
            yield name, RETIRED[name]
