"""The routes of the history as data, for the OpenAPI document."""

from protocol.history import ConversationDeleted, ConversationObject, ConversationPage, MessagePage
from protocol.openapi import TEXT, Operation, Parameter

_FAILURES = (400, 401, 403, 404, 429, 500, 503)
_ID = Parameter(name="conversation_id", where="path", description="What the device called it, or the session's id.")


def _pages(*, order: str) -> tuple[Parameter, ...]:
    return (
        Parameter(
            name="limit",
            where="query",
            description="At most so many; 20 if not told.",
            schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        ),
        Parameter(name="after", where="query", description="Go on behind this id, the `last_id` of the page before."),
        Parameter(
            name="order",
            where="query",
            description="Oldest or newest first.",
            schema={"type": "string", "enum": ["asc", "desc"], "default": order},
        ),
    )


HISTORY = (
    Operation(
        id="listConversations",
        method="GET",
        path="/v1/conversations",
        tag="History",
        summary="List the caller's conversations",
        parameters=_pages(order="desc"),
        answer={"application/json": ConversationPage},
        failures=_FAILURES,
    ),
    Operation(
        id="retrieveConversation",
        method="GET",
        path="/v1/conversations/{conversation_id}",
        tag="History",
        summary="Tell about one conversation",
        parameters=(_ID,),
        answer={"application/json": ConversationObject},
        failures=_FAILURES,
    ),
    Operation(
        id="listMessages",
        method="GET",
        path="/v1/conversations/{conversation_id}/messages",
        tag="History",
        summary="List what was said in a conversation",
        description="Links to recordings and pictures are made anew for each answer.",
        parameters=(_ID, *_pages(order="asc")),
        answer={"application/json": MessagePage},
        failures=_FAILURES,
    ),
    Operation(
        id="exportConversation",
        method="GET",
        path="/v1/conversations/{conversation_id}/export",
        tag="History",
        summary="Give a whole conversation, one JSON line for each turn",
        parameters=(_ID,),
        answer={"application/x-ndjson": TEXT},
        failures=_FAILURES,
    ),
    Operation(
        id="deleteConversation",
        method="DELETE",
        path="/v1/conversations/{conversation_id}",
        tag="History",
        summary="Delete a conversation with its recordings and pictures",
        parameters=(_ID,),
        answer={"application/json": ConversationDeleted},
        failures=_FAILURES,
    ),
)
