"""`/openapi.json` against the server that it describes: its routes, its answers, its errors."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import urllib3
from openapi_spec_validator import validate

from protocol.openapi import Operation, document
from routes.openapi import about, routes_of
from routes.operations import OPERATIONS
from test.support.servers import RunningServer

OPTIONS = (
    "--checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "unsupported_method --phases examples,coverage,fuzzing --generation-deterministic --max-examples 50 --no-shrink"
    " --workers 1 --no-color"
)
"""One worker: two threads that compile lambdas at once were seen to end in a SystemError of Python 3.11.7."""
SOCKETS = ("--exclude-path-regex", "^/v1/chat/(audio|vlm)$")


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """The whole document."""
    return json.loads(msgspec.json.encode(document(about("1.0"), OPERATIONS)))


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from references(part)
    if isinstance(value, dict):
        yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
        for part in value.values():
            yield from references(part)


# --- the document


def test_the_document_is_openapi(told: dict[str, Any]) -> None:
    assert validate(told) is None


def test_every_reference_leads_somewhere_and_every_schema_is_used(told: dict[str, Any]) -> None:
    schemas = {f"#/components/schemas/{name}" for name in told["components"]["schemas"]}

    referred = {reference for reference in references(told) if "/schemas/" in reference}

    assert referred - schemas == set()
    assert schemas - referred == set()


def test_every_route_of_the_server_is_told_and_no_other(server: RunningServer) -> None:
    shown = urllib3.request("GET", f"{server.url}/openapi.json").json()

    pairs = {(method.upper(), path) for path, item in shown["paths"].items() for method in item}
    assert pairs == routes_of(server.app) == {(operation.method, operation.path) for operation in OPERATIONS}


def test_the_schema_of_a_request_has_the_limits_that_are_checked(told: dict[str, Any]) -> None:
    speed = told["components"]["schemas"]["SpeechRequest"]["properties"]["speed"]

    assert (speed["minimum"], speed["maximum"]) == (0.25, 4)


def test_the_form_of_a_transcription_has_a_file(told: dict[str, Any]) -> None:
    form = told["components"]["schemas"]["TranscriptionRequestForm"]

    assert form["properties"]["file"]["format"] == "binary" and {"file", "model"} <= set(form["required"])


def test_words_have_no_indentation_of_the_source(told: dict[str, Any]) -> None:
    assert "\n    " not in "".join(schema.get("description", "") for schema in told["components"]["schemas"].values())


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if not one.is_websocket], ids=lambda one: one.id)
def test_a_key_is_asked_for_where_the_document_says_so(
    serve: Callable[..., RunningServer], operation: Operation
) -> None:
    server = serve(api_tokens="a-token-of-this-test", key_pass_through="false")

    answer = urllib3.request(
        operation.method, server.url + operation.path, headers={"Content-Type": "application/json"}
    )

    is_asked = answer.status == 401 and answer.json()["error"]["code"] == "missing_api_key"
    assert is_asked is not operation.is_public, answer.data


# --- the server, held against it by requests that are made up


@pytest.mark.filterwarnings(  # Werkzeug drops the file of a form that breaks off, and lets the interpreter close it
    "ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"
)
def test_made_up_requests_are_answered_as_the_document_says(server: RunningServer, tmp_path: Path) -> None:
    done = walk(server, tmp_path, *SOCKETS)

    assert done.returncode == 0, done.stdout[-20_000:]


def test_a_server_that_breaks_the_documents_word_is_noticed(server: RunningServer, tmp_path: Path) -> None:
    server.app.view_functions["health.health"] = lambda: {"status": "unwell"}

    done = walk(server, tmp_path, "--include-path", "/health")

    assert done.returncode == 1 and "timestamp" in done.stdout


def walk(server: RunningServer, folder: Path, *which: str) -> "subprocess.CompletedProcess[str]":
    """Send schemathesis through operations: values that fit, values that do not, methods that are not told."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", *which, *OPTIONS.split()]
    key = ["--header", f"Authorization: Bearer {server.key}"]
    return subprocess.run([*command, *key], cwd=folder, capture_output=True, text=True, timeout=300)
