"""`GET /v1/models` and its kin: what may be asked for. Source: OpenAI API reference, models."""

import re
from collections.abc import Iterable

import msgspec
from flask import Blueprint, Response, request

from protocol.errors import BadInput, NotFound
from protocol.openai.models import AudioModelPage, ModelObject, ModelPage, VoiceObject, VoicePage
from routes.call import current
from services.catalogue import Catalogue, Model
from services.openai.model_list import ModelList
from services.openai.voices import OPENAI_VOICES, VOICES, Voice


def blueprint(models: ModelList, catalogue: Catalogue) -> Blueprint:
    """Return the routes, joined to their parts."""
    door = Blueprint("models", __name__)

    @door.get("/v1/models")
    def list_models() -> Response:
        call = current()
        rows = models.all(key=call.caller.key, cancel=call.cancel)
        return _json(ModelPage(object="list", data=_objects(rows)))

    @door.get("/v1/models/<path:name>")
    def find_model(name: str) -> Response:
        call = current()
        model = models.find(name, key=call.caller.key, cancel=call.cancel)
        if model is None:
            raise NotFound(f"The model '{name}' does not exist.", code="model_not_found", param="model")
        return _json(_object(model))

    @door.get("/v1/audio/models")
    def list_audio_models() -> Response:
        rows = _objects(model for model in catalogue.listed() if model.kind.startswith("tts"))
        return _json(AudioModelPage(object="list", models=rows, data=rows))

    @door.get("/v1/audio/voices")
    def list_voices() -> Response:
        limit = _limit()
        rows = _voices(catalogue)
        shown = rows[:limit]
        return _json(VoicePage(object="list", voices=shown, data=shown, has_more=len(shown) < len(rows)))

    return door


def _limit() -> int | None:
    """Return how many rows the caller wants at most, None for all. Raises: BadInput."""
    text = request.args.get("limit", "")
    if not text:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise BadInput("Invalid 'limit': expected a whole number from 1 to 999999.", param="limit")
    return int(text)


def _voices(catalogue: Catalogue) -> list[VoiceObject]:
    """Return OpenAI's voices, then the vendor's, each with the models of ours that speak with it."""
    speaking = [model.id for model in catalogue.listed() if model.kind.startswith("tts") and not model.is_alias]
    by_id = {voice.id: voice for voice in VOICES}
    theirs = [_voice(name, by_id[target], speaking) for name, target in OPENAI_VOICES.items()]
    return theirs + [_voice(voice.id, voice, speaking) for voice in VOICES]


def _voice(name: str, voice: Voice, speaking: list[str]) -> VoiceObject:
    shown = voice.name if name == voice.id else f"{name} ({voice.name})"
    models = [model for model in speaking if model.startswith(voice.models)]
    return VoiceObject(id=name, name=shown, languages=list(voice.languages), models=models)


def _objects(models: Iterable[Model]) -> list[ModelObject]:
    return [_object(model) for model in models]


def _object(model: Model) -> ModelObject:
    return ModelObject(
        id=model.id,
        object="model",
        created=model.created,
        owned_by=model.owned_by,
        type=model.kind,
        description=model.description,
        context_length=model.context,
    )


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), content_type="application/json")
