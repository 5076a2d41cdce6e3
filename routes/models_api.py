"""`GET /v1/models` and its kin: what may be asked for. Source: OpenAI API reference, models."""

from collections.abc import Iterable

import msgspec
from flask import Blueprint, Response

from protocol.errors import NotFound
from protocol.openai.models import AudioModelPage, ModelObject, ModelPage
from routes.call import current
from services.catalogue import Catalogue, Model
from services.model_list import ModelList


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

    return door


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
