"""What a device may say, read from its messages.  Source: docs/protocol.md.

A message is parsed once, here, into one of the records below; whatever is wrong with it is a `BadInput` that says what
to do. Unknown fields of a packet are passed over (devices in the field send extras); unknown fields of `start` are
refused by name, because a device that asks for something must get it or be told.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

import msgspec

from protocol.conversation_ids import conversation_of
from protocol.errors import BadInput, TooLarge
from protocol.packets import Limits, Packet, check_packet

_RATES_HZ = (8000, 16000, 24000, 48000)
MAX_LEAD_MS = 3_600_000


class InputFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the device records. `auto`: a file whose bytes say what it is; `pcm`: bare s16le mono sound."""

    format: Literal["auto", "pcm"] = "auto"
    sample_rate: int = 16000


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a device declares of itself; all that it leaves out stays as the plain protocol has it."""

    type: Literal["start"] = "start"
    codec: Literal["mp3", "pcm"] = "mp3"
    sample_rate: int | None = None
    binary: bool = False
    max_lead_ms: int | None = None
    voice: str | None = None
    full_response: bool = True
    timings: bool = False
    input: InputFormat = InputFormat()
    conversation_id: str | None = None
    device_id: str | None = None

    @property
    def conversation(self) -> str:
        """The conversation that is meant, "" for the connection's own."""
        return conversation_of(self.conversation_id, self.device_id)


@dataclass(frozen=True, slots=True)
class Sound:
    """A binary message: the next piece of a live upload."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The upload is whole. `total` is how many packets it has, when the device counted them."""

    total: int | None


@dataclass(frozen=True, slots=True)
class CancelTurn:
    """Stop talking. `played_ms` is how much of the answer the device has played, when it knows."""

    played_ms: float | None


@dataclass(frozen=True, slots=True)
class Question:
    """A question that was typed instead of spoken."""

    text: str


Command = Packet | Sound | Start | End | CancelTurn | Question


def read_command(message: str | bytes, *, limits: Limits, has_pictures: bool = False) -> Command:
    """Return what a message asks for; pictures and typed questions belong to the picture socket alone.

    Raises: BadInput (PacketError, TooLarge).
    """
    if isinstance(message, bytes):
        return Sound(message)
    body = _object(message)
    kind = body.get("type")
    if kind == "start":
        return _start(message, body)
    if kind == "end":
        return End(_optional_count(body, "total"))
    if kind == "cancel":
        return CancelTurn(_optional_count(body, "played_ms"))
    if kind == "text" and has_pictures:
        return _question(body)
    if "seq" in body and kind in ((None, "audio", "image") if has_pictures else (None, "audio")):
        return check_packet(
            seq=body["seq"],
            total=body.get("total"),
            data=body.get("data"),
            limits=limits,
            kind=cast(Literal["audio", "image"], kind or "audio"),
            picture=body.get("image", 1) if kind == "image" else 1,
        )
    raise BadInput(_UNKNOWN_HERE if has_pictures else _UNKNOWN, code="invalid_message", param="type")


_UNKNOWN = '无法识别的消息。请发送数据包 {"seq","total","data"}，或 type 为 start、end、cancel 的消息。'
_UNKNOWN_HERE = (
    '无法识别的消息。请发送数据包 {"seq","total","type","data"}（type 为 audio 或 image），'
    "或 type 为 text、start、end、cancel 的消息。"
)
MAX_QUESTION_CHARS = 20_000


def _question(body: dict[str, Any]) -> Question:
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadInput("text 必须是非空文本。", code="invalid_message", param="text")
    if len(text) > MAX_QUESTION_CHARS:
        raise TooLarge(f"问题超过 {MAX_QUESTION_CHARS} 个字符的上限。请缩短问题。", param="text")
    return Question(text.strip())


def _object(message: str) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput("消息不是有效的 JSON。请发送 JSON 对象。", code="invalid_json") from error
    if not isinstance(body, dict):
        raise BadInput("消息必须是 JSON 对象。", code="invalid_json")
    return body


def _start(message: str, body: dict[str, Any]) -> Start:
    known = Start.__struct_fields__
    for name in body:
        if name not in known:
            raise BadInput(
                f"start 消息不支持字段 {name[:40]!r}。支持：{', '.join(known)}。",
                code="invalid_message",
                param=name[:40],
            )
    try:
        start = msgspec.json.decode(message, type=Start)
    except msgspec.ValidationError as error:
        raise BadInput(f"start 消息的字段无效：{error}", code="invalid_message", param="start") from error
    _check_conversation(start)
    _check_rate("input.sample_rate", start.input.sample_rate)
    if start.sample_rate is not None:
        _check_rate("sample_rate", start.sample_rate)
    if start.max_lead_ms is not None and not 0 <= start.max_lead_ms <= MAX_LEAD_MS:
        raise BadInput(f"max_lead_ms 必须在 0 到 {MAX_LEAD_MS} 之间。", code="invalid_message", param="max_lead_ms")
    return start


def _check_conversation(start: Start) -> None:
    try:
        conversation_of(start.conversation_id, start.device_id)
    except BadInput as error:
        raise BadInput(error.message, code="invalid_message", param=error.param) from error


def _check_rate(name: str, rate_hz: int) -> None:
    if rate_hz not in _RATES_HZ:
        raise BadInput(f"{name} 必须是 {_RATES_HZ} 之一，收到 {rate_hz}。", code="invalid_message", param=name)


def _optional_count(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise BadInput(f"{name} 必须是非负整数。", code="invalid_message", param=name)
