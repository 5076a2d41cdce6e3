"""A private MariaDB for the tests, which may freeze it, kill it and start it again."""

import os
import signal
import socket
import subprocess
import time
from itertools import count
from pathlib import Path

import pymysql
from sqlalchemy import URL

from protocol.keys import ApiKey
from storage.history import mysql_url

USER, PASSWORD = "gateway", "s3cret-p@ss/wörd-密码"
_START_TIMEOUT_S = 20.0
_numbers = count()


class MariaDb:
    """One `mariadbd` of our own on a free loopback port. Who calls `start` calls `stop`.

    It runs as whoever runs the tests: the packages that bring the programs alone make no account for it. MariaDB
    refuses to run as root unless it is asked to, hence the option.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = str(folder / "socket")
        self._user = ["--user=root"] if os.geteuid() == 0 else []
        self.port = _free_port()

    def install(self) -> None:
        command = ["mariadb-install-db", "--no-defaults", f"--datadir={self._folder}/data", "--skip-test-db"]
        command += ["--auth-root-authentication-method=normal", "--innodb-log-file-size=8M", *self._user]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        command = ["mariadbd", "--no-defaults", f"--datadir={self._folder}/data", f"--socket={self._socket}"]
        command += [f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve", *self._user]
        command += ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, "mariadbd does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it as a power cut would: its data is thrown away, or recovered by the next `start`."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def run(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.cursor().execute(statement)

    def connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """Return a connection of the server's root."""
        return pymysql.connect(unix_socket=self._socket, user="root", connect_timeout=5, autocommit=True)

    def new_database(self) -> URL:
        name = f"history_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} CHARACTER SET latin1")  # the tables must not inherit this
        return self.url(name=name)

    def url(self, *, name: str, password: str = PASSWORD) -> URL:
        return mysql_url(host="127.0.0.1", port=self.port, user=USER, password=ApiKey(password), name=name)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self._socket) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
