"""Whether the process lives, and whether it can work: two answers for two questions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import urllib3

from app import create_app
from config import Settings
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]


def test_health_is_what_every_monitor_of_the_field_looks_for(serve: Serve) -> None:
    answer = urllib3.request("GET", f"{serve().url}/health")

    body = answer.json()
    assert (answer.status, body["status"], body["service"]) == (200, "healthy", "voice-backend")
    assert int(datetime.fromisoformat(body["timestamp"]).timestamp()) == body["time_unix"]


def test_a_server_that_can_work_says_so_of_each_part(serve: Serve) -> None:
    answer = urllib3.request("GET", f"{serve().url}/health/ready", retries=False)

    states = dict.fromkeys(("vendor", "data_folder", "database", "recordings"), "ok")
    assert (answer.status, answer.json()["status"], answer.json()["dependencies"]) == (200, "ready", states)


def test_without_the_emulator_it_is_not_ready_and_still_alive(tmp_path: Path) -> None:
    app = create_app(replace(Settings(), data_dir=tmp_path, emulator_voice="tones", emulator_ear="tones"))
    client = app.test_client()
    app.extensions["emulator"].stop()

    ready = client.get("/health/ready")
    app.extensions["storage"].close()

    assert (ready.status_code, ready.json["status"]) == (503, "unready")
    assert ready.json["dependencies"]["emulator"] == "away" and ready.json["dependencies"]["database"] == "ok"
    assert client.get("/health").status_code == 200
