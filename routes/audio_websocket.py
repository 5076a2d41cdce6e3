"""`/v1/chat/audio`: the door of voice devices."""

import logging

from flask import Blueprint
from flask_sock import Sock
from simple_websocket import Server

from protocol.errors import TooManySessions
from protocol.events import encode
from protocol.keys import ApiKey
from routes.socket import WebSocketAdapter
from services.session import Session, SessionRules
from services.sessions import Sessions
from services.turn import Engines, error_event

_log = logging.getLogger(__name__)

_TRY_LATER = 1013


def blueprint(engines: Engines, rules: SessionRules, *, sessions: Sessions, key: ApiKey) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("audio_websocket", __name__)

    @Sock(door).route("/v1/chat/audio")  # type: ignore[untyped-decorator]
    def chat_audio(ws: Server) -> None:
        socket = WebSocketAdapter(ws)
        try:
            with sessions.place():
                session = Session(socket, engines, rules, key=key)
                with sessions.running(session):
                    session.run()
        except TooManySessions as error:
            socket.send([encode(error_event(error))])
            socket.close(_TRY_LATER, error.code)
        except Exception:  # what escapes from here would be written into the open WebSocket as an HTTP answer
            _log.exception("session broke")
            socket.abort()

    return door
