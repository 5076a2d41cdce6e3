"""`POST /v1/completions`.  Source: OpenAI API reference, create completion (legacy)."""

from dataclasses import replace

from flask import Blueprint, Response, request

from protocol.openai.completion import CompletionCall, read_completion
from routes import vendor_headers
from routes.call import Call, current
from routes.chat_events import naming, read_body, streamed
from services.openai.completions import TextCompletions


def blueprint(texts: TextCompletions) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("completion_api", __name__)

    @door.post("/v1/completions")
    def completions() -> Response:
        call = current()
        asked = _read(call)
        key, cancel, named = call.caller.key, call.cancel, naming(call)
        if asked.is_stream:
            return streamed(texts.stream(asked, key=key, cancel=cancel, named=named), call)
        answer = texts.answer(asked, key=key, cancel=cancel, named=named)
        return Response(answer, content_type="application/json")

    return door


def _read(call: Call) -> CompletionCall:
    asked = read_completion(read_body())
    headers = vendor_headers.passed_on(request, call.caller)
    return replace(asked, chats=tuple(replace(chat, headers=headers) for chat in asked.chats))
