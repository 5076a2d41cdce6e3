"""The journal: what arrived from each key and when.  Keys are kept as hashes, sounds and pictures as sizes."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict, deque
from functools import lru_cache
from threading import Lock
from typing import Any, Final

_MOST_KEYS: Final = 2000
_ENTRIES_PER_KEY: Final = 5000
_LONGEST_TEXT: Final = 100_000


@lru_cache(maxsize=_MOST_KEYS)
def key_hash(key: str) -> str:
    """Return the name under which a key appears: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


class Journal:
    """The newest entries of the newest keys, oldest first.  Threads: any."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = Lock()
        self._entries: OrderedDict[str, deque[dict[str, Any]]] = OrderedDict()

    def note(self, key: str, endpoint: str, kind: str, **detail: Any) -> None:
        """Write one entry; `t_ms` counts from the emulator's start."""
        t_ms = round((time.monotonic() - self._began) * 1000, 1)
        entry = {"t_ms": t_ms, "key": key_hash(key), "endpoint": endpoint, "kind": kind, **detail}
        with self._lock:
            self._entries.setdefault(key, deque(maxlen=_ENTRIES_PER_KEY)).append(entry)
            self._entries.move_to_end(key)
            while len(self._entries) > _MOST_KEYS:
                self._entries.popitem(last=False)

    def of(self, key: str) -> list[dict[str, Any]]:
        """Return the entries of a key."""
        with self._lock:
            return list(self._entries.get(key, ()))

    def forget(self, key: str) -> None:
        """Drop the entries of a key."""
        with self._lock:
            self._entries.pop(key, None)


def without_media(value: Any) -> Any:
    """Return a JSON value in which sounds and pictures (data URIs, long base64) are only sizes and hashes."""
    if isinstance(value, dict):
        return {name: without_media(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_media(item) for item in value]
    if isinstance(value, str) and (value.startswith("data:") or len(value) > _LONGEST_TEXT):
        digest = hashlib.sha256(value.encode()).hexdigest()[:16]
        return f"<{value[:5] if value.startswith('data:') else 'text:'}{len(value)} chars, sha256 {digest}>"
    return value
