"""The parameters of a chat, checked one by one: types and ranges, with the service's messages.

Source: DashScope HTTP reference §2.1 and §6.  The words about wrong types are the emulator's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from emulator.errors import ApiError

_RANGES: Final[dict[str, tuple[Callable[[float], bool], str]]] = {
    "temperature": (lambda x: 0 <= x < 2, "Temperature should be in [0.0, 2.0)"),
    "top_p": (lambda x: 0 < x <= 1, "Range of top_p should be (0.0, 1.0]"),
    "presence_penalty": (lambda x: -2 <= x <= 2, "Range of presence_penalty should be [-2.0, 2.0]"),
    "repetition_penalty": (lambda x: x > 0, "Range of repetition_penalty should be (0.0, +inf)"),
    "top_k": (lambda x: x >= 0, "Range of top_k should be [0, +inf)"),
    "n": (lambda x: 1 <= x <= 4, "Range of n should be [1, 4]"),
    "top_logprobs": (lambda x: 0 <= x <= 5, "Range of top_logprobs should be [0, 5]"),
    "max_tokens": (lambda x: 1 <= x <= 65536, "Range of max_tokens should be [1, 65536]"),
    "max_completion_tokens": (lambda x: 1 <= x <= 65536, "Range of max_tokens should be [1, 65536]"),
    "seed": (lambda x: 0 <= x < 2**31, "Range of seed should be [0, 2147483647]"),
}
_TYPES: Final[dict[type, tuple[str, str]]] = {
    dict: ("dictionary", "stream_options response_format asr_options translation_options search_options audio"),
    list: ("list", "tools modalities"),
    bool: (
        "boolean",
        "stream enable_thinking enable_search logprobs parallel_tool_calls tool_stream incremental_output",
    ),
}
_WHOLE: Final = frozenset({"top_k", "n", "top_logprobs", "max_tokens", "max_completion_tokens", "seed"})


def check_options(options: dict[str, Any]) -> None:
    """Refuse a parameter of a wrong type or out of its range.  Raises: ApiError."""
    _check_types(options)
    _check_ranges(options)


def _check_types(options: dict[str, Any]) -> None:
    for kind, (word, names) in _TYPES.items():
        for name in names.split():
            if options.get(name) is not None and not isinstance(options[name], kind):
                raise ApiError(f"Input should be a valid {word}: {name}")
    stop = options.get("stop")
    if not isinstance(stop, str | None) and not (isinstance(stop, list) and all(isinstance(s, str) for s in stop)):
        raise ApiError("Input should be a valid string or list of strings: stop")


def _check_ranges(options: dict[str, Any]) -> None:
    for name, (is_valid, message) in _RANGES.items():
        value = options.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not is_valid(value):
            raise ApiError(message)
        if name in _WHOLE and not isinstance(value, int):
            raise ApiError(f"Input should be a valid integer: {name}")
