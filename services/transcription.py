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
from services.known_voices import known_voices, named
from services.listening import in_pieces
from services.pieces import pieces_of
from services.ports import (
    AnyRecogniser,
    Cancel,
    FileRecogniser,
    Heard,
    HearingOptions,
    Link,
    LiveTranscription,
    Recording,
    ShortRecogniser,
    SoundFile,
    StreamRecogniser,
)
from services.readable_files import readable_file
from services.side_by_side import side_by_side
from services.sound_files import Length, pcm_of

_HEARING: tuple[Kind, ...] = ("asr", "asr-file", "asr-realtime")
_KNOWN_MODELS = 64
"""Recognisers that are kept: strangers' names must not fill the memory."""
_APPEND_BYTES = 32_000
"""A second of sound for each message to a model that hears over a connection."""


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
        hearing = _Hearing(asked, sound, key=key, cancel=cancel)
        if recogniser.kind == "file":
            yield from hearing.as_a_task(recogniser)
        elif recogniser.kind == "short":
            yield from hearing.in_calls(recogniser)
        else:
            yield from hearing.over_a_connection(recogniser)

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


class _Hearing:
    """One recording on its way to its text. Threads: the request's own."""

    def __init__(self, asked: Asked, sound: SoundFile | Link, *, key: ApiKey, cancel: CancelToken) -> None:
        self._asked, self._sound = asked, sound
        self._key, self._cancel = key, cancel
        self._length = Length()
        self._options = HearingOptions(
            languages=asked.languages,
            context=asked.context,
            with_speakers=asked.format == "diarized_json",
            speakers=0 if asked.voices else len(asked.speakers),
        )

    # --- by a model that reads files

    def as_a_task(self, recogniser: FileRecogniser) -> Iterator[Heard | Transcription]:
        whole = self._named(recogniser)
        if self._asked.format != "diarized_json":  # there the speakers' turns are told instead
            yield Heard(text=whole.text, request_id=whole.request_id)
        yield whole

    def _named(self, recogniser: FileRecogniser) -> Transcription:
        voices = known_voices(self._asked.speakers, self._asked.voices, cancel=self._cancel)
        if isinstance(self._sound, Link):
            return named(self._read(recogniser, self._sound), voices, self._asked.speakers)
        with readable_file(self._sound, length=self._length, cancel=self._cancel, before=voices.pcm) as readable:
            heard = self._read(recogniser, readable)
        whole = dataclasses.replace(
            heard, duration_s=self._length.seconds, language=heard.language or self._options.language
        )
        return named(whole, voices, self._asked.speakers)

    def _read(self, recogniser: FileRecogniser, sound: SoundFile | Link) -> Transcription:
        return recogniser.transcribe_file(sound, options=self._options, key=self._key, cancel=self._cancel)

    # --- by a model that hears five minutes

    def in_calls(self, recogniser: ShortRecogniser) -> Iterator[Heard | Transcription]:
        def hear(sound: Recording | Link, stop: Cancel) -> Iterator[Heard]:
            return recogniser.hear(sound, options=self._options, key=self._key, cancel=stop)

        if isinstance(self._sound, Link):
            yield from self._collected(hear(self._sound, self._cancel))
            return
        pieces = pieces_of(self._sound, silence_ms=self._asked.silence_ms, length=self._length, cancel=self._cancel)
        yield from self._collected(side_by_side(pieces, hear, cancel=self._cancel))

    # --- by a model that hears while the sound comes

    def over_a_connection(self, recogniser: StreamRecogniser) -> Iterator[Heard | Transcription]:
        live = recogniser.open(is_paced=False, key=self._key, cancel=self._cancel, options=self._options)
        try:
            yield from self._collected(self._told_by(live))
        finally:
            live.close()

    def _told_by(self, live: LiveTranscription) -> Iterator[Heard]:
        assert not isinstance(self._sound, Link)
        told = ""
        sound = pcm_of(self._sound, length=self._length, cancel=self._cancel)
        for pcm in in_pieces(sound, size_bytes=_APPEND_BYTES):
            live.append(pcm)
            if len(text := join_texts(live.texts)) > len(told):
                yield Heard(text=text[len(told) :])
                told = text
        whole = live.finish()
        yield Heard(text=whole.text[len(told) :], language=whole.language)

    def _collected(self, pieces: Iterator[Heard]) -> Iterator[Heard | Transcription]:
        """Yield the pieces, then what they are together."""
        text, language, request_id, tokens = "", "", "", None
        for piece in pieces:
            text, language = text + piece.text, language or piece.language
            request_id, tokens = request_id or piece.request_id, piece.tokens or tokens
            yield piece
        yield Transcription(
            text=text,
            duration_s=self._length.seconds,
            language=language or self._options.language,
            tokens=tokens,
            request_id=request_id,
        )
