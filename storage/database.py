"""How a database is reached: its address, its connections, and its failures in our words.

Every wait on MySQL (for a free connection, connecting, one answer, one send) and SQLite's wait for another writer
ends after `timeout_s`, so a save never hangs: a refusing server fails it at once, a silent one after two such waits
(the pooled connection's ping, then a new connection's greeting), three when the pool was used up as well.
"""

import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pymysql.connections
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from protocol.errors import StorageError, StorageMisconfigured, StorageRefused
from protocol.keys import ApiKey

_POOL_SIZE = 8
"""Connections per process. A save holds one for milliseconds; more would only queue inside the database."""
_RECYCLE_S = 1800
"""MySQL drops silent connections after `wait_timeout` (8 h by default, often 1 h behind cloud proxies)."""

_ADVICE = {
    1044: "Grant this user all rights on the database.",
    1045: "Check DB_USER and DB_PASSWORD.",
    1049: "Create the database first, or correct DB_NAME.",
    1142: "Grant this user all rights on the database.",
    1698: "Check DB_USER and DB_PASSWORD.",
    2003: "Check DB_HOST and DB_PORT, and that the server runs.",
}
"""What to do, by MySQL's error number. Source: the MySQL and MariaDB error references."""
_AWAY = (2003,)
"""Of these, what may pass by itself."""
_SQLITE_BROKEN = ("file is not a database", "unable to open database file", "malformed")
"""What SQLite says when waiting does not help."""


def sqlite_url(path: Path) -> URL:
    """Return the address of a SQLite file."""
    return URL.create("sqlite", database=str(path))


def mysql_url(*, host: str, port: int, user: str, password: ApiKey, name: str) -> URL:
    """Return the address of a MySQL or MariaDB database."""
    return URL.create("mysql+pymysql", username=user, password=password.reveal(), host=host, port=port, database=name)


def parse_url(url: URL | str) -> URL:
    """Return the address as an object. Raises: StorageError for a text that is none, without repeating it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not chained: SQLAlchemy's message may quote the whole text, password included.
        raise StorageError("The address of the history database is not a valid URL.") from None
    if parsed.get_backend_name() not in ("sqlite", "mysql", "mariadb"):
        raise StorageError(f"The history needs SQLite, MySQL or MariaDB, not {parsed.drivername!r}.")
    if parsed.get_backend_name() == "sqlite" and not _is_file(parsed.database):
        raise StorageError("The history needs a SQLite file: turns kept in memory would not outlive the server.")
    return parsed


def _is_file(database: str | None) -> bool:
    return bool(database) and database != ":memory:" and not str(database).startswith("file:")


def connect(url: URL, *, timeout_s: float) -> Engine:
    """Return the connections to a database; the first one is made when first needed.

    `hide_parameters` keeps what people said out of error messages, and so out of logs.
    """
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=timeout_s,
        pool_pre_ping=not is_sqlite,
        pool_recycle=_RECYCLE_S,
        connect_args={"timeout": timeout_s} if is_sqlite else _mysql_arguments(url, timeout_s=timeout_s),
    )
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        event.listen(engine, "do_connect", _connect_mysql)
    return engine


def reach(url: URL, *, timeout_s: float) -> None:
    """Connect once to a server, so that one that is away is known within `timeout_s`. SQLite needs no reaching."""
    if url.get_backend_name() == "sqlite":
        return
    engine = connect(url, timeout_s=timeout_s)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


class _Connection(pymysql.connections.Connection):  # type: ignore[misc]  # PyMySQL has no types
    """A connection that shares its TLS settings with all others.

    PyMySQL makes them anew for each, which reads all of the system's certificates: 20 ms in which no other thread runs,
    and while a database is silent connections are made for every turn.
    """

    _shared: ClassVar[ssl.SSLContext | None] = None

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        if sslp or _Connection._shared is None:
            made: ssl.SSLContext = super()._create_ssl_ctx(sslp)
            if sslp:
                return made
            _Connection._shared = made
        return _Connection._shared


def _connect_mysql(dialect: object, record: object, arguments: Any, named: Any) -> _Connection:
    return _Connection(*arguments, **named)


def _mysql_arguments(url: URL, *, timeout_s: float) -> dict[str, Any]:
    return {
        "password": (url.password or "").encode(),  # PyMySQL would send a str as Latin-1, the servers store UTF-8
        "charset": "utf8mb4",
        "connect_timeout": timeout_s,
        "read_timeout": timeout_s,
        "write_timeout": timeout_s,
        "sql_mode": "TRADITIONAL",  # a value that does not fit is an error, never cut to size
    }


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Make a commit durable and the cache small.

    WAL lets readers and the writer work side by side; FULL syncs it on every commit.
    WAL with NORMAL would survive `kill -9` too, but not a power cut; a turn takes seconds, the sync well under 10 ms.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-256")  # in KB: turns are written and hardly read; 2 MB looked like a leak


def describe(url: URL) -> str:
    """Return a database's address as it may be shown."""
    return url.render_as_string(hide_password=True)


@contextmanager
def reported(url: URL, doing: str) -> Iterator[None]:
    """Rename every failure of the database to a `StorageError`, at this one border.

    Refused: this row, for ever. Misconfigured: every row, until somebody changes something. Else: not now.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise _kind_of(error)(f"Could not {doing} in {describe(url)}: {_reason(error)}") from error
    except (OSError, ValueError) as error:
        raise StorageError(f"Could not {doing} in {describe(url)}: {error}") from error


def _kind_of(error: SQLAlchemyError) -> type[StorageError]:
    is_statement = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    if is_statement or isinstance(error, DataError | IntegrityError):
        return StorageRefused
    number, words = number_of(error), str(getattr(error, "orig", ""))
    is_broken = any(broken in words for broken in _SQLITE_BROKEN)
    return StorageMisconfigured if is_broken or (number in _ADVICE and number not in _AWAY) else StorageError


def number_of(error: SQLAlchemyError) -> int | None:
    """Return MySQL's number of an error."""
    cause = getattr(error, "orig", None) or error
    number = cause.args[0] if cause.args else None
    return number if isinstance(number, int) else None


def _reason(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    number = number_of(error)
    advice = _ADVICE.get(number) if number is not None else None
    return f"{cause} {advice}" if advice else f"{cause}"
