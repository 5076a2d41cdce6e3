"""Who comes in, by which door, with which key: every rule of access, over real sockets."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import urllib3
import websocket
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import AuthenticationError, OpenAI

from app import create_app
from config import Settings
from emulator import Emulator
from emulator.journal import key_hash
from protocol.keys import ApiKey, digest
from test.support.device import TestDevice, spoken_wav
from test.support.servers import RunningServer
from test.support.waiting import eventually

TOKEN = "vb-the-token-of-this-test"
WITH_TOKENS = {"api_tokens": f"sha256:{digest(TOKEN)}"}
OTHER_SITE = {"Origin": "https://evil.example"}
SILENT_PROXY = {"X-Forwarded-For": "203.0.113.9"}
Serve = Callable[..., RunningServer]
Answer = urllib3.BaseHTTPResponse


def get(server: RunningServer, path: str = "/v1/models", **headers: str) -> Answer:
    return urllib3.request("GET", server.url + path, headers={name.replace("_", "-"): v for name, v in headers.items()})


def assert_refused(answer: Answer, *, code: str, status: int = 401) -> None:
    assert (answer.status, answer.json()["error"]["code"]) == (status, code), answer.data
    assert (answer.headers.get("WWW-Authenticate") == "Bearer") == (status == 401)
    assert answer.headers["x-request-id"].startswith("req_")


def keys_seen(emulator: Emulator, key: str) -> int:
    return len(emulator.journal(key))


# --- where a credential may stand


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": f"bearer   {TOKEN} "},
        {"Authorization": TOKEN},
        {"x_api_key": TOKEN},
        {"api_key": TOKEN},
        {"Authorization": f"Bearer {TOKEN}", "x_api_key": "something else"},
    ],
)
def test_a_token_is_found_wherever_clients_put_it(serve: Serve, headers: dict[str, str]) -> None:
    assert get(serve(**WITH_TOKENS), **headers).status == 200


def test_a_token_in_the_query_reads_but_never_writes(serve: Serve) -> None:
    server = serve(**WITH_TOKENS)

    reading = get(server, f"/v1/models?token={TOKEN}")
    writing = urllib3.request("POST", f"{server.url}/v1/chat/completions?token={TOKEN}", body=b"{}")

    assert reading.status == 200
    assert_refused(writing, code="missing_api_key")


@pytest.mark.parametrize(
    "authorization",
    ["Basic dTpw", "", "Bearer", "Bearer ", "Bearer two words", "Bearer k\u00e4se", "Token abc def", "Bearer a\tb"],
)
def test_what_is_no_credential_is_told_apart_from_a_wrong_one(serve: Serve, authorization: str) -> None:
    assert_refused(get(serve(), Authorization=authorization), code="invalid_authorization_format")


def test_no_credential_and_a_wrong_one_are_told_apart(serve: Serve) -> None:
    server = serve(**WITH_TOKENS)

    assert_refused(get(server), code="missing_api_key")
    assert_refused(get(server, Authorization="Bearer sk-wrong"), code="invalid_api_key")


def test_the_sdk_raises_its_own_error_for_a_wrong_token(serve: Serve) -> None:
    client = OpenAI(base_url=f"{serve(**WITH_TOKENS).url}/v1", api_key="sk-wrong", max_retries=0)

    with client, pytest.raises(AuthenticationError) as refused:
        client.models.list()

    assert refused.value.code == "invalid_api_key" and refused.value.request_id.startswith("req_")


# --- whose key the vendor is asked with


def ask(server: RunningServer, credential: str, **headers: str) -> Answer:
    """Ask a question with a credential."""
    body = {"model": "qwen-plus", "messages": [{"role": "user", "content": "hello"}]}
    sent = {"Authorization": f"Bearer {credential}", **headers} if credential else headers
    return urllib3.request("POST", f"{server.url}/v1/chat/completions", json=body, headers=sent)


def test_a_token_asks_with_the_servers_key(serve: Serve, emulator: Emulator, key: str) -> None:
    assert ask(serve(**WITH_TOKENS), TOKEN).status == 200

    assert keys_seen(emulator, key) and not keys_seen(emulator, TOKEN)


def test_a_caller_with_a_key_of_its_own_pays_for_itself(serve: Serve, emulator: Emulator, key: str) -> None:
    own = f"{key}-own"

    assert ask(serve(), own).status == 200

    assert keys_seen(emulator, own) and not keys_seen(emulator, key)


def test_with_both_a_token_and_a_key_of_ones_own_work(serve: Serve, emulator: Emulator, key: str) -> None:
    server, own = serve(**WITH_TOKENS, key_pass_through="true"), f"{key}-own"

    assert [ask(server, TOKEN).status, ask(server, own).status] == [200, 200]

    assert keys_seen(emulator, key) and keys_seen(emulator, own)


def test_a_server_may_refuse_keys_of_callers_even_without_tokens(serve: Serve) -> None:
    assert_refused(ask(serve(key_pass_through="false"), "sk-own"), code="invalid_api_key")


def test_a_server_without_a_key_needs_everybodys_own(serve: Serve, emulator: Emulator, key: str) -> None:
    server = serve(api_key=ApiKey(""), key_pass_through="true")

    assert_refused(ask(server, ""), code="missing_api_key")
    assert ask(server, key).status == 200


# --- nobody's name: from this machine only


def test_this_machine_needs_no_credential(serve: Serve, emulator: Emulator, key: str) -> None:
    assert ask(serve(), "").status == 200

    assert keys_seen(emulator, key)


@pytest.mark.parametrize(
    "headers",
    [
        SILENT_PROXY,
        {"Forwarded": "for=203.0.113.9"},
        {"X-Real-IP": "203.0.113.9"},
        {"Via": "1.1 proxy"},
        {"Host": "evil.example"},
        {"Host": "evil.example:5000"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
    ],
)
def test_what_came_through_a_proxy_or_under_a_foreign_name_needs_one(serve: Serve, headers: dict[str, str]) -> None:
    assert_refused(ask(serve(), "", **headers), code="missing_api_key")


def test_a_proxy_that_adds_no_header_shows_by_its_version(serve: Serve) -> None:
    server = serve()
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as client:
        client.sendall(b"GET /v1/models HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")

        assert b" 401 " in client.recv(100)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000", "my.localhost", "127.0.0.2", "[::1]:5000"])
def test_every_name_of_this_machine_is_this_machine(serve: Serve, host: str) -> None:
    assert get(serve(), Host=host).status == 200


def test_everybody_may_come_where_the_operator_says_so(serve: Serve) -> None:
    assert ask(serve(allow_anonymous=True), "", **SILENT_PROXY).status == 200


def test_tokens_end_the_trust_in_this_machine(serve: Serve) -> None:
    assert_refused(ask(serve(**WITH_TOKENS), ""), code="missing_api_key")


# --- pages of other sites


def test_a_page_of_another_site_may_not_use_a_key_that_it_does_not_know(serve: Serve) -> None:
    server = serve()

    assert_refused(ask(server, "", **OTHER_SITE), status=403, code="permission_denied")
    assert_refused(ask(server, "", Origin="null"), status=403, code="permission_denied")
    assert_refused(ask(server, "", Origin=server.url.replace("http:", "https:")), status=403, code="permission_denied")


def test_our_own_pages_and_listed_sites_may(serve: Serve) -> None:
    server = serve(allowed_origins="https://app.example")

    assert ask(server, "", Origin=server.url).status == 200
    assert ask(server, "", Origin="https://app.example").status == 200
    assert ask(server, "", Origin="https://app.example:444").status == 403


def test_a_page_that_brings_a_credential_may_come_from_anywhere(serve: Serve) -> None:
    assert ask(serve(**WITH_TOKENS), TOKEN, **OTHER_SITE).status == 200


@pytest.mark.parametrize(
    ("agent", "status"), [("OpenAI/Python 2.1", 200), ("CURL/8", 200), ("evil-bot", 403), ("", 403)]
)
def test_only_listed_programs_may_ask_where_a_list_says_so(serve: Serve, agent: str, status: int) -> None:
    server = serve(allowed_user_agents="OpenAI/*, curl/*")

    answer = get(server, User_Agent=agent)

    assert answer.status == status
    assert status == 200 or answer.json()["error"]["code"] == "ua_blocked"
    assert get(server, "/health", User_Agent=agent).status == 200


# --- what is public


@pytest.mark.parametrize("path", ["/", "/health", "/openapi.json", "/v1/audio/voices", "/v1/audio/models"])
def test_what_is_public_needs_no_credential_and_minds_no_wrong_one(serve: Serve, path: str) -> None:
    server = serve(**WITH_TOKENS)

    assert get(server, path, **SILENT_PROXY).status == 200
    assert get(server, path, Authorization="Basic x").status == 200


def test_an_address_that_does_not_exist_is_told_to_everybody(serve: Serve) -> None:
    answer = get(serve(**WITH_TOKENS), "/v1/nothing")

    assert answer.status == 404 and "Invalid URL (GET /v1/nothing)" in answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD"])
def test_a_browser_may_ask_what_it_may_ask(serve: Serve, method: str) -> None:
    answer = urllib3.request(method, f"{serve(**WITH_TOKENS).url}/v1/models")

    assert answer.status == {"OPTIONS": 200, "HEAD": 401}[method]


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({}, {"mode": "both", "tokens": False}),
        (WITH_TOKENS, {"mode": "server", "tokens": True}),
        ({"key_pass_through": "false"}, {"mode": "server", "tokens": False}),
        ({"api_key": ApiKey(""), "key_pass_through": "true"}, {"mode": "pass-through", "tokens": False}),
    ],
)
def test_health_says_whose_keys_are_used(serve: Serve, settings: dict[str, Any], mode: dict[str, Any]) -> None:
    health = get(serve(**settings), "/health").json()

    assert health["keys"] == mode and health["status"] == "healthy"


# --- WebSockets

PATHS = ["/v1/chat/audio", "/v1/chat/vlm"]


def refusal(server: RunningServer, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    """Return the HTTP answer to a handshake that is refused."""
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(f"ws{server.url[4:]}{path}", timeout=20, **options)
    return refused.value.status_code, json.loads(refused.value.resp_body)["error"]


@pytest.mark.parametrize("path", PATHS)
def test_a_socket_is_refused_before_it_opens(serve: Serve, path: str) -> None:
    server = serve(**WITH_TOKENS)

    missing = refusal(server, path, suppress_origin=True)
    wrong = refusal(server, path, header=["Authorization: Bearer sk-wrong"])

    assert (missing[0], missing[1]["code"]) == (401, "missing_api_key")
    assert (wrong[0], wrong[1]["code"]) == (401, "invalid_api_key")


def test_a_page_of_another_site_opens_no_socket(serve: Serve) -> None:
    status, error = refusal(serve(), "/v1/chat/audio", origin="https://evil.example")

    assert (status, error["code"]) == (403, "permission_denied")


@pytest.mark.parametrize(
    "options",
    [
        {"header": [f"Authorization: Bearer {TOKEN}"]},
        {"subprotocols": ["voice", f"openai-insecure-api-key.{TOKEN}"]},
        {"subprotocols": [f"openai-insecure-api-key.{TOKEN}", "realtime", "openai-beta.realtime-v1"]},
        {"query": f"?token={TOKEN}"},
    ],
)
def test_a_socket_opens_with_a_token_from_wherever_it_may_stand(serve: Serve, options: dict[str, Any]) -> None:
    server = serve(**WITH_TOKENS)
    query = options.pop("query", "")

    ws = websocket.create_connection(f"{server.audio_url}{query}", timeout=20, origin="https://app.example", **options)

    with closing(ws):
        assert "connected" in ws.recv()
        assert ws.subprotocol in (None, "voice", "realtime")
        assert TOKEN not in str(ws.getheaders())


def test_a_socket_that_offers_nothing_but_its_key_is_told_what_else_to_offer(serve: Serve) -> None:
    options = {"subprotocols": [f"openai-insecure-api-key.{TOKEN}"]}

    status, error = refusal(serve(**WITH_TOKENS), "/v1/chat/audio", **options)

    assert status == 400 and "'voice'" in error["message"] and TOKEN not in error["message"]


def test_a_turn_asks_with_its_callers_key_and_is_remembered_as_its_callers(
    serve: Serve, emulator: Emulator, key: str, connect: Callable[..., TestDevice]
) -> None:
    own = f"{key}-own"
    device = connect(serve(), header=[f"Authorization: Bearer {own}"])

    assert device.turn(spoken_wav("hello"))["tts_success"]

    eventually(lambda: keys_seen(emulator, own))
    assert not keys_seen(emulator, key) and key_hash(own) != key_hash(key)


# --- with the built-in emulator no secret is at stake


@pytest.fixture
def keyless(tmp_path: Path) -> Iterator[FlaskClient]:
    """A server as it starts on a bare machine."""
    app = create_app(replace(Settings(), data_dir=tmp_path, emulator_voice="tones", emulator_ear="tones"))
    yield app.test_client()
    app.extensions["emulator"].stop()
    app.extensions["storage"].close()


def test_the_emulator_takes_everybody_and_every_key(keyless: FlaskClient) -> None:
    anonymous = keyless.get("/v1/models", headers={"X-Forwarded-For": "203.0.113.9", "Host": "box.local"})
    with_any_key = keyless.get("/v1/models", headers={"Authorization": "Bearer sk-any"})

    assert (anonymous.status_code, with_any_key.status_code) == (200, 200)
    assert keyless.get("/health").json["keys"] == {"mode": "emulator", "tokens": False}


def test_even_then_pages_of_other_sites_stay_outside(keyless: FlaskClient) -> None:
    answer = keyless.get("/v1/models", headers=OTHER_SITE)

    assert (answer.status_code, answer.json["error"]["code"]) == (403, "permission_denied")


# --- whatever stands in the headers

_TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
_HEADERS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_ORIGIN", "HTTP_HOST", "HTTP_SEC_WEBSOCKET_PROTOCOL")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    headers=st.dictionaries(st.sampled_from((*_HEADERS, "HTTP_X_FORWARDED_FOR", "HTTP_X_REQUEST_ID")), _TEXT),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
)
def test_no_header_breaks_the_door(keyless: FlaskClient, headers: dict[str, str], query: str) -> None:
    answer = keyless.get("/v1/models", environ_overrides=headers | {"QUERY_STRING": f"token={query}"})

    assert answer.status_code in (200, 400, 401, 403), answer.data
