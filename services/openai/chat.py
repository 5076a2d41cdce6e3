"""Chat completions for OpenAI's clients: a request in, the vendor's answer out, whole or streamed.

How it works.  A stream is passed on as it comes. A whole call is one call, too, unless the model only streams: then its
stream is gathered here. Which models those are is known for most (`Catalogue.is_stream_only`); the others say so by an
error, and are asked once more.
"""

import base64
import re
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from protocol.errors import UpstreamRefused
from protocol.keys import ApiKey
from protocol.media import wav_header
from protocol.openai import chat_answer
from protocol.openai.chat_gathered import SOUND_HZ, Gathering
from protocol.openai.chat_request import ChatCall
from protocol.openai.chat_stream import ChunkWriter, cut_off
from services.catalogue import Catalogue
from services.ports import Cancel, Completions, RawStream
from services.sound.encoding import open_encoder

Json = dict[str, Any]
Named = Callable[[str], None]
"""Told the vendor's name for a call, as soon as it is known."""

_WANTS_STREAM = re.compile(r"only support stream|stream=true|set to false for non-streaming")
"""How the vendor says that a model only streams. Source: DashScope HTTP reference §2.5, §2.6."""
_CUMULATIVE = re.compile(r"qwen-mt-(plus|turbo)")
"""Models that repeat their whole text in every chunk. Source: the vendor's Qwen-MT page."""
_NATIVE = re.compile(r"farui-")
"""Models that only the vendor's own API serves. Source: the vendor's model pages."""


class ChatCompletions:
    """Answers for clients of OpenAI's chat completions. Threads: any.

    `native` serves the models that the vendor's compatible API lacks.
    """

    def __init__(self, compatible: Completions, catalogue: Catalogue, *, native: Completions) -> None:
        self._compatible, self._native, self._catalogue = compatible, native, catalogue

    def answer(self, call: ChatCall, *, key: ApiKey, cancel: Cancel, named: Named) -> bytes:
        """Return a whole answer. Raises: UpstreamError, BadInput, Cancelled."""
        model = self._model(call)
        if call.sound_format or self._catalogue.is_stream_only(model):
            return self._gathered(call, model, key=key, cancel=cancel, named=named)
        try:
            return self._asked(call, model, key=key, cancel=cancel, named=named)
        except UpstreamRefused as error:
            if not _WANTS_STREAM.search(error.english):
                raise
            return self._gathered(call, model, key=key, cancel=cancel, named=named)

    def stream(self, call: ChatCall, *, key: ApiKey, cancel: Cancel, named: Named) -> Generator[bytes, None, None]:
        """Yield a streamed answer, its events ready for the wire. Closing it ends the vendor's call.

        Raises: UpstreamError (also in mid-answer), BadInput, Cancelled.
        """
        model = self._model(call)
        with self._streaming(call, model, key=key, cancel=cancel) as answer:
            named(answer.request_id)
            writer = ChunkWriter(
                _head(model, answer.request_id),
                has_usage=call.has_usage,
                is_padded=call.is_padded,
                has_functions=call.has_functions,
                has_sound=bool(call.sound_format),
                is_cumulative=_CUMULATIVE.match(model) is not None,
            )
            for batch in answer.batches:
                if events := writer.feed(batch):
                    yield events
            if end := writer.finish():
                yield end

    def _streaming(
        self, call: ChatCall, model: str, *, key: ApiKey, cancel: Cancel
    ) -> AbstractContextManager[RawStream]:
        body = call.body(model=model, is_stream=True)
        return self._vendor(model).stream(
            body, uses_uploads=call.uses_uploads, key=key, cancel=cancel, headers=call.headers
        )

    def _vendor(self, model: str) -> Completions:
        return self._native if _NATIVE.match(model) else self._compatible

    def _model(self, call: ChatCall) -> str:
        return self._catalogue.resolve_chat(call.model, has_pictures=call.has_pictures)

    def _asked(self, call: ChatCall, model: str, *, key: ApiKey, cancel: Cancel, named: Named) -> bytes:
        body = call.body(model=model, is_stream=False)
        answer = self._vendor(model).ask(
            body, uses_uploads=call.uses_uploads, key=key, cancel=cancel, headers=call.headers
        )
        named(answer.request_id)
        return _written(_head(model, answer.request_id) | chat_answer.read(answer.body), call)

    def _gathered(self, call: ChatCall, model: str, *, key: ApiKey, cancel: Cancel, named: Named) -> bytes:
        with self._streaming(call, model, key=key, cancel=cancel) as stream:
            named(stream.request_id)
            gathering = Gathering(_head(model, stream.request_id), is_cumulative=_CUMULATIVE.match(model) is not None)
            for batch in stream.batches:
                gathering.feed(batch)
        if not gathering.is_whole:
            raise cut_off()
        return _written(_voiced(gathering, call.sound_format), call)


def _head(model: str, request_id: str) -> Json:
    """Return what an answer is called where the vendor does not say."""
    return {"id": f"chatcmpl-{request_id}", "created": int(time.time()), "model": model}


def _written(answer: Json, call: ChatCall) -> bytes:
    return msgspec.json.encode(chat_answer.tidy(answer, has_functions=call.has_functions))


def _voiced(gathering: Gathering, sound_format: str) -> Json:
    """Return the gathered answer with its sound in the format that was asked for."""
    answer = gathering.answer()
    for choice in answer["choices"]:
        if sound := choice["message"].get("audio"):
            pcm = gathering.pcm(choice["index"])
            sound["data"] = base64.b64encode(_encoded(pcm, sound_format)).decode()
    return answer


def _encoded(pcm: bytes, sound_format: str) -> bytes:
    match sound_format:
        case "pcm16":
            return pcm
        case "mp3" | "flac" | "opus" | "aac":
            encoder = open_encoder(sound_format, from_hz=SOUND_HZ)
            return encoder.feed(pcm) + encoder.finish()
    return wav_header(pcm_bytes=len(pcm), rate_hz=SOUND_HZ) + pcm
