"""The process around the application: gunicorn with threads, each setting with its reason.

A connection occupies a thread for as long as it is open, so there are as many threads as connections may be, and some
more, so that `/health` answers while every device is talking.
"""

import contextlib
import ctypes
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from config import Settings, SettingsError, announce_metrics
from deploy.upkeep import GarbageCollection
from protocol.errors import GatewayError

_OPTIONS: dict[str, object] = {
    "worker_class": "gthread",
    "timeout": 120,  # of the worker's own heartbeat, not of requests: a machine under load must not lose its sockets
    "keepalive": 75,  # longer than the usual proxy's 60 s, so that the proxy closes first
    "max_requests": 0,  # restarting a worker after n requests would end every open socket
    "loglevel": "warning",
    "proc_name": "voice-backend",
    "control_socket_disable": True,  # nobody talks to it; it would be one more file outside DATA_DIR
}


class _Arbiter(Arbiter):  # type: ignore[misc]
    """The parent process. Ctrl-C means what SIGTERM means: finish what runs, then go. A second Ctrl-C goes at once."""

    def handle_int(self) -> None:
        self.handle_term()


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured from our settings."""

    def __init__(self, settings: Settings, create_app: Callable[[Settings], Flask]) -> None:
        self._settings, self._create_app = settings, create_app
        self._garbage: GarbageCollection | None = None
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        threads = settings.max_ws_sessions + settings.http_threads
        chosen = _OPTIONS | {
            "bind": settings.bind,
            "workers": settings.workers,
            "threads": threads,
            "worker_connections": 2 * threads,  # connections that rest between requests wait without a thread
            "graceful_timeout": int(settings.drain_s) + 5,
            "post_worker_init": self._begin,
            "child_exit": self._forget,
            "worker_exit": self._end,
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application. What keeps it from starting is said in one sentence, without a stack of frames."""
        try:
            return self._create_app(self._settings)
        except (GatewayError, SettingsError, OSError) as error:
            sys.stderr.write(f"The server cannot start: {error}\n")
            sys.exit(Arbiter.APP_LOAD_ERROR)

    def run(self) -> None:
        _Arbiter(self).run()

    def _forget(self, _: Arbiter, worker: Any) -> None:
        """Runs in the parent when a worker has ended: what it had in flight is no more."""
        if folder := self._settings.metrics_folder:
            from prometheus_client.multiprocess import mark_process_dead

            mark_process_dead(worker.pid, path=str(folder))  # type: ignore[no-untyped-call]

    def _begin(self, worker: Any) -> None:
        """Runs in each worker when its application is ready; the first one of all speaks for them."""
        _drain_on_stop(worker)
        self._garbage = GarbageCollection(interval_s=self._settings.gc_interval_s)
        if worker.age == 1:
            known = worker.wsgi.extensions
            sys.stdout.write(banner(self._settings, about=known.get("about", {}), keys=known["keys"]))
            sys.stdout.flush()

    def _end(self, server: Any, worker: Any) -> None:
        """Runs in each worker when it goes."""
        if self._garbage:
            self._garbage.stop()
        _close_storage(server, worker)


_M_ARENA_MAX = -8
"""glibc's number of the option. Source: mallopt(3)."""


def _share_memory() -> None:
    """Let threads share two heaps instead of one each.

    With the default, memory grew in steps of 14 MB over thousands of sessions though nothing leaked.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def serve(settings: Settings, create_app: Callable[[Settings], Flask]) -> None:
    """Run until stopped."""
    _share_memory()
    _prepare_metrics(settings)
    Server(settings, create_app).run()


def _prepare_metrics(settings: Settings) -> None:
    """Begin with no numbers: those of the server's last run are not this one's."""
    if folder := settings.metrics_folder:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        announce_metrics(folder)


def _drain_on_stop(worker: Any) -> None:
    """Let SIGTERM end the sessions before the worker waits for them; the terminal's Ctrl-C is the parent's affair."""
    sessions = worker.wsgi.extensions["sessions"]

    def stop(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=sessions.drain, name="drain", daemon=True).start()  # a lock may be held by this thread
        worker.handle_exit(number, frame)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _close_storage(_server: Any, worker: Any) -> None:
    """Join the threads that deliver what waits for database and bucket; what is left waits for the next start."""
    if application := getattr(worker, "wsgi", None):  # there is none when the start has failed
        application.extensions["storage"].close()


def banner(settings: Settings, *, about: Mapping[str, str], keys: str) -> str:
    """Return what a person needs to know when the server has started.

    `about` is what the application adds; `keys` says what callers need.
    """
    url = f"{settings.local_url}/"
    lines = {
        "open": url,
        "devices": f"ws{url[4:]}v1/chat/audio",
        "models": "built-in emulator (set QWEN_API_KEY for the real ones)" if settings.is_keyless else "DashScope",
        **{f"  {name}": words for name, words in about.items()},
        "keys": keys,
        "history": f"MySQL at {settings.db_host}" if settings.db_host else f"SQLite in {settings.data_dir}/",
        "recordings": _place_of_recordings(settings),
        "stop": "Ctrl-C (running turns finish)",
    }
    rows = "".join(f"  {name:<12}{words}\n" for name, words in lines.items())
    return f"\n  Voice assistant backend\n{rows}\n"


def _place_of_recordings(settings: Settings) -> str:
    return f"OSS bucket {settings.oss_bucket}" if settings.oss_bucket else f"local files in {settings.data_dir}/files/"
