"""The vendor's own list of models."""

from collections.abc import Callable

import pytest

from emulator import Emulator
from protocol.errors import UpstreamBroken, UpstreamUnauthorized, UpstreamUnavailable
from protocol.keys import ApiKey
from providers.dashscope.models import CompatibleModels
from providers.dashscope.transport import Transport
from services.flow import CancelToken
from services.ports import ListedModel
from test.providers.vendor import Line
from test.providers.vendor import Vendor as ScriptedVendor

Script = Callable[[Callable[[Line], None]], ScriptedVendor]


def listed_by(
    script: Script, transport: Transport, body: bytes, *, status: str = "200 OK", key: str = "sk-1"
) -> list[ListedModel]:
    """Return what is made of an answer of the vendor's."""

    def answer(line: Line) -> None:
        line.request()
        line.answer(body, status=status)

    models = CompatibleModels(transport, chat_url=f"{script(answer).url}/v1/chat/completions")
    return models.fetch(key=ApiKey(key), cancel=CancelToken())


def test_the_emulators_list_is_read(emulator: Emulator, transport: Transport, api_key: ApiKey) -> None:
    models = CompatibleModels(transport, chat_url=f"{emulator.url}/compatible-mode/v1/chat/completions")

    listed = {model.id: model for model in models.fetch(key=api_key, cancel=CancelToken())}

    assert "qwen-plus" in listed and listed["qwen-plus"].created > 0


def test_the_list_is_asked_for_beside_the_chat_with_the_callers_key(script: Script, transport: Transport) -> None:
    asked = []

    def answer(line: Line) -> None:
        asked.append(line.request())
        line.answer(b'{"data": []}')

    models = CompatibleModels(transport, chat_url=f"{script(answer).url}/v1/chat/completions")
    models.fetch(key=ApiKey("sk-callers"), cancel=CancelToken())

    ((request, headers, _),) = asked
    assert request.startswith("GET /v1/models ") and headers["authorization"] == "Bearer sk-callers"


def test_what_a_row_does_not_tell_stays_untold(script: Script, transport: Transport) -> None:
    listed = listed_by(script, transport, b'{"data": [{"id": "m", "more": {}}]}')

    assert listed == [ListedModel(id="m", created=0, owned_by="")]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": 1}', b'{"data": [{"name": "m"}]}', b"\xff"])
def test_a_list_that_makes_no_sense_is_the_vendors_failure(script: Script, transport: Transport, body: bytes) -> None:
    with pytest.raises(UpstreamBroken) as failure:
        listed_by(script, transport, body)

    assert failure.value.code == "upstream_malformed"


def test_a_list_without_end_is_not_read_to_its_end(script: Script, transport: Transport) -> None:
    with pytest.raises(UpstreamBroken, match="larger than 1048576 bytes"):
        listed_by(script, transport, b" " * 1_100_000)


@pytest.mark.parametrize(
    ("status", "kind"), [("401 Unauthorized", UpstreamUnauthorized), ("503 Service Unavailable", UpstreamUnavailable)]
)
def test_a_refusal_has_its_name(script: Script, transport: Transport, status: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        listed_by(script, transport, b"{}", status=status)
