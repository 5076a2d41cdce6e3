"""docs/protocol.md, replayed: what it says that a device sends is sent, what it says that the server answers comes."""

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from test.support.device import TestDevice, spoken_wav
from test.support.photos import photo, picture_packets
from test.support.servers import RunningServer

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
BLOCKS = re.findall(r"^```json (client|server)\n(.*?)\n```$", _DOCUMENT, re.MULTILINE | re.DOTALL)
ANSWERED = [
    (said, told)
    for (who, said), (whom, told) in pairwise(BLOCKS)
    if (who, whom) == ("client", "server") and json.loads(said).get("type") not in ("end", "cancel")
]
SERVER = [json.loads(text) for who, text in BLOCKS if who == "server"]


def test_the_document_has_examples_of_both_sides() -> None:
    assert len(ANSWERED) >= 4 and len(SERVER) >= 15


@pytest.mark.parametrize(("said", "told"), ANSWERED)
def test_an_example_is_answered_as_the_document_says(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], said: str, told: str
) -> None:
    device = connect(serve())
    device.until("connected")

    device.send(said)

    assert device.receive() == json.loads(told)


def test_cancel_has_no_answer_of_its_own(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    [cancel] = [said for who, said in BLOCKS if who == "client" and json.loads(said).get("type") == "cancel"]
    device = connect(serve())
    device.until("connected")

    device.send(cancel, "not json")

    assert device.receive()["error"]["code"] == "invalid_json"


def test_end_closes_the_live_upload_of_the_document(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    device = connect(serve())
    live = [said for who, said in BLOCKS if who == "client" and "total" not in json.loads(said) and "seq" in said]
    [end] = [said for who, said in BLOCKS if who == "client" and json.loads(said).get("type") == "end"]

    device.send(live[0], end)

    assert device.until("audio_complete")["packets"] == 1


VLM_BLOCKS = re.findall(r"^```json vlm-(client|server)\n(.*?)\n```$", _DOCUMENT, re.MULTILINE | re.DOTALL)
VLM_ANSWERED = [
    (said, told) for (who, said), (_, told) in pairwise(VLM_BLOCKS) if who == "client" and "packet_ack" in told
]
VLM_SERVER = [json.loads(text) for who, text in VLM_BLOCKS if who == "server"]


@pytest.mark.parametrize(("said", "told"), VLM_ANSWERED)
def test_a_packet_of_the_picture_socket_is_answered_as_the_document_says(
    serve: Callable[..., RunningServer], said: str, told: str
) -> None:
    with TestDevice(serve().vlm_url) as device:
        device.until("connected")

        device.send(said)

        assert device.receive() == json.loads(told)


@pytest.mark.parametrize("is_declared", [False, True])
def test_every_message_of_a_turn_with_a_picture_has_the_fields_of_its_example(
    serve: Callable[..., RunningServer], is_declared: bool
) -> None:
    [typed] = [said for who, said in VLM_BLOCKS if who == "client" and json.loads(said).get("type") == "text"]
    [end] = [said for who, said in VLM_BLOCKS if who == "client" and json.loads(said).get("type") == "end"]
    with TestDevice(serve().vlm_url) as device:
        device.send(*([{"type": "start"}] if is_declared else []), *picture_packets(photo()), typed, end)

        device.until("vlm_complete")

    documented, told = shapes(SERVER + VLM_SERVER), shapes(device.messages)
    assert {kind: told[kind] for kind in told} == {kind: documented.get(kind, []) for kind in told}
    assert len(VLM_ANSWERED) == 2


def shapes(messages: list[dict[str, dict[str, object]]]) -> dict[tuple[str, ...], list[str]]:
    """Return the fields of each kind of message, in their order."""
    return {(name, *sorted(body)): list(body) for message in messages for name, body in message.items()}


def test_every_message_of_a_turn_has_the_fields_of_its_example_in_their_order(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    device = connect(serve())
    device.send({"type": "start", "timings": True})
    device.turn(spoken_wav("你好"))

    documented, told = shapes(SERVER), shapes(device.messages)

    assert {kind: told[kind] for kind in told} == {kind: documented.get(kind, []) for kind in told}
