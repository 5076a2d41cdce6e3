"""The emulator's own endpoints: scenario, journal, health.  They belong to the key in the Authorization header."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g

from emulator.errors import ApiError
from emulator.requests import JSON, call_of, json_response
from emulator.scenario import parse_scenario

blueprint = Blueprint("control", __name__)


@blueprint.get("/emulator/health")
def health() -> Response:
    """Say that the emulator runs."""
    return json_response({"status": "ok", "service": "dashscope-emulator"})


@blueprint.post("/emulator/scenario")
def set_scenario() -> Response:
    """Start a scenario for the calling key; a field that does not exist is refused by name."""
    call = call_of()
    try:
        scenario = parse_scenario(g.body)
    except msgspec.DecodeError as error:
        raise ApiError(f"This scenario cannot be played: {error}") from error
    call.vendor.scripts.set(call.key, scenario)
    return Response(msgspec.json.encode(scenario), content_type=JSON)


@blueprint.delete("/emulator/scenario")
def reset_scenario() -> Response:
    """Forget the scenario and the journal of the calling key."""
    call = call_of()
    call.vendor.scripts.reset(call.key)
    call.vendor.journal.forget(call.key)
    return json_response({"status": "reset"})


@blueprint.get("/emulator/journal")
def journal() -> Response:
    """Return what arrived from the calling key, oldest first."""
    call = call_of()
    return Response(msgspec.json.encode(call.vendor.journal.of(call.key)), content_type=JSON)
