"""Recordings in a folder of this machine, read through links of our own that are signed and expire.

A link is `<base_url>/files/<key>?expires=<unix seconds>&signature=<base64url HMAC-SHA256 of both>`. Whoever has the
secret can make links, so all processes of a server share the one in its data folder (`load_or_create_secret`).
What kind of file it is, the suffix of its key tells.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlencode

from protocol.errors import BadInput, NotFound, StorageError, Unauthorized
from services.storage_ports import Saved

SECRET_BYTES = 32


class LocalFiles:
    """Implements `services.storage_ports.ObjectStore`. Invariant: a key names a whole file below `root`, or none.

    Threads: any number, also of several processes on one root.
    """

    def __init__(
        self,
        root: Path,
        *,
        base_url: str,
        secret: bytes,
        lifetime_s: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = root.resolve()
        self._base_url = base_url.rstrip("/")
        self._secret = secret
        self._lifetime_s = lifetime_s
        self._clock = clock

    def put(self, key: str, data: bytes, *, content_type: str) -> Saved:
        """Store one object; a reader sees all of it or nothing. `content_type` is not kept.

        Raises: StorageError, BadInput (a key that is no path below the root).
        """
        path = self._key_path(key)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _draft(path.parent, data) as draft:
                draft.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise StorageError(f"Could not store {key!r} in {self._root}: {error}") from error
        return Saved.DELIVERED

    def get(self, key: str) -> bytes:
        """Return an object. Raises: NotFound, StorageError."""
        with self._reading(key) as path:
            return path.read_bytes()

    def size_bytes(self, key: str) -> int | None:
        """Return how large an object is, None when there is none. Raises: StorageError."""
        try:
            with self._reading(key) as path:
                return path.stat().st_size
        except NotFound:
            return None

    def delete(self, key: str) -> None:
        """Forget an object; harmless when there is none. Raises: StorageError."""
        with suppress(NotFound), self._reading(key) as path:
            path.unlink()

    def url(self, key: str) -> str:
        """Return a link to the object that works for `lifetime_s` from now."""
        expires = str(int(self._clock()) + self._lifetime_s)
        query = urlencode({"expires": expires, "signature": self._sign(key, expires)})
        return f"{self._base_url}/files/{quote(_as_bytes(key))}?{query}"

    def close(self) -> None:
        """Nothing is open between two calls."""

    def open_signed(self, key: str, *, expires: str, signature: str) -> Path:
        """Return the file that a link names. Raises: Unauthorized (not our link, or too old), NotFound."""
        if not hmac.compare_digest(self._sign(key, expires).encode(), _as_bytes(signature)):
            raise Unauthorized("This link is not valid: use it exactly as it was given.", code="invalid_signature")
        if self._clock() >= int(expires):
            raise Unauthorized("This link has expired: ask for a new one.", code="link_expired")
        path = self._path(key)
        if path is None or not path.is_file():
            raise NotFound(f"There is no file {key!r}.", param="key")
        return path

    def _sign(self, key: str, expires: str) -> str:
        message = _as_bytes(f"{quote(_as_bytes(key))}?{expires}")
        return urlsafe_b64encode(hmac.digest(self._secret, message, hashlib.sha256)).decode().rstrip("=")

    def _key_path(self, key: str) -> Path:
        path = self._path(key)
        if path is None:
            raise BadInput(f"{key!r} is not a key: use names separated by /, without '..' or a leading /.", param="key")
        return path

    @contextmanager
    def _reading(self, key: str) -> Iterator[Path]:
        """Yield where an object is; what goes wrong there becomes NotFound or StorageError."""
        path = self._path(key)
        try:
            if path is None or not path.is_file():
                raise NotFound(f"There is no file {key!r}.", param="key")
            yield path
        except FileNotFoundError as error:
            raise NotFound(f"There is no file {key!r}.", param="key") from error
        except OSError as error:
            raise StorageError(f"Could not read {key!r} in {self._root}: {error}") from error

    def _path(self, key: str) -> Path | None:
        """Return where a key's file is, or None when it would not be below the root, links followed."""
        if "\0" in key or "\\" in key or not all(_is_name(part) for part in key.split("/")):
            return None
        path = (self._root / key).resolve()
        return path if path.is_relative_to(self._root) else None


def load_or_create_secret(path: Path) -> bytes:
    """Return the secret in this file, which only its owner may read; the first process to ask makes it.

    Raises: StorageError when the file cannot be made or read, or is damaged.
    """
    try:
        secret = _read_or_create(path)
    except OSError as error:
        raise StorageError(f"Could not read or create the secret in {path}: {error}") from error
    if len(secret) != SECRET_BYTES:
        raise StorageError(f"{path} is damaged: delete it to get a new secret (links given before stop working).")
    return secret


def _read_or_create(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A hard link appears complete and never replaces a file, so of two processes one wins and both read its secret.
        with _draft(path.parent, secrets.token_bytes(SECRET_BYTES)) as draft, suppress(FileExistsError):
            os.link(draft, path)
        _sync_folder(path.parent)
    return path.read_bytes()


def _is_name(part: str) -> bool:
    return part not in ("", ".", "..")


def _as_bytes(text: str) -> bytes:
    """Return a text that came from a URL as bytes, whatever it holds."""
    return text.encode("utf-8", "surrogatepass")


@contextmanager
def _draft(folder: Path, data: bytes) -> Iterator[Path]:
    """Yield a synced file with these bytes that only its owner may read; it is gone afterwards unless renamed."""
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
