"""The vendor's words: what it sends, as records, and what its errors mean to us.

One module for each topic; wire oddities are named where they are handled. Nothing here sends or waits.
"""

from protocol.dashscope.chat import ChatChunkBody, read_chunk
from protocol.dashscope.failures import Failure, read_failure, renamed
from protocol.dashscope.realtime import (
    RealtimeError,
    RealtimeEvent,
    RealtimeResponse,
    close_failure,
    read_event,
    realtime_failure,
)
from protocol.dashscope.recognition import (
    TaskBody,
    UploadPolicy,
    is_no_speech,
    is_not_fetched,
    read_recognition,
    read_task,
    read_transcription,
    read_upload_policy,
    result_url,
)
from protocol.dashscope.synthesis import SpeechEvent, billed_characters, read_speech

__all__ = [
    "ChatChunkBody",
    "Failure",
    "RealtimeError",
    "RealtimeEvent",
    "RealtimeResponse",
    "SpeechEvent",
    "TaskBody",
    "UploadPolicy",
    "billed_characters",
    "close_failure",
    "is_no_speech",
    "is_not_fetched",
    "read_chunk",
    "read_event",
    "read_failure",
    "read_recognition",
    "read_speech",
    "read_task",
    "read_transcription",
    "read_upload_policy",
    "realtime_failure",
    "renamed",
    "result_url",
]
