"""Recordings and pictures in a bucket of Alibaba's object storage (OSS), through the vendor's `oss2`.

What is bounded: each attempt by `connect_s` and `idle_s`, the attempts together by `deadline_s` (no new one begins
after it), the connections by a pool. A body is checked by its MD5, which the service compares: oss2's own checksum
holds the interpreter lock for 0.15 s per MB where its C part could not be built.

Source: OSS API reference, PutObject, error responses, signed URLs.
"""

import hashlib
import io
import logging
import random
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Final, Literal, TypeVar

import oss2
from oss2 import exceptions

from protocol.errors import NotFound, StorageError, StorageMisconfigured, StorageRefused
from protocol.keys import ApiKey
from services.storage_ports import Saved

_log = logging.getLogger(__name__)

T = TypeVar("T")
Signature = Literal["v1", "v4"]
LONGEST_V4_S: Final = 7 * 86400
"""How long a link signed by version 4 may live. Source: OSS API reference, V4 signature in a URL."""
_POOL_SIZE: Final = 16
"""Connections per process; an upload takes well under a second."""
_ATTEMPTS: Final = 3
_FIRST_PAUSE_S: Final = 0.2

_ADVICE: Final = {
    "AccessDenied": "Grant this key PutObject, GetObject and DeleteObject on the bucket.",
    "InvalidAccessKeyId": "Check ACCESSKEY_ID.",
    "InvalidArgument": "Check REGIN: it must be the bucket's own region.",
    "InvalidBucketName": "Check BUCKET.",
    "NoSuchBucket": "Check BUCKET and REGIN, or create the bucket.",
    "RequestTimeTooSkewed": "Set this machine's clock.",
    "SignatureDoesNotMatch": "Check ACCESSKEY_SECRET.",
}
"""What to do, by the service's code; none of these goes away by trying again."""
_OWED: Final = ("InDebt", "InDebtOverdue", "UserDisable", "BucketDisable", "QuotaExceeded")
"""Paid or made room for by somebody, some day: not now, but later. Source: OSS reference, 403 errors."""
_DAMAGED: Final = ("InvalidDigest", "BadDigest", "RequestTimeout", "IncompleteBody")
"""The line's fault, not the object's."""


class OssBucket:
    """Implements `ObjectStore`. Threads: any number."""

    def __init__(
        self,
        *,
        access_key_id: str,
        secret: ApiKey,
        bucket: str,
        region: str,
        endpoint: str = "",
        signature: Signature = "v1",
        lifetime_s: int,
        connect_s: float = 3.0,
        idle_s: float = 10.0,
        deadline_s: float = 15.0,
    ) -> None:
        logging.getLogger("oss2").setLevel(logging.WARNING)  # at DEBUG it would log signed links and what it signs
        self._lifetime_s, self._deadline_s = lifetime_s, deadline_s
        region = region.removeprefix("oss-")
        endpoint = endpoint or f"https://oss-{region}.aliyuncs.com"
        session, auth = oss2.Session(pool_size=_POOL_SIZE), oss2.make_auth(access_key_id, secret.reveal(), signature)
        session.session.trust_env = False  # ~/.netrc would replace the signature, HTTP_PROXY take recordings elsewhere
        options = {"session": session, "connect_timeout": (connect_s, idle_s), "enable_crc": False, "region": region}
        try:
            self._bucket = oss2.Bucket(auth, endpoint, bucket, **options)
            self._public = oss2.Bucket(auth, endpoint.replace("-internal.", "."), bucket, **options)
        except exceptions.ClientError as error:
            raise StorageMisconfigured(f"OSS cannot be used: {error.body} Check BUCKET and OSS_ENDPOINT.") from error

    def url(self, key: str) -> str:
        """Return a link to the object that works for `lifetime_s` from now, also from outside the vendor's network."""
        return str(self._public.sign_url("GET", key, self._lifetime_s, slash_safe=True))

    def put(self, key: str, data: bytes, *, content_type: str) -> Saved:
        """Store one object; the same again changes nothing. Raises: StorageError."""
        md5 = b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        headers = {"Content-Type": content_type, "Content-MD5": md5}
        # A file, not bytes: bytes are sent by one call that must end within the connect timeout, whatever their number.
        self._persist("store", key, lambda: self._bucket.put_object(key, io.BytesIO(data), headers=dict(headers)))
        return Saved.DELIVERED

    def get(self, key: str) -> bytes:
        """Return an object. Raises: NotFound, StorageError."""
        return self._persist("read", key, lambda: bytes(self._bucket.get_object(key).read()))

    def size_bytes(self, key: str) -> int | None:
        """Return how large an object is, None when there is none. Raises: StorageError."""
        try:
            return self._persist("look at", key, lambda: int(self._bucket.head_object(key).content_length))
        except NotFound:
            return None

    def delete(self, key: str) -> None:
        """Forget an object; harmless when there is none. Raises: StorageError."""
        self._persist("delete", key, lambda: self._bucket.delete_object(key))

    def close(self) -> None:
        """Close the idle connections; harmless when repeated."""
        self._bucket.session.session.close()

    def _persist(self, doing: str, key: str, work: Callable[[], T]) -> T:
        """Do something, again when it may go better the next time."""
        what, began_s = f"{doing} {key!r} in OSS bucket {self._bucket.bucket_name!r}", time.monotonic()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return work()
            except (exceptions.OssError, OSError) as error:  # reading an answer's body fails with errors of requests
                failure = _not_found(error, key) or _renamed(error, f"Could not {what}")
                pause_s = _FIRST_PAUSE_S * 2**attempt * random.uniform(0.5, 1.0)
                is_late = time.monotonic() + pause_s - began_s > self._deadline_s
                if attempt == _ATTEMPTS or is_late or not _is_worth_a_try(error):
                    raise failure from error
                _log.info("storage tries again: attempt=%d %s", attempt, failure)
                time.sleep(pause_s)
        raise AssertionError("unreachable")


def _is_worth_a_try(error: exceptions.OssError | OSError) -> bool:
    if isinstance(error, OSError | exceptions.RequestError | exceptions.InconsistentError):
        return True
    return bool(error.status >= 500 or error.code in _DAMAGED)


def _not_found(error: exceptions.OssError | OSError, key: str) -> NotFound | None:
    is_gone = isinstance(error, exceptions.NotFound) and error.code in ("", "NoSuchKey")
    return NotFound(f"There is no object {key!r}.", param="key") if is_gone else None


def _renamed(error: exceptions.OssError | OSError, what: str) -> StorageError:
    """Return a failure of the service under our name, with its code and request id and without what was signed."""
    if isinstance(error, OSError | exceptions.RequestError | exceptions.InconsistentError):
        return StorageError(f"{what}: {_innermost(getattr(error, 'exception', error))}")
    words = f"{what}: {error.status} {error.code} (request {error.request_id or '-'}): {error.message}"
    if error.code in _ADVICE:
        return StorageMisconfigured(f"{words} {_ADVICE[error.code]}")
    if _is_worth_a_try(error) or error.code in _OWED or error.status in (401, 403, 429):
        return StorageError(words)
    return StorageRefused(words)


def _innermost(error: BaseException) -> str:
    """Return what went wrong on the line: the first error of the chain has the plainest words."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return f"{type(error).__name__}: {error}"
