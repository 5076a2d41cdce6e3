"""`/v1/audio/translations`: speech in any language becomes text in English, or in the language that was asked for.

In one step, by a model that hears and translates, where nothing is asked that it cannot do: words alone, in languages
that it knows. In two steps, a transcription (`services/openai/transcription.py`) and a translation of its text, for
times, terms, a prompt, links and other languages; and for everything where the key or the region lacks the model of the
one step. Times are those of the spoken sentences.

Sentences are translated some at a time, a line each, because a sentence alone has no context; a translator that answers
with another number of lines is asked for each sentence by itself.
"""

import dataclasses
import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from protocol.errors import BadInput, UpstreamError, UpstreamForbidden, UpstreamNotFound
from protocol.keys import ApiKey
from protocol.openai.transcription import Asked
from protocol.openai.translation import Wanted
from protocol.texts import join_texts
from protocol.transcription import Sentence, Transcription
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.known_models import INTERPRETED, Kind
from services.openai.hearing import Hearing
from services.openai.side_by_side import at_once
from services.openai.text_batches import Batch, batches_of, lines_of, passages_of
from services.openai.transcription import TranscriptionService
from services.ports import Heard, Link, ShortRecogniser, SoundFile, TextTranslator

_log = logging.getLogger(__name__)
_TRANSLATING: tuple[Kind, ...] = ("translation", "asr", "asr-file", "asr-realtime")
_READ_BY_INTERPRETERS = ("wav", "mp3")
"""What their documentation shows; other kinds are encoded as MP3."""


class TranslationService:
    """Translates recordings. Threads: any.

    `interpreter` makes the model of the one step for (model, target language), `translator` one that translates texts.
    """

    def __init__(
        self,
        transcription: TranscriptionService,
        *,
        interpreter: Callable[[str, str], ShortRecogniser],
        translator: Callable[[str], TextTranslator],
        text_model: str,
        catalogue: Catalogue,
    ) -> None:
        self._transcription, self._catalogue = transcription, catalogue
        self._interpreter, self._translator, self._text_model = interpreter, translator, text_model

    def translate(self, wanted: Wanted, sound: SoundFile | Link, *, key: ApiKey, cancel: CancelToken) -> Transcription:
        """Return the whole translation. Raises: BadInput, UpstreamError, Cancelled."""
        *_, last = self.listen(wanted, sound, key=key, cancel=cancel)
        assert isinstance(last, Transcription)
        return last

    def listen(
        self, wanted: Wanted, sound: SoundFile | Link, *, key: ApiKey, cancel: CancelToken
    ) -> Generator[Heard | Transcription]:
        """Yield the translation as it is found, then the whole of it. Raises: BadInput, UpstreamError, Cancelled."""
        model = self._resolved(wanted.model)
        if not _takes_one_step(model, wanted) or isinstance(sound, Link):
            yield from self._in_two_steps(wanted, sound, model, key=key, cancel=cancel)
            return
        with closing(self._interpreted(wanted, sound, model, key=key, cancel=cancel)) as heard:
            try:
                first = next(heard)
            except (UpstreamForbidden, UpstreamNotFound) as error:
                if wanted.model == model:  # who names it shall know that it cannot be had
                    raise
                _log.warning("%s cannot be had with this key (%s): translating in two steps", model, error.vendor_code)
                heard = self._in_two_steps(wanted, sound, model, key=key, cancel=cancel)
                first = next(heard)
            yield first
            yield from heard

    def _resolved(self, name: str) -> str:
        known = self._catalogue.find(name)
        if known and known.kind not in _TRANSLATING:
            raise BadInput(f"The model {name!r} does not translate speech.", code="unsupported_value", param="model")
        model = self._catalogue.resolve_translation(name)
        if "livetranslate" in model and "realtime" in model:
            raise BadInput(
                f"{model!r} is not supported: use qwen3-livetranslate-flash.", code="unsupported_value", param="model"
            )
        return model

    def _interpreted(
        self, wanted: Wanted, sound: SoundFile | Link, model: str, *, key: ApiKey, cancel: CancelToken
    ) -> Generator[Heard | Transcription]:
        asked = Asked(model=model, format="json", languages=_spoken(wanted))
        hearing = Hearing(asked, sound, key=key, cancel=cancel, as_they_are=_READ_BY_INTERPRETERS)
        return hearing.in_calls(self._interpreter(model, wanted.wording.target))

    def _in_two_steps(
        self, wanted: Wanted, sound: SoundFile | Link, model: str, *, key: ApiKey, cancel: CancelToken
    ) -> Generator[Heard | Transcription]:
        recogniser = "" if _is_interpreter(model) or _is_text_model(model) else model
        asked = Asked(
            model=recogniser, format="verbose_json" if wanted.needs_times else "json", languages=_spoken(wanted)
        )
        said = self._transcription.transcribe(asked, sound, key=key, cancel=cancel)
        translator = self._translator(model if _is_text_model(model) else self._text_model)
        try:
            yield from _Translating(said, wanted, translator, key=key, cancel=cancel).told()
        except UpstreamError as error:
            error.is_spent = True  # the transcription has been paid for
            raise


def _takes_one_step(model: str, wanted: Wanted) -> bool:
    wording = wanted.wording
    knows_both = {wording.target, wording.source or wording.target} <= INTERPRETED
    return _is_interpreter(model) and knows_both and not (wanted.needs_times or wording.terms or wording.domain)


def _is_interpreter(model: str) -> bool:
    return "livetranslate" in model


def _is_text_model(model: str) -> bool:
    return model.startswith("qwen-mt")


def _spoken(wanted: Wanted) -> tuple[str, ...]:
    return (wanted.wording.source,) if wanted.wording.source else ()


class _Translating:
    """One transcription on its way into another language. Threads: the request's own, and helpers that it joins."""

    def __init__(
        self, said: Transcription, wanted: Wanted, translator: TextTranslator, *, key: ApiKey, cancel: CancelToken
    ) -> None:
        self._said, self._wording, self._translator = said, wanted.wording, translator
        self._key, self._cancel = key, cancel
        self._sentences = tuple(s for s in said.sentences if s.text.strip()) if wanted.needs_times else ()

    def told(self) -> Generator[Heard | Transcription]:
        """Yield the translation as it comes, then the whole of it."""
        texts, whole = [], ""
        for heard in self._lines():
            longer = join_texts([whole, heard.text])
            yield Heard(text=longer[len(whole) :], request_id=heard.request_id)
            texts.append(heard.text)
            whole = longer
        yield dataclasses.replace(self._said, text=whole, sentences=tuple(self._timed(texts)), tokens=None, names={})

    def _timed(self, texts: list[str]) -> Iterator[Sentence]:
        for sentence, text in zip(self._sentences, texts, strict=False):
            yield dataclasses.replace(sentence, text=text, words=())

    def _lines(self) -> Iterator[Heard]:
        """Yield the translation of every sentence, or passage where nobody told the sentences."""
        texts = (s.text for s in self._sentences) if self._sentences else passages_of(self._said.text)
        with closing(at_once(batches_of(texts), self._translated, cancel=self._cancel)) as translated:
            for lines in translated:
                yield from lines

    def _translated(self, batch: Batch, stop: CancelToken) -> Iterator[Heard]:
        told = self._one("\n".join(batch), stop)
        lines = lines_of(told.text) if len(batch) > 1 else [told.text]
        if len(lines) != len(batch):
            yield from (self._one(text, stop) for text in batch)
            return
        yield from (Heard(text=line, request_id=told.request_id) for line in lines)

    def _one(self, text: str, stop: CancelToken) -> Heard:
        told = self._translator.translate(text, wording=self._wording, key=self._key, cancel=stop)
        return Heard(text=told.text, request_id=told.request_id)
