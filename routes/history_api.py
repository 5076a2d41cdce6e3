"""`/v1/conversations`: what was said, for whoever said it. Source of the pages: OpenAI API reference, list messages."""

import logging
import re
from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, request

from protocol.conversation_ids import is_conversation_id
from protocol.errors import BadInput, GatewayError, NotFound, Unauthorized
from protocol.history import ConversationDeleted, ExportedTurn
from routes import errors
from routes.call import current
from services.history import Paging, SpokenHistory

_log = logging.getLogger(__name__)
_MOST, _USUAL = 100, 20
_KNOWN = ("limit", "after", "order")


def blueprint(history: SpokenHistory) -> Blueprint:
    """Return the routes, joined to their parts."""
    door = Blueprint("history_api", __name__, url_prefix="/v1/conversations")

    @door.get("")
    def conversations() -> Response:
        return _json(history.conversations(_owner(), _paging(order="desc")))

    @door.get("/<conversation_id>")
    def conversation(conversation_id: str) -> Response:
        return _json(history.conversation(_owner(), _known(conversation_id)))

    @door.delete("/<conversation_id>")
    def delete(conversation_id: str) -> Response:
        history.delete(_owner(), _known(conversation_id))
        return _json(ConversationDeleted(id=conversation_id, object="conversation.deleted", deleted=True))

    @door.get("/<conversation_id>/messages")
    def messages(conversation_id: str) -> Response:
        return _json(history.messages(_owner(), _known(conversation_id), _paging(order="asc")))

    @door.get("/<conversation_id>/export")
    def export(conversation_id: str) -> Response:
        lines = _lines(history.export(_owner(), _known(conversation_id)))
        answer = Response(lines, content_type="application/x-ndjson; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="{conversation_id}.ndjson"'
        return answer

    return door


def _owner() -> str:
    """Return whose history is asked for. Raises: Unauthorized for somebody whom nobody can tell from others."""
    caller = current().caller
    if caller.is_stranger:
        raise Unauthorized(
            "查看对话记录需要 API 密钥。",
            english="Conversations belong to API keys, and you didn't provide one. "
            "Send it as 'Authorization: Bearer KEY'.",
            code="missing_api_key",
        )
    return caller.owner


def _known(conversation_id: str) -> str:
    """Return an id that a conversation can have. Raises: NotFound; conversations of before may have longer ones."""
    if not is_conversation_id(conversation_id):
        raise NotFound(f"There is no conversation {conversation_id[:64]!r}.", param="conversation_id")
    return conversation_id


def _paging(*, order: str) -> Paging:
    """Return the part of the list that is asked for, `order` being the usual one. Raises: BadInput."""
    for name in request.args:
        if name not in (*_KNOWN, "token"):
            raise BadInput(f"Unknown parameter: {name[:64]!r}. Known: {', '.join(_KNOWN)}.", param=name[:64])
    limit, order = request.args.get("limit", str(_USUAL)), request.args.get("order", order)
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= _MOST:
        raise BadInput(f"Invalid 'limit': expected a whole number from 1 to {_MOST}.", param="limit")
    if order not in ("asc", "desc"):
        raise BadInput("Invalid 'order': expected asc or desc.", param="order")
    return Paging(limit=int(limit), after=request.args.get("after", ""), is_ascending=order == "asc")


def _lines(turns: Iterator[ExportedTurn]) -> Iterator[bytes]:
    """Yield one line for each turn; what fails in the middle is told in a last one, so that no half looks whole."""
    try:
        for turn in turns:
            yield msgspec.json.encode(turn) + b"\n"
    except GatewayError as error:
        _log.warning("export broke off: %s %s", error.code, error)
        yield msgspec.json.encode(errors.body(error)) + b"\n"


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), content_type="application/json")
