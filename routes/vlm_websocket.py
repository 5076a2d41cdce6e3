"""`/v1/chat/vlm`: the door of devices that also see."""

from flask import Blueprint
from flask_sock import Sock
from simple_websocket import Server

from protocol.telling import VlmTelling
from routes import device
from services.session import SessionRules
from services.sessions import Sessions
from services.turn import Engines


def blueprint(engines: Engines, rules: SessionRules, *, sessions: Sessions) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("vlm_websocket", __name__)

    door.before_request(device.check)

    @Sock(door).route("/v1/chat/vlm")  # type: ignore[untyped-decorator]
    def chat_vlm(ws: Server) -> None:
        open_session = device.opening(engines, rules, telling=VlmTelling())
        device.serve(ws, sessions, open_session)

    return door
