"""The frames of one spoken response, field for field as the real service was recorded sending them."""

from __future__ import annotations

from typing import Any

from emulator.speech import Speech
from emulator.wire import Wire


class Frames:
    """Writes the frames of responses on a wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def send_beginning(self, speech: Speech) -> None:
        """Announce a response, its item and its audio part."""
        speech.is_announced = True
        self._wire.send("response.created", response=_response(speech, status="in_progress") | {"output": []})
        item = _item(speech, status="in_progress") | {"content": []}
        self._wire.send("response.output_item.added", response_id=speech.response_id, output_index=0, item=item)
        self._wire.send("response.content_part.added", **_place(speech), part={"type": "audio", "text": ""})

    def send_delta(self, speech: Speech, duration_ms: int) -> None:
        """Send the next piece of audio."""
        delta = speech.next_delta(duration_ms)
        self._wire.send_counted("response.audio.delta", **_place(speech), delta=delta)

    def send_end(self, speech: Speech) -> None:
        """Send the chain of endings, with what the response cost."""
        self._wire.send("response.audio.done", **_place(speech))
        self._wire.send("response.content_part.done", **_place(speech), part={"type": "audio", "text": ""})
        tokens = {name: value for name, value in speech.usage.items() if name != "characters"}
        item = _item(speech, status="completed") | {"output": {"usage": tokens}}
        self._wire.send("response.output_item.done", response_id=speech.response_id, output_index=0, item=item)
        output = _item(speech, status="completed") | {"content": [{"type": "audio", "transcript": ""}]}
        self._wire.send(
            "response.done",
            response=_response(speech, status="completed")
            | {"modalities": ["text", "audio"], "output": [output], "usage": speech.usage},
        )

    def send_cancelled(self, speech: Speech) -> None:
        """End a response that was cancelled."""
        self._wire.send("response.done", response=_response(speech, status="cancelled") | {"output": []})


def _response(speech: Speech, *, status: str) -> dict[str, Any]:
    return {
        "id": speech.response_id,
        "object": "realtime.response",
        "conversation_id": "",
        "status": status,
        "voice": speech.voice_name,
    }


def _item(speech: Speech, *, status: str) -> dict[str, Any]:
    return {
        "id": speech.item_id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": "assistant",
    }


def _place(speech: Speech) -> dict[str, Any]:
    return {
        "response_id": speech.response_id,
        "item_id": speech.item_id,
        "output_index": 0,
        "content_index": 0,
    }
