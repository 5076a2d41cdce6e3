"""What a device hears when recognition, the model or the voice fails: always one end, never a lost text."""

from collections.abc import Callable

import pytest

from emulator import Emulator
from test.support.device import TestDevice, spoken_wav
from test.support.servers import RunningServer

QUESTION = "讲一个故事"
SENTENCES = ["从前有一座很高的山。", "山上有一座很老的庙。", "庙里有一个老和尚在讲故事。", "故事讲完了，天也亮了。"]
STORY = "".join(SENTENCES)


@pytest.fixture
def device(serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]) -> TestDevice:
    return connect(serve(upstream_idle_s=1.0))


@pytest.mark.parametrize("kind", ["reset", "close", "error_event", "cut", "malformed", "stall", "silent_close"])
@pytest.mark.parametrize("after", [1, 4])
def test_a_voice_that_fails_in_mid_answer_goes_on_over_http_and_loses_no_sentence(
    device: TestDevice, scenario: Callable[..., None], kind: str, after: int
) -> None:
    scenario(replies=[STORY], faults=[{"stage": "tts", "kind": kind, "after": after}])

    complete = device.turn(spoken_wav(QUESTION))

    heard = device.heard()
    assert complete["tts_success"]
    assert heard.endswith(STORY[heard.index(SENTENCES[-1]) - len(heard) :])
    positions = [heard.rindex(sentence) for sentence in SENTENCES]
    assert positions == sorted(positions), heard


@pytest.mark.parametrize("status", [401, 500, 503])
def test_a_voice_that_cannot_connect_is_replaced_and_the_answer_is_whole(
    device: TestDevice, scenario: Callable[..., None], status: int
) -> None:
    scenario(replies=[STORY], faults=[{"stage": "tts", "kind": "status", "status": status, "times": 0}])

    complete = device.turn(spoken_wav(QUESTION))

    assert complete["tts_success"]
    assert device.heard() == STORY


def test_a_voice_that_fails_once_at_connecting_is_tried_again(
    device: TestDevice, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(replies=[STORY], faults=[{"stage": "tts", "kind": "status", "status": 503, "times": 1}])

    device.turn(spoken_wav(QUESTION))

    assert device.heard() == STORY
    spoken_over_http = [e for e in emulator.journal(key) if "tts-flash" in str(e.get("body", {}).get("model", ""))]
    assert not [entry for entry in spoken_over_http if "realtime" not in str(entry)]


def test_without_any_voice_the_text_still_arrives(device: TestDevice, scenario: Callable[..., None]) -> None:
    scenario(
        replies=[STORY],
        faults=[
            {"stage": "tts", "kind": "status", "status": 500, "times": 0},
            {"stage": "tts_http", "kind": "status", "status": 500, "times": 0},
        ],
    )

    complete = device.turn(spoken_wav(QUESTION))

    assert complete["assistant_response"] == STORY and complete["chat_success"]
    assert complete["tts_success"] is False
    assert device.bodies("chat_tts_complete")[0]["db_saved"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 429, "code": "Throttling.RateQuota"}, "rate_limit_exceeded"),
        ({"kind": "status", "status": 401, "code": "InvalidApiKey"}, "invalid_api_key"),
        ({"kind": "status", "status": 400, "code": "InvalidParameter"}, "invalid_parameter"),
        ({"kind": "status", "status": 500, "code": "InternalError"}, "upstream_error"),
        ({"kind": "malformed"}, "upstream_malformed"),
        ({"kind": "stall"}, "request_timeout"),
    ],
)
def test_failed_recognition_is_named_and_completed(
    device: TestDevice, scenario: Callable[..., None], fault: dict[str, object], code: str
) -> None:
    scenario(faults=[{"stage": "asr", "times": 0, **fault}])

    complete = device.turn(spoken_wav(QUESTION))

    assert [error["code"] for error in device.bodies("error")] == [code]
    assert device.bodies("chat_started") == [{"message": "跳过对话生成：语音识别失败或结果为空"}]
    assert complete["transcription_success"] is False


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "cut", "after": 6}, "upstream_error"),
        ({"kind": "reset", "after": 6}, "upstream_error"),
        ({"kind": "malformed", "after": 6}, "upstream_malformed"),
        ({"kind": "stall", "after": 6}, "request_timeout"),
    ],
)
def test_a_model_that_fails_in_mid_answer_is_named_and_what_it_said_is_spoken(
    device: TestDevice, scenario: Callable[..., None], fault: dict[str, object], code: str
) -> None:
    scenario(replies=[STORY], latency={"chat_token_chars": 2}, faults=[{"stage": "chat", **fault}])

    complete = device.turn(spoken_wav(QUESTION))

    said = complete["assistant_response"]
    assert [error["code"] for error in device.bodies("error")] == [code]
    assert said and STORY.startswith(said)
    assert device.heard() == said
    assert complete["chat_success"] is False and device.bodies("chat_tts_complete")[0]["db_saved"]


def test_a_model_that_refuses_is_named_and_completed(device: TestDevice, scenario: Callable[..., None]) -> None:
    fault = {
        "stage": "chat",
        "kind": "status",
        "status": 400,
        "code": "data_inspection_failed",
        "message": "Input data may contain inappropriate content.",
    }
    scenario(faults=[fault])

    complete = device.turn(spoken_wav(QUESTION))

    [error] = device.bodies("error")
    assert error["code"] == "content_policy_violation" and "inappropriate" in error["message"]
    assert complete["transcription_success"] and not complete["chat_success"]


def test_after_any_failure_the_next_turn_is_answered(device: TestDevice, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 500, "times": 1}], replies=[STORY])
    device.turn(spoken_wav(QUESTION))

    complete = device.turn(spoken_wav(QUESTION))

    assert complete["tts_success"] and device.heard() == STORY
