"""Schemas of records, as an OpenAPI document refers to them.  Source: JSON Schema 2020-12."""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from protocol.openapi.records import BYTES, AnyOf, Content, Events, Form, Json, Operation

_SCHEMAS = "#/components/schemas/"


class Schemas:
    """The schemas of all records of a document. They are made at once: records of one name must be told apart."""

    def __init__(self, operations: Iterable[Operation], failure: type) -> None:
        whats = [failure, *(what for operation in operations for what in _contents(operation))]
        kinds = list(dict.fromkeys(kind for what in whats for kind in _records(what)))
        schemas, components = msgspec.json.schema_components(kinds, ref_template=_SCHEMAS + "{name}")
        self._of_kind = {kind: _renamed(schema) for kind, schema in zip(kinds, schemas, strict=True)}
        self._named = {_short(name): _renamed(schema) for name, schema in components.items()}
        self._named |= {self._form_name(what): self._form(what) for what in whats if isinstance(what, Form)}

    @property
    def components(self) -> Json:
        """Return every schema by its name."""
        return dict(sorted(self._named.items()))

    def content(self, content: Content) -> Json:
        """Return what a body is in each of its media types, by reference."""
        return {kind: {"schema": self._schema(what)} for kind, what in content.items()}

    def _schema(self, what: Any) -> Json:
        match what:
            case dict():
                return what
            case Events():
                return self._event(what)
            case Form():
                return {"$ref": _SCHEMAS + self._form_name(what)}
            case AnyOf():
                return {"anyOf": [self._schema(record) for record in what.records]}
        return dict(self._of_kind[what])

    def _event(self, events: Events) -> Json:
        """Return the schema of one event, which is how OpenAPI 3.1 is read for streams."""
        data = {"type": "string", "contentMediaType": "application/json", "contentSchema": self._schema(events.record)}
        return {"type": "object", "properties": {"data": data}, "required": ["data"]}

    def _form_name(self, form: Form) -> str:
        return f"{self._name_of(form.record)}Form"

    def _form(self, form: Form) -> Json:
        """Return the schema of a form: the record's, but one field is a file."""
        schema: Json = self._named[self._name_of(form.record)]
        return schema | {
            "title": self._form_name(form),
            "properties": schema["properties"] | {form.file: BYTES},
            "required": [*schema.get("required", ()), form.file],
        }

    def _name_of(self, record: type) -> str:
        return str(self._of_kind[record]["$ref"]).removeprefix(_SCHEMAS)


def _contents(operation: Operation) -> Iterator[Any]:
    """Yield all that is in the bodies of an operation."""
    yield from operation.request.values()
    yield from operation.answer.values()
    yield from operation.instead.values()


def _records(what: Any) -> Iterable[Any]:
    match what:
        case dict():
            return ()
        case AnyOf():
            return what.records
        case Form() | Events():
            return (what.record,)
    return (what,)


def _short(name: str) -> str:
    """Return `SpeechVoiceId` for the record that two modules have: `protocol.openai.speech.VoiceId`."""
    *modules, kind = name.split(".")
    return modules[-1].title().replace("_", "") + kind if modules else kind


def _renamed(schema: Any) -> Any:
    """Return a schema with short names in its references and its words without the source's indentation."""
    if isinstance(schema, list):
        return [_renamed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _renamed_value(key, value) for key, value in schema.items()}


def _renamed_value(key: str, value: Any) -> Any:
    if key == "$ref" and isinstance(value, str):
        return _SCHEMAS + _short(value.removeprefix(_SCHEMAS))
    if key == "description" and isinstance(value, str):
        return inspect.cleandoc(value)
    if key == "discriminator" and "mapping" in value:  # it holds names, not schemas
        refs = {name: _SCHEMAS + _short(ref.removeprefix(_SCHEMAS)) for name, ref in value["mapping"].items()}
        return value | {"mapping": refs}
    return _renamed(value)
