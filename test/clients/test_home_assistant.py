"""Home Assistant's requests, replayed: its own integration and two that people add to it.

Sources: home-assistant core, openai_conversation; sfortis/openai_tts; fabio-garavini/ha-openai-whisper-stt-api
"""

from collections.abc import Callable

import pytest

from test.clients.conftest import QUESTION
from test.clients.raw import Form, Reply, field, file, send, send_json
from test.support.device import heard_in, spoken_wav
from test.support.openai_schema import assert_openai
from test.support.servers import RunningServer


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


def hear(server: RunningServer, filename: str, **fields: str) -> Reply:
    form = Form([file(filename, spoken_wav(QUESTION), "audio/x-wav"), *(field(*pair) for pair in fields.items())])
    return send(server, "POST", "/v1/audio/transcriptions", headers=form.headers, body=form.body)


def test_the_core_integration_is_understood(server: RunningServer) -> None:
    fields = {"model": "gpt-4o-mini-transcribe", "response_format": "json", "language": "zh", "prompt": "家里的设备"}

    reply = hear(server, "a.wav", **fields)

    assert reply.status == 200 and reply.json()["text"] == QUESTION


@pytest.mark.parametrize("kind", ["mp3", "opus", "aac", "flac", "wav"])
def test_the_core_integration_is_spoken_to_though_it_says_none(server: RunningServer, kind: str) -> None:
    wish = {"model": "gpt-4o-mini-tts", "voice": "marin", "input": "灯已经打开了。", "instructions": "None"}

    reply = send_json(server, "/v1/audio/speech", wish | {"speed": 1.0, "response_format": kind})

    assert reply.status == 200
    assert heard_in(reply.body) == "灯已经打开了。"


def test_the_speech_integration_tries_its_key_with_a_dot(server: RunningServer) -> None:
    wish = {"model": "tts-1", "input": ".", "voice": "alloy", "response_format": "mp3"}
    who = {"User-Agent": "HomeAssistant-OpenAI-TTS", "Accept": "application/octet-stream"}

    reply = send_json(server, "/v1/audio/speech", wish, headers=who)

    assert reply.status == 200 and len(reply.body) > 100
    assert reply.headers["Content-Type"] == "audio/mpeg"


def test_the_speech_integration_lists_voices_with_its_key(server: RunningServer) -> None:
    reply = send(server, "GET", "/v1/audio/voices?limit=100")

    assert {"id", "name"} <= set(reply.json()["data"][0])


def test_the_whisper_integration_finds_its_model_before_it_can_be_set_up(server: RunningServer) -> None:
    reply = send(server, "GET", "/v1/models")

    assert {"whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"} <= {m["id"] for m in reply.json()["data"]}
    assert_openai("ListModelsResponse", reply.json())


@pytest.mark.parametrize("language", ["zh", "zh-CN", "zh_CN", ""])
def test_the_whisper_integration_sends_locales_and_empty_fields(server: RunningServer, language: str) -> None:
    fields = {"model": "whisper-1", "language": language, "temperature": "0", "prompt": "", "response_format": "json"}

    reply = hear(server, "audio.wav", **fields)

    assert reply.status == 200 and reply.json()["text"] == QUESTION


def test_a_wrong_key_is_401_so_that_its_set_up_asks_for_another(server: RunningServer) -> None:
    wish = {"model": "tts-1", "input": "你好。", "voice": "alloy"}

    reply = send_json(server, "/v1/audio/speech", wish, key="sk-invalid-key")

    assert reply.status == 401 and reply.headers["WWW-Authenticate"] == "Bearer"
    assert_openai("ErrorResponse", reply.json())


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("DELETE", 405)])
def test_a_json_type_without_a_body_is_no_mistake(server: RunningServer, method: str, status: int) -> None:
    reply = send(server, method, "/v1/models/qwen-plus", headers={"Content-Type": "application/json"})

    assert reply.status == status
