"""What a conversation remembers, over real sockets: the emulator's journal shows what the model was told."""

from collections.abc import Callable
from typing import Any

from emulator import Emulator
from test.support.device import TestDevice, spoken_wav
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]
Connect = Callable[..., TestDevice]

HELLO = spoken_wav("你好")


def told(emulator: Emulator, key: str) -> list[tuple[str, Any]]:
    """Return what the model was last told, as (role, content), the system prompt left out."""
    bodies = [note["body"] for note in emulator.journal(key) if note["kind"] == "request"]
    messages = [body["messages"] for body in bodies if "messages" in body and body.get("stream")][-1]
    return [(message["role"], message["content"]) for message in messages[1:]]


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
