"""What the model is told of the turns before this one."""

import dataclasses
from collections import deque
from collections.abc import Sequence

from services.ports import Message, Picture


class Conversation:
    """The last turns of one connection. Invariant: at most `turns` of them, at most one of them with its pictures (they
    cost memory and tokens); the system prompt is always first.

    Threads: the turn's; turns of a connection never overlap.
    """

    def __init__(self, *, system_prompt: str, turns: int) -> None:
        self._system = Message(role="system", content=system_prompt)
        self._turns: deque[tuple[Message, ...]] = deque(maxlen=turns)

    def messages(self, question: str, pictures: Sequence[Picture] = ()) -> list[Message]:
        """Return the whole prompt for a new question; without pictures of its own it may be about the last ones."""
        earlier = [message for turn in self._turns for message in turn]
        if pictures:
            earlier = [_unseen(message) for message in earlier]
        return [self._system, *earlier, Message(role="user", content=question, pictures=tuple(pictures))]

    def add(self, question: str, answer: str, pictures: Sequence[Picture] = ()) -> None:
        """Remember a turn, with the answer as it was heard; one that came to nothing is not remembered."""
        if not (question and answer):
            return
        if pictures:
            self._turns = deque((tuple(map(_unseen, turn)) for turn in self._turns), maxlen=self._turns.maxlen)
        asked = Message(role="user", content=question, pictures=tuple(pictures))
        self._turns.append((asked, Message(role="assistant", content=answer)))


def _unseen(message: Message) -> Message:
    return dataclasses.replace(message, pictures=()) if message.pictures else message
