"""What a chat request says about the form of its answer: JSON, tools, probabilities; checked.

Source: DashScope HTTP reference §2.1 and §6; the clash of JSON and thinking stands in the service's list of errors.
"""

from __future__ import annotations

from typing import Any, Final

from emulator.chat_request import ChatRequest
from emulator.errors import ApiError
from emulator.schema_sample import sample

_NO_JSON_WORD: Final = (
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
)
_JSON_AND_THINKING: Final = "Json mode response is not supported when enable_thinking is true"
_TOOL_CHOICES: Final = 'tool_choice is one of the strings that should be ["none", "auto"]'
_FORCED_AND_THINKING: Final = (
    "The tool_choice parameter does not support being set to required or object in thinking mode"
)
_FORMS: Final = ("text", "json_object", "json_schema")


def check_formats(chat: ChatRequest) -> None:
    """Refuse a form of answer that the service does not give.  Raises: ApiError with the service's message."""
    _check_json(chat)
    _check_tools(chat.tools)
    _check_tool_choice(chat)
    if chat.options.get("top_logprobs") and not chat.options.get("logprobs"):
        raise ApiError("The logprobs parameter must be true when top_logprobs is set")


def _check_json(chat: ChatRequest) -> None:
    form = chat.options.get("response_format") or {"type": "text"}
    if form.get("type") not in _FORMS:
        raise ApiError(f"Input should be one of {list(_FORMS)}: response_format.type")
    if chat.wants_json and chat.options.get("enable_thinking"):
        raise ApiError(_JSON_AND_THINKING)
    if form["type"] == "json_object" and "json" not in f"{chat.system_text}\n{chat.all_text}".lower():
        raise ApiError(_NO_JSON_WORD)
    if form["type"] == "json_schema":
        described = form.get("json_schema")
        if not isinstance(described, dict) or not described.get("name"):
            raise ApiError("Field required: response_format.json_schema.name")
        _check_schema(described.get("schema"), "response_format.json_schema.schema")


def _check_schema(schema: Any, field: str) -> None:
    if not isinstance(schema, dict):
        raise ApiError(f"Input should be a valid dictionary: {field}")
    try:
        sample(schema)
    except ValueError as error:
        raise ApiError(f"Input should be a valid JSON schema: {field}") from error


def _check_tools(tools: list[Any]) -> None:
    for number, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
            raise ApiError(f"Field required: tools.{number}.function.name")
        if function.get("parameters") is not None:
            _check_schema(function["parameters"], f"tools.{number}.function.parameters")


def _check_tool_choice(chat: ChatRequest) -> None:
    choice = chat.tool_choice
    if choice in (None, "none", "auto"):
        return
    function = choice.get("function") if isinstance(choice, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise ApiError(_TOOL_CHOICES)
    if chat.options.get("enable_thinking"):
        raise ApiError(_FORCED_AND_THINKING)
    if function["name"] not in [tool["function"]["name"] for tool in chat.tools]:
        raise ApiError(f"The function {function['name']} of tool_choice is not among the tools")
