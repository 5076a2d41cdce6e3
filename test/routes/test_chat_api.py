"""`POST /v1/chat/completions` over real sockets, asked by the real openai SDK."""

from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from emulator import Emulator
from test.support.openai_schema import assert_openai
from test.support.servers import RunningServer
from test.support.waiting import eventually

QUESTION = [{"role": "user", "content": "What is the weather today?"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


@pytest.fixture
def client(server: RunningServer) -> openai.OpenAI:
    return openai.OpenAI(
        api_key=server.key, base_url=f"{server.url}/v1", max_retries=0, _strict_response_validation=True
    )


def test_a_question_is_answered_whole(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="qwen-plus", messages=QUESTION)

    answer = raw.parse()
    assert_openai("CreateChatCompletionResponse", raw.http_response.json())
    assert answer.choices[0].message.content.startswith("You said: What is the weather today?")
    assert answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens > 0


def test_an_answer_is_streamed_as_it_is_written(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(replies=["你好，很高兴见到你。"])

    chunks = list(client.chat.completions.create(model="qwen-plus", messages=QUESTION, stream=True))

    for chunk in chunks:
        assert_openai("CreateChatCompletionStreamResponse", chunk.to_dict())
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "你好，很高兴见到你。"
    assert (chunks[0].choices[0].delta.role, chunks[0].choices[0].delta.content) == ("assistant", "")
    assert chunks[-1].choices[0].finish_reason == "stop" and len({(chunk.id, chunk.created) for chunk in chunks}) == 1
