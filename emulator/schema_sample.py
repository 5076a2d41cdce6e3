"""A value that fits a JSON schema, for structured answers and for the arguments of forced tool calls.

It understands what schemas for models are written with: types, properties, items, enum, const, the three
combinations and references into the schema itself.  Patterns are not understood: such a string is a plain word.
"""

from __future__ import annotations

from typing import Any, Final

_DEEPEST: Final = 12
_LONGEST: Final = 1000
_FORMATS: Final = {
    "date": "2026-11-21",
    "date-time": "2026-11-21T08:00:00Z",
    "time": "08:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}


def sample(schema: Any, *, word: str = "text") -> Any:
    """Return a value that fits; its free strings are `word`.  Raises: ValueError for what is no schema."""
    try:
        return _Sampler(schema, word).value(schema, depth=0)
    except (TypeError, AttributeError, KeyError, ArithmeticError) as error:
        raise ValueError(f"not a JSON schema: {error!r}") from error


class _Sampler:
    def __init__(self, root: Any, word: str) -> None:
        self._root, self._word = root, word

    def value(self, schema: Any, *, depth: int) -> Any:
        """Return a value for one part of the schema; beyond the greatest depth, null."""
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return None
        if "$ref" in schema:
            return self.value(self._referred(schema["$ref"]), depth=depth + 1)
        for name in ("const", "default"):
            if name in schema:
                return schema[name]
        if schema.get("enum"):
            return schema["enum"][0]
        for name in ("anyOf", "oneOf"):
            if schema.get(name):
                return self.value(schema[name][0], depth=depth + 1)
        return self._typed(_merged(schema), depth)

    def _referred(self, reference: Any) -> Any:
        found = self._root
        for step in str(reference).removeprefix("#").split("/")[1:]:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = kind[0] if isinstance(kind, list) and kind else kind
        if kind == "object":
            properties = schema.get("properties") or {}
            return {name: self.value(part, depth=depth + 1) for name, part in properties.items()}
        if kind == "array":
            count = min(max(1, schema.get("minItems") or 1), _LONGEST)
            return [self.value(schema.get("items"), depth=depth + 1) for _ in range(count)]
        if kind in {"integer", "number"}:
            return _number(schema, is_whole=kind == "integer")
        return self._string(schema) if kind == "string" else True if kind == "boolean" else None

    def _string(self, schema: dict[str, Any]) -> str:
        text: str = _FORMATS.get(schema.get("format", ""), self._word)
        text = text.ljust(min(schema.get("minLength") or 0, _LONGEST), ".")
        return text[: schema["maxLength"]] if "maxLength" in schema else text


def _merged(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with the parts of its `allOf` laid into it."""
    merged = {name: part for name, part in schema.items() if name != "allOf"}
    for part in schema.get("allOf") or []:
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        merged |= part | ({"properties": properties} if properties else {})
    return merged


def _number(schema: dict[str, Any], *, is_whole: bool) -> float:
    """Return the smallest allowed number; without a minimum, zero or the maximum below it."""
    step = schema.get("multipleOf") or 1
    low = schema.get("minimum", schema.get("exclusiveMinimum", min(0, schema.get("maximum", 0))))
    number = -(-low // step) * step
    number += step if number == schema.get("exclusiveMinimum") else 0
    return int(number) if is_whole else number
