"""`/v1/chat/audio`: the door of voice devices."""

from flask import Blueprint
from flask_sock import Sock
from simple_websocket import Server

from protocol.keys import ApiKey
from protocol.telling import AudioTelling
from routes import device
from services.session import Session, SessionRules
from services.sessions import Sessions
from services.turn import Engines


def blueprint(engines: Engines, rules: SessionRules, *, sessions: Sessions, key: ApiKey) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("audio_websocket", __name__)

    @Sock(door).route("/v1/chat/audio")  # type: ignore[untyped-decorator]
    def chat_audio(ws: Server) -> None:
        device.serve(ws, sessions, lambda socket: Session(socket, engines, rules, telling=AudioTelling(), key=key))

    return door
