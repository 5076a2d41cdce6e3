"""The models in service, as each surface lists them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from emulator import faults
from emulator.calls import Call
from emulator.models import MODELS, Model, current_models, find_model
from emulator.requests import call_of, json_response, read_page

blueprint = Blueprint("model_lists", __name__)


@blueprint.get("/compatible-mode/v1/models")
def models() -> Response:
    """List the models in service."""
    call = _open()
    return json_response({"object": "list", "data": [_compat_row(model.name) for model in _served(call)]})


@blueprint.get("/compatible-mode/v1/models/<path:name>")
def model(name: str) -> Response:
    """Describe one model."""
    call = _open()
    return json_response(_compat_row(find_model(name, retired=call.scenario.models.retired).name))


@blueprint.get("/api/v1/models")
def native_models() -> Response:
    """List the models in service, one page of them, or the one that is asked for."""
    call, wanted = _open(), request.args.get("model")
    page, size = read_page()
    names = [m.name for m in _served(call) if wanted in {None, "", m.name}]
    rows = [
        {"model": name, "source": "system", "provider": "qwen", "opensource": False}
        for name in names[(page - 1) * size : page * size]
    ]
    output = {"total": len(names), "page_no": page, "page_size": size, "models": rows}
    return json_response({"request_id": call.request_id, "output": output})


def _open() -> Call:
    call = call_of()
    faults.before_answer(call, "models")
    call.note("models")
    return call


def _served(call: Call) -> list[Model]:
    return list(MODELS.values()) if call.scenario.models.retired == "served" else current_models()


def _compat_row(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1752741600, "owned_by": "system"}
