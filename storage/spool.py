"""The object store that loses nothing: every object is on this machine's disk before its way to the bucket begins.

How it works.  `put` writes the object into a journal, keeps hold of it there, and takes it to the bucket; then it is
forgotten here.  A bucket that is away leaves it waiting for the deliverer, under the same key, so links and history
stay right.  After a failure the bucket is not asked again by `put` for a while: a stalled bucket costs few threads.
"""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from protocol.errors import NotFound, StorageError, StorageRefused
from services.storage_ports import ObjectStore, Saved
from storage.delivery import Deliverer
from storage.journal import Content, Damaged, Entry, Journal

_log = logging.getLogger(__name__)

_ON_ITS_WAY_S: Final = 10.0
"""How long deleting waits for an object that is being uploaded: removed before, it would come back."""
_AVOID_S: Final = 5.0
"""How long `put` leaves a bucket alone that has just failed; the deliverer tries meanwhile."""


class SpooledStore:
    """Implements `ObjectStore`. Invariant: an object whose `put` returned outlives any kill, and reaches the bucket.

    Threads: any number, also of several processes on one spool.
    """

    def __init__(self, bucket: ObjectStore, *, spool: Path, max_bytes: int, longest_pause_s: float = 10.0) -> None:
        self._bucket, self._avoid_until_s = bucket, float("-inf")
        self._journal = Journal(spool, max_bytes=max_bytes)
        self._deliverer = Deliverer(self._journal, self._send, name="objects-delivery", longest_pause_s=longest_pause_s)
        self._deliverer.start()

    def url(self, key: str) -> str:
        """Return the bucket's link to an object."""
        return self._bucket.url(key)

    def put(self, key: str, data: bytes, *, content_type: str) -> Saved:
        """Store one object durably. Raises: StorageRefused; StorageError when bucket and spool both fail."""
        try:
            about = {"key": key, "content_type": content_type}
            entry = self._journal.add(about, data, label=_label(key), hold=True)
        except StorageError as error:
            _log.error("object goes to the bucket without a copy here: %s", error)
            return self._bucket.put(key, data, content_type=content_type)
        return self._deliver_or_leave(entry, key, data, content_type)

    def get(self, key: str) -> bytes:
        """Return an object, also one that is still here. Raises: NotFound, StorageError."""
        try:
            return self._bucket.get(key)
        except (NotFound, StorageError):
            for content in self._waiting(key):
                return content.data
            raise

    def size_bytes(self, key: str) -> int | None:
        """Return how large an object is, also one that is still here, None when there is none. Raises: StorageError."""
        for content in self._waiting(key):
            return len(content.data)
        return self._bucket.size_bytes(key)

    def delete(self, key: str) -> None:
        """Forget an object, here too, so that it does not come back. Raises: StorageError."""
        for entry in self._journal.take(_label(key), within_s=_ON_ITS_WAY_S):
            entry.remove()
        self._bucket.delete(key)

    def deliver(self) -> None:
        """Bring what waits into the bucket now. Raises: StorageError when that is away."""
        self._deliverer.deliver()

    def close(self) -> None:
        """End the deliverer; what waits is delivered after the next start."""
        self._deliverer.close()
        self._bucket.close()

    def _deliver_or_leave(self, entry: Entry, key: str, data: bytes, content_type: str) -> Saved:
        try:
            if time.monotonic() < self._avoid_until_s:
                return Saved.JOURNALED
            self._bucket.put(key, data, content_type=content_type)
            entry.remove()
            return Saved.DELIVERED
        except StorageRefused as error:
            entry.set_aside(str(error))
            raise
        except StorageError as error:
            self._avoid_until_s = time.monotonic() + _AVOID_S
            _log.warning("object waits here: %s", error)
            return Saved.JOURNALED
        finally:
            entry.release()
            self._deliverer.wake()

    def _send(self, content: Content) -> None:
        try:
            key, content_type = content.about["key"], content.about["content_type"]
        except KeyError as error:
            raise Damaged(f"it is no object: {error}") from error
        self._bucket.put(key, content.data, content_type=content_type)

    def _waiting(self, key: str) -> Iterator[Content]:
        """Yield what waits under a key, the newest first."""
        for entry in reversed(self._journal.find(_label(key))):
            with suppress(Damaged, FileNotFoundError):
                content = entry.read()
                if content.about.get("key") == key:
                    yield content


def _label(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
