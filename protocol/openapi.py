"""An OpenAPI document, made of records: what a route takes, answers and refuses.

Schemas are generated from the records that requests are read into and answers are written from, so the document cannot
tell anything else than the code does.  Source: OpenAPI Specification 3.1.1; JSON Schema 2020-12.
"""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

Json = dict[str, Any]
Content = Mapping[str, Any]
"""Media type -> what is in it: a record's type, a `Form`, or a schema as it is."""

TEXT: Json = {"type": "string"}
BYTES: Json = {"type": "string", "format": "binary"}

_SCHEMAS = "#/components/schemas/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A record sent as a form whose field `file` is a file."""

    record: type
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """One of several records that nothing in them tells apart."""

    records: tuple[type, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Server-sent events, the data of each one a record."""

    record: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value beside the body."""

    name: str
    where: Literal["path", "query", "header"]
    description: str
    schema: Json = field(default_factory=lambda: TEXT)
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    `examples` are of its request, by media type; `failures` are the statuses of its errors, `instead` those among them
    that are answered with another record than errors are; without `is_public` it asks for a key.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    request: Content = field(default_factory=dict)
    examples: Mapping[str, Json] = field(default_factory=dict)
    answer: Content = field(default_factory=dict)
    status: int = 200
    failures: tuple[int, ...] = ()
    instead: Mapping[int, type] = field(default_factory=dict)
    is_public: bool = False
    is_websocket: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the document says of the whole. `reasons`: what each status of an error means."""

    title: str
    version: str
    description: str
    tags: Mapping[str, str]
    security: Mapping[str, Json]
    failure: type
    reasons: Mapping[int, str]
    headers: Mapping[str, Json]


def document(about: About, operations: Iterable[Operation]) -> Json:
    """Return the document, to be served at the root of the server that it describes."""
    operations = list(operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, about)
    used = {operation.tag for operation in operations}
    return {
        "openapi": "3.1.1",
        "info": {"title": about.title, "version": about.version, "description": about.description},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in about.tags.items() if name in used],
        "paths": paths,
        "components": {
            "securitySchemes": dict(about.security),
            "headers": dict(about.headers),
            "schemas": _schemas(operations, about.failure),
        },
    }


def _operation(operation: Operation, about: About) -> Json:
    told: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [] if operation.is_public else [{name: []} for name in about.security],
        "responses": _responses(operation, about),
    }
    if operation.description:
        told["description"] = operation.description
    if operation.parameters:
        told["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.request:
        content = _content(operation.request)
        for kind, example in operation.examples.items():
            content[kind]["example"] = example
        told["requestBody"] = {"required": True, "content": content}
    if operation.is_websocket:
        told["x-websocket"] = True
    return told


def _parameter(parameter: Parameter) -> Json:
    told: Json = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "required": parameter.where == "path",
        "schema": parameter.schema,
    }
    return told | ({"example": parameter.example} if parameter.example else {})


def _responses(operation: Operation, about: About) -> Json:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in about.headers if name != "Retry-After"}
    wait = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    words = "The connection becomes a WebSocket." if operation.is_websocket else "Success."
    success: Json = {"description": words, "headers": headers}
    if operation.answer:
        success["content"] = _content(operation.answer)
    failures = {
        str(status): {
            "description": about.reasons[status],
            "headers": headers | (wait if status == 429 else {}),
            "content": _content({"application/json": operation.instead.get(status, about.failure)}),
        }
        for status in sorted(operation.failures)
    }
    return {str(operation.status): success} | failures


def _content(content: Content) -> Json:
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


# --- components


def _schemas(operations: Iterable[Operation], failure: type) -> Json:
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
