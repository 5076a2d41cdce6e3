"""`/v1/audio/transcriptions`: a recording becomes text, with times and speakers where they were asked for.

Which recogniser.  Words alone come from the model that was asked for, as they are found. Times and speakers are never
invented: a format that shows them is served by a model that tells them, the one that was asked for if it does, else
FILE_ASR_MODEL, or DIARIZATION_ASR_MODEL for speakers. A link is the file model's as well, for its length is not known.

A recording that is too long for one call is cut at pauses; several pieces are heard at once and told in their order.
"""

import dataclasses
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache

from protocol.errors import BadInput
from protocol.keys import ApiKey
from protocol.openai.transcription import Asked
from protocol.texts import join_texts
from protocol.transcription import Transcription
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.known_models import Kind
from services.known_voices import KnownVoices, known_voices, named
from services.ports import (
    AnyRecogniser,
    FileRecogniser,
    Heard,
    HearingOptions,
    Link,
    ShortRecogniser,
    SoundFile,
    StreamRecogniser,
)
from services.side_by_side import side_by_side
from services.sound_files import Length, pcm_of, pieces_of, readable_file

_HEARING: tuple[Kind, ...] = ("asr", "asr-file", "asr-realtime")
_KNOWN_MODELS = 64
"""Recognisers that are kept: strangers' names must not fill the memory."""


class TranscriptionService:
    """Transcribes recordings. Threads: any."""

    def __init__(self, build: Callable[[str], AnyRecogniser], *, catalogue: Catalogue, file_model: str) -> None:
        self._recogniser = lru_cache(maxsize=_KNOWN_MODELS)(build)
        self._catalogue, self._file_model = catalogue, file_model

    def transcribe(self, asked: Asked, sound: SoundFile | Link, *, key: ApiKey, cancel: CancelToken) -> Transcription:
        """Return the whole transcription. Raises: BadInput, UpstreamError, Cancelled."""
        *_, last = self.listen(asked, sound, key=key, cancel=cancel)
        assert isinstance(last, Transcription)
        return last

    def listen(
        self, asked: Asked, sound: SoundFile | Link, *, key: ApiKey, cancel: CancelToken
    ) -> Generator[Heard | Transcription]:
        """Yield the text as it is found, then the whole transcription. Raises: BadInput, UpstreamError, Cancelled."""
        recogniser = self._chosen(asked, is_link=isinstance(sound, Link))
        options = HearingOptions(
            languages=asked.languages,
            context=asked.context,
            with_speakers=asked.format == "diarized_json",
            speakers=0 if asked.voices else len(asked.speakers),
        )
        if recogniser.kind == "file":
            heard = _transcribed(recogniser, sound, asked, options, key, cancel)
            if asked.format != "diarized_json":  # there the speakers' turns are told instead
                yield Heard(text=heard.text, request_id=heard.request_id)
            yield heard
            return
        length = Length()
        if isinstance(sound, Link):
            assert recogniser.kind == "short"
            pieces = recogniser.hear(sound, options=options, key=key, cancel=cancel)
        elif recogniser.kind == "live":
            pieces = _heard_live(recogniser, sound, options, length, key, cancel)
        else:
            pieces = _heard_in_pieces(recogniser, sound, asked, options, length, key, cancel)
        yield from _collected(pieces, length)

    def _chosen(self, asked: Asked, *, is_link: bool) -> AnyRecogniser:
        recogniser = self._recogniser(self._resolved(asked.model))
        if asked.format == "diarized_json":
            tells = recogniser.kind == "file" and recogniser.tells_speakers
            return recogniser if tells else self._recogniser(self._catalogue.defaults.diarization)
        if recogniser.kind == "file":
            return recogniser
        is_streamed_link = is_link and asked.is_stream and recogniser.kind == "short"
        if asked.needs_times or (is_link and not is_streamed_link):
            return self._recogniser(self._file_model)
        return recogniser

    def _resolved(self, name: str) -> str:
        known = self._catalogue.find(name)
        if known and known.kind not in _HEARING:
            raise BadInput(f"The model {name!r} does not transcribe.", code="unsupported_value", param="model")
        return self._catalogue.resolve_transcription(name)


def _transcribed(
    recogniser: FileRecogniser,
    sound: SoundFile | Link,
    asked: Asked,
    options: HearingOptions,
    key: ApiKey,
    cancel: CancelToken,
) -> Transcription:
    if isinstance(sound, Link):
        heard = recogniser.transcribe_file(sound, options=options, key=key, cancel=cancel)
        return named(heard, KnownVoices(), asked.speakers)
    length, voices = Length(), known_voices(asked.speakers, asked.voices, cancel=cancel)
    with readable_file(sound, length=length, cancel=cancel, before=voices.pcm) as readable:
        heard = recogniser.transcribe_file(readable, options=options, key=key, cancel=cancel)
    heard = dataclasses.replace(heard, duration_s=length.seconds, language=heard.language or options.language)
    return named(heard, voices, asked.speakers)


def _heard_in_pieces(
    recogniser: ShortRecogniser,
    sound: SoundFile,
    asked: Asked,
    options: HearingOptions,
    length: Length,
    key: ApiKey,
    cancel: CancelToken,
) -> Iterator[Heard]:
    recordings = pieces_of(sound, silence_ms=asked.silence_ms, length=length, cancel=cancel)
    yield from side_by_side(
        recordings,
        lambda recording, stop: recogniser.hear(recording, options=options, key=key, cancel=stop),
        cancel=cancel,
    )


def _heard_live(
    recogniser: StreamRecogniser,
    sound: SoundFile,
    options: HearingOptions,
    length: Length,
    key: ApiKey,
    cancel: CancelToken,
) -> Iterator[Heard]:
    live = recogniser.open(is_paced=False, key=key, cancel=cancel, options=options)
    try:
        told = ""
        for pcm in pcm_of(sound, length=length, cancel=cancel):
            live.append(pcm)
            if len(text := join_texts(live.texts)) > len(told):
                yield Heard(text=text[len(told) :])
                told = text
        whole = live.finish()
        yield Heard(text=whole.text[len(told) :], language=whole.language)
    finally:
        live.close()


def _collected(pieces: Iterator[Heard], length: Length) -> Iterator[Heard | Transcription]:
    """Yield the pieces, then what they are together."""
    text, language, request_id, tokens = "", "", "", None
    for piece in pieces:
        text, language = text + piece.text, language or piece.language
        request_id, tokens = request_id or piece.request_id, piece.tokens or tokens
        yield piece
    yield Transcription(text=text, duration_s=length.seconds, language=language, tokens=tokens, request_id=request_id)
