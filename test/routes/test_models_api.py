"""`GET /v1/models` and its kin, over real sockets."""

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
import urllib3
from openai import OpenAI

from services.known_models import ALIASES, MODELS
from services.openai.voices import OPENAI_VOICES, VOICES
from test.support.openai_schema import assert_openai
from test.support.servers import RunningServer


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


@pytest.fixture
def client(server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.url}/v1", api_key=server.key, _strict_response_validation=True) as sdk:
        yield sdk


def ask(server: RunningServer, path: str, method: str = "GET", **options: Any) -> urllib3.BaseHTTPResponse:
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    return urllib3.request(method, f"{server.url}{path}", headers=headers, **options)


def test_the_sdk_lists_our_models_openais_names_and_the_vendors(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]

    assert {*ALIASES, *(model.id for model in MODELS)} <= set(names)
    assert "qwen-plus-latest" in names and len(names) == len(set(names))  # the emulator lists it, we do not


def test_the_list_is_what_openais_document_says(server: RunningServer) -> None:
    listed = ask(server, "/v1/models").json()

    assert_openai("ListModelsResponse", listed)


@pytest.mark.parametrize("name", ["whisper-1", "qwen-plus", "qwen-plus-latest", "gpt-4o-2024-08-06"])
def test_the_sdk_finds_one_model(client: OpenAI, name: str) -> None:
    model = client.models.retrieve(name)

    assert (model.id, model.object) == (name, "model")


@pytest.mark.parametrize("name", ["no-such-model", "someone/else", "模型"])
def test_a_model_that_nobody_knows_is_named_in_a_404(client: OpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError) as refusal:
        client.models.retrieve(name)

    assert name in refusal.value.message
    assert (refusal.value.code, refusal.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize("path", ["someone/else", "someone%2Felse"])
def test_a_name_may_have_a_slash_however_it_is_written(server: RunningServer, path: str) -> None:
    answer = ask(server, f"/v1/models/{path}")

    assert answer.status == 404 and "someone/else" in answer.json()["error"]["message"]
    assert_openai("ErrorResponse", answer.json())


def test_an_operators_own_name_is_listed_first(serve: Callable[..., RunningServer]) -> None:
    server = serve(model_aliases="house-voice=cosyvoice-v3-flash,vendor/name=qwen-max")

    listed = [row["id"] for row in ask(server, "/v1/models").json()["data"]]

    assert listed[:2] == ["house-voice", "vendor/name"]
    assert ask(server, "/v1/models/vendor%2Fname").json()["description"] == "Stands for qwen-max"


def test_deleting_a_model_is_not_possible_and_says_so(client: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refusal:
        client.models.delete("qwen-plus")

    assert (refusal.value.status_code, refusal.value.code) == (405, "method_not_supported")


def test_a_vendor_that_fails_leaves_our_own_list(client: OpenAI, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "models", "kind": "status", "status": 500}])

    names = {model.id for model in client.models.list()}

    assert "whisper-1" in names and "qwen-plus-latest" not in names


def test_the_models_that_speak_have_a_list_of_their_own(server: RunningServer) -> None:
    listed = ask(server, "/v1/audio/models").json()

    names = [row["id"] for row in listed["models"]]
    assert {"tts-1", "gpt-4o-mini-tts", "qwen3-tts-flash"} <= set(names) and "whisper-1" not in names
    assert listed["data"] == listed["models"]


def test_openais_voices_and_the_vendors_are_listed_with_the_models_that_have_them(server: RunningServer) -> None:
    listed = ask(server, "/v1/audio/voices").json()

    voices = {row["id"]: row for row in listed["voices"]}
    assert {*OPENAI_VOICES, *(voice.id for voice in VOICES)} == set(voices)
    assert "qwen3-tts-flash" in voices["alloy"]["models"] and "zh" in voices["Cherry"]["languages"]
    assert listed["data"] == listed["voices"] and listed["has_more"] is False


def test_the_list_of_voices_can_be_cut(server: RunningServer) -> None:
    listed = ask(server, "/v1/audio/voices?limit=2").json()

    assert ([row["id"] for row in listed["voices"]], listed["has_more"]) == (["alloy", "ash"], True)


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5", "٣", "9" * 30])
def test_a_limit_that_is_no_number_is_refused_by_name(server: RunningServer, limit: str) -> None:
    answer = ask(server, "/v1/audio/voices", fields={"limit": limit})

    assert (answer.status, answer.json()["error"]["param"]) == (400, "limit")
