"""How a turn is told on each of the two sockets: the same facts, the contract's words.

The story of a turn (`services/turn.py`) is one; what differs between `/v1/chat/audio` and `/v1/chat/vlm` in what a
device hears of it stands here, side by side.  Source: docs/protocol.md
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from protocol.events import (
    AudioComplete,
    ChatChunk,
    ChatSkipped,
    ChatStarted,
    ChatTtsComplete,
    Connected,
    ErrorEvent,
    Event,
    PacketAck,
    PicturePacketAck,
    VlmChatChunk,
    VlmChatSkipped,
    VlmChatStarted,
    VlmChatTtsComplete,
    VlmComplete,
)
from protocol.packets import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """What was uploaded, and where it will be readable; `is_stored` is the truth about it at the turn's end."""

    name: str
    size_bytes: int
    url: str
    is_stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a turn went. `chunks` is the messages of sound, `spoken` of `segments` the pieces of speech."""

    question: str
    answer: str
    is_answered: bool
    is_spoken: bool
    spoken: int
    segments: int
    chunks: int
    is_saved: bool
    is_interrupted: bool
    recording: StoredFile | None
    pictures: tuple[StoredFile, ...]
    packets: int
    duration_s: float
    is_detailed: bool


class Telling(Protocol):
    """The words of one socket."""

    has_pictures: bool
    """Whether a person may show pictures and type here; then a turn begins with `end`, not with the last packet."""
    prefix: str
    """What the names of its files begin with."""

    def connected(self, session_id: str) -> Event: ...

    def acknowledged(self, packet: Packet, *, received: int, total: int | None) -> Event: ...

    def lacking(
        self, error: ErrorEvent, *, kind: Literal["audio", "image"], image: int, missing: list[int]
    ) -> Event: ...

    def answering(self, question: str, picture_urls: list[str]) -> Event: ...

    def skipping(self) -> Event: ...

    def chunk(self, text: str, *, so_far: str | None) -> Event: ...

    def answered(self, outcome: Outcome) -> Event: ...

    def complete(self, outcome: Outcome) -> Event:
        """Return the one terminal event."""


def _so_far(text: str | None) -> str | msgspec.UnsetType:
    return msgspec.UNSET if text is None else text


def _if_true(flag: bool) -> bool | msgspec.UnsetType:
    return True if flag else msgspec.UNSET


class AudioTelling:
    """`/v1/chat/audio`."""

    has_pictures = False
    prefix = ""

    def connected(self, session_id: str) -> Event:
        return Connected(session_id=session_id)

    def acknowledged(self, packet: Packet, *, received: int, total: int | None) -> Event:
        return PacketAck(seq=packet.seq, received=received, total=total)

    def lacking(self, error: ErrorEvent, *, kind: Literal["audio", "image"], image: int, missing: list[int]) -> Event:
        return msgspec.structs.replace(error, missing=missing)

    def answering(self, question: str, picture_urls: list[str]) -> Event:
        return ChatStarted(user_message=question)

    def skipping(self) -> Event:
        return ChatSkipped()

    def chunk(self, text: str, *, so_far: str | None) -> Event:
        return ChatChunk(chunk=text, full_response=_so_far(so_far))

    def answered(self, outcome: Outcome) -> Event:
        return ChatTtsComplete(
            assistant_response=outcome.answer,
            tts_success=outcome.is_spoken,
            segments_count=outcome.spoken,
            total_segments=outcome.segments,
            db_saved=outcome.is_saved,
            interrupted=_if_true(outcome.is_interrupted),
        )

    def complete(self, outcome: Outcome) -> Event:
        recording = outcome.recording or _NOTHING
        return AudioComplete(
            filename=recording.name,
            filepath=f"audio_files/{recording.name}",
            size=recording.size_bytes,
            packets=outcome.packets,
            duration=round(outcome.duration_s, 2),
            oss_uploaded=recording.is_stored,
            oss_url=recording.url,
            transcription_success=bool(outcome.question),
            transcription_text=outcome.question,
            chat_success=outcome.is_answered,
            assistant_response=outcome.answer,
            tts_success=outcome.is_spoken,
        )


_NOTHING = StoredFile(name="", size_bytes=0, url="", is_stored=False)


class VlmTelling:
    """`/v1/chat/vlm`."""

    has_pictures = True
    prefix = "vlm_"

    def connected(self, session_id: str) -> Event:
        return Connected(message="VLM连接已建立", session_id=session_id)

    def acknowledged(self, packet: Packet, *, received: int, total: int | None) -> Event:
        image = packet.picture if packet.picture > 1 else msgspec.UNSET
        return PicturePacketAck(seq=packet.seq, type=packet.kind, received=received, total=total, image=image)

    def lacking(self, error: ErrorEvent, *, kind: Literal["audio", "image"], image: int, missing: list[int]) -> Event:
        number = image if image > 1 else msgspec.UNSET
        return msgspec.structs.replace(error, missing=missing, type=kind, image=number)

    def answering(self, question: str, picture_urls: list[str]) -> Event:
        return VlmChatStarted(
            user_message=question,
            image_url=picture_urls[0] if picture_urls else "",
            image_urls=picture_urls if len(picture_urls) > 1 else msgspec.UNSET,
        )

    def skipping(self) -> Event:
        return VlmChatSkipped()

    def chunk(self, text: str, *, so_far: str | None) -> Event:
        return VlmChatChunk(chunk=text, full_response=_so_far(so_far))

    def answered(self, outcome: Outcome) -> Event:
        return VlmChatTtsComplete(
            user_message=outcome.question,
            assistant_response=outcome.answer,
            audio_chunks=outcome.chunks,
            interrupted=_if_true(outcome.is_interrupted),
            tts_success=outcome.is_spoken if outcome.is_detailed else msgspec.UNSET,
            db_saved=outcome.is_saved if outcome.is_detailed else msgspec.UNSET,
        )

    def complete(self, outcome: Outcome) -> Event:
        recording, pictures = outcome.recording or _NOTHING, outcome.pictures
        files = [file for file in (outcome.recording, *pictures) if file]
        return VlmComplete(
            audio_file=recording.name,
            image_file=pictures[0].name if pictures else "",
            audio_size=recording.size_bytes,
            image_size=sum(picture.size_bytes for picture in pictures),
            duration=round(outcome.duration_s, 2),
            transcription=outcome.question,
            vlm_response=outcome.answer,
            image_files=[picture.name for picture in pictures] if len(pictures) > 1 else msgspec.UNSET,
            oss_uploaded=all(file.is_stored for file in files) if outcome.is_detailed else msgspec.UNSET,
        )
