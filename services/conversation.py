"""What the model is told of the turns before this one: a window onto a conversation, by turns and by tokens."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.ports import Message, Picture
from services.storage_ports import TurnRecord

_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
_PER_EXCHANGE = 8
"""What marks the beginning and end of two messages."""
_CUT = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question and what was heard of its answer."""

    turn_id: str
    at: datetime
    question: str
    answer: str
    image_keys: tuple[str, ...] = ()


def exchange_of(turn: TurnRecord) -> Exchange | None:
    """Return what is remembered of a turn; None when it came to nothing: a model told of it would be confused."""
    if not (turn.user_text and turn.answer_heard):
        return None
    return Exchange(
        turn_id=turn.turn_id,
        at=turn.started_at,
        question=turn.user_text,
        answer=turn.answer_heard,
        image_keys=turn.image_keys,
    )


def tokens_of(text: str) -> int:
    """Return about how many tokens a text is: one for each Chinese, Japanese or Korean sign, one for four others.

    The vendor's models take fewer (about 1.5 such signs, 4 letters a token): the estimate errs on the safe side.
    """
    wide = len(_WIDE.findall(text))
    return wide + math.ceil((len(text) - wide) / 4)


def window(exchanges: Iterable[Exchange], *, turns: int, tokens: int) -> list[Exchange]:
    """Return the newest exchanges, oldest first: so many at most, and together no more tokens than allowed.

    The newest one is told in any case, cut where it alone is too long.
    """
    kept: list[Exchange] = []
    left = tokens
    for exchange in sorted(exchanges, key=lambda one: (one.at, one.turn_id), reverse=True)[:turns]:
        size = _size(exchange)
        if size > left:
            return kept[::-1] if kept else [_shortened(exchange, tokens)]
        kept.append(exchange)
        left -= size
    return kept[::-1]


def messages(exchanges: Sequence[Exchange], *, shown: Mapping[str, Sequence[Picture]]) -> list[Message]:
    """Return exchanges as messages; the last one with pictures shows those that are at hand, by `turn_id`.

    The ones before show none: pictures cost memory and tokens.
    """
    last = next((one.turn_id for one in reversed(exchanges) if one.image_keys), "")
    told: list[Message] = []
    for one in exchanges:
        pictures = tuple(shown.get(last, ())) if one.turn_id == last else ()
        told.append(Message(role="user", content=one.question, pictures=pictures))
        told.append(Message(role="assistant", content=one.answer))
    return told


def _size(exchange: Exchange) -> int:
    return tokens_of(exchange.question) + tokens_of(exchange.answer) + _PER_EXCHANGE


def _shortened(exchange: Exchange, tokens: int) -> Exchange:
    """Return an exchange of which question and answer have half of the room each, at one token a sign."""
    room = max(tokens // 2, 1)
    return replace(exchange, question=_first(exchange.question, room), answer=_first(exchange.answer, room))


def _first(text: str, room: int) -> str:
    return text if len(text) <= room else text[:room] + _CUT
