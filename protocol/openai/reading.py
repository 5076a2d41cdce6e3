"""Requests, read into records: what does not fit becomes a 400 that names the parameter.

Source: OpenAI API reference, error object; the names of the codes are those that its clients know.
"""

import re
from typing import Any, TypeVar

import msgspec

from protocol.errors import BadInput

T = TypeVar("T")

_FIELD = re.compile(r"(missing required|contains unknown) field `([^`]*)`")
_PATH = re.compile(r" - at `(?:key` in `)?\$([^`]*)`$")
_MOST_VALUES = 1_000_000
"""Three bytes of JSON (`[],`) are sixty of memory: a body within its limit of bytes could fill the machine."""
_JSON_NAMES = {"str": "string", "float": "number", "int": "integer", "bool": "boolean"}
_CODES = {"missing required": "missing_required_parameter", "contains unknown": "unknown_parameter"}


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, an empty one for an empty body. Raises: BadInput."""
    if body.count(b"[") + body.count(b"{") > _MOST_VALUES:
        raise BadInput(f"The body has more than {_MOST_VALUES} arrays and objects.", code="invalid_json")
    try:
        value = msgspec.json.decode(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:  # the library's errors are ValueErrors, and so is bad UTF-8
        raise BadInput(f"The body is not valid JSON: {_reason(error)}.", code="invalid_json") from error
    if not isinstance(value, dict):
        raise BadInput("The body must be a JSON object.", code="invalid_type")
    return value


def read_json(body: bytes, kind: type[T]) -> T:
    """Return the record that a JSON body holds. Raises: BadInput naming the parameter at fault."""
    return convert(read_object(body), kind)


def convert(value: dict[str, Any], kind: type[T], *, is_form: bool = False) -> T:
    """Return the record that a parsed object holds; `is_form`: numbers and booleans may come as text.

    Raises: BadInput naming the parameter at fault (`messages[0].role`), with OpenAI's codes.
    """
    try:
        return msgspec.convert(value, kind, strict=not is_form)
    except msgspec.ValidationError as error:
        raise refusal(error) from error
    except RecursionError as error:
        raise BadInput("The body is nested too deeply.", code="invalid_value") from error


def refusal(error: msgspec.ValidationError) -> BadInput:
    """Return a failed validation as an error for the client."""
    said = str(error)
    path = found[1].replace("[...]", "").lstrip(".") if (found := _PATH.search(said)) else ""
    reason = _PATH.sub("", said)
    if field := _FIELD.search(reason):
        name = f"{path}.{field[2]}".lstrip(".")
        kind = "Missing required" if field[1].startswith("missing") else "Unknown"
        return BadInput(f"{kind} parameter: '{name}'.", code=_CODES[field[1]], param=name)
    code = "invalid_type" if ", got `" in reason else "invalid_value"
    return BadInput(f"Invalid '{path}': {_in_json_words(reason)}." if path else reason, code=code, param=path or None)


def _in_json_words(reason: str) -> str:
    """Return `Expected `float | null`, got `str`` as its sender would put it: `expected number, got string`."""
    words = re.sub(r"`([^`]*)`", lambda found: _named(found[1]), reason)
    return words[:1].lower() + words[1:]


def _named(kinds: str) -> str:
    names = [_JSON_NAMES.get(name, name) for name in kinds.split(" | ")]
    wanted = [name for name in names if name != "null"] or names
    return " or ".join(wanted)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error).removeprefix("JSON is malformed: ")
