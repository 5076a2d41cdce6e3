"""A streamed answer: its text, its usage, and what is no answer."""

from collections.abc import Callable, Iterator

import msgspec
import pytest

from emulator import Emulator
from protocol.errors import UpstreamBroken, UpstreamError
from protocol.keys import ApiKey
from providers.dashscope.chat import CompatibleChat, CompatibleCompletions, NativeCompletions
from providers.dashscope.transport import Transport
from services.flow import CancelToken
from services.ports import Completions, Delta, Message, Usage
from test.providers.calls import Vendor
from test.providers.vendor import Line
from test.providers.vendor import Vendor as ScriptedVendor
from test.support.waiting import eventually

Scenario = Callable[..., None]
Script = Callable[[Callable[[Line], None]], ScriptedVendor]
ANSWER = "今天晴，最高二十度。"
CONVERSATION = [
    Message(role="system", content="简短回答。"),
    Message(role="user", content="你好"),
    Message(role="assistant", content="您好。"),
    Message(role="user", content="天气？"),
]


def answer(vendor: Vendor, key: ApiKey, *, model: str = "qwen-plus") -> list[Delta]:
    return list(vendor.chat(model=model).stream(CONVERSATION, key=key, cancel=CancelToken()))


def test_the_answer_comes_in_pieces_and_last_the_usage(vendor: Vendor, api_key: ApiKey, scenario: Scenario) -> None:
    scenario(replies=[ANSWER])

    *texts, last = answer(vendor, api_key)

    assert "".join(delta.text for delta in texts) == ANSWER
    assert len(texts) > 1
    assert last.usage is not None
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens > 0


def test_the_whole_conversation_is_sent(vendor: Vendor, api_key: ApiKey, emulator: Emulator) -> None:
    answer(vendor, api_key)

    body = next(entry["body"] for entry in emulator.journal(api_key.reveal()) if entry["kind"] == "request")
    assert body["messages"] == [{"role": m.role, "content": m.content} for m in CONVERSATION]
    assert (body["model"], body["stream"]) == ("qwen-plus", True)


def test_what_the_model_thinks_is_not_its_answer(vendor: Vendor, api_key: ApiKey, scenario: Scenario) -> None:
    scenario(replies=[ANSWER], reasoning="让我想想……")

    assert "".join(delta.text for delta in answer(vendor, api_key, model="qwen3.7-plus")) == ANSWER


def test_what_was_said_before_the_line_was_cut_is_given_out(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(replies=[ANSWER], faults=[{"stage": "chat", "kind": "cut", "after": 4}])
    texts: list[str] = []

    with pytest.raises(UpstreamError):
        texts.extend(delta.text for delta in vendor.chat().stream(CONVERSATION, key=api_key, cancel=cancel))

    assert texts
    assert ANSWER.startswith("".join(texts))


CHUNK = b'data: {"choices":[{"delta":{"content":"%s"},"finish_reason":%s}]}\n\n'


def scripted(script: Script, transport: Transport, body: bytes) -> CompatibleChat:
    def send(line: Line) -> None:
        line.request()
        line.answer(body, headers="Content-Type: text/event-stream\r\n")

    return CompatibleChat(transport, url=script(send).url, model="m")


@pytest.mark.parametrize(
    "body",
    [
        CHUNK % (b"ok", b"null") + CHUNK % (b"", b'"stop"') + b"data: [DONE]\n\n",
        CHUNK % (b"ok", b"null") + b"data: [DONE]\n\n",
        CHUNK % (b"ok", b'"length"'),
        CHUNK % (b"ok", b'"stop"') + b": keep-alive\n\ndata:\n\n",
    ],
    ids=["orderly", "without a reason", "without [DONE]", "with noise"],
)
def test_an_answer_that_says_its_end_in_any_way_is_whole(
    body: bytes, script: Script, transport: Transport, api_key: ApiKey, cancel: CancelToken
) -> None:
    chat = scripted(script, transport, body)

    assert "".join(delta.text for delta in chat.stream(CONVERSATION, key=api_key, cancel=cancel)) == "ok"


@pytest.mark.parametrize("body", [b"", CHUNK % (b"ok", b"null")], ids=["empty", "half"])
def test_an_answer_that_just_stops_was_cut(
    body: bytes, script: Script, transport: Transport, api_key: ApiKey, cancel: CancelToken
) -> None:
    chat = scripted(script, transport, body)

    with pytest.raises(UpstreamBroken) as caught:
        list(chat.stream(CONVERSATION, key=api_key, cancel=cancel))

    assert caught.value.code == "upstream_cut"


def test_only_the_first_choice_is_spoken(
    script: Script, transport: Transport, api_key: ApiKey, cancel: CancelToken
) -> None:
    body = b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"},{"delta":{"content":"b"}}]}\n\n'
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n'
    chat = scripted(script, transport, body + usage)

    deltas = list(chat.stream(CONVERSATION, key=api_key, cancel=cancel))

    assert deltas == [
        Delta(text="a"),
        Delta(usage=Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)),
    ]


# --- whole requests passed through

BODY = msgspec.json.encode({"model": "qwen-plus", "messages": [{"role": "user", "content": "hello"}]})
STREAM_BODY = msgspec.json.encode({**msgspec.json.decode(BODY), "stream": True})


def completions(emulator: Emulator, transport: Transport, *, is_native: bool) -> Completions:
    if is_native:
        return NativeCompletions(transport, base_url=emulator.native_url)
    return CompatibleCompletions(transport, url=f"{emulator.compatible_url}/chat/completions")


@pytest.mark.parametrize("is_native", [False, True], ids=["compatible", "native"])
def test_both_surfaces_answer_in_the_same_words(
    emulator: Emulator, transport: Transport, api_key: ApiKey, cancel: CancelToken, scenario: Scenario, is_native: bool
) -> None:
    scenario(replies=[ANSWER])
    vendor = completions(emulator, transport, is_native=is_native)

    answer = vendor.ask(BODY, uses_uploads=False, key=api_key, cancel=cancel)
    with vendor.stream(STREAM_BODY, uses_uploads=False, key=api_key, cancel=cancel) as stream:
        chunks = [msgspec.json.decode(data) for batch in stream.batches for data in batch if data != b"[DONE]"]

    whole = msgspec.json.decode(answer.body)
    assert whole["choices"][0]["message"]["content"] == ANSWER and whole["id"] == f"chatcmpl-{answer.request_id}"
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]
    assert "".join(choice["delta"]["content"] for chunk in chunks for choice in chunk["choices"]) == ANSWER
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop" and chunks[-1]["id"] == f"chatcmpl-{stream.request_id}"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


def test_a_stream_that_is_left_early_ends_the_vendors_call(
    emulator: Emulator, transport: Transport, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(replies=["word " * 2000], latency={"chat_token_ms": 5})
    vendor = completions(emulator, transport, is_native=False)

    def read_one() -> Iterator[list[bytes]]:
        with vendor.stream(STREAM_BODY, uses_uploads=False, key=api_key, cancel=cancel) as stream:
            yield from stream.batches

    reading = read_one()
    next(reading)
    reading.close()  # type: ignore[attr-defined]

    eventually(lambda: any(entry["kind"] == "dropped" for entry in emulator.journal(api_key.reveal())))


@pytest.mark.parametrize("uses_uploads", [False, True])
def test_files_of_the_vendors_store_are_told_in_a_header(
    transport: Transport, script: Script, api_key: ApiKey, cancel: CancelToken, uses_uploads: bool
) -> None:
    heard: list[dict[str, str]] = []

    def answer_once(line: Line) -> None:
        heard.append(line.request()[1])
        line.answer(b"{}", headers="x-request-id: r-1\r\n")

    vendor = CompatibleCompletions(transport, url=script(answer_once).url)

    answer = vendor.ask(BODY, uses_uploads=uses_uploads, key=api_key, cancel=cancel)

    assert ("x-dashscope-ossresourceresolve" in heard[0]) is uses_uploads
    assert (answer.body, answer.request_id) == (b"{}", "r-1")


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"output":1}', b'{"output":{"choices":[{}]}}', b'{"output":{}}'])
def test_nonsense_of_the_native_surface_is_malformed(
    transport: Transport, script: Script, api_key: ApiKey, cancel: CancelToken, body: bytes
) -> None:
    def answer_once(line: Line) -> None:
        line.request()
        line.answer(body)

    vendor = NativeCompletions(transport, base_url=script(answer_once).url)

    with pytest.raises(UpstreamBroken) as broken:
        vendor.ask(BODY, uses_uploads=False, key=api_key, cancel=cancel)

    assert broken.value.code == "upstream_malformed"
