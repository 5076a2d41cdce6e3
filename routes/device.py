"""One device's WebSocket, whichever of the two it is: admitted, served, and never left with an HTTP answer in it."""

import functools
import logging
from collections.abc import Callable

from flask import g, request
from simple_websocket import Server

from protocol.errors import TooManySessions
from protocol.events import encode
from protocol.telling import Telling
from routes.call import current
from routes.conversation import asked_conversation
from routes.socket import WebSocketAdapter
from services.session import DeviceSocket, Session, SessionRules
from services.sessions import Sessions
from services.turn import Engines, error_event

_log = logging.getLogger(__name__)

_TRY_LATER = 1013


def check() -> None:
    """Refuse, while a refusal can still be an HTTP answer, to go on with a conversation that cannot be."""
    g.conversation_id = asked_conversation(request)


def opening(engines: Engines, rules: SessionRules, *, telling: Telling) -> Callable[[DeviceSocket], Session]:
    """Return what opens the session of the connection that is being asked for."""
    return functools.partial(
        Session,
        engines=engines,
        rules=rules,
        telling=telling,
        caller=current().caller,
        conversation_id=g.conversation_id,
    )


def serve(ws: Server, sessions: Sessions, open_session: Callable[[DeviceSocket], Session]) -> None:
    """Serve one connection to its end, if there is a place for it."""
    socket = WebSocketAdapter(ws)
    try:
        with sessions.place():
            session = open_session(socket)
            with sessions.running(session):
                session.run()
    except TooManySessions as error:
        socket.send([encode(error_event(error))])
        socket.close(_TRY_LATER, error.code)
    except Exception:  # what escapes from here would be written into the open WebSocket as an HTTP answer
        _log.exception("session broke")
        socket.abort()
