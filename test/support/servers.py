"""A real server on a real socket, in this process, talking to an emulator."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from config import Settings
from emulator import Emulator
from protocol.keys import ApiKey


@dataclass(frozen=True)
class RunningServer:
    app: Flask
    url: str
    key: str
    data_dir: Path

    @property
    def audio_url(self) -> str:
        return f"ws{self.url[4:]}/v1/chat/audio"

    @property
    def vlm_url(self) -> str:
        return f"ws{self.url[4:]}/v1/chat/vlm"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        pass


@contextmanager
def running_server(emulator: Emulator, data_dir: Path, *, key: str, **settings: object) -> Iterator[RunningServer]:
    """Run the whole application with its vendor at the emulator; settings are fields of `Settings`."""
    chosen = Settings(**{"data_dir": data_dir, "api_key": ApiKey(key), **settings})
    with_port = make_server("127.0.0.1", 0, Flask("placeholder"), threaded=True, request_handler=_Quiet)
    url = f"http://127.0.0.1:{with_port.server_port}"
    app = create_app(replace(chosen.with_emulator(url=emulator.url), public_url=url, api_key=chosen.api_key))
    with_port.app = app
    thread = threading.Thread(target=with_port.serve_forever, kwargs={"poll_interval": 0.05}, name="test-server")
    thread.start()
    try:
        yield RunningServer(app=app, url=url, key=key, data_dir=data_dir)
    finally:
        app.extensions["sessions"].drain()
        with_port.shutdown()
        thread.join()
        with_port.server_close()
        app.extensions["storage"].close()
