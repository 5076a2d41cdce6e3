"""`/v1/chat/audio`: the door of voice devices."""

from flask import Blueprint
from flask_sock import Sock
from simple_websocket import Server

from protocol.telling import AudioTelling
from routes import device
from services.session import SessionRules
from services.sessions import Sessions
from services.turn import Engines


def blueprint(engines: Engines, rules: SessionRules, *, sessions: Sessions) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("audio_websocket", __name__)

    door.before_request(device.check)

    @Sock(door).route("/v1/chat/audio")  # type: ignore[untyped-decorator]
    def chat_audio(ws: Server) -> None:
        open_session = device.opening(engines, rules, telling=AudioTelling())
        device.serve(ws, sessions, open_session)

    return door
