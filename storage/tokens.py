"""The tokens of people and programs that may use the server's key, as lines `name sha256:<64 hex digits>` of a file.

A token itself is shown once, when it is made, and kept nowhere. The file is read again whenever it has changed, so a
token works and ends without a restart.  Lines that begin with # are for people.
"""

import fcntl
import hmac
import logging
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol.errors import BadInput, NotFound, StorageError
from protocol.keys import digest

_log = logging.getLogger(__name__)
_LINE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._@-]{0,63})\s+sha256:(?P<digest>[0-9a-fA-F]{64})\s*")
_State = tuple[int, ...]


class TokenFile:
    """The tokens of one file. Threads and processes: any.

    A file that cannot be read leaves the tokens as they were: nobody gets in by damaging it. One with nothing but
    broken lines still means that the operator wants tokens.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._state: _State | None = None
        self._names: dict[str, str] = {}
        self._has_lines = False

    @property
    def any_exist(self) -> bool:
        self._refresh()
        return self._has_lines

    def name_of(self, token_digest: str) -> str | None:
        """Return what the token with this SHA-256 is called, None when there is none."""
        self._refresh()
        name = None
        for known, its_name in self._names.items():
            name = its_name if hmac.compare_digest(known, token_digest) else name
        return name

    def names(self) -> list[str]:
        """Return the names of all tokens, in the order of the file."""
        self._refresh()
        return list(self._names.values())

    def add(self, name: str) -> str:
        """Make a token, write its hash down durably, and return it. Raises: BadInput, StorageError."""
        token = f"vb-{secrets.token_urlsafe(32)}"
        line = f"{name} sha256:{digest(token)}\n"
        if not _LINE.fullmatch(line.rstrip("\n")):
            raise BadInput(f"{name!r} is no name for a token: use up to 64 letters, digits and . _ @ -", param="name")
        with self._changing() as lines:
            if name in map(_name_in, lines):
                raise BadInput(f"There is a token {name!r} already: revoke it first.", param="name")
            lines.append(line)
        return token

    def revoke(self, name: str) -> None:
        """Take a token out, durably. Raises: NotFound, StorageError."""
        with self._changing() as lines:
            kept = [line for line in lines if _name_in(line) != name]
            if len(kept) == len(lines):
                raise NotFound(f"There is no token {name!r}.", param="name")
            lines[:] = kept

    def _refresh(self) -> None:
        state = _state_of(self._path)
        if state == self._state:
            return
        with self._lock:
            if state == self._state:
                return
            try:
                lines = _read(self._path)
            except (OSError, UnicodeDecodeError) as error:
                _log.error("the tokens could not be read, those known stay: %s", error)
                self._has_lines = True
            else:
                self._names, self._has_lines = _parsed(lines)
            self._state = state

    @contextmanager
    def _changing(self) -> Iterator[list[str]]:
        """Give the lines to change, and replace the file by what they have become. One process at a time."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._path.with_name(f".{self._path.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                lines = [line if line.endswith("\n") else f"{line}\n" for line in _read(self._path)]
                yield lines
                _replace(self._path, "".join(lines))
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(f"Could not change the tokens in {self._path}: {error}") from error


def _state_of(path: Path) -> _State:
    """Return what changes when a file does; a file that is not there has a state, too."""
    try:
        stat = os.stat(path)
    except OSError:
        return ()
    return (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)


def _read(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []


def _parsed(lines: list[str]) -> tuple[dict[str, str], bool]:
    """Return the names by hash, and whether there is any line that is meant as a token."""
    names: dict[str, str] = {}
    has_lines = False
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        has_lines = True
        if found := _LINE.fullmatch(line.strip()):
            names[found["digest"].lower()] = found["name"]
        else:
            _log.warning("line %d of the tokens is broken: it must be 'name sha256:<64 hex digits>'", number)
    return names, has_lines


def _name_in(line: str) -> str:
    found = _LINE.fullmatch(line.strip())
    return found["name"] if found else ""


def _replace(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all, and durably."""
    draft = path.with_name(f".{path.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
