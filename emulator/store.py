"""What the service keeps while it runs, bounded: files by name, tasks by id, permissions to upload."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final, Generic, TypeVar

T = TypeVar("T")
_LARGEST_STORE: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One kept file."""

    data: bytes
    content_type: str


class FileStore:
    """Kept files by name; the oldest go when the store is full.  Threads: any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._size = 0

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """Keep a file under a new name."""
        with self._lock:
            self._files[name] = StoredFile(data, content_type)
            self._size += len(data)
            while self._size > _LARGEST_STORE:
                self._size -= len(self._files.popitem(last=False)[1].data)

    def get(self, name: str) -> StoredFile | None:
        """Return a kept file."""
        with self._lock:
            return self._files.get(name)


class Shelf(Generic[T]):
    """The newest things by id; the oldest goes when there are too many.  Threads: any."""

    def __init__(self, *, most: int = 1000) -> None:
        self._lock = Lock()
        self._most = most
        self._things: OrderedDict[str, T] = OrderedDict()

    def put(self, name: str, thing: T) -> None:
        """Keep a thing."""
        with self._lock:
            self._things[name] = thing
            while len(self._things) > self._most:
                self._things.popitem(last=False)

    def get(self, name: str) -> T | None:
        """Return a thing."""
        with self._lock:
            return self._things.get(name)

    def newest_first(self) -> list[T]:
        """Return all things."""
        with self._lock:
            return list(reversed(self._things.values()))
