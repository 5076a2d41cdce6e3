"""An OpenAPI document, made of records: what a route takes, answers and refuses.

Schemas are generated from the records that requests are read into and answers are written from, so the document cannot
tell anything else than the code does.  Source: OpenAPI Specification 3.1.1; JSON Schema 2020-12.
"""

from protocol.openapi.document import document
from protocol.openapi.records import BYTES, TEXT, About, AnyOf, Content, Events, Form, Json, Operation, Parameter

__all__ = [
    "BYTES",
    "TEXT",
    "About",
    "AnyOf",
    "Content",
    "Events",
    "Form",
    "Json",
    "Operation",
    "Parameter",
    "document",
]
