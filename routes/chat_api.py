"""`POST /v1/chat/completions`.  Source: OpenAI API reference, create chat completion."""

from dataclasses import replace

from flask import Blueprint, Response, request

from protocol.openai.chat_request import read_call
from routes import vendor_headers
from routes.call import current
from routes.chat_events import naming, read_body, streamed
from services.openai.chat import ChatCompletions


def blueprint(chat: ChatCompletions) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("chat_api", __name__)

    @door.post("/v1/chat/completions")
    def completions() -> Response:
        call, asked = current(), read_call(read_body())
        asked = replace(asked, headers=vendor_headers.passed_on(request, call.caller))
        key, cancel, named = call.caller.key, call.cancel, naming(call)
        if asked.is_stream:
            return streamed(chat.stream(asked, key=key, cancel=cancel, named=named), call)
        answer = chat.answer(asked, key=key, cancel=cancel, named=named)
        return Response(answer, content_type="application/json")

    return door
