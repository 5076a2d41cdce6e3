"""LangChain and LlamaIndex, as people set them up for any server that speaks OpenAI's API."""

import sys
from collections.abc import Callable

import pytest

from test.clients.conftest import HERE, Walk
from test.clients.test_openai_sdks import REPLY
from test.support.packages import python_packages

FRAMEWORKS = ("langchain-openai==1.7.3", "llama-index-llms-openai-like==0.8.1")


@pytest.fixture(scope="module")
def frameworks(take_walk: Callable[..., Walk]) -> Walk:
    path = str(python_packages(*FRAMEWORKS))
    return take_walk([sys.executable, str(HERE / "frameworks_walk.py")], PYTHONPATH=path)


def test_langchain_chats_whole_and_streamed_with_usage(frameworks: Walk) -> None:
    assert frameworks.steps["chain_chat"] == [REPLY, "stop", True]
    assert frameworks.steps["chain_stream"] == [REPLY, 1, True]


def test_langchain_calls_tools_and_hands_their_results_back(frameworks: Walk) -> None:
    assert frameworks.steps["chain_tools"] == ["get_weather", {"city": "Paris"}, "It is sunny."]
    assert frameworks.steps["chain_tools_stream"] == [["get_weather", {"city": "Paris"}]]


def test_langchain_gets_structured_output(frameworks: Walk) -> None:
    assert frameworks.steps["chain_json"] == {"city": "Paris"}


def test_langchain_sees_which_model_is_not_there(frameworks: Walk) -> None:
    assert frameworks.steps["chain_error"] == ["OpenAIModelNotFoundError", 404, "model_not_found"]


def test_llamaindex_chats_completes_and_streams(frameworks: Walk) -> None:
    assert frameworks.steps["llama_chat"] == REPLY
    assert frameworks.steps["llama_complete"] == REPLY
    assert frameworks.steps["llama_stream"] == [REPLY, REPLY]


def test_llamaindex_as_it_is_by_default_asks_for_text_completions(frameworks: Walk) -> None:
    assert frameworks.steps["llama_by_default"] == [REPLY, REPLY]
