"""The OpenAPI document, made of made-up records."""

from typing import Any

import msgspec
import pytest

from protocol.openai import chat, speech
from protocol.openapi import About, AnyOf, Events, Form, Operation, Parameter, document


class Wish(msgspec.Struct):
    """What is wanted.

    At length.
    """

    name: str
    file: str = ""


class Cake(msgspec.Struct):
    size: int


class Pie(msgspec.Struct):
    taste: str


class Oops(msgspec.Struct):
    error: str


ABOUT = About(
    title="Bakery",
    version="1",
    description="",
    tags={"Shop": "Buy.", "Kitchen": "Bake."},
    security={"bearer": {"type": "http", "scheme": "bearer"}},
    failure=Oops,
    reasons={400: "Wrong.", 429: "Too many.", 503: "Closed."},
    headers={"x-request-id": {"schema": {"type": "string"}}, "Retry-After": {"schema": {"type": "integer"}}},
)


def told(**fields: Any) -> dict[str, Any]:
    """Return the document of one operation."""
    return document(ABOUT, [Operation(id="bake", method="POST", path="/cakes", tag="Shop", summary="Bake", **fields)])


def test_records_become_schemas_that_the_operation_refers_to() -> None:
    shown = told(request={"application/json": Wish}, answer={"application/json": Cake}, failures=(400,))

    bake = shown["paths"]["/cakes"]["post"]
    assert bake["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Wish"}
    assert bake["responses"]["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Cake"}
    assert bake["responses"]["400"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Oops"}
    assert set(shown["components"]["schemas"]) == {"Wish", "Cake", "Oops"}


def test_a_docstring_becomes_a_description_without_indentation() -> None:
    shown = told(request={"application/json": Wish})

    assert shown["components"]["schemas"]["Wish"]["description"] == "What is wanted.\n\nAt length."


def test_a_form_is_its_record_with_a_file_in_it() -> None:
    shown = told(request={"multipart/form-data": Form(record=Wish, file="file")})

    form = shown["components"]["schemas"]["WishForm"]
    assert form["properties"]["file"]["format"] == "binary" and form["required"] == ["name", "file"]
    assert shown["components"]["schemas"]["Wish"]["properties"]["file"]["type"] == "string"


def test_answers_that_nothing_tells_apart_are_any_of_them() -> None:
    shown = told(answer={"application/json": AnyOf(records=(Cake, Pie))})

    schema = shown["paths"]["/cakes"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert [one["$ref"].rpartition("/")[2] for one in schema["anyOf"]] == ["Cake", "Pie"]


def test_a_stream_is_told_event_by_event() -> None:
    shown = told(answer={"text/event-stream": Events(record=Cake)})

    schema = shown["paths"]["/cakes"]["post"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    assert schema["properties"]["data"]["contentSchema"] == {"$ref": "#/components/schemas/Cake"}


def test_two_records_of_one_name_are_told_apart_by_their_modules() -> None:
    shown = told(request={"application/json": AnyOf(records=(chat.VoiceId, speech.VoiceId))})

    schemas = shown["components"]["schemas"]
    assert {"ChatVoiceId", "SpeechVoiceId"} <= set(schemas)
    schema = shown["paths"]["/cakes"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert all(one["$ref"].rpartition("/")[2] in schemas for one in schema["anyOf"])


def test_an_error_may_be_answered_with_a_record_of_its_own() -> None:
    shown = told(failures=(400, 503), instead={503: Pie})

    answers = shown["paths"]["/cakes"]["post"]["responses"]
    assert answers["503"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Pie"}
    assert answers["400"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Oops"}


def test_only_a_429_tells_when_to_try_again() -> None:
    answers = told(failures=(400, 429))["paths"]["/cakes"]["post"]["responses"]

    assert {status for status, answer in answers.items() if "Retry-After" in answer["headers"]} == {"429"}


@pytest.mark.parametrize(("is_public", "security"), [(True, []), (False, [{"bearer": []}])])
def test_what_is_public_asks_for_no_key(is_public: bool, security: list[Any]) -> None:
    assert told(is_public=is_public)["paths"]["/cakes"]["post"]["security"] == security


def test_parameters_of_a_path_are_required_and_those_of_a_query_not() -> None:
    parameters = (
        Parameter(name="name", where="path", description="Which.", example="pie"),
        Parameter(name="limit", where="query", description="How many."),
    )

    shown = told(parameters=parameters)["paths"]["/cakes"]["post"]["parameters"]

    assert [(one["name"], one["in"], one["required"], one.get("example")) for one in shown] == [
        ("name", "path", True, "pie"),
        ("limit", "query", False, None),
    ]


def test_a_tag_that_no_operation_has_is_not_told() -> None:
    assert told()["tags"] == [{"name": "Shop", "description": "Buy."}]


def test_an_example_stands_beside_its_schema() -> None:
    shown = told(request={"application/json": Wish}, examples={"application/json": {"name": "Ada"}})

    content = shown["paths"]["/cakes"]["post"]["requestBody"]["content"]["application/json"]
    assert content["example"] == {"name": "Ada"} and "schema" in content
