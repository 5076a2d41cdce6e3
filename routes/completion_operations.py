"""The route of text completions as data, for the OpenAPI document."""

from msgspec import Struct

from protocol.openai.answers import ChatUsage
from protocol.openai.completion import CompletionRequest, TextChoice
from protocol.openapi import Events, Operation


class TextCompletion(Struct, kw_only=True):
    """An answer, or a piece of a streamed one."""

    id: str
    object: str
    created: int
    model: str
    choices: list[TextChoice]
    usage: ChatUsage | None = None


COMPLETION = Operation(
    id="createCompletion",
    method="POST",
    path="/v1/completions",
    tag="Chat",
    summary="Continue a text",
    description="The older form of chat completions: the prompt is a user's message.",
    request={"application/json": CompletionRequest},
    examples={"application/json": {"model": "qwen-plus", "prompt": "Hello!"}},
    answer={"application/json": TextCompletion, "text/event-stream": Events(record=TextCompletion)},
    failures=(400, 401, 403, 404, 413, 429, 500, 502, 503, 504),
)
