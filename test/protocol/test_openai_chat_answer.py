"""The vendor's answers become OpenAI's: whole, streamed, and gathered from a stream."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import UpstreamBroken, UpstreamBusy, UpstreamError, UpstreamRefused
from protocol.openai import chat_answer
from protocol.openai.chat_gathered import Gathering
from protocol.openai.chat_stream import ChunkWriter
from test.support.openai_schema import assert_openai

HEAD = {"id": "chatcmpl-0", "created": 1, "model": "qwen-plus"}
VENDOR = {
    "object": "chat.completion",
    "created": 2,
    "system_fingerprint": None,
    "model": "qwen-plus",
    "id": "chatcmpl-7",
}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def whole(message: dict[str, Any], *, has_functions: bool = False, **fields: Any) -> dict[str, Any]:
    """Return the vendor's answer with this message in OpenAI's form."""
    choice = {"message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop", "index": 0}
    read = chat_answer.read(json.dumps(VENDOR | {"choices": [choice], "usage": USAGE} | fields).encode())
    return chat_answer.tidy(read, has_functions=has_functions)


def chunk(delta: Any, finish_reason: str | None = None, *, index: int = 0, **fields: Any) -> bytes:
    """Return one chunk as the vendor words it."""
    choice = {"delta": delta, "finish_reason": finish_reason, "index": index, "logprobs": None}
    return json.dumps(VENDOR | {"object": "x", "choices": [choice], "usage": None} | fields).encode()


LAST = json.dumps(VENDOR | {"choices": [], "usage": USAGE}).encode()
TOOL_STREAM = [
    chunk({"content": None, "role": "assistant", "tool_calls": [CALL | {"function": {"name": "f", "arguments": ""}}]}),
    chunk({"content": None, "role": None, "tool_calls": [{"index": 0, "id": "", "function": {"arguments": '{"a":'}}]}),
    chunk({"role": None, "tool_calls": [{"index": 0, "id": "", "function": {"name": "", "arguments": "1}"}}]}),
    chunk({"content": ""}, "tool_calls"),
    LAST,
    b"[DONE]",
]


def written(batch: list[bytes], **options: Any) -> list[Any]:
    """Return the events that a client is sent, parsed; `[DONE]` stays text."""
    writer = ChunkWriter(dict(HEAD), **options)
    lines = (writer.feed(batch) + writer.finish()).decode().split("\n\n")
    assert lines.pop() == "" and all(line.startswith("data: ") for line in lines)
    return [line[6:] if line == "data: [DONE]" else json.loads(line[6:]) for line in lines]


def deltas(events: list[Any]) -> list[dict[str, Any]]:
    return [choice["delta"] for event in events if event != "[DONE]" for choice in event["choices"]]


def gathered(batch: list[bytes], **options: Any) -> dict[str, Any]:
    gathering = Gathering(dict(HEAD), **options)
    gathering.feed(batch)
    assert gathering.is_whole
    return chat_answer.tidy(gathering.answer(), has_functions=False)


# --- whole


def test_a_whole_answer_passes_openais_schema() -> None:
    answer = whole({"role": "assistant", "content": "hi", "reasoning_content": "hm"})

    assert_openai("CreateChatCompletionResponse", answer)
    assert answer["choices"][0]["message"]["reasoning_content"] == "hm"
    assert "system_fingerprint" not in answer and answer["choices"][0]["logprobs"] is None


def test_a_whole_answer_with_calls_of_tools_passes_it_too() -> None:
    answer = whole({"role": "assistant", "content": "", "tool_calls": [CALL]})

    assert_openai("CreateChatCompletionResponse", answer)
    [call] = answer["choices"][0]["message"]["tool_calls"]
    assert call == {name: value for name, value in CALL.items() if name != "index"}
    assert answer["choices"][0]["message"]["content"] is None


def test_who_asked_with_functions_is_answered_with_one() -> None:
    answer = whole({"role": "assistant", "content": "", "tool_calls": [CALL]}, has_functions=True)

    assert_openai("CreateChatCompletionResponse", answer)
    assert answer["choices"][0]["message"]["function_call"] == CALL["function"]
    assert answer["choices"][0]["finish_reason"] == "function_call"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error":{"message":"m","type":"limit_requests","code":"limit_requests"}}', UpstreamBusy),
        (b'{"code":"InvalidParameter","message":"m","request_id":"r"}', UpstreamRefused),
        (b"<html>", UpstreamBroken),
        (b"[]", UpstreamBroken),
        (b"\xff", UpstreamBroken),
        pytest.param(b"[" * 100_000, UpstreamBroken, id="deep"),
    ],
)
def test_an_answer_that_is_an_error_or_nonsense_is_raised(body: bytes, kind: type[UpstreamError]) -> None:
    with pytest.raises(kind):
        chat_answer.read(body)


@pytest.mark.parametrize(
    "fields", [{"choices": []}, {"choices": "x"}, {"choices": ["x"]}, {"choices": [{}]}, {"choices": None}]
)
def test_an_answer_without_choices_is_broken(fields: dict[str, Any]) -> None:
    with pytest.raises(UpstreamBroken):
        whole({"content": "x"}, **fields)


# --- streamed


def test_a_stream_passes_openais_schema_and_has_one_name() -> None:
    stream = [chunk({"content": "", "role": "assistant"}), chunk({"content": "你"}, id="other", created=9)]

    events = written([*stream, chunk({"content": ""}, "stop"), b"[DONE]"])

    for event in events[:-1]:
        assert_openai("CreateChatCompletionStreamResponse", event)
    assert {(event["id"], event["created"]) for event in events[:-1]} == {("chatcmpl-7", 2)}
    assert events[-1] == "[DONE]" and deltas(events)[0] == {"role": "assistant", "content": ""}
    assert all("usage" not in event and "system_fingerprint" not in event for event in events[:-1])


def test_usage_comes_last_and_only_when_it_was_asked_for() -> None:
    stream = [chunk({"content": "a"}), chunk({}, "stop"), LAST, b"[DONE]"]

    told, plain = written(stream, has_usage=True), written(stream)

    assert [event["usage"] for event in told[:-1]] == [None, None, USAGE] and told[-2]["choices"] == []
    assert len(plain) == 3 and all(event["choices"] for event in plain[:-1])


def test_usage_that_came_with_the_text_is_told_at_the_end() -> None:
    stream = [chunk({"content": "a"}, usage=USAGE), chunk({}, "stop", usage=USAGE | {"total_tokens": 4}), b"[DONE]"]

    events = written(stream, has_usage=True)

    assert [event["usage"] for event in events[:-1]] == [None, None, USAGE | {"total_tokens": 4}]


def test_reasoning_comes_before_the_text() -> None:
    stream = [
        chunk({"content": None, "role": "assistant", "reasoning_content": ""}),
        chunk({"content": None, "reasoning_content": "hm"}),
        chunk({"content": "a"}),
    ]

    begun = deltas(written([*stream, b"[DONE]"]))

    assert begun[0] == {"role": "assistant", "content": "", "reasoning_content": ""}
    assert begun[1]["reasoning_content"] == "hm" and begun[2] == {"content": "a"}


def test_fragments_of_a_call_never_overwrite_its_id_or_name() -> None:
    events = written(TOOL_STREAM)

    pieces = [call for delta in deltas(events) for call in delta.get("tool_calls", [])]
    for event in events[:-1]:
        assert_openai("CreateChatCompletionStreamResponse", event)
    assert [piece.get("id") for piece in pieces] == ["call_1", None, None]
    assert [piece["function"].get("name") for piece in pieces] == ["f", None, None]
    assert "".join(piece["function"]["arguments"] for piece in pieces) == '{"a":1}'
    assert all("role" not in delta for delta in deltas(events)[1:])


def test_a_streamed_call_comes_as_a_function_to_who_asked_with_functions() -> None:
    events = written(TOOL_STREAM, has_functions=True)

    pieces = [delta["function_call"] for delta in deltas(events) if "function_call" in delta]
    assert pieces[0]["name"] == "f" and "".join(piece["arguments"] for piece in pieces) == '{"a":1}'
    assert events[-2]["choices"][0]["finish_reason"] == "function_call"


def test_a_model_that_repeats_itself_is_streamed_in_pieces() -> None:
    stream = [chunk({"content": "a"}), chunk({"content": "ab"}), chunk({"content": "abc"}, "stop"), b"[DONE]"]

    assert [delta["content"] for delta in deltas(written(stream, is_cumulative=True))] == ["a", "b", "c"]


def test_spoken_answers_carry_their_words_as_a_transcript_too() -> None:
    stream = [chunk({"content": "hi"}), chunk({"audio": {"data": "AAA=", "id": "audio_1"}}), b"[DONE]"]

    begun = deltas(written(stream, has_sound=True))

    assert begun[0]["audio"] == {"transcript": "hi"} and begun[1]["audio"]["data"] == "AAA="


def test_obfuscation_hides_the_length_of_the_text_in_blocks() -> None:
    writer = ChunkWriter(dict(HEAD), is_padded=True)

    lines = [writer.feed([chunk({"content": "x" * size})]) for size in (1, 5, 9)]

    assert len({len(line) % 64 for line in lines}) == 1 and b'"obfuscation":"' in lines[0]


@pytest.mark.parametrize("end", [[b"[DONE]"], [], [b"[DONE]", b"[DONE]"], [b"[DONE]", chunk({"content": "late"})]])
def test_a_finished_stream_ends_with_done_exactly_once(end: list[bytes]) -> None:
    events = written([chunk({"content": "a"}), chunk({}, "stop"), *end])

    assert events.count("[DONE]") == 1 and events[-1] == "[DONE]" and len(events) == 3


def test_a_stream_that_just_stops_is_broken() -> None:
    writer = ChunkWriter(dict(HEAD))
    writer.feed([chunk({"content": "a"})])

    with pytest.raises(UpstreamBroken) as broken:
        writer.finish()

    assert broken.value.code == "upstream_cut"


def test_an_error_in_the_stream_is_raised_under_our_name() -> None:
    with pytest.raises(UpstreamBusy):
        ChunkWriter(dict(HEAD)).feed([b'{"error":{"message":"m","code":"limit_requests"}}'])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "content": st.none() | st.text(max_size=5),
        "role": st.none() | st.just("assistant"),
        "reasoning_content": st.none() | st.text(max_size=5),
        "tool_calls": st.none()
        | st.lists(
            st.fixed_dictionaries(
                {"index": st.integers(0, 2)},
                optional={
                    "id": st.sampled_from(["", "call_9"]),
                    "function": st.none()
                    | st.fixed_dictionaries(
                        {}, optional={"name": st.none() | st.text(), "arguments": st.none() | st.text()}
                    ),
                },
            ),
            max_size=2,
        ),
    },
)
REASONS = st.sampled_from([None, "stop", "length", "tool_calls"])


@given(st.lists(st.tuples(DELTAS, REASONS, st.integers(0, 2)), max_size=6), st.booleans())
def test_every_stream_of_the_vendor_passes_openais_schema_and_ends(steps: list[Any], has_usage: bool) -> None:
    stream = [chunk(delta, reason, index=index) for delta, reason, index in steps]

    events = written([*stream, LAST, b"[DONE]"], has_usage=has_usage)

    for event in events[:-1]:
        assert_openai("CreateChatCompletionStreamResponse", event)
    said = "".join(delta.get("content") or "" for delta, _, _ in steps)
    assert "".join(delta.get("content") or "" for delta in deltas(events)) == said and events[-1] == "[DONE]"


@given(st.lists(st.tuples(DELTAS, REASONS, st.integers(0, 2)), max_size=6))
def test_every_gathered_stream_passes_openais_schema(steps: list[Any]) -> None:
    stream = [chunk(delta, reason, index=index) for delta, reason, index in steps]

    answer = gathered([chunk({"content": ""}), *stream, LAST, b"[DONE]"])

    assert_openai("CreateChatCompletionResponse", answer)
    said = "".join(delta.get("content") or "" for delta, _, index in steps if index == 0)
    assert (answer["choices"][0]["message"]["content"] or "") == said


@given(st.lists(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20), max_size=3))
def test_nonsense_from_the_vendor_is_an_upstream_error_and_nothing_worse(batch: list[bytes]) -> None:
    ends = []
    for feed in (ChunkWriter(dict(HEAD)).feed, Gathering(dict(HEAD)).feed):
        try:
            feed(batch)
        except UpstreamError as error:
            ends.append(error.status)

    assert set(ends) <= {502}


@given(JSON, JSON, JSON)
def test_nonsense_inside_a_chunk_is_an_upstream_error_and_nothing_worse(delta: Any, calls: Any, reason: Any) -> None:
    data = chunk({"tool_calls": calls, "content": delta, "audio": delta}, reason, usage=calls)
    ends = []
    for feed in (ChunkWriter(dict(HEAD), has_sound=True).feed, Gathering(dict(HEAD)).feed):
        try:
            feed([chunk(delta, reason), data])
        except UpstreamError as error:
            ends.append(error.status)

    assert set(ends) <= {502}


# --- gathered


def test_a_stream_is_gathered_into_a_whole_answer() -> None:
    stream = [
        chunk({"content": None, "role": "assistant", "reasoning_content": ""}),
        chunk({"content": None, "reasoning_content": "hm"}),
        chunk({"content": "a"}),
        chunk({"content": "b"}),
        chunk({"content": "", "reasoning_content": None}, "length"),
        LAST,
        b"[DONE]",
    ]

    answer = gathered(stream)

    assert_openai("CreateChatCompletionResponse", answer)
    [choice] = answer["choices"]
    assert (choice["message"]["content"], choice["message"]["reasoning_content"]) == ("ab", "hm")
    assert (choice["finish_reason"], answer["usage"], answer["id"]) == ("length", USAGE, "chatcmpl-7")


def test_calls_of_tools_are_gathered_by_their_index() -> None:
    second = {"index": 1, "id": "call_2", "function": {"name": "g", "arguments": "{}"}}

    answer = gathered([*TOOL_STREAM[:2], chunk({"tool_calls": [second]}), *TOOL_STREAM[2:]])

    assert_openai("CreateChatCompletionResponse", answer)
    calls = answer["choices"][0]["message"]["tool_calls"]
    assert [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls] == [
        ("call_1", "f", '{"a":1}'),
        ("call_2", "g", "{}"),
    ]


def test_sound_is_gathered_beside_its_words() -> None:
    sound = {"id": "audio_1", "expires_at": 7}
    stream = [
        chunk({"content": "hi"}),
        chunk({"audio": sound | {"data": base64.b64encode(b"ab").decode()}}),
        chunk({"audio": {"data": base64.b64encode(b"cd").decode()}}),
        chunk({}, "stop"),
    ]
    gathering = Gathering(dict(HEAD))

    gathering.feed(stream)

    assert gathering.pcm(0) == b"abcd"
    assert gathering.answer()["choices"][0]["message"]["audio"] == sound | {"data": "", "transcript": "hi"}


def test_a_model_that_repeats_itself_is_gathered_once() -> None:
    stream = [chunk({"content": "a"}), chunk({"content": "ab"}), chunk({"content": ""}, "stop")]

    assert gathered(stream, is_cumulative=True)["choices"][0]["message"]["content"] == "ab"


def test_a_gathered_stream_that_just_stopped_is_not_whole() -> None:
    gathering = Gathering(dict(HEAD))

    gathering.feed([chunk({"content": "a"})])

    assert not gathering.is_whole
