"""Editors and chat programs that speak for themselves: Continue, Cursor, LobeChat, and proxies in between.

Sources: @continuedev/openai-adapters 1.37; maximhq/bifrost pull request 1985 (Cursor's bodies); @lobehub/tts 5.1
"""

from collections.abc import Callable

import pytest

from test.clients.conftest import QUESTION
from test.clients.raw import Form, field, file, send, send_json
from test.support.device import heard_in, spoken_wav
from test.support.openai_schema import assert_openai
from test.support.servers import RunningServer

HELLO = [{"role": "user", "content": "Hello."}]


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


def test_continue_sends_its_key_twice_and_counts_tokens(server: RunningServer) -> None:
    wish = {"model": "qwen-plus", "messages": HELLO, "stream": True, "stream_options": {"include_usage": True}}

    reply = send_json(server, "/v1/chat/completions", wish, headers={"x-api-key": server.key})

    chunks = reply.events()
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["total_tokens"] > 0
    for chunk in chunks:
        assert_openai("CreateChatCompletionStreamResponse", chunk)


def test_a_key_in_another_programs_header_is_enough(server: RunningServer) -> None:
    wish = {"model": "qwen-plus", "messages": HELLO}

    replies = [
        send_json(server, "/v1/chat/completions", wish, headers={name: server.key}, key="")
        for name in ("x-api-key", "api-key", "Authorization")
    ]

    assert [reply.status for reply in replies] == [200, 200, 200]


def test_cursor_puts_its_messages_where_responses_have_them(server: RunningServer) -> None:
    reply = send_json(server, "/v1/chat/completions", {"model": "qwen-plus", "input": HELLO, "stream": True})

    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in reply.events())
    assert text.startswith("You said: Hello.")


def test_lobechat_is_heard_and_spoken_to(server: RunningServer) -> None:
    form = Form([file("1732200000000.mp4", spoken_wav(QUESTION), "audio/mp4"), field("model", "whisper-1")])
    wish = {"input": "你好。", "model": "tts-1", "voice": "alloy"}

    heard = send(server, "POST", "/v1/audio/transcriptions", headers=form.headers, body=form.body)
    spoken = send_json(server, "/v1/audio/speech", wish)

    assert heard.json()["text"] == QUESTION
    assert heard_in(spoken.body) == "你好。"


def test_a_proxy_that_counts_seconds_finds_them_in_verbose_answers(server: RunningServer) -> None:
    wishes = [field("model", "whisper-1"), field("response_format", "verbose_json")]
    form = Form([file("a.wav", spoken_wav(QUESTION), "audio/x-wav"), *wishes])

    reply = send(server, "POST", "/v1/audio/transcriptions", headers=form.headers, body=form.body)

    assert_openai("CreateTranscriptionResponseVerboseJson", reply.json())
    assert reply.json()["duration"] > 0.5


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/audio/transcriptions", "/v1/audio/speech"])
def test_a_body_that_is_missing_altogether_is_told_what_it_lacks(server: RunningServer, path: str) -> None:
    reply = send(server, "POST", path, headers={"Content-Type": "application/json"})

    assert reply.status == 400 and reply.json()["error"]["param"]
    assert_openai("ErrorResponse", reply.json())
