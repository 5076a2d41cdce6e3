"""The rules of settings: how a text from the environment becomes a value, and what is said when it does not.

A rule's `parse` raises ValueError or LookupError; who reads the environment names the variable.
"""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from protocol.keys import ApiKey, digest

SHARED_HOSTS = {
    "cn-beijing": "dashscope.aliyuncs.com",
    "ap-southeast-1": "dashscope-intl.aliyuncs.com",
    "us-east-1": "dashscope-us.aliyuncs.com",
    "cn-hongkong": "cn-hongkong.dashscope.aliyuncs.com",
}
"""Source: the vendor's regions page; the other regions are reached through a workspace host only."""
WORKSPACE_REGIONS = (*SHARED_HOSTS, "eu-central-1", "ap-northeast-1")


@dataclass(frozen=True, slots=True)
class Rule:
    """How a text from the environment becomes a value. `words` completes the sentence "NAME must be …"."""

    words: str
    parse: Callable[[str], Any]
    is_secret: bool = False


def whole(low: int, high: int) -> Rule:
    return Rule(f"a whole number from {low} to {high}", lambda text: _within(int(text), low, high))


def number(low: float, high: float) -> Rule:
    return Rule(f"a number from {low:g} to {high:g}", lambda text: _within(float(text), low, high))


_Number = TypeVar("_Number", int, float)


def _within(value: _Number, low: _Number, high: _Number) -> _Number:
    if not low <= value <= high:
        raise ValueError
    return value


def one_of(*choices: str) -> Rule:
    return Rule("one of " + ", ".join(choices), lambda text: choices[choices.index(text)])


def url(*schemes: str) -> Rule:
    def parse(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.netloc:
            raise ValueError
        return text.rstrip("/")

    return Rule("a URL that starts with " + " or ".join(f"{scheme}://" for scheme in schemes), parse)


def matching(pattern: str, words: str) -> Rule:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return Rule(words, parse)


def _vendor_key(text: str) -> ApiKey:
    if not re.fullmatch(r"[!-~]+", text):  # it travels in a header
        raise ValueError
    return ApiKey(text)


PAIR = r"\s*[^\s=,]+\s*=\s*[^\s=,]+\s*"
TEXT = Rule("a text", str)
KEY = Rule("one word of ASCII letters, digits and signs", _vendor_key, is_secret=True)
SECRET = Rule("a text", ApiKey, is_secret=True)
FOLDER = Rule("a folder", Path)
HTTP, WS = url("http", "https"), url("ws", "wss")

DEFAULT_REALTIME_TTS = "qwen3-tts-flash-realtime"


def model_of(realtime_url: str) -> str:
    """Return the model that a realtime URL names in its query, or an empty text."""
    found = re.search(r"[?&]model=([^&]+)", realtime_url)
    return found[1] if found else ""


def _realtime(text: str) -> str:
    if not model_of(text):
        raise ValueError
    return str(WS.parse(text))


REALTIME = Rule("a URL that starts with ws:// or wss:// and ends in ?model=…", _realtime)
SAMPLE_RATE = Rule(
    "one of 8000, 16000, 24000, 48000", lambda text: int(one_of("8000", "16000", "24000", "48000").parse(text))
)


def setting(names: str, default: Any, rule: Rule, doc: str) -> Any:
    """Declare a field: its variables (separated by spaces), the value without them, the rule, the meaning."""
    return dataclasses.field(default=default, metadata={"names": names.split(), "rule": rule, "doc": doc})


def host_and_port(host: str, port: int) -> str:
    """Return an address as URLs and servers write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_REDIS = url("redis", "rediss")

# --- who may ask


def _token(word: str) -> str:
    """Return what is kept of a token, which is never the token itself."""
    if re.fullmatch(r"sha256:[0-9a-fA-F]{64}", word):
        return word.lower()
    return f"sha256:{digest(_vendor_key(word).reveal())}"


def _origin(word: str) -> str:
    parts = urlsplit(str(HTTP.parse(word)))
    if parts.path or parts.query or parts.username:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}".lower()


def _list_of(words: str, parse: Callable[[str], str], *, is_secret: bool = False) -> Rule:
    """Return the rule of a list with commas; its value is the same list with every word in one spelling."""
    return Rule(words, lambda text: ",".join(parse(word.strip()) for word in text.split(",")), is_secret=is_secret)


TOKENS = _list_of("words separated by commas, each a token or sha256:<64 hex digits>", _token, is_secret=True)
ORIGINS = _list_of("origins separated by commas, each like https://app.example.com", _origin)
SWITCH = Rule("true or false", lambda text: ("false", "true").index(text.lower()) == 1)
REDIS = Rule(_REDIS.words, lambda text: ApiKey(_REDIS.parse(text)), is_secret=True)
"""A secret, because it may hold a password."""
