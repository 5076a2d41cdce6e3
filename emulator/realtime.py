"""The realtime WebSocket door: /api-ws/v1/realtime?model=...  The model's name decides which session is held."""

from __future__ import annotations

from flask import Blueprint, Response, request

from emulator.asr_realtime import RecognitionSession
from emulator.calls import Call, ClientGone
from emulator.errors import usual_error
from emulator.models import MODELS
from emulator.requests import call_of
from emulator.scenario import Fault
from emulator.tts_realtime import SynthesisSession
from emulator.wire import Wire

blueprint = Blueprint("realtime", __name__)


@blueprint.route("/api-ws/v1/realtime", websocket=True)
def realtime() -> Response:
    """Hold one realtime session; there is no HTTP answer after it, so the line is dropped."""
    call, model = call_of(), request.args.get("model", "")
    stage = "asr_realtime" if "asr" in model else "tts"
    fault = _on_upgrade(call, stage)
    call.note("connected", model=model)
    wire = Wire(request.environ, call, fault)
    try:
        _hold(model, wire, call)
    except ClientGone as gone:
        call.note("closed", why=str(gone))
    finally:
        wire.close()
        wire.join()
    raise ClientGone("the session is over")


def _hold(model: str, wire: Wire, call: Call) -> None:
    known = MODELS.get(model)
    if known is not None and (not known.is_retired or call.scenario.models.retired == "served"):
        session = RecognitionSession if known.family == "asr_realtime" else SynthesisSession
        session(model, wire, call).run()
    elif call.scenario.tts.bad_model == "1007":
        wire.close(1007, "Model not found")
    else:
        wire.send("session.created", session={"object": "realtime.session", "model": model})


def _on_upgrade(call: Call, stage: str) -> Fault | None:
    """Let connecting take its time, and a fault with a status strike on the upgrade.  Raises: ApiError."""
    call.pause(call.scenario.latency.tts_connect_ms if stage == "tts" else 0)
    fault = call.next_fault(stage)
    if fault is not None and fault.kind == "status":
        call.pause(fault.delay_ms)
        raise usual_error(fault.status, fault.code, fault.message)
    return fault
