"""Recognition of a whole recording in one call, no bucket needed."""

import base64
from typing import Final

from protocol.dashscope import is_no_speech, read_recognition
from protocol.errors import TooLarge, UpstreamError
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport
from services.ports import Cancel, Recording, Transcript

_MAX_BASE64_CHARS = 10_485_760
"""Source: DashScope HTTP reference §4.1 (10 MB after base64, five minutes)."""


class FlashRecogniser:
    """`qwen3-asr-flash` and its kin, native call. Source: DashScope HTTP reference §4.1."""

    is_live: Final = False
    reads_link: Final = False

    def __init__(self, transport: Transport, *, base_url: str, model: str) -> None:
        self._transport, self.model = transport, model
        self._url = f"{base_url}/services/aigc/multimodal-generation/generation"

    def transcribe(self, recording: Recording, *, key: ApiKey, cancel: Cancel) -> Transcript:
        """Return the text, empty for silence. Raises: TooLarge, UpstreamError, Cancelled."""
        body = {
            "model": self.model,
            "input": {"messages": [{"role": "user", "content": [{"audio": _data_uri(recording)}]}]},
            "parameters": {"asr_options": {"enable_itn": False}, "result_format": "message"},
        }
        try:
            with self._transport.post(self._url, body, key=key, cancel=cancel) as response:
                heard = read_recognition(response.read())
                return Transcript(text=heard.text, language=heard.language)
        except UpstreamError as error:
            if is_no_speech(error):
                return Transcript(text="")
            raise


def _data_uri(recording: Recording) -> str:
    encoded = base64.b64encode(recording.data).decode()
    if len(encoded) > _MAX_BASE64_CHARS:
        raise TooLarge(
            f"录音过大：{len(recording.data)} 字节超过此识别模型约 7 MB 的上限。请使用压缩格式或文件识别模型。",
            english=f"The recording is too large: {len(recording.data)} bytes; this model takes about 7 MB. "
            "Send a compressed format or choose a file transcription model.",
        )
    return f"data:{recording.container.content_type};base64,{encoded}"
