"""What a route takes, answers and refuses, as records.  Source: OpenAPI Specification 3.1.1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Content = Mapping[str, Any]
"""Media type -> what is in it: a record's type, a `Form`, `AnyOf`, `Events`, or a schema as it is."""

TEXT: Json = {"type": "string"}
BYTES: Json = {"type": "string", "format": "binary"}


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
