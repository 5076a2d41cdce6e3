"""Chat requests that are worded as OpenAI's newer Responses API: some editors send such to the chat route.

Source: OpenAI API reference, create a model response: `input`, `instructions`, `max_output_tokens`, flat tools.
"""

from typing import Any

from protocol.errors import BadInput

Json = dict[str, Any]


def as_chat(sent: Json) -> Json:
    """Return the request worded as a chat completion. Raises: BadInput for an `input` that is no list of messages."""
    kept = {name: value for name, value in sent.items() if name not in ("input", "instructions", "max_output_tokens")}
    kept["messages"] = [*_instructions(sent), *_messages(sent["input"])]
    if "max_output_tokens" in sent:
        kept.setdefault("max_completion_tokens", sent["max_output_tokens"])
    if isinstance(tools := sent.get("tools"), list):
        kept["tools"] = [_tool(tool) for tool in tools]
    return kept


def _instructions(sent: Json) -> list[Json]:
    return [{"role": "system", "content": sent["instructions"]}] if "instructions" in sent else []


def _messages(given: Any) -> list[Any]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list):
        raise BadInput("Invalid 'input': expected string or array.", code="invalid_type", param="input")
    return [_item(item) for item in given]


def _item(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    match item.get("type"):
        case "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            call = {"id": item.get("call_id"), "type": "function", "function": function}
            return {"role": "assistant", "content": "", "tool_calls": [call]}
        case "function_call_output":
            return {"role": "tool", "tool_call_id": item.get("call_id"), "content": item.get("output")}
    kept = {name: value for name, value in item.items() if name not in ("type", "id", "status")}
    content = kept.get("content")
    return kept | {"content": [_part(part) for part in content]} if isinstance(content, list) else kept


def _part(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    match part.get("type"):
        case "input_text" | "output_text":
            return {"type": "text", "text": part.get("text")}
        case "input_image":
            return {"type": "image_url", "image_url": {"url": part.get("image_url"), "detail": part.get("detail")}}
    return part


def _tool(tool: Any) -> Any:
    """Return a flat tool in the nested form of chat completions."""
    if not isinstance(tool, dict) or tool.get("type") != "function" or "function" in tool:
        return tool
    return {"type": "function", "function": {name: value for name, value in tool.items() if name != "type"}}
