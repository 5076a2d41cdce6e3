"""The messages of both sockets, server to device: one frozen record each, in the contract's order of fields.

On the wire an event is an object with one key, its name: `{"packet_ack":{"seq":1,"received":1,"total":10}}`.
Fields after the contract's own are extensions: they are left out while they hold their default, so that a plain device
sees the plain protocol.  Source: docs/protocol.md (the contract with an example of every message).
"""

from typing import ClassVar, Literal

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One message to the device. Invariant: `name` is its key on the wire."""

    name: ClassVar[str]


class Connected(Event, frozen=True, kw_only=True):
    name = "connected"
    message: str = "音频连接已建立"
    session_id: str


class PacketAck(Event, frozen=True, kw_only=True):
    """`total` is null while a live upload has not said how many packets it will have."""

    name = "packet_ack"
    seq: int
    received: int
    total: int | None


class Ready(Event, frozen=True, kw_only=True):
    """The answer to `start` (an extension): the contract as the server will keep it."""

    name = "ready"
    codec: str
    sample_rate: int
    binary: bool
    max_lead_ms: int
    voice: str
    full_response: bool
    timings: bool
    input_format: str
    input_sample_rate: int
    max_packet_bytes: int
    conversation_id: str


class TranscriptionStarted(Event, frozen=True, kw_only=True):
    name = "transcription_started"
    message: str = "开始语音识别..."
    oss_url: str


class ChatStarted(Event, frozen=True, kw_only=True):
    name = "chat_started"
    message: str = "开始生成AI回答..."
    user_message: str


class ChatSkipped(Event, frozen=True, kw_only=True):
    """Nothing was understood, so nothing is answered."""

    name = "chat_started"
    message: str = "跳过对话生成：语音识别失败或结果为空"


class ChatChunk(Event, frozen=True, kw_only=True):
    """`full_response` is left out (null on this record) for a device that asked for it in `start`."""

    name = "chat_chunk"
    chunk: str
    full_response: str | msgspec.UnsetType


class TtsStarted(Event, frozen=True, kw_only=True):
    name = "tts_started"
    message: str = "开始语音合成..."


class AudioData(Event, frozen=True, kw_only=True):
    """Sound to play, in order. `data` is whole MP3 frames (or packets of the codec that `start` chose), base64 on
    the wire."""

    name = "audio_stream"
    event: Literal["data"] = "data"
    data: bytes


class AudioFinished(Event, frozen=True, kw_only=True):
    name = "audio_stream"
    event: Literal["finished"] = "finished"


class ChatTtsComplete(Event, frozen=True, kw_only=True):
    name = "chat_tts_complete"
    message: str = "实时对话生成和语音合成完成"
    assistant_response: str
    tts_success: bool
    segments_count: int
    total_segments: int
    db_saved: bool
    interrupted: bool | msgspec.UnsetType = msgspec.UNSET


class Timings(Event, frozen=True, kw_only=True):
    """Milliseconds since the last packet arrived, by stage (an extension, asked for in `start`)."""

    name = "timings"
    stages: dict[str, float]


class AudioComplete(Event, frozen=True, kw_only=True):
    """The one terminal event of a turn. `duration` is seconds of the recording, `size` its bytes."""

    name = "audio_complete"
    message: str = "音频接收、识别、对话生成和实时语音合成全部完成"
    filename: str
    filepath: str
    size: int
    packets: int
    duration: float
    oss_uploaded: bool
    oss_url: str
    transcription_success: bool
    transcription_text: str
    chat_success: bool
    assistant_response: str
    tts_success: bool


class PicturePacketAck(Event, frozen=True, kw_only=True):
    """`packet_ack` of `/v1/chat/vlm`: the same with the kind of the packet. `image` numbers the pictures after the
    first (an extension)."""

    name = "packet_ack"
    seq: int
    type: Literal["audio", "image"]
    received: int
    total: int | None
    image: int | msgspec.UnsetType = msgspec.UNSET


class VlmChatStarted(Event, frozen=True, kw_only=True):
    """`image_url` is the first picture's; `image_urls` (an extension) is there when there are several."""

    name = "vlm_chat_started"
    message: str = "开始生成多模态AI回答..."
    user_message: str
    image_url: str
    image_urls: list[str] | msgspec.UnsetType = msgspec.UNSET


class VlmChatSkipped(Event, frozen=True, kw_only=True):
    name = "vlm_chat_started"
    message: str = "跳过对话生成：语音识别失败或结果为空"


class VlmChatChunk(ChatChunk, frozen=True, kw_only=True):
    name = "vlm_chat_chunk"


class VlmChatTtsComplete(Event, frozen=True, kw_only=True):
    """`audio_chunks` is how many `audio_stream` data were sent. The rest are extensions: `interrupted` is there when
    true, the others for a device that sent `start`."""

    name = "vlm_chat_tts_complete"
    message: str = "VLM对话和TTS合成完成"
    user_message: str
    assistant_response: str
    audio_chunks: int
    interrupted: bool | msgspec.UnsetType = msgspec.UNSET
    tts_success: bool | msgspec.UnsetType = msgspec.UNSET
    db_saved: bool | msgspec.UnsetType = msgspec.UNSET


class VlmComplete(Event, frozen=True, kw_only=True):
    """The one terminal event of a turn with pictures. Sizes in bytes, `duration` in seconds of the recording.

    `image_files` (an extension) is there when there are several pictures, `oss_uploaded` for a device that sent
    `start`.
    """

    name = "vlm_complete"
    message: str = "VLM处理完成"
    audio_file: str
    image_file: str
    audio_size: int
    image_size: int
    duration: float
    transcription: str
    vlm_response: str
    image_files: list[str] | msgspec.UnsetType = msgspec.UNSET
    oss_uploaded: bool | msgspec.UnsetType = msgspec.UNSET


class ErrorEvent(Event, frozen=True, kw_only=True):
    """`message` says what happened and what to do; `code` is stable for programs; `missing` lists packets to send
    again, on the picture socket with the `type` of upload and the number of the `image` that they belong to."""

    name = "error"
    message: str
    code: str | msgspec.UnsetType = msgspec.UNSET
    param: str | msgspec.UnsetType = msgspec.UNSET
    missing: list[int] | msgspec.UnsetType = msgspec.UNSET
    type: Literal["audio", "image"] | msgspec.UnsetType = msgspec.UNSET
    image: int | msgspec.UnsetType = msgspec.UNSET
    retryable: bool | msgspec.UnsetType = msgspec.UNSET


_encoder = msgspec.json.Encoder()


def encode(event: Event) -> str:
    """Render an event as its text message. Bytes become standard base64."""
    return _encoder.encode({event.name: event}).decode()
