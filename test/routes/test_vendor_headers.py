"""Headers of the vendor's own: passed on with a caller's key, refused with the server's."""

from collections.abc import Callable
from typing import Any

import openai
import pytest

from emulator import Emulator
from protocol.keys import digest
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]
OWN = {"X-DashScope-WorkSpace": "ws-1_A", "X-DashScope-DataInspection": '{"input":"cip","output":"cip"}'}


def ask(server: RunningServer, key: str, headers: dict[str, str], **fields: Any) -> Any:
    usual = {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hi"}]}
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0) as client:
        return client.chat.completions.with_raw_response.create(**usual | fields, extra_headers=headers)


def sent(emulator: Emulator, key: str) -> dict[str, str]:
    return [entry for entry in emulator.journal(key) if entry["kind"] == "request"][-1]["headers"]


@pytest.mark.parametrize("model", ["qwen-plus", "qwen3-omni-flash"])
def test_with_a_key_of_the_callers_own_they_reach_the_vendor(
    model: str, serve: Serve, emulator: Emulator, key: str
) -> None:
    ask(serve(), key, OWN, model=model)

    assert sent(emulator, key) == {name.lower(): value for name, value in OWN.items()}


def test_a_stream_takes_them_along(serve: Serve, emulator: Emulator, key: str) -> None:
    ask(serve(), key, OWN, stream=True)

    assert sent(emulator, key)["x-dashscope-workspace"] == "ws-1_A"


@pytest.mark.parametrize("name", sorted(OWN))
def test_with_the_servers_key_they_are_refused_by_name(name: str, serve: Serve, emulator: Emulator, key: str) -> None:
    server = serve(api_tokens=f"sha256:{digest('a-token')}")

    with pytest.raises(openai.BadRequestError) as refused:
        ask(server, "a-token", {name: OWN[name]})

    assert refused.value.param == name and emulator.journal(key) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-DashScope-WorkSpace", "a b"),
        ("X-DashScope-WorkSpace", "w" * 65),
        ("X-DashScope-DataInspection", "x" * 513),
    ],
)
def test_what_the_vendor_would_never_take_is_refused(name: str, value: str, serve: Serve, key: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(serve(), key, {name: value})

    assert (refused.value.param, refused.value.code) == (name, "invalid_value")


def test_other_headers_of_the_vendors_do_not_go_along(serve: Serve, emulator: Emulator, key: str) -> None:
    ask(serve(), key, {"X-DashScope-Plugin": "p", "X-DashScope-WorkSpace": ""})

    assert sent(emulator, key) == {}
