"""OpenAI's own schemas, against which every answer is held.

`openai_components.json` is cut out of OpenAI's OpenAPI document (github.com/openai/openai-openapi, MIT licence): the
schemas that the routes of this server need, as plain JSON Schema, without the prose.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator


@cache
def _bundle() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "openai_components.json").read_text("utf-8"))


@cache
def _validator(name: str) -> Draft202012Validator:
    assert name in _bundle()["components"]["schemas"], f"OpenAI has no schema {name}"
    return Draft202012Validator({**_bundle(), "$ref": f"#/components/schemas/{name}"})


def assert_openai(name: str, body: Any) -> None:
    """Assert that a JSON value is what OpenAI's document calls `name`: `ErrorResponse`, `ImagesResponse`, …"""
    failed = [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(body)]

    assert not failed, f"no {name}: {'; '.join(failed)[:2000]}"
