"""Pages of other origins: what a browser asks before it lets them talk to this server, and what they may read.

Source: Fetch standard, CORS protocol
"""

from collections.abc import Callable

import pytest

from test.clients.conftest import QUESTION
from test.clients.raw import Form, field, file, send, send_json
from test.support.device import spoken_wav
from test.support.servers import RunningServer

PAGE = {"Origin": "https://chat.example"}
WANTED = (
    "authorization",
    "content-type",
    "x-stainless-lang",
    "x-stainless-os",
    "x-stainless-retry-count",
    "openai-organization",
    "idempotency-key",
)
READABLE = {"x-request-id", "retry-after", "retry-after-ms", "openai-processing-ms", "content-disposition"}
ROUTES = [
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/audio/transcriptions"),
    ("POST", "/v1/audio/speech"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/qwen-plus"),
    ("GET", "/v1/audio/voices"),
    ("GET", "/v1/audio/models"),
]


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


def names(value: str | None) -> set[str]:
    return {name.strip().lower() for name in (value or "").split(",")}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_preflight_is_answered_without_a_key(server: RunningServer, method: str, path: str) -> None:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": ",".join(WANTED)}

    reply = send(server, "OPTIONS", path, headers=PAGE | asked, key="")

    assert reply.status in (200, 204)
    assert reply.headers["Access-Control-Allow-Origin"] in ("*", PAGE["Origin"])
    assert set(WANTED) <= names(reply.headers["Access-Control-Allow-Headers"])
    assert method.lower() in names(reply.headers["Access-Control-Allow-Methods"])


@pytest.mark.parametrize("model", ["qwen-plus", "no-such-model"])
def test_the_page_may_read_answers_and_refusals_and_their_ids(server: RunningServer, model: str) -> None:
    wish = {"model": model, "messages": [{"role": "user", "content": "Hello."}]}

    reply = send_json(server, "/v1/chat/completions", wish, headers=PAGE)

    assert reply.headers["Access-Control-Allow-Origin"] in ("*", PAGE["Origin"])
    assert names(reply.headers["Access-Control-Expose-Headers"]) >= READABLE
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_a_page_uploads_what_its_microphone_recorded(server: RunningServer) -> None:
    form = Form([file("1732200000000.webm", spoken_wav(QUESTION), "video/webm"), field("model", "whisper-1")])

    reply = send(server, "POST", "/v1/audio/transcriptions", headers=PAGE | form.headers, body=form.body)

    assert reply.status == 200 and reply.json()["text"] == QUESTION
