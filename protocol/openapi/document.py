"""The OpenAPI document as a whole.  Source: OpenAPI Specification 3.1.1."""

from collections.abc import Iterable

from protocol.openapi.records import About, Json, Operation, Parameter
from protocol.openapi.schemas import Schemas


def document(about: About, operations: Iterable[Operation]) -> Json:
    """Return the document, to be served at the root of the server that it describes."""
    operations = list(operations)
    schemas = Schemas(operations, about.failure)
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, about, schemas)
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
            "schemas": schemas.components,
        },
    }


def _operation(operation: Operation, about: About, schemas: Schemas) -> Json:
    told: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [] if operation.is_public else [{name: []} for name in about.security],
        "responses": _responses(operation, about, schemas),
    }
    if operation.description:
        told["description"] = operation.description
    if operation.parameters:
        told["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.request:
        content = schemas.content(operation.request)
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


def _responses(operation: Operation, about: About, schemas: Schemas) -> Json:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in about.headers if name != "Retry-After"}
    wait = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    words = "The connection becomes a WebSocket." if operation.is_websocket else "Success."
    success: Json = {"description": words, "headers": headers}
    if operation.answer:
        success["content"] = schemas.content(operation.answer)
    failures = {
        str(status): {
            "description": about.reasons[status],
            "headers": headers | (wait if status == 429 else {}),
            "content": schemas.content({"application/json": operation.instead.get(status, about.failure)}),
        }
        for status in sorted(operation.failures)
    }
    return {str(operation.status): success} | failures
