"""`/v1/audio/transcriptions`: a recording becomes text, with times and speakers where they were asked for.

Which recogniser.  Words alone come from the model that was asked for, as they are found. Times and speakers are never
invented: a format that shows them is served by a model that tells them, the one that was asked for if it does, else
FILE_ASR_MODEL, or DIARIZATION_ASR_MODEL for speakers. A link is the file model's as well, for its length is not known.

A recording that is too long for one call is cut at pauses; several pieces are heard at once and told in their order.
"""

from collections.abc import Callable, Generator
from functools import lru_cache

from protocol.errors import BadInput
from protocol.keys import ApiKey
from protocol.openai.transcription import Asked
from protocol.transcription import Transcription
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.known_models import Kind
from services.openai.hearing import Hearing
from services.ports import AnyRecogniser, Heard, Link, SoundFile

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
        hearing = Hearing(asked, sound, key=key, cancel=cancel)
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
