"""What conversations are called, by the programs and devices that begin them.

A conversation belongs to its owner, so two owners may use one name without ever meeting.
"""

import hashlib
import re

from protocol.errors import BadInput

_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DEVICE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""Also what devices have anyway: a MAC address, a serial number."""
_DIGITS = 32


def is_conversation_id(text: str) -> bool:
    """Whether a conversation can be called like this."""
    return _CONVERSATION.fullmatch(text) is not None


def conversation_of(conversation_id: str | None, device_id: str | None) -> str:
    """Return the conversation that is meant: the one that is named, else the device's own, else "" (a new one).

    Raises: BadInput.
    """
    if conversation_id is not None and not is_conversation_id(conversation_id):
        raise _malformed("conversation_id", "A-Z a-z 0-9 _ -")
    if device_id is not None and not _DEVICE.fullmatch(device_id):
        raise _malformed("device_id", "A-Z a-z 0-9 _ . : -")
    if conversation_id is not None:
        return conversation_id
    return f"device-{_short(device_id)}" if device_id is not None else ""


def _short(device_id: str) -> str:
    return hashlib.sha256(device_id.encode()).hexdigest()[:_DIGITS]


def _malformed(param: str, signs: str) -> BadInput:
    return BadInput(
        f"{param} 必须是 1 到 64 个字符，只能用 {signs}。",
        english=f"Invalid {param!r}: expected 1 to 64 of the characters {signs}.",
        param=param,
        code="invalid_value",
    )
