"""Which conversation a device that connects goes on with, told in the address or by a header."""

from flask import Request

from protocol.conversation_ids import conversation_of

DEVICE_HEADER = "X-Device-Id"


def asked_conversation(request: Request) -> str:
    """Return the conversation that a request names, "" for a new one.

    `?conversation_id=` goes before `?device_id=`, and that before the header. Raises: BadInput.
    """
    device_id = request.args.get("device_id", request.headers.get(DEVICE_HEADER))
    return conversation_of(request.args.get("conversation_id"), device_id)
