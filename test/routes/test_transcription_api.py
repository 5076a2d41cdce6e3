"""Transcriptions as clients ask for them: the openai SDK, Open WebUI, Home Assistant, curl."""

from collections.abc import Callable

import pytest
from openai import OpenAI

from test.support.device import spoken_wav
from test.support.openai_schema import assert_openai
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]
WORDS = "今天天气怎么样？我们去公园吧。"


@pytest.fixture
def server(serve: Serve) -> RunningServer:
    return serve()


@pytest.fixture
def client(server: RunningServer) -> OpenAI:
    """The SDK at its strictest: it refuses any answer that is not what OpenAI documents."""
    return OpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0, _strict_response_validation=True)


def test_what_was_said_comes_back_as_json(client: OpenAI) -> None:
    answer = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", spoken_wav(WORDS)))

    assert answer.text == WORDS
    assert_openai("CreateTranscriptionResponseJson", answer.model_dump(mode="json", exclude_none=True))
