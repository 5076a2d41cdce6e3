"""`/v1/chat/audio`: the door of voice devices."""

from flask import Blueprint
from flask_sock import Sock
from simple_websocket import Server

from protocol.telling import AudioTelling
from routes import device
from routes.call import current
from services.session import Session, SessionRules
from services.sessions import Sessions
from services.turn import Engines


def blueprint(engines: Engines, rules: SessionRules, *, sessions: Sessions) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("audio_websocket", __name__)

    @Sock(door).route("/v1/chat/audio")  # type: ignore[untyped-decorator]
    def chat_audio(ws: Server) -> None:
        caller, telling = current().caller, AudioTelling()
        device.serve(ws, sessions, lambda socket: Session(socket, engines, rules, telling=telling, caller=caller))

    return door
