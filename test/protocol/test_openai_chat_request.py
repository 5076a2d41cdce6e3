"""Requests of chat completions become the vendor's, or are refused by the name of what is wrong."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BadInput
from protocol.openai.chat import ChatRequest
from protocol.openai.chat_fields import FIELDS
from protocol.openai.chat_request import ChatCall, read_call

HELLO = {"role": "user", "content": "hello"}
DOCUMENT = Path(__file__).parents[2] / "docs" / "openai.md"


def call(**fields: Any) -> ChatCall:
    return read_call(json.dumps({"model": "qwen-plus", "messages": [HELLO]} | fields).encode())


def sent(model: str = "qwen-plus", *, is_stream: bool = False, **fields: Any) -> dict[str, Any]:
    """Return what the vendor is sent."""
    return json.loads(call(**fields).body(model=model, is_stream=is_stream))


def said(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    return sent(messages=list(messages))["messages"]


def user(part: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a user's message as the vendor is sent it."""
    return said({"role": "user", "content": [part]})[0]["content"][0]


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


# --- the whole


def test_a_plain_request_reaches_the_vendor_as_it_came() -> None:
    assert sent() == {"model": "qwen-plus", "messages": [HELLO]}


def test_what_openai_does_not_know_is_passed_on_untouched() -> None:
    extras = {"enable_search": True, "top_k": 3, "translation_options": {"target_lang": "English"}, "x": [1, {"y": 2}]}

    body = sent(**extras)

    assert {name: body[name] for name in extras} == extras


def test_null_is_absent_everywhere() -> None:
    nulls = dict.fromkeys((field.name for field in FIELDS if field.name not in ("model", "messages")), None)

    assert sent(**nulls) == {"model": "qwen-plus", "messages": [HELLO]}


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"temperature": 2}, {"temperature": 1.99}),
        ({"top_p": 0}, {"top_p": 0.001}),
        ({"seed": -1}, {"seed": 2**31 - 1}),
        ({"seed": 7}, {"seed": 7}),
        ({"max_completion_tokens": 9}, {"max_completion_tokens": 9, "max_tokens": 9}),
        ({"max_completion_tokens": 9, "max_tokens": 5}, {"max_completion_tokens": 9, "max_tokens": 5}),
        ({"stop": []}, {}),
        ({"stop": ["a", "b", "c", "d", "e"]}, {"stop": ["a", "b", "c", "d", "e"]}),
        ({"reasoning_effort": "none"}, {"enable_thinking": False}),
        ({"reasoning_effort": "low"}, {"enable_thinking": True, "thinking_budget": 2048}),
        ({"reasoning_effort": "high"}, {"enable_thinking": True}),
        ({"reasoning_effort": "high", "enable_thinking": False}, {"enable_thinking": False}),
        ({"web_search_options": {}}, {"enable_search": True}),
        (
            {"web_search_options": {"search_context_size": "high"}},
            {"enable_search": True, "search_options": {"search_strategy": "max"}},
        ),
        ({"audio": {"voice": "alloy", "format": "mp3"}}, {"audio": {"voice": "Cherry", "format": "wav"}}),
        ({"audio": {"voice": {"id": "Tina"}}}, {"audio": {"voice": "Tina", "format": "wav"}}),
        ({"user": "u", "store": True, "metadata": {"a": "b"}, "prompt_cache_key": "k"}, {}),
        ({"service_tier": "auto", "verbosity": "medium", "logit_bias": {}}, {}),
        ({"prediction": {"type": "content", "content": "x"}, "safety_identifier": "s"}, {}),
    ],
)
def test_a_parameter_becomes_what_the_vendor_understands(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    assert sent(**fields) == {"model": "qwen-plus", "messages": [HELLO]} | changed


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"messages": []}, "invalid_value", "messages"),
        ({"messages": "hello"}, "invalid_type", "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "invalid_value", "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "missing_required_parameter", "messages[0].content"),
        ({"temperature": "hot"}, "invalid_type", "temperature"),
        ({"temperature": 2.5}, "invalid_value", "temperature"),
        ({"n": 0}, "invalid_value", "n"),
        ({"stream": "yes"}, "invalid_type", "stream"),
        ({"logit_bias": {"50256": -100}}, "unsupported_value", "logit_bias"),
        ({"verbosity": "low"}, "unsupported_value", "verbosity"),
        ({"service_tier": "flex"}, "unsupported_value", "service_tier"),
        ({"moderation": {"model": "m"}}, "unsupported_value", "moderation"),
        (
            {"web_search_options": {"user_location": {"type": "approximate"}}},
            "unsupported_value",
            "web_search_options.user_location",
        ),
        ({"audio": {"format": "mp3"}, "stream": True}, "unsupported_value", "audio.format"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "unsupported_value", "tools[0].type"),
        ({"tools": [function("a"), function("b")], "tool_choice": "required"}, "unsupported_value", "tool_choice"),
        ({"tools": [function("a")], "tool_choice": {"type": "custom"}}, "unsupported_value", "tool_choice"),
        ({"tools": [{"type": "function", "function": {}}]}, "missing_required_parameter", "tools[0].function.name"),
        ({"tool_choice": "required"}, "unsupported_value", "tool_choice"),
        ({"function_call": {"name": "f"}}, "unsupported_value", "function_call"),
        (
            {
                "tools": [function("a")],
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named("b")]}},
            },
            "unsupported_value",
            "tool_choice",
        ),
        ({"tools": [function("a")], "functions": [{"name": "f"}]}, "unsupported_value", "functions"),
        ({"stream_options": {"include_usage": True}}, "unsupported_value", "stream_options"),
        ({"response_format": {"type": "yaml"}}, "invalid_value", "response_format.type"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(fields: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(BadInput) as refused:
        call(**fields)

    assert (refused.value.status, refused.value.code, refused.value.param) == (400, code, param)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"model":"m"}', b'{"messages":null}'])
def test_a_request_without_messages_is_told_so(body: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        read_call(body)

    assert (refused.value.code, refused.value.param) == ("missing_required_parameter", "messages")


def test_the_length_of_an_answer_is_held_to_the_limit_of_a_model_that_would_refuse_more() -> None:
    assert sent("farui-plus", max_tokens=9000)["max_tokens"] == 2000
    assert sent("farui-plus", max_tokens=5)["max_tokens"] == 5
    assert sent("qwen-plus", max_tokens=9000)["max_tokens"] == 9000


def test_usage_is_asked_for_when_the_client_wants_it_or_the_stream_is_gathered() -> None:
    wants = {"stream": True, "stream_options": {"include_usage": True}}

    assert sent(is_stream=True, **wants)["stream_options"] == {"include_usage": True}
    assert sent(is_stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent(is_stream=True, stream=True)
    assert "stream" not in sent()


def test_sound_is_wav_unless_a_format_is_named() -> None:
    both = ["text", "audio"]

    assert call(modalities=both).sound_format == "wav"
    assert call(modalities=both, audio={"voice": "Cherry", "format": "pcm16"}).sound_format == "pcm16"
    assert call(audio={"format": "mp3"}).sound_format == ""


# --- messages


def test_developers_speak_as_the_system() -> None:
    assert said({"role": "developer", "content": "Be short."}, HELLO)[0] == {"role": "system", "content": "Be short."}


def test_text_parts_become_one_text_where_the_vendor_takes_no_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    cached = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]

    spoken = said({"role": "system", "content": parts}, {"role": "system", "content": cached}, HELLO)

    assert [message["content"] for message in spoken] == ["ab", cached, "hello"]


@pytest.mark.parametrize("empty", [{}, {"content": None}, {"content": ""}, {"content": []}, {"tool_calls": []}])
def test_an_assistant_who_said_nothing_is_left_out(empty: dict[str, Any]) -> None:
    assert said(HELLO, {"role": "assistant"} | empty, HELLO) == [HELLO, HELLO]


def test_a_refusal_is_what_the_assistant_said() -> None:
    assert said({"role": "assistant", "refusal": "No."}, HELLO)[0] == {"role": "assistant", "content": "No."}


def test_calls_of_tools_and_extras_of_the_vendor_stay_with_their_message() -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    asked = {"role": "assistant", "content": "", "tool_calls": calls, "reasoning_content": "hm"}
    told = {"role": "tool", "tool_call_id": "c", "content": "done"}

    assert said(HELLO, asked, told) == [HELLO, asked, told]
    assert said({"role": "assistant", "content": "", "partial": True})[0]["partial"] is True


def test_deprecated_calls_become_calls_with_an_id_that_their_result_answers() -> None:
    asked = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    told = {"role": "function", "name": "f", "content": "done"}

    _, call_of, result = said(HELLO, asked, told)

    assert call_of["tool_calls"][0]["id"] == result["tool_call_id"]
    assert (result["role"], result["content"]) == ("tool", "done")


def test_sound_that_the_assistant_spoke_is_kept_as_its_words_only() -> None:
    assert said({"role": "assistant", "audio": {"id": "a"}, "content": "hi"})[0] == {
        "role": "assistant",
        "content": "hi",
    }
    with pytest.raises(BadInput) as refused:
        said({"role": "assistant", "audio": {"id": "a"}})
    assert refused.value.param == "messages[0].audio"


@pytest.mark.parametrize(
    ("detail", "part"),
    [
        ("auto", {}),
        (None, {}),
        ("low", {"max_pixels": 262_144}),
        ("high", {}),
    ],
)
def test_the_detail_of_a_picture_is_said_in_pixels(detail: str | None, part: dict[str, Any]) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": detail}}

    body = sent(messages=[{"role": "user", "content": [picture]}])

    plain = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    assert body["messages"][0]["content"][0] == plain | part
    assert body.get("vl_high_resolution_images", False) is (detail == "high")


def test_bare_base64_sound_becomes_a_data_uri_and_a_link_stays() -> None:
    bare = user({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}})
    link = user({"type": "input_audio", "input_audio": {"data": "https://x/y.mp3", "format": "mp3"}})

    assert bare["input_audio"] == {"data": "data:;base64,UklGRg==", "format": "wav"}
    assert link["input_audio"]["data"] == "https://x/y.mp3"


@pytest.mark.parametrize("link", ["/etc/passwd", "file:///etc/passwd", "../../x.png", "ftp://x/y", "", "javascript:1"])
@pytest.mark.parametrize(
    ("kind", "inside"), [("image_url", "url"), ("video_url", "url"), ("input_audio", "data"), ("video", "")]
)
def test_media_come_from_the_web_never_from_the_servers_disk(kind: str, inside: str, link: str) -> None:
    value = {inside: link} if inside else [link]

    with pytest.raises(BadInput) as refused:
        user({"type": kind, kind: value})

    assert (refused.value.param or "").startswith(f"messages[0].content[0].{kind}")


@pytest.mark.parametrize("link", ["https://x/y", "HTTP://x/y", "data:image/png;base64,AA==", "oss://x/y"])
def test_links_that_the_vendor_can_follow_pass(link: str) -> None:
    asked = call(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": link}}]}])

    assert asked.has_pictures and asked.uses_uploads is link.startswith("oss://")


def test_a_text_file_is_read_out_and_every_other_refused() -> None:
    data = "data:text/plain;base64," + base64.b64encode("你好".encode()).decode()

    assert user({"type": "file", "file": {"file_data": data, "filename": "a.txt"}}) == {
        "type": "text",
        "text": "a.txt\n\n你好",
    }
    for source in ({"file_id": "file-1"}, {"file_data": "data:application/pdf;base64,AA=="}, {}):
        with pytest.raises(BadInput) as refused:
            user({"type": "file", "file": source})
        assert (refused.value.code, refused.value.param) == ("unsupported_value", "messages[0].content[0].file")


@pytest.mark.parametrize("data", ["data:text/plain;base64,!!", "data:text/plain;base64,/w=="])
def test_a_text_file_that_is_none_is_refused(data: str) -> None:
    with pytest.raises(BadInput) as refused:
        user({"type": "file", "file": {"file_data": data}})

    assert refused.value.param == "messages[0].content[0].file.file_data"


# --- tools


@pytest.mark.parametrize(
    ("choice", "tools", "expected"),
    [
        ("auto", ["a", "b"], "auto"),
        ("none", ["a", "b"], "none"),
        (named("b"), ["a", "b"], named("b")),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named("b")]}}, ["b"], "auto"),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named("b")]}}, ["b"], named("b")),
    ],
)
def test_the_choice_of_a_tool_is_worded_as_the_vendor_takes_it(choice: Any, tools: list[str], expected: Any) -> None:
    body = sent(tools=[function("a"), function("b")], tool_choice=choice)

    assert [tool["function"]["name"] for tool in body["tools"]] == tools and body["tool_choice"] == expected


def test_a_required_tool_is_named_when_there_is_one() -> None:
    assert sent(tools=[function("a")], tool_choice="required")["tool_choice"] == named("a")


@pytest.mark.parametrize(("choice", "expected"), [("auto", "auto"), ({"name": "f"}, named("f"))])
def test_deprecated_functions_are_tools(choice: Any, expected: Any) -> None:
    asked = call(functions=[{"name": "f"}], function_call=choice)

    body = json.loads(asked.body(model="m", is_stream=False))

    assert body["tools"] == [{"type": "function", "function": {"name": "f"}}] and body["tool_choice"] == expected
    assert asked.has_functions and "functions" not in body and "function_call" not in body


# --- requests of the newer API


def test_a_request_in_the_words_of_the_responses_api_is_understood() -> None:
    body = {
        "model": "m",
        "instructions": "Be short.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "done"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {}}],
        "max_output_tokens": 5,
    }

    asked = json.loads(read_call(json.dumps(body).encode()).body(model="m", is_stream=False))

    assert [message["role"] for message in asked["messages"]] == ["system", "user", "assistant", "tool"]
    assert asked["messages"][1]["content"] == [{"type": "text", "text": "hi"}]
    assert asked["tools"] == [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    assert asked["max_tokens"] == 5 and "input" not in asked


def test_an_input_may_be_a_plain_text() -> None:
    assert call(messages=None, input="hello").parameters["messages"] == [HELLO]


# --- the table


def test_the_table_names_every_parameter_of_the_records_once() -> None:
    names = [field.name for field in FIELDS]

    assert sorted(names) == sorted(field.name for field in msgspec.structs.fields(ChatRequest))


def test_the_table_names_every_parameter_of_openais_document() -> None:
    bundle = json.loads((Path(__file__).parents[1] / "support" / "openai_components.json").read_text("utf-8"))
    schemas = bundle["components"]["schemas"]

    def properties(schema: dict[str, Any]) -> set[str]:
        if "$ref" in schema:
            return properties(schemas[schema["$ref"].rpartition("/")[2]])
        parts = [properties(part) for part in schema.get("allOf", [])]
        return set(schema.get("properties", {})).union(*parts)

    missing = properties(schemas["CreateChatCompletionRequest"]) - {field.name for field in FIELDS}

    assert not missing


def test_the_document_tells_the_table_word_by_word() -> None:
    text = DOCUMENT.read_text("utf-8").partition("## Chat completions")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \|$", text, re.MULTILINE)

    assert rows == [(field.name, field.fate, field.reason) for field in FIELDS]


# --- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])
KINDS = st.sampled_from(["text", "image_url", "input_audio", "file", "video", "video_url", "refusal"])
PARTS = st.fixed_dictionaries(
    {"type": KINDS},
    optional={
        "text": st.text(max_size=5) | JSON,
        "refusal": st.text(max_size=5),
        "image_url": st.fixed_dictionaries({"url": st.text(max_size=9)}, optional={"detail": JSON}) | JSON,
        "video_url": st.fixed_dictionaries({"url": st.text(max_size=9)}) | JSON,
        "input_audio": st.fixed_dictionaries({"data": st.text(max_size=9)}, optional={"format": JSON}) | JSON,
        "file": st.fixed_dictionaries({}, optional={"file_data": st.text(max_size=9), "filename": st.text()}) | JSON,
        "video": st.lists(st.text(max_size=9), max_size=2) | JSON,
    },
)
MESSAGES = st.fixed_dictionaries(
    {"role": ROLES},
    optional={
        "content": st.text(max_size=5) | st.lists(PARTS, max_size=3) | JSON,
        "name": st.text(max_size=5),
        "tool_call_id": st.text(max_size=5),
        "function_call": st.fixed_dictionaries({"name": st.text(max_size=5), "arguments": st.text(max_size=5)}) | JSON,
        "tool_calls": JSON,
        "audio": JSON,
        "refusal": st.none() | st.text(max_size=5),
    },
)
FIELD_NAMES = st.sampled_from([field.name for field in FIELDS] + ["input", "instructions", "anything"])


@given(st.lists(MESSAGES, max_size=4), st.dictionaries(FIELD_NAMES, JSON, max_size=3))
def test_every_request_is_translated_or_refused_with_a_400(messages: list[Any], fields: dict[str, Any]) -> None:
    body = json.dumps({"messages": messages} | fields).encode()

    try:
        translated: Any = json.loads(read_call(body).body(model="m", is_stream=False))
    except BadInput as error:
        translated = {"model": "m", "refused": error.english, "status": error.status}

    assert translated["model"] == "m" and translated.get("status", 400) == 400
