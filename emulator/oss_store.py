"""The object storage service's accounts, buckets and objects, as the double keeps them: in memory, bounded.

An account is set by `POST /emulator/oss` (see `OssAccount`), its faults with it; what its bucket holds stays.
"""

from __future__ import annotations

import hashlib
import lzma
import secrets
import struct
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Literal

import msgspec

from emulator.oss_errors import OssError

_CAPACITY_BYTES: Final = 512 * 1024 * 1024
_LARGEST_BYTES: Final = 5 * 1024**3
_CHECK_BYTES, _FOOTER_BYTES = 8, 12

Operation = Literal["any", "put", "get", "head", "delete", "list", "multipart", "bucket", "acl"]
Acl = Literal["private", "public-read", "public-read-write", "default"]


class OssFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong, `times` times (0 = always).

    `is_late`: it strikes when the work is done, so that only the answer is lost.
    """

    operation: Operation = "any"
    kind: Literal["status", "delay", "cut", "reset", "stall"]
    status: int = 500
    code: str = "InternalError"
    message: str = "We encountered an internal error. Please try again."
    delay_ms: float = 0
    is_late: bool = False
    times: int = 1


class OssAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One owner of one bucket, and what goes wrong for it.

    `clock_ahead_s`: how far the service's clock is before the client's.
    """

    access_key_id: str
    access_key_secret: str
    bucket: str
    region: str = "cn-beijing"
    acl: Acl = "private"
    capacity_bytes: int = _CAPACITY_BYTES
    largest_bytes: int = _LARGEST_BYTES
    clock_ahead_s: float = 0
    faults: list[OssFault] = []

    def now_s(self) -> float:
        """Return the time of the service's clock."""
        return time.time() + self.clock_ahead_s


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object. `etag` is the MD5 of a whole upload; one in parts has `<md5 of the parts' md5s>-<count>`."""

    data: bytes
    content_type: str
    etag: str
    headers: dict[str, str]
    kind: Literal["Normal", "Multipart"] = "Normal"
    acl: Acl = "default"
    modified_s: float = field(default_factory=time.time)
    crc64: int = 0


@dataclass(slots=True, kw_only=True)
class PartsUpload:
    """An upload in parts that is not complete."""

    key: str
    content_type: str
    headers: dict[str, str]
    parts: dict[int, bytes] = field(default_factory=dict)
    upload_id: str = field(default_factory=lambda: secrets.token_hex(16).upper())


class OssBucket:
    """One bucket. Threads: any."""

    def __init__(self, account: OssAccount) -> None:
        self.account = account
        self.created_s = time.time()
        self._lock = Lock()
        self._objects: dict[str, StoredObject] = {}
        self._uploads: dict[str, PartsUpload] = {}
        self._left = [fault.times or None for fault in account.faults]

    def set_account(self, account: OssAccount) -> None:
        """Exchange the account's secret, limits and faults; the objects stay."""
        with self._lock:
            self.account = account
            self._left = [fault.times or None for fault in account.faults]

    def next_fault(self, operation: str, *, is_late: bool) -> OssFault | None:
        """Return the first fault of an operation that is not used up, and use it once."""
        with self._lock:
            for n, fault in enumerate(self.account.faults):
                left = self._left[n]
                if fault.operation in ("any", operation) and fault.is_late == is_late and left != 0:
                    self._left[n] = left and left - 1
                    return fault
        return None

    def put(self, key: str, stored: StoredObject, *, forbid_overwrite: bool = False) -> None:
        """Keep an object. Raises: OssError (no overwriting, too large, full)."""
        with self._lock:
            if forbid_overwrite and key in self._objects:
                raise OssError(
                    "FileAlreadyExists", "The object you specified already exists and can not be overwritten."
                )
            self._check_size(stored, replaced=self._objects.get(key))
            self._objects[key] = stored

    def get(self, key: str) -> StoredObject:
        """Return an object. Raises: OssError NoSuchKey."""
        with self._lock:
            if key not in self._objects:
                raise OssError("NoSuchKey", "The specified key does not exist.", Key=key)
            return self._objects[key]

    def delete(self, key: str) -> None:
        """Forget an object; harmless when there is none."""
        with self._lock:
            self._objects.pop(key, None)

    def listing(self) -> list[tuple[str, StoredObject]]:
        """Return all objects in the order of their names' bytes."""
        with self._lock:
            return sorted(self._objects.items(), key=lambda item: item[0].encode())

    def begin_parts(self, upload: PartsUpload) -> str:
        """Open an upload in parts and return its id."""
        with self._lock:
            self._uploads[upload.upload_id] = upload
            return upload.upload_id

    def parts_of(self, key: str, upload_id: str) -> PartsUpload:
        """Return an upload that is open. Raises: OssError NoSuchUpload."""
        with self._lock:
            upload = self._uploads.get(upload_id)
        if upload is None or upload.key != key:
            raise OssError("NoSuchUpload", "The specified upload does not exist.", UploadId=upload_id)
        return upload

    def end_parts(self, upload_id: str) -> None:
        """Close an upload in parts."""
        with self._lock:
            self._uploads.pop(upload_id, None)

    def _check_size(self, stored: StoredObject, *, replaced: StoredObject | None) -> None:
        if len(stored.data) > self.account.largest_bytes:
            raise OssError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
        used = sum(len(other.data) for other in self._objects.values()) - (len(replaced.data) if replaced else 0)
        if used + len(stored.data) > self.account.capacity_bytes:
            raise OssError("QuotaExceeded", "The storage capacity of the bucket is exceeded.")


class OssStore:
    """Every bucket by its name, every account by its key's id. Threads: any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._buckets: dict[str, OssBucket] = {}

    def set_account(self, account: OssAccount) -> None:
        """Make an account and its bucket, or change the account of a bucket."""
        with self._lock:
            bucket = self._buckets.setdefault(account.bucket, OssBucket(account))
            bucket.set_account(account)

    def bucket(self, name: str) -> OssBucket | None:
        """Return a bucket."""
        with self._lock:
            return self._buckets.get(name)

    def account(self, access_key_id: str) -> OssAccount | None:
        """Return an account."""
        with self._lock:
            accounts = (bucket.account for bucket in self._buckets.values())
            return next((account for account in accounts if account.access_key_id == access_key_id), None)


def etag_of(data: bytes) -> str:
    """Return the tag of an object or part: its MD5 in capitals."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest().upper()


def crc64_of(data: bytes) -> int:
    """Return the CRC-64/XZ of some bytes, which is the service's `x-oss-hash-crc64ecma`.

    The xz format carries this very check before its index; compressing is the standard library's way to reckon it in C.
    """
    if not data:
        return 0
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 4096, "mode": lzma.MODE_FAST}]
    stream = lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, filters=filters)
    (backward_size,) = struct.unpack_from("<I", stream, len(stream) - 8)
    end = len(stream) - _FOOTER_BYTES - (backward_size + 1) * 4
    return int.from_bytes(stream[end - _CHECK_BYTES : end], "little")
