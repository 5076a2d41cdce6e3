"""Bring a database to the newest revision, whoever else is trying the same.

How it works. Several processes may start at once on a new database. Each takes a lock that dies with its process (so a
kill leaves none behind), then asks Alembic to upgrade: the first one works, the others find nothing to do.
SQLite: `flock` on a file beside the database.  MySQL: `GET_LOCK`, named after the database, held by the connection.
MySQL commits each DDL statement by itself, so every revision must bear being run again after a kill between its table
and its entry in `alembic_version`.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, text

from protocol.errors import StorageError, StorageMisconfigured
from storage import database

MIGRATION_TIMEOUT_S = 600.0
"""The longest wait for another process's migration, and for one statement: changing a large table takes minutes."""
_POLL_S = 0.05
_VERSIONS = Path(__file__).parent / "migrations"

_alembic = threading.Lock()
"""Alembic's `op` and `context` are global to the process, so its threads migrate one after the other."""


def migrate(url: URL) -> None:
    """Create or upgrade the tables. Raises: StorageError."""
    engine = database.connect(url, timeout_s=MIGRATION_TIMEOUT_S)
    try:
        with _alembic, _file_lock(url), engine.connect() as connection, _server_lock(connection):
            _upgrade(connection, url)
    finally:
        engine.dispose()


def _upgrade(connection: Connection, url: URL, *, to: str = "head") -> None:
    config = Config()
    config.set_main_option("script_location", str(_VERSIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise StorageMisconfigured(
            f"The tables in {database.describe(url)} were made by a newer server: start that one. ({error})"
        ) from error


@contextmanager
def _file_lock(url: URL) -> Iterator[None]:
    if url.get_backend_name() != "sqlite":
        yield
        return
    path = Path(f"{url.database}.lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for_flock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _wait_for_flock(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + MIGRATION_TIMEOUT_S
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StorageError(f"Another process has held {path} for {MIGRATION_TIMEOUT_S:g} s.") from None
        time.sleep(_POLL_S)


@contextmanager
def _server_lock(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        yield
        return
    # MD5 because a lock's name may have 64 characters, as a database's may.
    name = connection.scalar(text("SELECT CONCAT('migrate ', MD5(DATABASE()))"))
    wait_s = int(MIGRATION_TIMEOUT_S) // 2
    if connection.scalar(text("SELECT GET_LOCK(:name, :wait_s)"), {"name": name, "wait_s": wait_s}) != 1:
        raise StorageError(f"Another process has been changing the tables for {wait_s} s.")
    connection.commit()  # keeps the lock; Alembic commits only transactions that it has begun itself
    try:
        yield
    finally:
        connection.execute(text("DO RELEASE_LOCK(:name)"), {"name": name})
