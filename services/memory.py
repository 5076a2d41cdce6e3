"""What a conversation remembers: read from the history, also what was said over another connection or before a restart.

How it works.  While the recording of an utterance still arrives, a thread reads the last turns of the conversation, and
the pictures of the last turn that had any.  The turn, once its words are known, takes what has been read; it waits a
moment at most, then goes on with what it has: nobody waits for a database before hearing an answer, and one that has
kept a turn waiting in vain is not waited for at all until it answers in time (`services/patience.py`).  What this
connection itself said is known without reading, until the history has it: then the history is right, also when
somebody has deleted the conversation there.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from protocol.errors import GatewayError
from services.conversation import Exchange, exchange_of, messages, window
from services.patience import Patience
from services.pictures import PictureRules, prepare
from services.ports import Message, Picture
from services.storage_ports import Conversations, ObjectStore, TurnRecord
from services.summary import Summariser

_log = logging.getLogger(__name__)

_SUMMARY_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRules:
    """How much of a conversation the model is told: at most so many turns, about so many tokens, and whether a summary
    of what came before; and the patience with the history, which all connections share."""

    system_prompt: str
    turns: int
    tokens: int
    has_summary: bool = False
    patience: Patience = field(default_factory=Patience, compare=False)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """A look into the history. `settled`: turns of ours that it should find there, or they have been deleted."""

    settled: frozenset[str]
    thread: threading.Thread | None = None
    began_s: float = field(default_factory=time.monotonic)
    exchanges: list[Exchange] | None = None
    pictures: tuple[str, Sequence[Picture]] | None = None
    summary: str = ""


@dataclass(slots=True, kw_only=True)
class _Known:
    """What is known of a conversation. `own` is what this connection said, `settled` what of it the history has.

    `shown`: the pictures of one turn, by its `turn_id`.
    """

    conversation_id: str
    is_new: bool
    reading: _Reading | None = None
    earlier: list[Exchange] = field(default_factory=list)
    own: dict[str, Exchange] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    shown: dict[str, Sequence[Picture]] = field(default_factory=dict)
    summary: str = ""


class Memory:
    """The conversation of one connection. Without `pictures` rules the model cannot see, and is shown none.

    Threads: the handler opens, recalls and closes; the running turn asks and adds; one more reads.
    """

    def __init__(
        self,
        history: Conversations,
        rules: MemoryRules,
        *,
        store: ObjectStore,
        owner: str,
        pictures: PictureRules | None,
        name: str,
        summariser: Summariser | None = None,
    ) -> None:
        self._history, self._rules, self._store, self._owner = history, rules, store, owner
        self._picture_rules, self._name = pictures, name
        self._summariser = summariser
        self._lock = threading.Lock()
        self._known = _Known(conversation_id="", is_new=True)

    # --- the handler's side

    @property
    def conversation_id(self) -> str:
        return self._known.conversation_id

    def open(self, conversation_id: str, *, is_new: bool = False) -> None:
        """Go on with a conversation from now on; one that is new has nothing to be read."""
        if conversation_id == self.conversation_id:
            return
        with self._lock:
            self._known = _Known(conversation_id=conversation_id, is_new=is_new)
        self.recall()

    def recall(self) -> None:
        """Begin to read the conversation, unless that is under way or in vain."""
        with self._lock:
            known = self._known
            if known.is_new or _is_under_way(known.reading) or not self._rules.turns:
                return
            known.reading = _Reading(settled=frozenset(known.settled))
            known.reading.thread = threading.Thread(
                target=self._read,
                args=(known.reading, known.conversation_id, next(iter(known.shown), "")),
                name=f"{self._name}-memory",
                daemon=True,
            )
            known.reading.thread.start()

    def close(self, *, is_hurried: bool = False) -> None:
        """End with the connection; a reader that waits for a database is left to the database's own deadline."""
        self._wait()
        if self._summariser:
            self._summariser.close(patience_s=0 if is_hurried else _SUMMARY_PATIENCE_S)

    # --- the turn's side

    def prompt(self, question: str, pictures: Sequence[Picture] = ()) -> list[Message]:
        """Return the whole prompt for a new question; without pictures of its own it may be about the last ones."""
        if not self._wait():
            self._rules.patience.lose()
            _log.warning("%s: the history did not answer in time; the turn goes on without it", self._name)
        rules = self._rules
        with self._lock:
            _take_in(self._known)
            shown = {} if pictures or not self._picture_rules else self._known.shown
            earlier = messages(self._told(), shown=shown)
            summary = self._known.summary
        system = f"{rules.system_prompt}\n\n此前对话的摘要：{summary}" if summary else rules.system_prompt
        asked = Message(role="user", content=question, pictures=tuple(pictures))
        return [Message(role="system", content=system), *earlier, asked]

    def add(self, turn: TurnRecord, pictures: Sequence[Picture], *, is_saved: bool) -> None:
        """Remember a turn of this connection. `is_saved`: the history has it, and is asked from now on."""
        with self._lock:
            known = self._known
            known.is_new = False
            if exchange := exchange_of(turn):
                known.own[turn.turn_id] = exchange
                known.settled |= {turn.turn_id} if is_saved else set()
                known.shown = {turn.turn_id: pictures} if pictures else known.shown
            for turn_id in list(known.own)[: -self._rules.turns or None]:
                del known.own[turn_id]
            conversation_id, told = known.conversation_id, self._told()
        if self._summariser and is_saved:
            self._summariser.begin(conversation_id, told)

    def _told(self) -> list[Exchange]:
        exchanges = {one.turn_id: one for one in self._known.earlier} | self._known.own
        return window(exchanges.values(), turns=self._rules.turns, tokens=self._rules.tokens)

    def _wait(self) -> bool:
        """Wait a moment for the reader; returns whether it has ended."""
        reading = self._known.reading
        if not reading or not reading.thread:
            return True
        reading.thread.join(self._rules.patience.left_s(reading.began_s))
        return not reading.thread.is_alive()

    # --- the reader

    def _read(self, reading: _Reading, conversation_id: str, shown: str) -> None:
        """Read the last turns, then the pictures of the last one that has any, unless they are at hand."""
        try:
            turns = self._history.window(self._owner, conversation_id, turns=self._rules.turns)
            if turns and self._rules.has_summary:
                reading.summary = self._history.conversation(self._owner, conversation_id).summary
            reading.exchanges = [exchange for turn in turns if (exchange := exchange_of(turn))]
            seen = next((one for one in reading.exchanges if one.image_keys), None)
            if self._picture_rules and seen and seen.turn_id != shown:
                rules = self._picture_rules
                pictures = [prepare(self._store.get(key), rules=rules) for key in seen.image_keys]
                reading.pictures = seen.turn_id, pictures
            self._rules.patience.regain(reading.began_s)
        except GatewayError as error:
            _log.warning("%s: the conversation could not be read: %s %s", self._name, error.code, error)
        except Exception:  # the outermost frame of a thread: the turn must go on without it
            _log.exception("%s: reading the conversation broke", self._name)


def _is_under_way(reading: _Reading | None) -> bool:
    return bool(reading and reading.thread and reading.thread.is_alive())


def _take_in(known: _Known) -> None:
    """Believe what has been read by now; turns that should have been found and were not have been deleted."""
    reading = known.reading
    if not reading or reading.exchanges is None:
        return
    known.earlier, known.summary = reading.exchanges, reading.summary
    known.own = {turn_id: one for turn_id, one in known.own.items() if turn_id not in reading.settled}
    known.settled -= reading.settled
    if reading.pictures and not known.own.keys() & known.shown.keys():
        turn_id, pictures = reading.pictures
        known.shown = {turn_id: pictures}
