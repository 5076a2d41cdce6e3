"""The brain: the scripted reply if there is one, else a short friendly answer that repeats what it was told."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from emulator.calls import Call
from emulator.chat_request import ChatRequest
from emulator.schema_sample import sample
from emulator.tool_calls import tool_calls_of

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_LONGEST_ECHO: Final = 80
_DELTA_CHARS: Final = (1, 2, 3, 4, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says: deltas of text, of reasoning, or tool calls; and what it cost."""

    deltas: tuple[str, ...]
    reasoning: tuple[str, ...]
    tool_calls: tuple[dict[str, Any], ...]
    finish_reason: str
    prompt_tokens: int

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.deltas)

    @property
    def output_tokens(self) -> int:
        """One token per delta and 20 per tool call."""
        return max(1, len(self.deltas) + len(self.reasoning) + 20 * len(self.tool_calls))


def compose_all(chat: ChatRequest, call: Call) -> tuple[Answer, ...]:
    """Return as many answers as `n` asks for; each takes the next scripted reply."""
    return tuple(compose(chat, call) for _ in range(chat.options.get("n") or 1))


def compose(chat: ChatRequest, call: Call) -> Answer:
    """Return the answer to a chat request; it is the same for the same request, whatever the seed."""
    chars = call.scenario.latency.chat_token_chars
    prompt_tokens = count_tokens(chat.all_text) + chat.media_count * 64
    tool_calls = tool_calls_of(chat, call)
    is_thinking = chat.is_thinking or (bool(call.scenario.reasoning) and "enable_thinking" not in chat.options)
    reasoning = tuple(cut(call.scenario.reasoning or _default_reasoning(chat), chars)) if is_thinking else ()
    if tool_calls:
        return Answer(
            deltas=(),
            reasoning=reasoning,
            tool_calls=tool_calls,
            finish_reason="tool_calls",
            prompt_tokens=prompt_tokens,
        )
    scripted = call.script.next_reply()
    deltas = tuple(cut(chat.until_stop(_default_reply(chat) if scripted is None else scripted), chars))
    limit = chat.max_tokens or len(deltas)
    return Answer(
        deltas=deltas[:limit],
        reasoning=reasoning,
        tool_calls=(),
        finish_reason="length" if limit < len(deltas) else "stop",
        prompt_tokens=prompt_tokens,
    )


def cut(text: str, chars: int = 0) -> Iterator[str]:
    """Yield a text in deltas of `chars` characters; 0 varies between one and four, always the same way."""
    sizes = itertools.repeat(chars) if chars > 0 else itertools.cycle(_DELTA_CHARS)
    start = 0
    while start < len(text):
        end = start + next(sizes)
        yield text[start:end]
        start = end


def count_tokens(text: str) -> int:
    """Return a plausible token count: one per Han character, one per four other characters."""
    han = len(_HAN.findall(text))
    return han + math.ceil((len(text) - han) / 4)


def is_chinese(text: str) -> bool:
    """Tell whether a text holds Han characters."""
    return bool(_HAN.search(text))


def _default_reasoning(chat: ChatRequest) -> str:
    return "用户在和我说话，我来回答。" if is_chinese(chat.question) else "The user is talking to me; I will answer."


def _default_reply(chat: ChatRequest) -> str:
    question = chat.question.strip()
    if chat.target_language:
        return f"[{chat.target_language}] {question}"
    echo = question if len(question) <= _LONGEST_ECHO else question[:_LONGEST_ECHO] + "…"
    if chat.answer_schema is not None:
        return msgspec.json.encode(sample(chat.answer_schema, word=echo or "text")).decode()
    if chat.wants_json:
        return msgspec.json.encode({"reply": echo}).decode()
    if is_chinese(chat.all_text):
        return _reply_in_chinese(chat, echo)
    return _reply_in_english(chat, echo)


def _reply_in_chinese(chat: ChatRequest, echo: str) -> str:
    said = f"我听到你说：{_sentence(echo, '。')}" if echo else "我没有听清，请再说一遍。"
    seen = f"我看到了{chat.image_count}张图片。" if chat.image_count else ""
    hint = "" if chat.has_history else "我是内置的模拟器，填好 QWEN_API_KEY 就能和真正的模型对话。"
    return said + seen + hint


def _reply_in_english(chat: ChatRequest, echo: str) -> str:
    said = f"You said: {_sentence(echo, '.')}" if echo else "I did not catch that. Please say it again."
    seen = f" I see {chat.image_count} picture{'s' * (chat.image_count > 1)}." if chat.image_count else ""
    hint = "" if chat.has_history else " I am the built-in emulator. Set QWEN_API_KEY to talk with a real model."
    return said + seen + hint


def _sentence(text: str, stop: str) -> str:
    return text if text.endswith(tuple(".!?。！？…")) else text + stop
