"""gunicorn's settings: each of its defaults that would end or starve an open connection is replaced."""

from dataclasses import replace

import pytest
from flask import Flask
from gunicorn.config import Config

from config import Settings, load
from deploy.server import Server, banner


def configured(settings: Settings) -> Config:
    """Return gunicorn's own view of the settings."""
    return Server(settings, lambda _: Flask("sample")).cfg


def test_there_are_more_threads_than_connections_may_be() -> None:
    settings = replace(Settings(), max_ws_sessions=500, http_threads=20)

    chosen = configured(settings)

    assert chosen.worker_class_str == "gthread"
    assert chosen.threads == 520
    assert chosen.worker_connections > chosen.threads


def test_no_clock_of_gunicorns_ends_a_connection_that_lives() -> None:
    chosen = configured(Settings())

    assert chosen.max_requests == 0 and chosen.timeout >= 60
    assert chosen.keepalive > 60


def test_workers_get_longer_than_the_turns_that_they_finish() -> None:
    chosen = configured(replace(Settings(), drain_s=90.0))

    assert chosen.graceful_timeout > 90


@pytest.mark.parametrize(("host", "bind"), [("0.0.0.0", "0.0.0.0:5000"), ("::1", "[::1]:5000"), ("box", "box:5000")])
def test_it_listens_where_the_settings_say(host: str, bind: str) -> None:
    assert configured(replace(Settings(), host=host)).bind == [bind]


def test_gunicorn_writes_no_file_of_its_own() -> None:
    chosen = configured(Settings())

    assert chosen.pidfile is None and chosen.errorlog == "-" and chosen.accesslog is None


def test_the_banner_of_a_bare_machine_names_every_embedded_part() -> None:
    text = banner(load({}), about={"voice": "tones"}, keys="none needed")

    assert "http://127.0.0.1:5000/" in text and "ws://127.0.0.1:5000/v1/chat/audio" in text
    assert "built-in emulator" in text and "voice     tones" in text
    assert "keys        none needed" in text
    assert "SQLite in data/" in text and "local files in data/files/" in text


def test_the_banner_of_a_full_server_names_its_vendor_and_database_and_no_secret() -> None:
    chosen = {"QWEN_API_KEY": "sk-hush", "DB_HOST": "db.local", "DB_PASSWORD": "hush"}
    chosen |= {"ACCESSKEY_ID": "hush", "ACCESSKEY_SECRET": "hush", "BUCKET": "recordings-1"}

    text = banner(load(chosen), about={}, keys="API tokens")

    assert "DashScope" in text and "MySQL at db.local" in text and "OSS bucket recordings-1" in text
    assert "emulator" not in text and "hush" not in text
