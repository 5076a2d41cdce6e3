"""A streamed answer: its text, its usage, and what is no answer."""

from collections.abc import Callable

import pytest

from emulator import Emulator
from protocol.errors import UpstreamBroken, UpstreamError
from protocol.keys import ApiKey
from providers.dashscope.chat import CompatibleChat
from providers.dashscope.transport import Transport
from services.flow import CancelToken
from services.ports import Delta, Message, Usage
from test.providers.calls import Vendor
from test.providers.vendor import Line
from test.providers.vendor import Vendor as ScriptedVendor

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
