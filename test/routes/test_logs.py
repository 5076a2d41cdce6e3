"""What the logs say: one line for each turn, and never a word, a key or a recording."""

import logging
from collections.abc import Callable

import pytest

from test.support.device import TestDevice, packets, spoken_wav
from test.support.servers import RunningServer
from test.support.waiting import eventually

QUESTION, ANSWER = "我的密码是什么？", "这是一个秘密的回答。"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    for name in ("urllib3", "websocket", "werkzeug"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def test_a_turn_is_one_line_with_its_stages(
    serve: Callable[..., RunningServer],
    connect: Callable[..., TestDevice],
    scenario: Callable[..., None],
    logged: pytest.LogCaptureFixture,
) -> None:
    scenario(replies=[ANSWER])
    device = connect(serve())

    device.turn(spoken_wav(QUESTION))

    eventually(lambda: any(record.name == "services.turn" for record in logged.records))
    [line] = [record.getMessage() for record in logged.records if record.name == "services.turn"]
    session_id = device.bodies("connected")[0]["session_id"]
    stages = ("upload=", "asr=", "first_token=", "first_sentence=", "tts_connect=", "first_pcm=", "first_sent=", "end=")
    assert session_id in line and "outcome=ok" in line and all(stage in line for stage in stages)


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"stage": "asr", "kind": "status", "status": 401},
        {"stage": "chat", "kind": "status", "status": 401, "code": "InvalidApiKey"},
        {"stage": "chat", "kind": "malformed", "after": 2},
        {"stage": "tts", "kind": "status", "status": 401},
        {"stage": "tts", "kind": "error_event", "after": 1},
        {"stage": "tts", "kind": "reset"},
    ],
)
def test_no_word_no_key_and_no_recording_is_logged_or_told(
    serve: Callable[..., RunningServer],
    connect: Callable[..., TestDevice],
    scenario: Callable[..., None],
    logged: pytest.LogCaptureFixture,
    fault: dict[str, object],
) -> None:
    scenario(replies=[ANSWER], faults=[fault] if fault else [])
    server = serve()
    device = connect(server)
    parts = packets(spoken_wav(QUESTION))

    device.turn(parts)

    assert QUESTION not in logged.text and ANSWER not in logged.text
    assert parts[5]["data"][:40] not in logged.text
    assert server.key not in logged.text and server.key not in str(device.messages)
