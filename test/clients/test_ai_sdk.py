"""Vercel's AI SDK, unmodified: it checks every answer against schemas of its own."""

from collections.abc import Callable

import pytest

from test.clients.conftest import HERE, QUESTION, Walk
from test.clients.test_openai_sdks import REPLY
from test.support.packages import node_packages

AI_SDK = ("ai@6.0.322", "@ai-sdk/openai@3.0.141", "zod@4.6.7")
"""6 is the newest that runs on the Node of Debian and Ubuntu; 7 wants Node 22."""


@pytest.fixture(scope="module")
def ai_sdk(take_walk: Callable[..., Walk]) -> Walk:
    return take_walk(["node", str(HERE / "ai_sdk_walk.mjs"), str(node_packages(*AI_SDK))])


def test_it_asks_whole_and_streamed(ai_sdk: Walk) -> None:
    assert ai_sdk.steps["text"] == [REPLY, "stop", True]
    assert ai_sdk.steps["stream"] == [REPLY, "stop", True]


def test_it_runs_a_tool_and_asks_again_with_the_result(ai_sdk: Walk) -> None:
    assert ai_sdk.steps["tool"] == [{"city": "Paris"}, "sunny in Paris", "It is sunny."]


def test_it_gets_an_object_of_its_schema(ai_sdk: Walk) -> None:
    assert ai_sdk.steps["object"] == {"city": "Paris"}


def test_it_is_heard_and_spoken_to(ai_sdk: Walk) -> None:
    assert ai_sdk.steps["transcript"] == [QUESTION, True, True]
    assert ai_sdk.steps["speech"] is True
    assert ai_sdk.heard("speech") == "你好，世界。"


def test_it_says_which_model_is_not_there(ai_sdk: Walk) -> None:
    assert ai_sdk.steps["refusal"] == ["AI_APICallError", 404, True]
