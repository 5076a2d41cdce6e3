"""The history that loses nothing: in the database when that takes the turn soon, else in the journal until it does.

How it works.  While nothing waits, `save` asks the database, which has about `quick_s` for each of its steps (2 s
together at the worst); a slower or absent one is not waited for.  Once something waits, every turn goes behind it into
the journal, at once: so the order is kept, and a database that is away costs one wait, not one per turn.  The deliverer
empties the journal with a patient connection; then `save` asks the database again.
"""

import contextlib
import dataclasses
import hashlib
import json
import logging
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import URL

from protocol.errors import StorageError, StorageMisconfigured, StorageRefused
from services.storage_ports import Saved, TurnRecord
from storage import database
from storage.conversations import SqlConversations
from storage.delivery import Deliverer
from storage.history import SqlHistory, prepare_tables
from storage.journal import Content, Damaged, Entry, Journal

_log = logging.getLogger(__name__)

_QUICK_S = 0.6
"""Three steps can each take so long: a free connection, the old one's ping, the new one's greeting."""
_PATIENT_S = 10.0
_READ_S = 5.0


class JournaledHistory:
    """Implements `History`. Invariant: a turn whose `save` returned outlives any kill of this process, and becomes one
    row. Threads: any number, also of several processes on one journal.
    """

    def __init__(
        self,
        url: URL | str,
        *,
        journal: Path,
        max_bytes: int,
        quick_s: float = _QUICK_S,
        patient_s: float = _PATIENT_S,
        longest_pause_s: float = 5.0,
    ) -> None:
        """Make the tables ready, now or, when the database is away, later.

        Raises: StorageMisconfigured for what waiting does not mend (password, database, newer tables).
        """
        self._url, self._patient_s, self._is_ready = database.parse_url(url), patient_s, False
        self._journal = Journal(journal, max_bytes=max_bytes)
        self._quick = SqlHistory(database.connect(self._url, timeout_s=quick_s))
        self._patient = SqlHistory(database.connect(self._url, timeout_s=patient_s))
        self._reader = database.connect(self._url, timeout_s=_READ_S)
        self.conversations = SqlConversations(
            self._reader, forget_waiting=self._forget_waiting, waiting_objects=self._waiting_objects
        )
        self._deliverer = Deliverer(
            self._journal, self._send, name="turns-delivery", check=self._check, longest_pause_s=longest_pause_s
        )
        self._prepare_unless_away(timeout_s=min(5.0, patient_s))
        self._deliverer.start()

    def save(self, turn: TurnRecord) -> Saved:
        """Store one turn durably; the same `turn_id` again changes nothing.

        Raises: StorageRefused (it can never be a row; it is set aside), StorageError (the journal is full).
        """
        if self._is_ready and self._journal.is_empty:
            try:
                return self._quick.save(turn)
            except StorageRefused as error:
                self._journal.add(_ABOUT, as_json(turn), hold=True).set_aside(str(error))
                raise
            except StorageError as error:
                _log.warning("turn goes into the journal: %s", error)
        self._journal.add(_ABOUT, as_json(turn), label=_label_of(turn))
        self._deliverer.wake()
        return Saved.JOURNALED

    def deliver(self) -> None:
        """Bring what waits into the database now. Raises: StorageError when that is away."""
        self._deliverer.deliver()

    def ping(self) -> None:
        """Raise StorageError when the database does not answer now."""
        self._quick.ping()

    def close(self) -> None:
        """End the deliverer, then the connections; what waits is delivered after the next start."""
        self._deliverer.close()
        self._quick.close()
        self._patient.close()
        self._reader.dispose()

    def _prepare_unless_away(self, *, timeout_s: float) -> None:
        try:
            prepare_tables(self._url, timeout_s=timeout_s)
            self._is_ready = True
        except StorageMisconfigured:
            raise
        except StorageError as error:
            _log.warning("history begins in the journal: %s", error)

    def _check(self) -> None:
        """Raise StorageError while the database is away, or its tables are not ready."""
        if not self._is_ready:
            prepare_tables(self._url, timeout_s=self._patient_s)
            self._is_ready = True
        self._patient.ping()

    def _forget_waiting(self, owner: str, conversation_id: str) -> list[str]:
        """Remove what waits of a conversation and return its objects' keys, so that a deleted one does not come back.

        An entry that is being delivered this moment is waited for, and then is a row like the others.
        Raises: StorageError when that takes long.
        """
        keys: list[str] = []
        for entry in self._journal.take(_label(owner, conversation_id), within_s=self._patient_s):
            keys += _objects_of(entry)
            entry.remove()
        return keys

    def _waiting_objects(self, owner: str, conversation_id: str) -> list[str]:
        return [key for entry in self._journal.find(_label(owner, conversation_id)) for key in _objects_of(entry)]

    def _send(self, content: Content) -> None:
        self._patient.save(as_turn(content.data))


def _objects_of(entry: Entry) -> list[str]:
    """Return the keys of the objects of a turn that waits; nothing when it is gone or broken."""
    with contextlib.suppress(FileNotFoundError, Damaged):
        turn = as_turn(entry.read().data)
        return [key for key in (turn.audio_key, *turn.image_keys) if key]
    return []


_ABOUT = {"kind": "turn", "version": "1"}


def _label_of(turn: TurnRecord) -> str:
    return _label(turn.owner or turn.key_fingerprint, turn.conversation_id or turn.session_id)


def _label(owner: str, conversation_id: str) -> str:
    """Return what a conversation's entries are found by; the length tells where the owner ends."""
    return hashlib.sha256(f"{len(owner)}:{owner}{conversation_id}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def as_json(turn: TurnRecord) -> bytes:
    """Return a turn as ASCII JSON: the standard library's, because it bears half a surrogate pair and brings it back.

    Raises: StorageRefused for a moment without a zone.
    """
    for moment in (turn.started_at, turn.finished_at):
        if moment.tzinfo is None:
            raise StorageRefused(f"A moment without a time zone cannot be stored: {moment!r}.")
    return json.dumps(dataclasses.asdict(turn), default=datetime.isoformat).encode()


def as_turn(data: bytes) -> TurnRecord:
    """Return the turn in a journal's entry. Raises: Damaged."""
    try:
        return msgspec.convert(json.loads(data), TurnRecord)
    except (ValueError, msgspec.ValidationError) as error:
        raise Damaged(f"it is no turn: {error}") from error
