"""Speech over HTTP, by the real SDK: every sound is heard back to the character."""

from collections.abc import Callable

import openai
import pytest

from test.support.device import heard_in
from test.support.servers import RunningServer

TEXT = "今天天气怎么样？It is fine."


@pytest.fixture
def client(serve: Callable[..., RunningServer]) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{serve().url}/v1", api_key="sk-any", max_retries=0)


def test_the_sdk_streams_an_mp3_that_says_the_text(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input=TEXT) as answer:
        sound = b"".join(answer.iter_bytes())

    assert heard_in(sound) == TEXT
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["content-disposition"] == 'inline; filename="speech.mp3"'
