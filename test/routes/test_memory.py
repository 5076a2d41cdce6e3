"""What a conversation remembers, over real sockets: the emulator's journal shows what the model was told."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from websocket import WebSocketBadStatusException

from emulator import Emulator
from services.admission.access import HOUSE
from test.support.device import TestDevice, packets, spoken_wav
from test.support.photos import photo, picture_packets
from test.support.recordings import said_s
from test.support.servers import RunningServer
from test.support.waiting import eventually

Serve = Callable[..., RunningServer]
Connect = Callable[..., TestDevice]

BYTES_PER_S = 8000
STORY = "".join(f"这是故事的第{number}句话。" for number in "一二三四五六七八九")


def told(emulator: Emulator, key: str) -> list[tuple[str, Any]]:
    """Return what the model was last told, as (role, content), the system prompt left out."""
    return [(message["role"], message["content"]) for message in prompts(emulator, key)[-1][1:]]


def talk(device: TestDevice, *questions: str, named: str = "kitchen") -> None:
    """Declare the conversation and ask."""
    if named:
        device.send({"type": "start", "conversation_id": named})
    for question in questions:
        assert device.turn(spoken_wav(question))["chat_success"]


def test_a_conversation_goes_on_after_a_reconnect(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["我记住了。", "你叫小明。"])
    server = serve()
    with TestDevice(server.audio_url) as first:
        talk(first, "我叫小明")

    talk(connect(server), "我叫什么")

    assert told(emulator, key) == [("user", "我叫小明"), ("assistant", "我记住了。"), ("user", "我叫什么")]


def test_a_conversation_goes_on_after_a_restart(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["我记住了。", "你叫小明。"])
    with TestDevice(serve().audio_url) as first:
        talk(first, "我叫小明")

    talk(connect(serve()), "我叫什么")

    assert told(emulator, key)[:2] == [("user", "我叫小明"), ("assistant", "我记住了。")]


def test_a_plain_connection_begins_a_new_conversation(
    serve: Serve, connect: Connect, emulator: Emulator, key: str
) -> None:
    server = serve()
    with TestDevice(server.audio_url) as first:
        talk(first, "我叫小明", named="")

    talk(connect(server), "我叫什么", named="")

    assert told(emulator, key) == [("user", "我叫什么")]


def test_the_model_is_told_the_newest_turns_only(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["好。"])
    server = serve(history_turns=2)
    with TestDevice(server.audio_url) as first:
        talk(first, "一", "二", "三", "四")

    assert told(emulator, key) == [*turns("二", "三"), ("user", "四")]
    talk(connect(server), "五")
    assert told(emulator, key) == [*turns("三", "四"), ("user", "五")]


def test_the_model_is_told_no_more_tokens_than_allowed(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    long = "很" * 90
    scenario(replies=["好。", long, "好。"])
    server = serve(history_tokens=100)

    talk(connect(server), "一", "二", "三", "四")

    assert told(emulator, key) == [("user", "三"), ("assistant", "好。"), ("user", "四")]


def test_without_turns_there_is_no_memory(serve: Serve, connect: Connect, emulator: Emulator, key: str) -> None:
    talk(connect(serve(history_turns=0)), "一", "二")

    assert told(emulator, key) == [("user", "二")]


def test_of_an_interrupted_answer_the_model_is_told_what_was_heard(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=[STORY, "好的。"], latency={"tts_speed": 1.0, "tts_delta_ms": 60})
    server = serve()
    with TestDevice(server.audio_url) as first:
        first.send({"type": "start", "conversation_id": "kitchen"}, *packets(spoken_wav("讲一个故事")))
        first.until("audio_stream", lambda _: len(first.sound) > BYTES_PER_S * said_s(STORY[:20]))
        first.send({"type": "cancel", "played_ms": 3_600_000})  # the device says: all that you sent
        first.until("audio_complete")

    talk(connect(server), "继续")

    [(_, question), (_, heard), _] = told(emulator, key)
    assert question == "讲一个故事" and "第一" in heard and STORY.startswith(heard) and len(heard) < len(STORY)


def test_two_keys_with_the_same_name_have_two_conversations(
    serve: Serve, connect: Connect, emulator: Emulator, key: str
) -> None:
    server, other = serve(), f"{key}-other"
    talk(connect(server), "我叫小明")

    talk(connect(server, header=[f"Authorization: Bearer {other}"]), "我叫什么")

    assert told(emulator, other) == [("user", "我叫什么")]


def test_a_device_goes_on_with_its_own_conversation(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["好。"])
    server, mac = serve(), "a0:b7:65:4c:1e:90"
    talk(connect(server, header=[f"X-Device-Id: {mac}"]), "一", named="")
    with TestDevice(f"{server.audio_url}?device_id={mac}") as by_address:
        talk(by_address, "二", named="")
    device = connect(server)

    device.send({"type": "start", "device_id": mac})
    talk(device, "三", named="")

    assert told(emulator, key) == [*turns("一", "二"), ("user", "三")]
    assert device.bodies("ready")[0]["conversation_id"].startswith("device-")


def test_the_address_can_name_the_conversation_and_start_another(
    serve: Serve, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["好。"])
    server = serve()
    with TestDevice(f"{server.audio_url}?conversation_id=kitchen") as device:
        talk(device, "一", named="")
        talk(device, "二", named="garden")
        assert told(emulator, key) == [("user", "二")]

        device.send({"type": "start"})
        talk(device, "三", named="")

    assert told(emulator, key) == [*turns("一"), ("user", "三")]
    assert [body["conversation_id"] for body in device.bodies("ready")] == ["garden", "kitchen"]


@pytest.mark.parametrize(
    "address", ["conversation_id=a%20b", "conversation_id=", f"conversation_id={'a' * 65}", "device_id=%C3%A9"]
)
def test_a_name_that_cannot_be_is_refused_before_the_connection_stands(serve: Serve, address: str) -> None:
    server = serve()

    with pytest.raises(WebSocketBadStatusException) as refused:
        TestDevice(f"{server.audio_url}?{address}")

    error = json.loads(refused.value.resp_body)["error"]
    assert (refused.value.status_code, error["param"]) == (400, address.partition("=")[0])


@pytest.mark.parametrize("field", [{"conversation_id": "../x"}, {"device_id": ""}])
def test_a_name_that_cannot_be_is_refused_in_start(serve: Serve, connect: Connect, field: dict[str, str]) -> None:
    device = connect(serve())

    device.send({"type": "start", **field})

    error = device.until("error")
    assert (error["code"], error["param"]) == ("invalid_message", next(iter(field)))


def test_what_was_said_over_another_connection_meanwhile_is_told_in_order_of_time(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["好。"])
    server = serve()
    one, two = connect(server), connect(server)
    talk(one, "一")
    talk(two, "二")

    talk(one, "三", named="")

    assert told(emulator, key) == [*turns("一", "二"), ("user", "三")]


@pytest.mark.parametrize("named", ["kitchen", ""])
def test_what_was_deleted_is_forgotten_by_a_connection_that_still_stands(
    serve: Serve, connect: Connect, emulator: Emulator, key: str, named: str
) -> None:
    server = serve()
    device = connect(server)
    talk(device, "我叫小明", named=named)
    name = named or device.bodies("connected")[0]["session_id"]

    deleted = urllib3.request("DELETE", f"{server.url}/v1/conversations/{name}")
    talk(device, "我叫什么", named="")

    assert deleted.status == 200 and told(emulator, key) == [("user", "我叫什么")]


def test_a_question_after_a_reconnect_is_about_the_last_picture(
    serve: Serve, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["一只猫。"])
    server = serve()
    for messages in (picture_packets(photo(size=(40, 30))), picture_packets(photo(size=(60, 50))), []):
        with TestDevice(f"{server.vlm_url}?conversation_id=kitchen") as device:
            device.send(*messages, {"type": "text", "text": "这是什么"}, {"type": "end"})
            device.until("vlm_complete")

    contents = [content for role, content in told(emulator, key) if role == "user"]
    assert [pictures_in(content) for content in contents] == [0, 1, 0]
    assert uris_of(emulator, key)[-1] == uris_of(emulator, key)[-2]


def test_a_model_that_cannot_see_is_shown_no_picture(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["一只猫。"])
    server = serve()
    with TestDevice(f"{server.vlm_url}?conversation_id=kitchen") as device:
        device.send(*picture_packets(photo()), {"type": "text", "text": "这是什么"}, {"type": "end"})
        device.until("vlm_complete")

    talk(connect(server), "什么颜色")

    assert told(emulator, key) == [("user", "这是什么"), ("assistant", "一只猫。"), ("user", "什么颜色")]


def test_a_picture_that_is_gone_leaves_its_words(
    serve: Serve, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["一只猫。"])
    server = serve()
    for messages in (picture_packets(photo()), []):
        with TestDevice(f"{server.vlm_url}?conversation_id=kitchen") as device:
            device.send(*messages, {"type": "text", "text": "这是什么"}, {"type": "end"})
            device.until("vlm_complete")
        for path in (server.data_dir / "files").rglob("*.jpg"):
            path.unlink()

    assert told(emulator, key) == [("user", "这是什么"), ("assistant", "一只猫。"), ("user", "这是什么")]


def test_what_left_the_window_is_told_as_a_summary(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["好。", "好。", "好。", "用户叫小明。", "你叫小明。"])
    server = serve(history_turns=2, history_summary=True)
    with TestDevice(server.audio_url) as device:
        talk(device, "我叫小明", "二", "三")
        eventually(lambda: summary_of(server))

    talk(connect(server), "我叫什么")

    system, *_ = prompts(emulator, key)[-1]
    assert system["content"].endswith("此前对话的摘要：用户叫小明。")
    assert told(emulator, key) == [*turns("二", "三"), ("user", "我叫什么")]
    assert "用户：我叫小明\n助手：好。" in prompts(emulator, key)[3][1]["content"]


def test_a_summary_is_made_anew_when_turns_leave_that_it_does_not_tell(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=[*["好。"] * 5, "摘要一。", *["好。"] * 3, "摘要二。"])
    server = serve(history_turns=4, history_summary=True)
    device = connect(server)
    talk(device, "一", "二", "三", "四", "五")
    eventually(lambda: summary_of(server) == "摘要一。")

    talk(device, "六", "七", "八", named="")

    eventually(lambda: summary_of(server) == "摘要二。")
    first, second = prompts(emulator, key)[5][1]["content"], prompts(emulator, key)[9][1]["content"]
    assert [word in first for word in "一二三四"] == [True, True, True, False]
    assert second.startswith("此前的摘要：摘要一。") and "四" in second and "三" not in second


def test_a_summary_that_fails_harms_no_turn_and_is_tried_again(
    serve: Serve, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["好。"])
    server = serve(history_turns=1, history_summary=True)
    with TestDevice(server.audio_url) as device:
        talk(device, "一")
        scenario(replies=["好。"], faults=[{"stage": "chat", "kind": "status", "status": 500, "after": 0, "times": 0}])
        device.turn(spoken_wav("二"))
        scenario(replies=["好。"])
        talk(device, "三", "四", named="")
        eventually(lambda: summary_of(server))

    assert device.bodies("audio_complete")[-1]["chat_success"]


def test_no_summary_is_asked_for_unless_the_operator_wants_one(
    serve: Serve, connect: Connect, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=["好。"])

    talk(connect(serve(history_turns=1)), "一", "二", "三")

    assert len(prompts(emulator, key)) == 3


def summary_of(server: RunningServer) -> str:
    return str(server.app.extensions["storage"].history.conversations.conversation(HOUSE, "kitchen").summary)


def prompts(emulator: Emulator, key: str) -> list[list[dict[str, Any]]]:
    """Return what the model was told, by call."""
    bodies = [note["body"] for note in emulator.journal(key) if note["kind"] == "request"]
    return [body["messages"] for body in bodies if body.get("stream") and "messages" in body]


def turns(*questions: str) -> list[tuple[str, str]]:
    """Return turns whose answer was 好。"""
    return [half for question in questions for half in (("user", question), ("assistant", "好。"))]


def pictures_in(content: Any) -> int:
    return sum(part["type"] == "image_url" for part in content) if isinstance(content, list) else 0


def uris_of(emulator: Emulator, key: str) -> list[str]:
    """Return the pictures that the model was shown, by call, as the journal writes them."""
    bodies = [note["body"] for note in emulator.journal(key) if note["kind"] == "request"]
    contents = [message["content"] for body in bodies for message in body.get("messages", ())]
    return [
        part["image_url"]["url"]
        for parts in contents
        if isinstance(parts, list)
        for part in parts
        if "image_url" in part
    ]
