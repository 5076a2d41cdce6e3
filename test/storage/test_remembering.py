"""Conversations of a running server over MariaDB: remembered, read, exported, deleted; and while it is away."""

import json
from collections.abc import Callable, Iterator

import pytest
import urllib3

from emulator import Emulator
from protocol.keys import ApiKey
from test.storage.gate import Gate, gate_to
from test.storage.mariadb import PASSWORD, USER, MariaDb
from test.support.device import TestDevice, spoken_wav
from test.support.servers import RunningServer
from test.support.waiting import eventually

Serve = Callable[..., RunningServer]


@pytest.fixture
def gate(mariadb: MariaDb) -> Iterator[Gate]:
    with gate_to(mariadb.port) as made:
        yield made


@pytest.fixture
def server(serve: Serve, mariadb: MariaDb, gate: Gate, scenario: Callable[..., None]) -> RunningServer:
    scenario(replies=["好。"])
    name = mariadb.new_database().database
    return serve(db_host="127.0.0.1", db_port=gate.port, db_user=USER, db_password=ApiKey(PASSWORD), db_name=name)


def talk(server: RunningServer, question: str) -> dict[str, object]:
    with TestDevice(f"{server.audio_url}?conversation_id=kitchen") as device:
        device.turn(spoken_wav(question))
        return device.bodies("chat_tts_complete")[0]


def told(emulator: Emulator, key: str) -> list[str]:
    """Return what the model was last told, the system prompt left out."""
    bodies = [note["body"] for note in emulator.journal(key) if note["kind"] == "request"]
    messages = [body["messages"] for body in bodies if "messages" in body and body.get("stream")][-1]
    return [message["content"] for message in messages[1:]]


def ask(server: RunningServer, path: str, *, method: str = "GET") -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, f"{server.url}/v1/conversations{path}", retries=False)


def test_a_conversation_is_remembered_read_exported_and_deleted(
    server: RunningServer, emulator: Emulator, key: str
) -> None:
    talk(server, "一")
    talk(server, "二")

    texts = [message["text"] for message in ask(server, "/kitchen/messages?order=desc&limit=3").json()["data"]]
    lines = [json.loads(line)["user_text"] for line in ask(server, "/kitchen/export").data.splitlines()]
    deleted = ask(server, "/kitchen", method="DELETE")
    talk(server, "三")

    assert (texts, lines) == (["好。", "二", "好。"], ["一", "二"])
    assert deleted.status == 200 and told(emulator, key) == ["三"]
    assert ask(server, "").json()["data"][0]["turns"] == 1


def test_while_the_database_is_away_devices_are_answered_and_the_history_says_so(
    server: RunningServer, gate: Gate, emulator: Emulator, key: str
) -> None:
    talk(server, "一")
    gate.shut()

    with TestDevice(f"{server.audio_url}?conversation_id=kitchen") as device:
        for question in ("二", "三"):
            assert device.turn(spoken_wav(question))["chat_success"]
        assert [body["db_saved"] for body in device.bodies("chat_tts_complete")] == [False, False]
    away = ask(server, "")
    gate.open()

    assert told(emulator, key) == ["二", "好。", "三"]
    assert (away.status, away.json()["error"]["code"]) == (503, "storage_unavailable")
    eventually(lambda: ask(server, "/kitchen").json().get("turns") == 3)


def test_a_database_that_hangs_is_not_waited_for(
    server: RunningServer, gate: Gate, emulator: Emulator, key: str
) -> None:
    talk(server, "一")
    gate.freeze()

    complete = talk(server, "二")
    gate.thaw()

    assert complete["assistant_response"] == "好。" and told(emulator, key) == ["二"]


def test_what_waits_for_the_database_is_deleted_with_the_rest(server: RunningServer, gate: Gate) -> None:
    talk(server, "一")
    gate.shut()
    talk(server, "二")
    refused = ask(server, "/kitchen", method="DELETE")
    gate.open()
    eventually(lambda: ask(server, "/kitchen").status == 200)

    statuses = [ask(server, "/kitchen", method="DELETE").status for _ in range(2)]

    assert (refused.status, statuses) == (503, [200, 404])
    assert list((server.data_dir / "files").rglob("*.wav")) == []
