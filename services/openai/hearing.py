"""One recording heard by one recogniser, of whichever kind: by file, in calls of five minutes, over a connection."""

import dataclasses
from collections.abc import Generator, Iterator

from protocol.keys import ApiKey
from protocol.openai.transcription import Asked
from protocol.texts import join_texts
from protocol.transcription import Transcription
from services.flow import CancelToken
from services.listening import in_pieces
from services.openai.known_voices import known_voices, named
from services.openai.side_by_side import side_by_side
from services.ports import (
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
from services.sound.pieces import pieces_of
from services.sound.readable_files import readable_file
from services.sound.sound_files import AS_THEY_ARE, Length, pcm_of

_APPEND_BYTES = 32_000
"""A second of sound for each message to a model that hears over a connection."""


class Hearing:
    """One recording on its way to its text. Threads: the request's own.

    `as_they_are`: the containers that its model reads; files of other kinds are encoded anew.
    """

    def __init__(
        self,
        asked: Asked,
        sound: SoundFile | Link,
        *,
        key: ApiKey,
        cancel: CancelToken,
        as_they_are: tuple[str, ...] = AS_THEY_ARE,
    ) -> None:
        self._asked, self._sound, self._as_they_are = asked, sound, as_they_are
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

    def in_calls(self, recogniser: ShortRecogniser) -> Generator[Heard | Transcription]:
        def hear(sound: Recording | Link, stop: Cancel) -> Iterator[Heard]:
            return recogniser.hear(sound, options=self._options, key=self._key, cancel=stop)

        if isinstance(self._sound, Link):
            yield from self._collected(hear(self._sound, self._cancel))
            return
        pieces = pieces_of(
            self._sound,
            silence_ms=self._asked.silence_ms,
            length=self._length,
            cancel=self._cancel,
            as_they_are=self._as_they_are,
        )
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
