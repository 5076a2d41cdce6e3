"""Text generation by the vendor's own API, worded as its compatible one: for models that the compatible one lacks.

Source: DashScope HTTP reference §3.3 (answers), §3.4 (streams), §2.7 (errors pass as they are).
"""

from typing import Any

import msgspec

from protocol.dashscope.failures import malformed

Json = dict[str, Any]

_TOP = ("model", "messages", "stream", "stream_options", "max_completion_tokens")
_decoder = msgspec.json.Decoder(Json)


def generation_body(compatible: bytes) -> bytes:
    """Return the body of a compatible request as the vendor's own API takes it."""
    sent = _decoder.decode(compatible)
    parameters = {name: value for name, value in sent.items() if name not in _TOP} | {"result_format": "message"}
    if sent.get("stream"):
        parameters["incremental_output"] = True
    body = {"model": sent["model"], "input": {"messages": sent["messages"]}, "parameters": parameters}
    return msgspec.json.encode(body)


def compatible_answer(data: bytes) -> bytes:
    """Return a whole answer as the compatible API words it. Raises: UpstreamBroken for what is no answer."""
    return _worded(data, "message")


def compatible_chunk(data: bytes) -> bytes:
    """Return one event of a stream as the compatible API words it. Raises: UpstreamBroken for what is no answer."""
    return _worded(data, "delta")


def _worded(data: bytes, holder: str) -> bytes:
    try:
        answer = _decoder.decode(data)
        if "output" not in answer:
            return data  # an error, which is read where all are
        choices = [_choice(choice, index, holder) for index, choice in enumerate(answer["output"]["choices"])]
        worded = {"id": f"chatcmpl-{answer.get('request_id', '')}", "choices": choices, "usage": _usage(answer)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise malformed("模型服务的回复无法解析，请重试。") from error
    return msgspec.json.encode(worded)


def _choice(choice: Json, index: int, holder: str) -> Json:
    reason = choice.get("finish_reason")
    message = {name: value for name, value in choice["message"].items() if value or name == "content"}
    return {
        "index": choice.get("index", index),
        holder: message,
        "finish_reason": None if reason == "null" else reason,  # the word, not the value
    }


def _usage(answer: Json) -> Json | None:
    usage = answer.get("usage")
    if not usage:
        return None
    read, written = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
    counts: Json = {"prompt_tokens": read, "completion_tokens": written}
    return counts | {"total_tokens": usage.get("total_tokens", read + written)}
