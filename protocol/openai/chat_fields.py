"""What becomes of every parameter of a chat completion, as data: the table of `docs/openai.md` says the same.

Source of the names: OpenAI API reference, create chat completion.
"""

from dataclasses import dataclass
from typing import Literal

Fate = Literal["honoured", "translated", "ignored", "refused"]
"""`ignored`: the parameter advises, and an answer that does not follow it is still a right answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One parameter: what becomes of it, and why."""

    name: str
    fate: Fate
    reason: str


def _fields(fate: Fate, **reasons: str) -> tuple[Field, ...]:
    return tuple(Field(name=name, fate=fate, reason=reason) for name, reason in reasons.items())


FIELDS: tuple[Field, ...] = (
    *_fields(
        "honoured",
        stream="as server-sent events that end with `[DONE]`; models that only stream are gathered for `false`",
        stream_options="`include_usage` and `include_obfuscation`",
        n="the vendor takes 1 to 4",
        stop="any number of stop words",
        presence_penalty="goes to the vendor as it is",
        frequency_penalty="goes to the vendor as it is",
        logprobs="goes to the vendor as it is",
        top_logprobs="the vendor takes 0 to 5",
        response_format="goes to the vendor as it is; for JSON the vendor, too, wants the word in the messages",
        parallel_tool_calls="goes to the vendor as it is; left out, the vendor calls one tool at a time",
        modalities="`audio` with models that speak",
    ),
    *_fields(
        "translated",
        model="aliases become the vendor's names; left out, it is `QWEN_CHAT_MODEL`",
        messages="see below",
        temperature="2 becomes 1.99: the vendor's range ends before 2",
        top_p="0 becomes 0.001: the vendor's range begins after 0",
        max_tokens="held to the model's limit where that is known (farui: 2000)",
        max_completion_tokens="also said as `max_tokens`, which older models know alone",
        seed="folded into the vendor's range, 0 to 2147483647: the same seed is the same number",
        tools="functions; custom tools are refused",
        tool_choice="`required` with one tool names it, with more it is refused; `allowed_tools` leaves only those",
        functions="as `tools`; the answer comes in the deprecated form",
        function_call="as `tool_choice`",
        audio="the vendor speaks PCM, which is put into `format`; OpenAI's voices become voices of the vendor",
        reasoning_effort="none and minimal: `enable_thinking` false; low and medium: a `thinking_budget`; higher: none",
        web_search_options="`enable_search`; `user_location` is refused",
    ),
    *_fields(
        "ignored",
        user="names the end user for OpenAI's records",
        safety_identifier="names the end user for OpenAI's records",
        metadata="labels for OpenAI's store",
        store="nothing is stored here, which is what most ask for",
        prompt_cache_key="the vendor's cache finds its own keys",
        prompt_cache_options="the vendor's cache has rules of its own",
        prompt_cache_retention="the vendor's cache has its own clock",
        prediction="makes an answer faster, not different",
    ),
    *_fields(
        "refused",
        logit_bias="unless empty: tokens have other numbers here",
        verbosity="unless `medium`: say in a message how long the answer shall be",
        service_tier="unless `auto` or `default`: there is one tier",
        moderation="unless null: moderate with a call of your own",
    ),
)

FATES: dict[str, Fate] = {field.name: field.fate for field in FIELDS}
IGNORED = frozenset(name for name, fate in FATES.items() if fate == "ignored")
