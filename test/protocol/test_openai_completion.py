"""Text completions, from and to chats."""

import json
import re
from pathlib import Path

from protocol.openai.completion import CompletionRequest, pieces, whole


def test_the_document_says_what_becomes_of_every_parameter() -> None:
    document = (Path(__file__).parents[2] / "docs" / "openai.md").read_text("utf-8")
    section = document.partition("\n## Text completions\n")[2].partition("\n## ")[0]

    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]

    told = sorted(name for row in rows for name in re.findall(r"`(\w+)`", row))
    assert told == sorted(CompletionRequest.__struct_fields__)


def test_what_is_no_text_is_no_piece_of_a_stream() -> None:
    chunk = {
        "id": "chatcmpl-1",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"reasoning_content": "h"}}],
    }

    assert pieces(b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n") == b"data: [DONE]\n\n"


def test_the_usages_of_several_chats_are_summed() -> None:
    choice = {"index": 0, "message": {"content": "hi"}, "finish_reason": "length"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    chat = json.dumps({"id": "chatcmpl-1", "created": 1, "model": "m", "choices": [choice], "usage": usage}).encode()

    told = json.loads(whole([chat, chat], n=1))

    assert told["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
    assert [(choice["index"], choice["text"], choice["finish_reason"]) for choice in told["choices"]] == [
        (0, "hi", "length"),
        (1, "hi", "length"),
    ]
