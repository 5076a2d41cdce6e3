"""Short words for what was said before the turns that the model is told.

When the first turn has left the window untold, a summary is asked for: of it, of the others that are untold, and of the
older half of the window, so that the next turns to leave are in it already.  It is made after a turn, beside everything
else; when it fails, the next turn tries again.
"""

import logging
import threading
from collections.abc import Sequence

from protocol.errors import Cancelled, GatewayError
from protocol.keys import ApiKey
from services.conversation import Exchange, exchange_of
from services.flow import CancelToken
from services.ports import ChatModel, Message
from services.storage_ports import Conversation, Conversations

_log = logging.getLogger(__name__)

_INSTRUCTION = (
    "请把下面的对话压缩成一段摘要，供助手以后参考：保留人名、事实、偏好、约定和还没完成的事。"
    "不超过 300 字，用对话的语言，只输出摘要。"
)
_MOST_TURNS = 50
_MOST_CHARS = 600
"""Of a question or an answer; what is longer is cut."""
_MOST_SUMMARY_CHARS = 2000


class Summariser:
    """Summarises conversations of one connection, one at a time.

    Threads: the turn begins, a thread of its own works, the handler closes.
    """

    def __init__(self, history: Conversations, chat: ChatModel, *, owner: str, key: ApiKey, name: str) -> None:
        self._history, self._chat, self._owner, self._key, self._name = history, chat, owner, key, name
        self._cancel = CancelToken()
        self._thread: threading.Thread | None = None

    def begin(self, conversation_id: str, told: Sequence[Exchange]) -> None:
        """Begin to summarise what came before the exchanges that are told, unless that is under way."""
        if not told or (self._thread and self._thread.is_alive()):
            return
        name = f"{self._name}-summary"
        self._thread = threading.Thread(target=self._work, args=(conversation_id, told), name=name, daemon=True)
        self._thread.start()

    def close(self, *, patience_s: float) -> None:
        """Let a summary that is under way be finished, but not longer than `patience_s`."""
        if self._thread:
            self._thread.join(patience_s)
            self._cancel.cancel()
            self._thread.join()

    def _work(self, conversation_id: str, told: Sequence[Exchange]) -> None:
        try:
            self._summarise(self._history.conversation(self._owner, conversation_id), told)
        except Cancelled:
            pass
        except GatewayError as error:
            _log.warning("%s: no summary: %s", self._name, error.code)
        except Exception:  # the outermost frame of a thread
            _log.exception("%s: summarising broke", self._name)

    def _summarise(self, conversation: Conversation, told: Sequence[Exchange]) -> None:
        owner, name, known = conversation.owner, conversation.conversation_id, conversation.summary_until
        if not self._history.between(owner, name, after=known, before=told[0].at, limit=1):
            return
        half = told[len(told) // 2].at
        turns = self._history.between(owner, name, after=known, before=half, limit=_MOST_TURNS)
        if not turns:  # deleted this moment
            return
        exchanges = [exchange for turn in turns if (exchange := exchange_of(turn))]
        summary = self._ask(conversation.summary, exchanges) if exchanges else conversation.summary
        self._history.summarise(conversation, summary, until=turns[-1].started_at)

    def _ask(self, before: str, exchanges: Sequence[Exchange]) -> str:
        said = "\n".join(f"用户：{one.question[:_MOST_CHARS]}\n助手：{one.answer[:_MOST_CHARS]}" for one in exchanges)
        question = f"此前的摘要：{before}\n\n{said}" if before else said
        prompt = [Message(role="system", content=_INSTRUCTION), Message(role="user", content=question)]
        text = ""
        for delta in self._chat.stream(prompt, key=self._key, cancel=self._cancel):
            text += delta.text
            if len(text) > _MOST_SUMMARY_CHARS:
                break
        return text[:_MOST_SUMMARY_CHARS] or before
