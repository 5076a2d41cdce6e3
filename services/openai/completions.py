"""Text completions for OpenAI's clients: each prompt is a chat of one message; several are asked side by side."""

from collections.abc import Generator, Iterator
from contextlib import closing

from protocol.keys import ApiKey
from protocol.openai import completion
from protocol.openai.chat_request import ChatCall
from protocol.openai.completion import CompletionCall
from services.flow import CancelToken
from services.openai.chat import ChatCompletions, Named
from services.openai.side_by_side import at_once


class TextCompletions:
    """Answers for clients of OpenAI's older completions. Threads: any."""

    def __init__(self, chat: ChatCompletions) -> None:
        self._chat = chat

    def answer(self, call: CompletionCall, *, key: ApiKey, cancel: CancelToken, named: Named) -> bytes:
        """Return a whole answer. Raises: UpstreamError, BadInput, Cancelled."""

        def ask(chat: ChatCall, stop: CancelToken) -> Iterator[bytes]:
            yield self._chat.answer(chat, key=key, cancel=stop, named=named)

        if len(call.chats) == 1:
            return completion.whole([*ask(call.chats[0], cancel)], n=call.n)
        with closing(at_once(iter(call.chats), ask, cancel=cancel)) as answers:
            return completion.whole([answer for answered in answers for answer in answered], n=call.n)

    def stream(self, call: CompletionCall, *, key: ApiKey, cancel: CancelToken, named: Named) -> Generator[bytes]:
        """Yield a streamed answer, its events ready for the wire. Closing it ends the vendor's call.

        Raises: UpstreamError (also in mid-answer), BadInput, Cancelled.
        """
        with closing(self._chat.stream(call.chats[0], key=key, cancel=cancel, named=named)) as events:
            for batch in events:
                if pieces := completion.pieces(batch):
                    yield pieces
