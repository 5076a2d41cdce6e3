"""What people may do with what was said: look through it, take it along, and have it gone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from protocol.errors import NotFound
from protocol.history import (
    ConversationMessage,
    ConversationObject,
    ConversationPage,
    ExportedTurn,
    ExportedUsage,
    MessagePage,
    message_id,
    turn_of_message,
)
from services.storage_ports import Conversation, Conversations, ObjectStore, TurnRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Which part of a list: `limit` items behind `after`, which is the id of one."""

    limit: int
    after: str
    is_ascending: bool


class SpokenHistory:
    """The conversations of whoever asks. Threads: any.

    `store` is where recordings and pictures go; `local` is this machine's, where they went before there was a bucket.
    """

    def __init__(self, conversations: Conversations, *, store: ObjectStore, local: ObjectStore) -> None:
        self._conversations, self._store, self._local = conversations, store, local

    def conversations(self, owner: str, paging: Paging) -> ConversationPage:
        """Return a page of conversations. Raises: NotFound (of `after`), StorageError."""
        found = self._conversations.page(
            owner, limit=paging.limit + 1, after=paging.after, oldest_first=paging.is_ascending
        )
        data = self._objects(owner, found[: paging.limit])
        return ConversationPage(
            object="list",
            data=data,
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
            has_more=len(found) > paging.limit,
        )

    def conversation(self, owner: str, conversation_id: str) -> ConversationObject:
        """Return one conversation. Raises: NotFound, StorageError."""
        [found] = self._objects(owner, [self._conversations.conversation(owner, conversation_id)])
        return found

    def messages(self, owner: str, conversation_id: str, paging: Paging) -> MessagePage:
        """Return a page of a conversation's messages. Raises: NotFound (of `after`, too), StorageError."""
        turn_id = turn_of_message(paging.after)
        if paging.after and not turn_id:
            raise _no_message(paging.after)
        turns = self._conversations.turns(
            owner,
            conversation_id,
            limit=paging.limit + 2,  # each turn is a message at least; one more may be behind us, one tells of more
            after=turn_id,
            including=True,
            newest_first=not paging.is_ascending,
        )
        found = self._behind(paging, turns)
        data = found[: paging.limit]
        return MessagePage(
            object="list",
            data=data,
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
            has_more=len(found) > paging.limit,
        )

    def export(self, owner: str, conversation_id: str) -> Iterator[ExportedTurn]:
        """Yield the turns of a conversation, oldest first. Raises: NotFound (at once), StorageError."""
        self._conversations.conversation(owner, conversation_id)
        return map(self._exported, self._conversations.export(owner, conversation_id))

    def delete(self, owner: str, conversation_id: str) -> None:
        """Delete a conversation with its recordings and pictures. Raises: NotFound, StorageError (some may be left;
        asked again, it goes on).

        The objects go first: with the rows their names would be gone, and nobody could delete them any more.
        """
        gone = self._conversations.objects(owner, conversation_id)
        self._forget(gone)
        self._forget([key for key in self._conversations.delete(owner, conversation_id) if key not in set(gone)])

    # --- shapes

    def _objects(self, owner: str, found: Sequence[Conversation]) -> list[ConversationObject]:
        counts = self._conversations.counts(owner, [one.conversation_id for one in found]) if found else {}
        return [
            ConversationObject(
                id=one.conversation_id,
                object="conversation",
                created_at=_seconds(one.created_at),
                updated_at=_seconds(one.updated_at),
                title=one.title,
                turns=counts.get(one.conversation_id, 0),
            )
            for one in found
        ]

    def _behind(self, paging: Paging, turns: Sequence[TurnRecord]) -> list[ConversationMessage]:
        """Return the messages of turns in the order of a page, without those up to `after`."""
        halves = (self._halves(turn) for turn in turns)
        found = [message for pair in halves for message in (pair if paging.is_ascending else pair[::-1])]
        if not paging.after:
            return found
        places = [place for place, message in enumerate(found) if message.id == paging.after]
        if not places:
            raise _no_message(paging.after)
        return found[places[0] + 1 :]

    def _halves(self, turn: TurnRecord) -> list[ConversationMessage]:
        asked = ConversationMessage(
            id=message_id(turn.turn_id, "user"),
            object="conversation.message",
            role="user",
            created_at=_seconds(turn.started_at),
            text=turn.user_text,
            turn_id=turn.turn_id,
            image_urls=self._links(turn.image_keys),
            audio_url="".join(self._links([turn.audio_key])),
        )
        if not turn.answer_text:
            return [asked]
        answered = ConversationMessage(
            id=message_id(turn.turn_id, "assistant"),
            object="conversation.message",
            role="assistant",
            created_at=_seconds(turn.finished_at),
            text=turn.answer_text,
            turn_id=turn.turn_id,
            image_urls=[],
            heard=turn.answer_heard if turn.interrupted else None,
            interrupted=turn.interrupted,
        )
        return [asked, answered]

    def _exported(self, turn: TurnRecord) -> ExportedTurn:
        usage = turn.usage
        return ExportedTurn(
            turn_id=turn.turn_id,
            conversation_id=turn.conversation_id,
            session_id=turn.session_id,
            started_at=turn.started_at.isoformat(),
            finished_at=turn.finished_at.isoformat(),
            user_text=turn.user_text,
            answer_text=turn.answer_text,
            answer_heard=turn.answer_heard,
            interrupted=turn.interrupted,
            audio_seconds=turn.audio_seconds,
            audio_url="".join(self._links([turn.audio_key])),
            image_urls=self._links(turn.image_keys),
            asr_model=turn.asr_model,
            chat_model=turn.chat_model,
            tts_model=turn.tts_model,
            usage=ExportedUsage(
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                total_tokens=usage.total_tokens,
            ),
            stages_ms=turn.stages_ms,
            error_code=turn.error_code,
        )

    # --- objects

    def _links(self, keys: Sequence[str]) -> list[str]:
        """Return new links to objects; one that this machine has deleted meanwhile has none."""
        links: list[str] = []
        for key in filter(None, keys):
            if self._local.size_bytes(key) is not None:
                links.append(self._local.url(key))
            elif self._store is not self._local:
                links.append(self._store.url(key))
        return links

    def _forget(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._store.delete(key)
            if self._store is not self._local:
                self._local.delete(key)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _no_message(text: str) -> NotFound:
    return NotFound(f"There is no message {text!r} in this conversation.", param="after")
