"""Tools of a chat, from OpenAI's words into the vendor's, and the deprecated functions into tools.

Source: OpenAI API reference, create chat completion; DashScope HTTP reference §2.1 (`tool_choice`).
"""

from typing import Any

from protocol.errors import BadInput

Json = dict[str, Any]


def to_vendor(sent: Json) -> Json:
    """Return the parameters about tools as the vendor reads them. Raises: BadInput for what it cannot do."""
    tools, choice, where = _tools(sent), sent.get("tool_choice"), "tool_choice"
    if choice is None and (choice := _choice_of_function(sent.get("function_call"))) is not None:
        where = "function_call"
    tools, choice = _allowed(tools, choice)
    if not tools and choice in (None, "none", "auto"):
        return {}
    if not tools:
        raise _impossible(where, "It names a tool, and there is none of that name in 'tools'.")
    choice = _possible(choice, tools, where)
    return {"tools": tools} | ({"tool_choice": choice} if choice is not None else {})


def _tools(sent: Json) -> list[Json]:
    tools: list[Json] = sent.get("tools") or []
    for index, tool in enumerate(tools):
        if tool["type"] == "custom":
            raise _impossible(f"tools[{index}].type", "Custom tools are not possible with these models; use functions.")
    return tools or [{"type": "function", "function": function} for function in sent.get("functions") or []]


def _choice_of_function(choice: str | Json | None) -> str | Json | None:
    return {"type": "function", "function": choice} if isinstance(choice, dict) else choice


def _allowed(tools: list[Json], choice: Any) -> tuple[list[Json], Any]:
    """Return only the tools that may be called, when the choice names some of them."""
    if not isinstance(choice, dict) or choice["type"] != "allowed_tools":
        return tools, choice
    allowed = choice["allowed_tools"]
    names = {tool["function"]["name"] for tool in allowed["tools"] if tool["type"] == "function"}
    return [tool for tool in tools if tool["function"]["name"] in names], allowed["mode"]


def _possible(choice: Any, tools: list[Json], where: str) -> Any:
    if isinstance(choice, dict) and choice["type"] == "custom":
        raise _impossible(where, "Custom tools are not possible with these models; name a function.")
    if choice != "required":
        return choice
    if len(tools) > 1:
        raise _impossible(where, "'required' is only possible with one tool; use 'auto' or name the function.")
    return {"type": "function", "function": {"name": tools[0]["function"]["name"]}}


def _impossible(param: str, reason: str) -> BadInput:
    return BadInput(f"Unsupported '{param}'. {reason}", code="unsupported_value", param=param)
