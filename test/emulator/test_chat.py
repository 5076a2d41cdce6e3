"""Chat on the compatible surface: several choices, probabilities, tools, structured answers, framing, kept lines."""

import json
import uuid

import pytest
import urllib3

from emulator.schema_sample import sample
from test.emulator.sse import chunks, deltas

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
        },
    },
    {"type": "function", "function": {"name": "get_time"}},
]
FORCED = {"type": "function", "function": {"name": "get_weather"}}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 3},
        "age": {"type": "integer", "minimum": 18},
        "mood": {"enum": ["good", "bad"]},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 2},
    },
    "required": ["name", "age", "mood", "tags"],
    "$defs": {"tag": {"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}}}},
}


def test_each_choice_takes_the_next_reply(chat, scenario) -> None:
    scenario(replies=["one", "two", "three"])

    body = chat("qwen-plus", n=3).json()

    assert [(c["index"], c["message"]["content"]) for c in body["choices"]] == [(0, "one"), (1, "two"), (2, "three")]
    assert body["usage"]["completion_tokens"] == 7


def test_choices_are_streamed_side_by_side(chat, scenario) -> None:
    scenario(replies=["first", "second"])

    events = chunks(chat("qwen-plus", n=2, stream=True).text)

    texts = {0: "", 1: ""}
    for choice in (event["choices"][0] for event in events):
        texts[choice["index"]] += choice["delta"]["content"]
    assert texts == {0: "first", 1: "second"}
    assert [e["choices"][0]["index"] for e in events if e["choices"][0]["finish_reason"]] == [0, 1]


def test_probabilities_are_given_for_every_token_where_asked(chat, scenario) -> None:
    scenario(replies=["你好"])

    tokens = chat("qwen-plus", logprobs=True, top_logprobs=3).json()["choices"][0]["logprobs"]["content"]

    assert [token["token"] for token in tokens] == ["你", "好"]
    assert tokens[0]["bytes"] == list("你".encode()) and tokens[0]["logprob"] < 0
    assert [t["token"] for t in tokens[0]["top_logprobs"]] == ["你", "你~", "你~~"]


def test_probabilities_are_streamed_with_their_tokens(chat, scenario) -> None:
    scenario(replies=["Hello"])

    choices = [event["choices"][0] for event in chunks(chat("qwen-plus", logprobs=True, stream=True).text)]

    for choice in choices:
        told = [token["token"] for token in (choice["logprobs"] or {"content": []})["content"]]
        assert "".join(told) == choice["delta"]["content"]


def test_no_probabilities_come_unasked(chat) -> None:
    assert chat("qwen-plus").json()["choices"][0]["logprobs"] is None


def test_the_same_seed_gives_the_same_answer(chat) -> None:
    answers = [chat("qwen-plus", seed=7).json()["choices"] for _ in range(2)]

    assert answers[0] == answers[1]


@pytest.mark.parametrize(("options", "count"), [({}, 1), ({"parallel_tool_calls": True}, 2)])
def test_several_tools_are_called_only_where_that_is_allowed(chat, scenario, options: dict, count: int) -> None:
    scenario(tool_calls=[{"name": "get_weather"}, {"name": "get_time"}])

    message = chat("qwen-plus", tools=TOOLS, **options).json()["choices"][0]["message"]

    assert [call["index"] for call in message["tool_calls"]] == list(range(count))


def test_a_forced_tool_is_called_with_arguments_that_fit(chat) -> None:
    body = chat("qwen-plus", tools=TOOLS, tool_choice=FORCED).json()

    function = body["choices"][0]["message"]["tool_calls"][0]["function"]
    assert body["choices"][0]["finish_reason"] == "tool_calls" and function["name"] == "get_weather"
    assert json.loads(function["arguments"]) == {"city": "Hello.", "days": 0}


def test_a_forced_tool_is_called_as_scripted(chat, scenario) -> None:
    scenario(tool_calls=[{"name": "get_time"}, {"name": "get_weather", "arguments": {"city": "北京"}}])

    calls = chat("qwen-plus", tools=TOOLS, tool_choice=FORCED).json()["choices"][0]["message"]["tool_calls"]

    assert [call["function"]["arguments"] for call in calls] == ['{"city":"北京"}']


def test_arguments_come_in_one_piece_without_tool_stream(chat, scenario) -> None:
    scenario(tool_calls=[{"name": "get_weather", "arguments": {"city": "Beijing, China"}}])

    answer = chat("qwen-plus", tools=TOOLS, stream=True, tool_stream=False)

    pieces = [d["tool_calls"][0]["function"]["arguments"] for d in deltas(answer.text) if d.get("tool_calls")]
    assert pieces == ["", '{"city":"Beijing, China"}']


def test_an_answer_by_schema_fits_it(chat) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}

    person = json.loads(chat("qwen-plus", response_format=form).json()["choices"][0]["message"]["content"])

    assert (person["age"], person["mood"], len(person["tags"])) == (18, "good", 2)
    assert person["name"] == "Hello." and uuid.UUID(person["tags"][0]["id"])


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "number", "exclusiveMinimum": 1, "multipleOf": 2}, 2),
        ({"type": "integer", "exclusiveMinimum": 4, "multipleOf": 2}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": ["null", "string"]}, None),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, True),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"default": 2}}}]}, {"a": 1, "b": 2}),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"enum": ["y"]}}}, "y"),
    ],
)
def test_a_sample_fits_its_schema(schema: dict, value: object) -> None:
    assert sample(schema) == value


def test_a_schema_that_refers_to_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}}

    assert "next" in sample(node)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.name"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": 1}}}, "schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"minLength": "a"}}}},
            "valid JSON schema",
        ),
        (
            {"response_format": {"type": "json_object"}, "enable_thinking": True},
            "Json mode response is not supported when enable_thinking is true",
        ),
        ({"tools": [{"type": "function"}]}, "tools.0.function.name"),
        ({"tools": "x"}, "tools"),
        ({"tool_choice": "required", "tools": TOOLS}, "tool_choice is one of"),
        ({"tool_choice": {"type": "function"}, "tools": TOOLS}, "tool_choice is one of"),
        ({"tool_choice": FORCED}, "get_weather"),
        ({"tool_choice": FORCED, "tools": TOOLS, "enable_thinking": True}, "in thinking mode"),
        ({"top_logprobs": 2}, "logprobs"),
        ({"stop": [1]}, "stop"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"enable_search": "yes"}, "enable_search"),
        ({"n": 5}, "Range of n should be [1, 4]"),
    ],
)
def test_a_wrong_form_is_refused_in_words(chat, options: dict, named: str) -> None:
    answer = chat("qwen-plus", **options)

    assert answer.status_code == 400 and named in answer.json()["error"]["message"]


def test_extras_are_accepted_and_noted(chat, emulator, key) -> None:
    answer = chat("qwen-plus", enable_search=True, search_options={"forced_search": True}, made_up={"x": 1})

    noted = emulator.journal(key)[0]["body"]
    assert answer.status_code == 200
    assert (noted["enable_search"], noted["search_options"], noted["made_up"]) == (
        True,
        {"forced_search": True},
        {"x": 1},
    )


@pytest.mark.parametrize("is_stream", [False, True])
def test_the_request_id_is_the_header_and_the_id(chat, is_stream: bool) -> None:
    answer = chat("qwen-plus", stream=is_stream)

    body = chunks(answer.text)[0] if is_stream else answer.json()
    assert body["id"] == f"chatcmpl-{answer.headers['x-request-id']}"
    assert answer.headers["x-request-id"][14] == "9"


def test_the_bytes_of_a_stream_are_the_services(chat, scenario) -> None:
    scenario(replies=["我"])

    answer = chat("qwen-plus", stream=True)

    first = answer.content.split(b"\n\n")[1]
    assert answer.headers["content-type"] == "text/event-stream;charset=UTF-8"
    assert first.startswith(
        'data: {"choices":[{"delta":{"content":"我"},"finish_reason":null,"index":0,"logprobs":null}],'
        '"object":"chat.completion.chunk","usage":null,"created":'.encode()
    )
    assert answer.content.endswith(b"}\n\ndata: [DONE]\n\n")


def test_a_scripted_error_ends_a_stream_without_done(chat, scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": "error_event", "after": 2, "status": 429}])

    text = chat("qwen-plus", stream=True).text

    last = json.loads(text.split("\n\n")[-2].removeprefix("data: "))
    assert last["error"]["code"] == "limit_requests" and "[DONE]" not in text and text.count("\n\n") == 3


def test_one_connection_serves_many_requests(emulator, key) -> None:
    body = {"model": "qwen-plus", "messages": [{"role": "user", "content": "hi"}]}
    headers = {"Authorization": f"Bearer {key}"}
    with urllib3.HTTPConnectionPool("127.0.0.1", emulator.port, maxsize=1, headers=headers) as pool:
        for is_stream in (False, True, False):
            pool.request("POST", "/compatible-mode/v1/chat/completions", json={**body, "stream": is_stream})

        assert (pool.num_connections, pool.num_requests) == (1, 3)
