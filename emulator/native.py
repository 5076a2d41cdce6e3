"""The vendor's own HTTP surface: text and multimodal generation (chat, recognition, synthesis), whole and streamed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g

from emulator import faults
from emulator.asr import Heard, transcribe_part
from emulator.chat_request import audio_parts, check_chat
from emulator.errors import ApiError
from emulator.journal import without_media
from emulator.models import find_model
from emulator.requests import JSON, call_of, read_json, text_of

blueprint = Blueprint("native", __name__)


@blueprint.post("/api/v1/services/aigc/multimodal-generation/generation")
def multimodal() -> Response:
    """Serve the models that see, hear or speak."""
    call, body = call_of(), read_json()
    call.note("request", body=without_media(body))
    model = find_model(str(body.get("model") or ""), "multimodal", "asr", "tts")
    inputs, parameters = body.get("input") or {}, body.get("parameters") or {}
    chat = check_chat(model, inputs.get("messages"), parameters)
    fault = faults.before_answer(call, "asr")
    parts = audio_parts(chat.messages)
    if not parts:
        raise ApiError("The audio is empty")
    heard = transcribe_part(parts[-1], parameters.get("asr_options") or {}, call)
    return Response(faults.on_body(text_of(_transcript(heard, g.request_id)).encode(), fault), content_type=JSON)


def _transcript(heard: Heard, request_id: str) -> dict[str, Any]:
    message = {"annotations": heard.annotations, "content": [{"text": heard.text}], "role": "assistant"}
    usage = {
        "input_tokens_details": {"text_tokens": 0},
        "output_tokens_details": {"text_tokens": heard.tokens},
        "seconds": heard.seconds,
    }
    choices = [{"finish_reason": "stop", "message": message}]
    return {"output": {"choices": choices}, "usage": usage, "request_id": request_id}
