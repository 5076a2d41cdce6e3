"""The messages of a chat, from OpenAI's words into the vendor's.

The messages were checked (`protocol/openai/chat.py`), so shapes are trusted here; values are not. What no rule names
(`cache_control`, `partial`, `min_pixels`, …) passes as it is.

Source: OpenAI API reference, create chat completion; DashScope HTTP reference §2.1.
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from protocol.errors import BadInput

Json = dict[str, Any]

LOW_DETAIL_PIXELS = 512 * 512
"""`detail: low` is a picture of 512 × 512. Source: OpenAI guide, images and vision."""
_LINKS = ("http://", "https://", "data:", "oss://")
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/yaml", "application/x-yaml")
_TEXT_NAMES = (".txt", ".md", ".csv", ".json", ".xml", ".yaml", ".yml", ".html", ".py", ".js", ".ts", ".log")


def to_vendor(messages: list[Json]) -> list[Json]:
    """Return the messages as the vendor reads them. Raises: BadInput naming the part that nobody could honour."""
    translated: list[Json] = []
    call_id = ""
    for index, message in enumerate(messages):
        call_id = _call_id(message, index) or call_id
        if (ours := _message(message, f"messages[{index}]", call_id)) is not None:
            translated.append(ours)
    return translated


def has_detail(messages: list[Json], detail: str) -> bool:
    """Whether a picture among the messages asks for this resolution."""
    pictures = (part.get("image_url") for message in messages for part in _parts(message))
    return any(isinstance(picture, dict) and picture.get("detail") == detail for picture in pictures)


def has_pictures(messages: list[Json]) -> bool:
    """Whether a model must see to answer."""
    seen = ("image_url", "video_url", "video")
    return any(part.get("type") in seen for message in messages for part in _parts(message))


def uses_uploads(messages: list[Json]) -> bool:
    """Whether a part lies in the vendor's own temporary store, which must be told in a header."""
    links = (link for message in messages for part in _parts(message) for link in _links(part))
    return any(link.lower().startswith("oss://") for link in links)


def _parts(message: Json) -> Iterable[Json]:
    content = message.get("content")
    return content if isinstance(content, list) else ()


def _message(message: Json, where: str, call_id: str) -> Json | None:
    kept = {name: value for name, value in message.items() if value is not None}
    match message["role"]:
        case "assistant":
            return _assistant(kept, where, call_id)
        case "function":
            return {"role": "tool", "tool_call_id": call_id, "content": kept.get("content", "")}
        case "user":
            return kept | {"content": _user_content(message["content"], where)}
        case "developer":
            kept["role"] = "system"
    return kept | {"content": _plain(message["content"])}


def _call_id(message: Json, index: int) -> str:
    """Return the id that a call in the deprecated form gets: it had none."""
    return f"call_{index}" if message.get("function_call") else ""


def _assistant(message: Json, where: str, call_id: str) -> Json | None:
    """Return what the assistant said, None when it said nothing: the vendor refuses an empty message."""
    kept = dict(message)
    refusal, sound = kept.pop("refusal", None), kept.pop("audio", None)
    if call := kept.pop("function_call", None):
        kept["tool_calls"] = [{"id": call_id, "type": "function", "function": call}]
    calls = kept.pop("tool_calls", None) or []
    if any(call["type"] == "custom" for call in calls):
        raise _impossible(f"{where}.tool_calls", "Custom tools are not possible with these models; use functions.")
    kept["content"] = _plain(kept.get("content") or refusal or "")
    if calls:
        return kept | {"tool_calls": calls}
    if kept["content"] or kept.get("partial"):
        return kept
    if sound is not None:
        raise _impossible(f"{where}.audio", "Earlier sound is not kept; send its transcript as 'content'.")
    return None


def _plain(content: str | list[Json]) -> str | list[Json]:
    """Return text parts as one text, which is all that the vendor takes here; parts that carry more stay parts."""
    if isinstance(content, str):
        return content
    if any(set(part) - {"type", "text", "refusal"} for part in content):
        return content
    return "".join(part.get("text") or part.get("refusal") or "" for part in content)


def _user_content(content: str | list[Json], where: str) -> str | list[Json]:
    if isinstance(content, str):
        return content
    return [_part(part, f"{where}.content[{index}]") for index, part in enumerate(content)]


def _part(part: Json, where: str) -> Json:
    match part["type"]:
        case "image_url":
            part = _picture(part)
        case "input_audio":
            part = part | {"input_audio": _sound(part["input_audio"], f"{where}.input_audio")}
        case "file":
            return _file(part["file"], f"{where}.file")
        case "text":
            return part
    for link in _links(part):
        _check_link(link, f"{where}.{part['type']}")
    return part


def _picture(part: Json) -> Json:
    picture = part["image_url"]
    if isinstance(picture, str):
        return part | {"image_url": {"url": picture}}
    if "detail" not in picture:
        return part
    bound = {"max_pixels": LOW_DETAIL_PIXELS} if picture["detail"] == "low" else {}
    return bound | part | {"image_url": {name: value for name, value in picture.items() if name != "detail"}}


def _sound(sound: Json, where: str) -> Json:
    """Return sound as the vendor takes it: a bare base64 text becomes a data URI, a URL stays."""
    data = sound["data"]
    kept = {name: value for name, value in sound.items() if value is not None}
    if ":" in data[:8]:
        return kept
    try:
        binascii.a2b_base64(data, strict_mode=True)
    except ValueError as error:  # a path of the server, for instance, which some libraries would upload
        raise BadInput(f"Invalid '{where}.data': neither base64 nor a URL.", param=f"{where}.data") from error
    return kept | {"data": f"data:;base64,{data}"}


def _links(part: Json) -> list[str]:
    """Return every place that a part names."""
    kind = part.get("type", "text")  # where only text can be, its kind may be left out
    value = part.get(kind)
    if isinstance(value, dict):
        value = value.get("url", value.get("data"))
    return value if isinstance(value, list) else [value] if isinstance(value, str) and kind != "text" else []


def _check_link(link: str, where: str) -> None:
    if not link.lower().startswith(_LINKS):
        raise BadInput(f"Invalid '{where}': media must be an http(s) URL, a data URI or an oss:// URL.", param=where)


def _file(source: Json, where: str) -> Json:
    """Return a text file as text. Raises: BadInput for every other: there is no store of files to take it from."""
    name, data = source.get("filename") or "", source.get("file_data") or ""
    head, _, encoded = data.rpartition(",")
    kind = head.removeprefix("data:").partition(";")[0]
    if not data or not (kind.startswith(_TEXT_TYPES) or name.lower().endswith(_TEXT_NAMES)):
        raise _impossible(
            where, "Only text files can be sent, as 'file_data'; pictures and sound have parts of their own."
        )
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise BadInput(
            f"Invalid '{where}.file_data': not the base64 of a UTF-8 text.", param=f"{where}.file_data"
        ) from error
    return {"type": "text", "text": f"{name}\n\n{text}" if name else text}


def _impossible(param: str, reason: str) -> BadInput:
    return BadInput(f"Unsupported '{param}'. {reason}", code="unsupported_value", param=param)
