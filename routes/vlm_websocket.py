"""`/v1/chat/vlm`: the door of devices that also see."""

from flask import Blueprint
from flask_sock import Sock
from simple_websocket import Server

from protocol.telling import VlmTelling
from routes import device
from routes.call import current
from services.session import Session, SessionRules
from services.sessions import Sessions
from services.turn import Engines


def blueprint(engines: Engines, rules: SessionRules, *, sessions: Sessions) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("vlm_websocket", __name__)

    @Sock(door).route("/v1/chat/vlm")  # type: ignore[untyped-decorator]
    def chat_vlm(ws: Server) -> None:
        caller, telling = current().caller, VlmTelling()
        device.serve(ws, sessions, lambda socket: Session(socket, engines, rules, telling=telling, caller=caller))

    return door
