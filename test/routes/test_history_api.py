"""`/v1/conversations` over real sockets: each caller reads, exports and deletes what is theirs."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from protocol.keys import ApiKey
from services.admission.access import HOUSE
from services.storage_ports import TurnRecord
from test.support.device import TestDevice, spoken_wav
from test.support.openai_schema import assert_openai
from test.support.oss import OssAccount
from test.support.photos import photo, picture_packets
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]
START = datetime(2026, 3, 1, tzinfo=UTC)


def ask(server: RunningServer, path: str, *, method: str = "GET", key: str = "") -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return urllib3.request(method, f"{server.url}/v1/conversations{path}", headers=headers)


def refusal(answer: Any) -> tuple[int, str, str | None]:
    body = answer.json()
    assert_openai("ErrorResponse", body)
    return answer.status, body["error"]["code"], body["error"]["param"]


def talk(server: RunningServer, question: str, *, named: str = "kitchen", key: str = "") -> str:
    """Hold one spoken turn; returns the session's id."""
    header = [f"Authorization: Bearer {key}"] if key else []
    with TestDevice(server.audio_url, header=header) as device:
        if named:
            device.send({"type": "start", "conversation_id": named})
        assert device.turn(spoken_wav(question))["chat_success"]
        return str(device.bodies("connected")[0]["session_id"])


def remember(server: RunningServer, number: int, *, conversation_id: str = "long", **changes: object) -> None:
    """Put a turn into the history as if it had been spoken."""
    fields: dict[str, Any] = {
        "turn_id": f"{conversation_id}-{number:04}",
        "session_id": "s",
        "started_at": START + timedelta(minutes=number),
        "finished_at": START + timedelta(minutes=number, seconds=9),
        "key_fingerprint": "0a1b2c3d",
        "user_text": f"question {number}",
        "answer_text": f"answer {number}",
        "answer_heard": f"answer {number}",
        "interrupted": False,
        "audio_key": "",
        "audio_url": "",
        "audio_seconds": 1.0,
        "asr_model": "a",
        "chat_model": "c",
        "tts_model": "t",
        "conversation_id": conversation_id,
        "owner": HOUSE,
    }
    server.app.extensions["storage"].history.save(TurnRecord(**(fields | changes)))


def every_page(server: RunningServer, path: str, *, limit: int, order: str) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = ask(server, f"{path}?limit={limit}&order={order}{after}").json()
        yield from page["data"]
        assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
        if not page["has_more"]:
            return
        after = f"&after={page['last_id']}"


# --- reading


def test_a_spoken_turn_can_be_read(serve: Serve, scenario: Callable[..., None]) -> None:
    scenario(replies=["今天晴。"])
    server = serve()
    talk(server, "今天天气怎么样")

    [conversation] = ask(server, "").json()["data"]
    asked, answered = ask(server, "/kitchen/messages").json()["data"]

    assert (conversation["id"], conversation["title"], conversation["turns"]) == ("kitchen", "今天天气怎么样", 1)
    assert ask(server, "/kitchen").json() == conversation
    assert (asked["role"], asked["text"], asked["image_urls"]) == ("user", "今天天气怎么样", [])
    assert (answered["role"], answered["text"]) == ("assistant", "今天晴。")
    assert not {"heard", "interrupted", "audio_url"} & set(answered) and asked["turn_id"] == answered["turn_id"]
    assert urllib3.request("GET", asked["audio_url"]).data[:4] == b"RIFF"


def test_a_plain_connections_conversation_has_the_sessions_id(serve: Serve) -> None:
    server = serve()

    session_id = talk(server, "你好", named="")

    assert [one["id"] for one in ask(server, "").json()["data"]] == [session_id]


def test_what_was_heard_of_an_interrupted_answer_is_told(serve: Serve) -> None:
    server = serve()
    remember(server, 1, answer_text="all of it", answer_heard="all", interrupted=True)

    answered = ask(server, "/long/messages").json()["data"][1]

    assert (answered["text"], answered["heard"], answered["interrupted"]) == ("all of it", "all", True)


def test_a_turn_without_an_answer_is_its_question(serve: Serve) -> None:
    server = serve()
    remember(server, 1, answer_text="", answer_heard="")

    assert [one["role"] for one in ask(server, "/long/messages").json()["data"]] == ["user"]


@pytest.mark.parametrize(("limit", "order"), [(100, "asc"), (33, "desc"), (1, "asc")])
def test_all_messages_come_page_by_page_in_order(serve: Serve, limit: int, order: str) -> None:
    server, count = serve(), 250 if limit > 1 else 3
    for number in range(count):
        remember(server, number, **({"answer_text": "", "answer_heard": ""} if number % 7 == 1 else {}))

    ids = [message["id"] for message in every_page(server, "/long/messages", limit=limit, order=order)]

    halves = [["user"] if number % 7 == 1 else ["user", "assistant"] for number in range(count)]
    expected = [f"long-{number:04}-{role}" for number, roles in enumerate(halves) for role in roles]
    assert ids == (expected if order == "asc" else expected[::-1])


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_all_conversations_come_page_by_page_the_last_used_first(serve: Serve, order: str) -> None:
    server = serve()
    for number in range(25):
        remember(server, number, conversation_id=f"c{number:02}")

    ids = [one["id"] for one in every_page(server, "", limit=7, order=order)]

    assert ids == sorted(ids, reverse=order == "desc") and len(ids) == 25


def test_a_recording_that_is_gone_has_no_link(serve: Serve) -> None:
    server = serve()
    talk(server, "你好")
    for path in (server.data_dir / "files").rglob("*.wav"):
        path.unlink()

    assert "audio_url" not in ask(server, "/kitchen/messages").json()["data"][0]


def test_links_lead_into_the_bucket_and_to_what_was_kept_here_before(serve: Serve, emulator: Any) -> None:
    talk(serve(), "你好")
    server = serve(**in_bucket(OssAccount(emulator)))
    talk(server, "你好")

    here, _, there, _ = ask(server, "/kitchen/messages").json()["data"]

    assert here["audio_url"].startswith(server.url) and there["audio_url"].startswith(emulator.url)
    assert [urllib3.request("GET", one["audio_url"]).data[:4] for one in (here, there)] == [b"RIFF", b"RIFF"]


def test_an_empty_list_is_a_list(serve: Serve) -> None:
    assert ask(serve(), "").json() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=ten", "limit"),
        ("?order=up", "order"),
        ("?before=kitchen", "before"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(serve: Serve, query: str, param: str) -> None:
    server = serve()

    assert refusal(ask(server, query)) == (400, "invalid_value", param)


@pytest.mark.parametrize(
    ("method", "path", "param"),
    [
        ("GET", "/nobody", "conversation_id"),
        ("GET", "/nobody/messages", "conversation_id"),
        ("GET", "/nobody/export", "conversation_id"),
        ("DELETE", "/nobody", "conversation_id"),
        ("GET", "/%00%F0", "conversation_id"),
        ("GET", "?after=nobody", "after"),
        ("GET", "/kitchen/messages?after=nothing", "after"),
        ("GET", "/kitchen/messages?after=no-such-turn-user", "after"),
    ],
)
def test_what_does_not_exist_is_not_found(serve: Serve, method: str, path: str, param: str) -> None:
    server = serve()
    remember(server, 1, conversation_id="kitchen")

    assert refusal(ask(server, path, method=method)) == (404, "not_found", param)


# --- whose it is


def test_nobody_sees_exports_or_deletes_what_is_anothers(serve: Serve, key: str) -> None:
    server, ann, bob = serve(), f"{key}-ann", f"{key}-bob"
    talk(server, "我是安", key=ann)
    talk(server, "我是鲍勃", key=bob)

    deleted = ask(server, "/kitchen", method="DELETE", key=bob)

    assert deleted.status == 200
    assert ask(server, "/kitchen/messages", key=ann).json()["data"][0]["text"] == "我是安"
    for method, path in [("GET", ""), ("GET", "/messages"), ("GET", "/export"), ("DELETE", "")]:
        assert refusal(ask(server, f"/kitchen{path}", method=method, key=bob))[0] == 404
    assert ask(server, "", key=bob).json()["data"] == ask(server, "").json()["data"] == []


def test_the_servers_own_key_and_people_of_this_machine_are_one_owner(serve: Serve, key: str) -> None:
    server = serve()
    talk(server, "你好")

    assert ask(server, "", key=key).json() == ask(server, "").json()
    assert [one["id"] for one in ask(server, "").json()["data"]] == ["kitchen"]


def test_strangers_without_a_key_have_no_history(serve: Serve) -> None:
    server = serve(allow_anonymous=True)
    far = {"X-Forwarded-For": "203.0.113.9"}

    answer = urllib3.request("GET", f"{server.url}/v1/conversations", headers=far)

    assert refusal(answer) == (401, "missing_api_key", None)


# --- taking along


def test_an_export_is_one_line_for_each_turn_oldest_first(serve: Serve) -> None:
    server = serve()
    for number in range(250):
        remember(server, number)

    answer = ask(server, "/long/export")

    lines = [json.loads(line) for line in answer.data.splitlines()]
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert [line["user_text"] for line in lines] == [f"question {number}" for number in range(250)]
    assert lines[0]["started_at"] == "2026-03-01T00:00:00+00:00" and "owner" not in lines[0]


# --- deleting


def test_a_deleted_conversation_is_gone_with_its_recordings_and_pictures(serve: Serve) -> None:
    server = serve()
    talk(server, "别的", named="other")
    with TestDevice(f"{server.vlm_url}?conversation_id=kitchen") as device:
        device.send(*picture_packets(photo()), {"type": "text", "text": "这是什么"}, {"type": "end"})
        device.until("vlm_complete")
    talk(server, "你好")
    assert len(files(server)) == 3

    first = ask(server, "/kitchen", method="DELETE")
    second = ask(server, "/kitchen", method="DELETE")

    assert first.json() == {"id": "kitchen", "object": "conversation.deleted", "deleted": True}
    assert refusal(second)[0] == 404
    assert len(files(server)) == 1 and [one["id"] for one in ask(server, "").json()["data"]] == ["other"]


def test_a_deleted_conversation_is_gone_from_the_bucket_too(serve: Serve, emulator: Any) -> None:
    account = OssAccount(emulator)
    server = serve(**in_bucket(account))
    talk(server, "你好")
    assert len(account.objects()) == 1

    ask(server, "/kitchen", method="DELETE")

    assert account.objects() == {}


def test_what_cannot_be_deleted_now_can_be_deleted_later(serve: Serve, emulator: Any) -> None:
    account = OssAccount(emulator)
    server = serve(**in_bucket(account))
    talk(server, "你好")
    account.fail("status", status=503, code="ServiceUnavailable", times=0)

    away = ask(server, "/kitchen", method="DELETE")
    account.set(faults=[])
    back = ask(server, "/kitchen", method="DELETE")

    assert (away.status, back.status, account.objects()) == (503, 200, {})


def files(server: RunningServer) -> list[str]:
    return [path.name for path in (server.data_dir / "files").rglob("*.*") if not path.name.startswith(".")]


def in_bucket(account: OssAccount) -> dict[str, object]:
    account.set()
    return {
        "oss_access_key_id": account.access_key_id,
        "oss_access_key_secret": ApiKey(account.secret),
        "oss_bucket": account.bucket_name,
        "oss_endpoint": account.emulator.url,
    }
