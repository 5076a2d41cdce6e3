"""Recognition of a whole recording in one call, no bucket needed."""

import base64
from collections.abc import Iterator
from typing import Final

from protocol.dashscope import is_no_speech, read_recognition
from protocol.dashscope.recognition import read_recognition_event
from protocol.errors import TooLarge, UpstreamBroken, UpstreamError
from protocol.keys import ApiKey
from providers.dashscope.temporary_upload import RESOLVE
from providers.dashscope.transport import Transport
from services.ports import ANYTHING, Cancel, Heard, HearingOptions, Link, Recording, Transcript

_STREAM = {"X-DashScope-SSE": "enable"}

_MAX_BASE64_CHARS = 10_485_760
"""Source: DashScope HTTP reference §4.1 (10 MB after base64, five minutes)."""


class FlashRecogniser:
    """`qwen3-asr-flash` and its kin, native call. Source: DashScope HTTP reference §4.1."""

    kind: Final = "short"
    is_live: Final = False
    reads_link: Final = False

    def __init__(self, transport: Transport, *, base_url: str, model: str) -> None:
        self._transport, self.model = transport, model
        self._url = f"{base_url}/services/aigc/multimodal-generation/generation"

    def transcribe(self, recording: Recording, *, key: ApiKey, cancel: Cancel) -> Transcript:
        """Return the text, empty for silence. Raises: TooLarge, UpstreamError, Cancelled."""
        body = self._body(_data_uri(recording), ANYTHING)
        try:
            with self._transport.post(self._url, body, key=key, cancel=cancel) as response:
                heard = read_recognition(response.read())
                return Transcript(text=heard.text, language=heard.language)
        except UpstreamError as error:
            if is_no_speech(error):
                return Transcript(text="")
            raise

    def hear(self, sound: Recording | Link, *, options: HearingOptions, key: ApiKey, cancel: Cancel) -> Iterator[Heard]:
        """Yield the text as it is found, nothing for silence. Raises: TooLarge, UpstreamError, Cancelled."""
        body = self._body(sound.url if isinstance(sound, Link) else _data_uri(sound), options, incremental_output=True)
        headers = _STREAM | (RESOLVE if isinstance(sound, Link) and sound.url.startswith("oss://") else {})
        try:
            yield from _pieces(self._transport.events(self._url, body, key=key, cancel=cancel, headers=headers))
        except UpstreamError as error:
            if not is_no_speech(error):
                raise
            yield Heard(request_id=error.request_id)

    def _body(self, audio: str, options: HearingOptions, **more: bool) -> dict[str, object]:
        said = [{"role": "user", "content": [{"audio": audio}]}]
        context = [{"role": "system", "content": [{"text": options.context}]}] if options.context else []
        language = {"language": options.language} if options.language else {}
        parameters = {"asr_options": {"enable_itn": False, **language}, "result_format": "message", **more}
        return {"model": self.model, "input": {"messages": [*context, *said]}, "parameters": parameters}


def _pieces(events: Iterator[bytes]) -> Iterator[Heard]:
    is_whole = False
    for data in events:
        event = read_recognition_event(data)
        is_whole = is_whole or event.is_last
        yield Heard(text=event.delta, language=event.language, tokens=event.tokens, request_id=event.request_id)
    if not is_whole:
        raise UpstreamBroken(
            "语音识别在中途断开了。", english="The recognition broke off. Try again.", code="upstream_cut"
        )


def _data_uri(recording: Recording) -> str:
    encoded = base64.b64encode(recording.data).decode()
    if len(encoded) > _MAX_BASE64_CHARS:
        raise TooLarge(
            f"录音过大：{len(recording.data)} 字节超过此识别模型约 7 MB 的上限。请使用压缩格式或文件识别模型。",
            english=f"The recording is too large: {len(recording.data)} bytes; this model takes about 7 MB. "
            "Send a compressed format or choose a file transcription model.",
        )
    return f"data:{recording.container.content_type};base64,{encoded}"
