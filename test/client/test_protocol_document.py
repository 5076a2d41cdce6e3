"""docs/protocol.md, read as the device reads it and as the server writes it."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from client.turn import parse
from protocol import events

_BLOCK = re.compile(r"^```json (?:vlm-)?(client|server)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
EXAMPLES = _BLOCK.findall(_DOCUMENT.read_text(encoding="utf-8"))
SERVER = [text for side, text in EXAMPLES if side == "server"]


def _all_under(kind: type[events.Event]) -> list[type[events.Event]]:
    return [deeper for child in kind.__subclasses__() for deeper in (child, *_all_under(child))]


KINDS = _all_under(events.Event)


def _record(name: str, body: dict[str, Any]) -> events.Event:
    """Return the server's own record for an example."""
    kinds = [kind for kind in KINDS if kind.name == name and _fits(kind, body)]
    assert len(kinds) == 1, f"{name} with the fields {list(body)} is {len(kinds)} records"
    return msgspec.convert(body, kinds[0])


def _fits(kind: type[events.Event], body: dict[str, Any]) -> bool:
    fields = msgspec.structs.fields(kind)
    is_known = body.keys() <= {field.name for field in fields}
    is_whole = {field.name for field in fields if field.required} <= body.keys()
    literals = {"data": events.AudioData, "finished": events.AudioFinished}
    return is_known and is_whole and literals.get(body.get("event", ""), kind) is kind


@pytest.mark.parametrize("text", SERVER)
def test_the_server_writes_the_example_byte_for_byte(text: str) -> None:
    name, body = parse(text)
    chunk_only = name == "chat_chunk" and "full_response" not in body
    record = events.ChatChunk(full_response=msgspec.UNSET, **body) if chunk_only else _record(name, body)

    assert events.encode(record) == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def test_every_message_of_the_server_has_an_example() -> None:
    named = {parse(text)[0] for text in SERVER}

    assert named == {kind.name for kind in KINDS}
