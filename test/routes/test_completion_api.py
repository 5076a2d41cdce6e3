"""`POST /v1/completions`, asked by the real openai SDK."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
import urllib3

from emulator import Emulator
from test.support.servers import RunningServer

Scenario = Callable[..., None]
REPLY = "It is sunny, and warm."


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


@pytest.fixture
def complete(server: RunningServer) -> Iterator[Callable[..., Any]]:
    """Complete the usual prompt, whole answers with an SDK that believes nothing but OpenAI's own shapes."""
    options = {"base_url": f"{server.url}/v1", "api_key": server.key, "max_retries": 0}

    def create(**fields: Any) -> Any:
        sdk = lax if fields.get("stream") else strict
        return sdk.completions.create(**{"model": "gpt-3.5-turbo-instruct", "prompt": "How is the weather?"} | fields)

    with openai.OpenAI(**options) as lax, openai.OpenAI(**options, _strict_response_validation=True) as strict:
        yield create


def asked(emulator: Emulator, key: str) -> list[dict[str, Any]]:
    return [entry["body"] for entry in emulator.journal(key) if entry["kind"] == "request"]


def test_a_prompt_is_a_message_of_the_users(
    complete: Callable[..., Any], scenario: Scenario, emulator: Emulator, key: str
) -> None:
    scenario(replies=[REPLY])

    answer = complete(max_tokens=200, temperature=0.2)

    assert (answer.object, answer.choices[0].text, answer.choices[0].finish_reason) == (
        "text_completion",
        REPLY,
        "stop",
    )
    assert answer.id.startswith("cmpl-") and answer.usage.total_tokens > 0
    body = asked(emulator, key)[0]
    assert body["messages"] == [{"role": "user", "content": "How is the weather?"}]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("qwen-plus", 200, 0.2)


def test_a_stream_tells_the_text_piece_by_piece(complete: Callable[..., Any], scenario: Scenario) -> None:
    scenario(replies=[REPLY], reasoning="Let me think.")

    *chunks, last, usage = complete(stream=True, stream_options={"include_usage": True})

    assert "".join(chunk.choices[0].text for chunk in chunks) == REPLY
    assert last.choices[0].finish_reason == "stop"
    assert usage.choices == [] and usage.usage.total_tokens > 0
    assert len({chunk.id for chunk in [*chunks, last, usage]}) == 1


def test_several_prompts_get_their_choices_in_order(complete: Callable[..., Any]) -> None:
    answer = complete(prompt=["one", "two", "three"], n=2)

    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3, 4, 5]
    assert ["one" in answer.choices[at].text for at in (0, 1, 2)] == [True, True, False]
    assert "two" in answer.choices[3].text and "three" in answer.choices[5].text


def test_a_model_that_only_streams_completes_as_well(complete: Callable[..., Any], scenario: Scenario) -> None:
    scenario(replies=[REPLY])

    assert complete(model="qwen3-omni-flash").choices[0].text == REPLY


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"echo": True}, "echo"),
        ({"suffix": " The end."}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"logprobs": 2}, "logprobs"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"prompt": ["a", "b"], "stream": True}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 2]}, "prompt[0]"),
        ({"extra_body": {"tools": []}}, "tools"),
        ({"extra_body": {"messages": []}}, "messages"),
        ({"temperature": 3}, "temperature"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    fields: dict[str, Any], param: str, complete: Callable[..., Any], emulator: Emulator, key: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        complete(**fields)

    assert refused.value.param == param and asked(emulator, key) == []


def test_what_changes_nothing_is_taken(complete: Callable[..., Any], emulator: Emulator, key: str) -> None:
    complete(echo=False, best_of=1, suffix="", logit_bias={}, user="u-1", extra_body={"enable_search": True})

    body = asked(emulator, key)[0]
    assert body["enable_search"] is True and not {"echo", "best_of", "suffix", "user"} & set(body)


@pytest.mark.parametrize(
    ("status", "error"), [(401, openai.AuthenticationError), (429, openai.RateLimitError), (500, openai.APIStatusError)]
)
@pytest.mark.parametrize("prompt", ["one", ["one", "two"]])
def test_a_failing_vendor_is_an_error_with_a_status(
    status: int, error: type[Exception], prompt: Any, complete: Callable[..., Any], scenario: Scenario
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": status, "times": 0}])

    with pytest.raises(error):
        complete(prompt=prompt)


def test_a_stream_that_breaks_off_is_raised(complete: Callable[..., Any], scenario: Scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": "cut", "after": 4}])

    with pytest.raises(openai.APIError):
        list(complete(stream=True))


def test_a_stream_ends_with_done(server: RunningServer) -> None:
    answer = urllib3.request(
        "POST",
        f"{server.url}/v1/completions",
        json={"prompt": "Hi", "stream": True},
        headers={"Authorization": f"Bearer {server.key}"},
    )

    *lines, done, _ = answer.data.decode().split("\n\n")
    assert done == "data: [DONE]" and answer.headers["Content-Type"].startswith("text/event-stream")
    assert all(json.loads(line[6:])["object"] == "text_completion" for line in lines)
