"""Which tools the model calls: the scripted ones, or the one that the client forces it to call.

Source: DashScope HTTP reference §2.1 and §2.4.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from emulator.calls import Call
from emulator.chat_request import ChatRequest
from emulator.schema_sample import sample


def tool_calls_of(chat: ChatRequest, call: Call) -> tuple[dict[str, Any], ...]:
    """Return the tool calls of the answer; more than one only where the client allows parallel calls."""
    if not chat.tools or chat.tool_choice == "none":
        return ()
    if forced := chat.forced_tool:
        return (_tool_call(0, _scripted(forced, call) or _made_up(forced, chat)),)
    if chat.ends_with_tool_result:
        return ()
    scripted = call.scenario.tool_calls[: None if chat.options.get("parallel_tool_calls") else 1]
    return tuple(_tool_call(index, wanted) for index, wanted in enumerate(scripted))


def _scripted(name: str, call: Call) -> dict[str, Any] | None:
    return next((wanted for wanted in call.scenario.tool_calls if wanted.get("name") == name), None)


def _made_up(name: str, chat: ChatRequest) -> dict[str, Any]:
    """Return a call whose arguments fit what the tool declares."""
    tool = next(tool["function"] for tool in chat.tools if tool["function"].get("name") == name)
    arguments = sample(tool.get("parameters") or {"type": "object"}, word=chat.question[:20] or "text")
    return {"name": name, "arguments": arguments}


def _tool_call(index: int, wanted: dict[str, Any]) -> dict[str, Any]:
    arguments = wanted.get("arguments", {})
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    function = {"name": wanted.get("name", ""), "arguments": text}
    return {"index": index, "id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}
