"""Schemas of records, as an OpenAPI document refers to them.  Source: JSON Schema 2020-12."""

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec

from protocol.openapi.records import BYTES, AnyOf, Content, Events, Form, Json, Operation

_SCHEMAS = "#/components/schemas/"


def content_of(content: Content) -> Json:
    return {kind: _media(what) for kind, what in content.items()}


def _media(what: Any) -> Json:
    if isinstance(what, Events):
        return {"schema": _event(what)}
    if isinstance(what, Form):
        return {"schema": {"$ref": _SCHEMAS + _form_name(what)}}
    if isinstance(what, AnyOf):
        return {"schema": {"anyOf": [_schema(record) for record in what.records]}}
    return {"schema": _schema(what)}


def _event(events: Events) -> Json:
    """Return the schema of one event, which is how OpenAPI 3.1 is read for streams."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": _schema(events.record)}
    return {"type": "object", "properties": {"data": data}, "required": ["data"]}


def _schema(what: Any) -> Json:
    """Return a schema as it is, or a reference to a record's."""
    if isinstance(what, dict):
        return what
    (schema,), _ = msgspec.json.schema_components([what], ref_template=_SCHEMAS + "{name}")
    return dict(_renamed(schema))


def schemas_of(operations: Iterable[Operation], failure: type) -> Json:
    """Return every schema that the operations refer to, by name."""
    contents = [content for operation in operations for content in (operation.request, operation.answer)]
    whats = [what for content in contents for what in content.values() if not isinstance(what, dict)]
    kinds = [kind for what in whats for kind in _records(what)]
    kinds += [kind for operation in operations for kind in operation.instead.values()]
    _, components = msgspec.json.schema_components([failure, *kinds], ref_template=_SCHEMAS + "{name}")
    schemas = {_short(name): _renamed(schema) for name, schema in components.items()}
    forms = {_form_name(what): _form(what, schemas) for what in whats if isinstance(what, Form)}
    return dict(sorted((schemas | forms).items()))


def _records(what: Any) -> Iterable[Any]:
    match what:
        case AnyOf():
            return what.records
        case Form() | Events():
            return (what.record,)
    return (what,)


def _form_name(form: Form) -> str:
    return f"{form.record.__name__}Form"


def _form(form: Form, schemas: Json) -> Json:
    """Return the schema of a form: the record's, but one field is a file."""
    schema: Json = schemas[form.record.__name__]
    return schema | {
        "title": _form_name(form),
        "properties": schema["properties"] | {form.file: BYTES},
        "required": [*schema.get("required", ()), form.file],
    }


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
    if key == "mapping":  # of a discriminator: names, not schemas
        return {name: _SCHEMAS + _short(ref.removeprefix(_SCHEMAS)) for name, ref in value.items()}
    return _renamed(value)
