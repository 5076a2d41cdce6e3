"""What the model is told of the turns before this one."""

from collections import deque

from services.ports import Message


class Conversation:
    """The last turns of one connection. Invariant: at most `turns` of them; the system prompt is always first.

    Threads: the turn's; turns of a connection never overlap.
    """

    def __init__(self, *, system_prompt: str, turns: int) -> None:
        self._system = Message(role="system", content=system_prompt)
        self._turns: deque[tuple[Message, Message]] = deque(maxlen=turns)

    def messages(self, question: str) -> list[Message]:
        """Return the whole prompt for a new question."""
        earlier = [message for turn in self._turns for message in turn]
        return [self._system, *earlier, Message(role="user", content=question)]

    def add(self, question: str, answer: str) -> None:
        """Remember a turn, with the answer as it was heard; one that came to nothing is not remembered."""
        if question and answer:
            self._turns.append((Message(role="user", content=question), Message(role="assistant", content=answer)))
