"""Translation of speech in one step, and of text. Both are chat completions with `translation_options`.

Source: the vendor's pages of audio and video translation (streamed only) and of Qwen-MT.
"""

import base64
from collections.abc import Iterator
from typing import Final

from protocol.dashscope import ChatChunkBody, is_no_speech, read_chunk
from protocol.dashscope.translation import read_translation, speech_body, text_body
from protocol.errors import UpstreamBroken, UpstreamError
from protocol.keys import ApiKey
from protocol.transcription import Tokens
from protocol.translation import Wording
from providers.dashscope.temporary_upload import RESOLVE
from providers.dashscope.transport import Transport, read_whole, request_id
from services.ports import Cancel, Heard, HearingOptions, Link, Recording, Translated


class SpeechInterpreter:
    """`qwen3-livetranslate-flash`: hears a recording and writes it down in another language. Threads: any."""

    kind: Final = "short"

    def __init__(self, transport: Transport, *, chat_url: str, model: str, target: str) -> None:
        self._transport, self._url, self.model, self._target = transport, chat_url, model, target

    def hear(self, sound: Recording | Link, *, options: HearingOptions, key: ApiKey, cancel: Cancel) -> Iterator[Heard]:
        """Yield the translation as it is found, nothing for silence. Raises: UpstreamError, Cancelled."""
        is_upload = isinstance(sound, Link) and sound.url.startswith("oss://")
        body = speech_body(
            model=self.model,
            sound=sound.url if isinstance(sound, Link) else _data_uri(sound),
            kind="" if isinstance(sound, Link) else sound.container.name,
            target=self._target,
            source=options.language,
        )
        try:
            with self._transport.stream(
                self._url, body, key=key, cancel=cancel, headers=RESOLVE if is_upload else {}
            ) as (name, batches):
                yield from _pieces(batches, name)
        except UpstreamError as error:
            if not is_no_speech(error):
                raise


def _data_uri(recording: Recording) -> str:
    return f"data:{recording.container.content_type};base64,{base64.b64encode(recording.data).decode()}"


def _pieces(batches: Iterator[list[bytes]], name: str) -> Iterator[Heard]:
    is_whole = False
    for data in (data for batch in batches for data in batch):
        if data == b"[DONE]":
            return
        chunk = read_chunk(data)
        is_whole = is_whole or any(choice.finish_reason for choice in chunk.choices)
        text = "".join(choice.delta.content or "" for choice in chunk.choices[:1])
        yield Heard(text=text, tokens=_tokens(chunk), request_id=name)
    if not is_whole:
        raise UpstreamBroken("翻译在中途断开了。", english="The translation broke off. Try again.", code="upstream_cut")


def _tokens(chunk: ChatChunkBody) -> Tokens | None:
    """Return what the call cost; nearly all of what goes in is sound."""
    if (usage := chunk.usage) is None:
        return None
    return Tokens(input=usage.prompt_tokens, output=usage.completion_tokens, audio=usage.prompt_tokens)


class TextTranslator:
    """`qwen-mt-*`. Threads: any."""

    def __init__(self, transport: Transport, *, chat_url: str, model: str) -> None:
        self._transport, self._url, self.model = transport, chat_url, model

    def translate(self, text: str, *, wording: Wording, key: ApiKey, cancel: Cancel) -> Translated:
        """Return the text in the other language. Raises: UpstreamError, Cancelled."""
        body = text_body(text, model=self.model, wording=wording)
        with self._transport.post(self._url, body, key=key, cancel=cancel) as response:
            return Translated(text=read_translation(read_whole(response, cancel)), request_id=request_id(response))
