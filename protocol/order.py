"""In which order the events of one turn come, as a table; nothing else decides it.

    begun ─transcription_started─▶ hearing ─chat_started─▶ writing ─tts_started─▶ speaking ─audio finished─▶ spoken
                                      │                       │                                               │
                                      └─chat skipped─▶ told ◀─┴──────────── chat_tts_complete ◀───────────────┘
                                                        └─audio_complete─▶ ended

A typed question begins with `chat_started`. On the picture socket the same events have names of their own.
Events of the connection (`connected`, `ready`, `packet_ack`) and `error` may come at any time.  Source:
docs/protocol.md
"""

from typing import Any

_PLAIN = {
    "vlm_chat_chunk": "chat_chunk",
    "vlm_chat_tts_complete": "chat_tts_complete",
    "vlm_complete": "audio_complete",
}
_ANY_TIME = {"connected", "ready", "packet_ack", "error"}

_NEXT = {
    ("begun", "vlm_chat_started"): "writing",
    ("hearing", "vlm_chat_started"): "writing",
    ("begun", "transcription_started"): "hearing",
    ("hearing", "chat_started"): "writing",
    ("hearing", "chat_skipped"): "told",
    ("writing", "chat_chunk"): "writing",
    ("writing", "tts_started"): "speaking",
    ("writing", "chat_tts_complete"): "told",
    ("speaking", "chat_chunk"): "speaking",
    ("speaking", "audio_data"): "speaking",
    ("speaking", "audio_finished"): "spoken",
    ("spoken", "chat_tts_complete"): "told",
    ("told", "timings"): "told",
    ("told", "audio_complete"): "ended",
}


class OrderError(Exception):
    """An event that may not come here."""


class TurnOrder:
    """Follow the events of one connection. Invariant: `state` is where its current turn stands."""

    def __init__(self) -> None:
        self.state = "begun"
        self.turns = 0

    def take(self, message: dict[str, Any]) -> None:
        """Take the next message of the server. Raises: OrderError."""
        event = _kind(message)
        if event in _ANY_TIME:
            return
        if self.state == "ended":
            self.state = "begun"
        following = _NEXT.get((self.state, event))
        if following is None:
            raise OrderError(f"{event} may not come while a turn is {self.state}")
        self.state = following
        self.turns += following == "ended"


def _kind(message: dict[str, Any]) -> str:
    [(name, body)] = message.items()
    name = _PLAIN.get(name, name)
    if name == "audio_stream":
        return f"audio_{body['event']}"
    if name in ("chat_started", "vlm_chat_started") and "user_message" not in body:
        return "chat_skipped"
    return str(name)
