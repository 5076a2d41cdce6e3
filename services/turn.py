"""One turn: a person spoke, the assistant answers. The whole product in one walk.

    recording ──▶ transcript ──▶ answer as text ──▶ speakable text ──▶ segments ──▶ sound ──▶ device
        │            (listening)      (chat model)        (speaking: text, voice, one encoder)
        └──▶ object store (filing)                             └──▶ history, with what was heard

What overlaps: recognition runs while packets arrive; the voice connects while recognition ends; the answer is spoken
while it is being written; the recording is stored while the model thinks. What waits for whom is told by the order of
the lines below. Every turn ends in exactly one completion, whatever failed, and its events tell the truth.

Threads: `run` is the turn's own thread; `cancel` may come from any.
"""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from protocol.errors import Cancelled, GatewayError
from protocol.events import ErrorEvent, Event, Timings, TranscriptionStarted
from protocol.telling import Outcome, Telling
from services.admission.access import Caller
from services.filing import Filing, Upload
from services.flow import CancelToken
from services.memory import Memory
from services.meter import Meter, TurnOutcome, Unmeasured
from services.outbox import Outbox
from services.ports import ChatModel, Picture, Recogniser, Recording, Synthesiser, Usage
from services.speaking import Speaking
from services.stages import Stages
from services.storage_ports import Conversations, History, ObjectStore, Saved, TurnRecord
from services.utterance import Utterance

_log = logging.getLogger(__name__)

MAX_ANSWER_CHARS = 400_000
"""An answer longer than this (about a day of speech) is ended here: every buffer has a bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """The parts that a turn works with. `voices` are in order of preference."""

    recogniser: Recogniser
    chat: ChatModel
    voices: tuple[Synthesiser, ...]
    store: ObjectStore
    history: History
    conversations: Conversations
    meter: Meter = field(default_factory=Unmeasured)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOptions:
    """What this turn is called and how its device wants to be told."""

    number: int
    turn_id: str
    session_id: str
    full_response: bool
    timings: bool
    is_detailed: bool


class Turn:
    """One utterance and its answer. Invariant: `run` puts exactly one completion, as its last event.

    `recording` is None for a question that was typed.
    """

    def __init__(
        self,
        engines: Engines,
        options: TurnOptions,
        *,
        utterance: Utterance,
        recording: Recording | None,
        telling: Telling,
        speaking: Speaking,
        filing: Filing,
        memory: Memory,
        outbox: Outbox,
        stages: Stages,
        caller: Caller,
        cancel: CancelToken,
    ) -> None:
        self._engines, self._options, self._caller, self._cancel = engines, options, caller, cancel
        self._utterance, self._recording, self._telling = utterance, recording, telling
        self._speaking, self._filing = speaking, filing
        self._memory, self._outbox, self._stages = memory, outbox, stages
        self._started_at = datetime.now(UTC)
        self._question = self._answer = self._error_code = ""
        self._pictures: list[Picture] = []
        self._usage = Usage()
        self._is_answered = False

    # --- the story

    def run(self) -> None:
        """Look and hear, think, speak, remember."""
        if self._utterance.looking:
            self._utterance.looking.start()
        if self._recording:
            self._tell(TranscriptionStarted(oss_url=self._recording.url))
        self._speaking.start()
        self._filing.start()
        if self._engines.recogniser.reads_link:
            self._filing.hurry()
        with self._telling_failures():
            self._question = self._hear()
        self._filing.hurry()
        with self._telling_failures():
            self._reply() if self._question else self._tell(self._telling.skipping())
        self._end()

    def _hear(self) -> str:
        if not self._recording:
            return self._utterance.typed
        with self._engines.meter.stage("asr"):
            text = self._utterance.listening.transcribe(self._recording).text
        self._stages.mark("asr")
        if text:
            self._speaking.hurry()
        return text

    def _reply(self) -> None:
        self._tell(self._telling.answering(self._question, [upload.url for upload in self._picture_uploads]))
        try:
            self._pictures = self._utterance.looking.pictures() if self._utterance.looking else []
            for text in self._think():
                self._answer += text
                self._tell(self._chunk(text))
                self._speaking.say(text)
            self._is_answered = True
        finally:
            self._speaking.finish()  # what was written before a failure is spoken all the same

    def _think(self) -> Iterator[str]:
        """Yield the model's text as it comes and keep its usage."""
        messages = self._memory.prompt(self._question, self._pictures)
        with self._engines.meter.stage("chat"):
            for delta in self._engines.chat.stream(messages, key=self._caller.key, cancel=self._cancel):
                if delta.usage:
                    self._usage = delta.usage
                if delta.text:
                    self._stages.mark("first_token")
                    yield delta.text
                if len(self._answer) > MAX_ANSWER_CHARS:
                    return

    def _end(self) -> None:
        """Wait for what runs beside the story, save, and tell how it went."""
        self._speaking.stop()
        self._filing.finish()
        is_saved = False
        with self._telling_failures():
            is_saved = self._save()
        outcome = self._outcome(is_saved=is_saved)
        if self._question:
            self._tell(self._telling.answered(outcome))
        self._stages.mark("end")
        if self._options.timings:
            self._tell(Timings(stages=self._stages.in_ms()))
        self._tell(self._telling.complete(outcome))
        self._log()
        self._engines.meter.note_turn(self._how_it_ended(), self._stages.in_ms())

    # --- its outcome, as events, as history, as a line of the log

    def _heard(self) -> str:
        return self._speaking.heard() if self._cancel.is_cancelled else self._answer

    def _chunk(self, text: str) -> Event:
        return self._telling.chunk(text, so_far=self._answer if self._options.full_response else None)

    @property
    def _picture_uploads(self) -> Sequence[Upload]:
        return self._filing.uploads[1 if self._recording else 0 :]

    def _outcome(self, *, is_saved: bool) -> Outcome:
        files = self._filing.outcome()
        return Outcome(
            question=self._question,
            answer=self._answer,
            is_answered=self._is_answered,
            is_spoken=self._speaking.is_success,
            spoken=self._speaking.spoken,
            segments=len(self._speaking.script.segments),
            chunks=self._speaking.chunks,
            is_saved=is_saved,
            is_interrupted=self._cancel.is_cancelled,
            recording=files[0] if self._recording else None,
            pictures=tuple(files[1:] if self._recording else files),
            packets=self._utterance.received,
            duration_s=self._utterance.listening.duration_s,
            is_detailed=self._options.is_detailed,
        )

    def _save(self) -> bool:
        """Save a turn in which something was said; whether the database has it by now is told, never assumed."""
        if not self._question:
            return False
        record, is_saved = self._record(), False
        try:
            is_saved = self._engines.history.save(record) is Saved.DELIVERED
        except GatewayError as error:
            _log.error("turn not saved: %s %s", error.code, error)
        self._memory.add(record, self._pictures, is_saved=is_saved)
        return is_saved

    def _record(self) -> TurnRecord:
        return TurnRecord(
            turn_id=self._options.turn_id,
            session_id=self._options.session_id,
            started_at=self._started_at,
            finished_at=datetime.now(UTC),
            key_fingerprint=self._caller.identity,
            user_text=self._question,
            answer_text=self._answer,
            answer_heard=self._heard(),
            interrupted=self._cancel.is_cancelled,
            audio_key=self._filing.uploads[0].key if self._recording else "",
            audio_url=self._recording.url if self._recording else "",
            audio_seconds=self._utterance.listening.duration_s,
            asr_model=self._engines.recogniser.model if self._recording else "",
            chat_model=self._engines.chat.model,
            tts_model=self._engines.voices[0].model,
            usage=self._usage,
            stages_ms=self._stages.in_ms(),
            error_code=self._error_code,
            conversation_id=self._memory.conversation_id,
            owner=self._caller.owner,
            image_keys=tuple(upload.key for upload in self._picture_uploads),
        )

    def _how_it_ended(self) -> TurnOutcome:
        if self._cancel.is_cancelled:
            return "interrupted"
        return "failed" if self._error_code else "ok"

    def _log(self) -> None:
        stages = " ".join(f"{stage}={ms:.0f}" for stage, ms in self._stages.in_ms().items())
        outcome = "interrupted" if self._cancel.is_cancelled else self._error_code or "ok"
        _log.info(
            "turn session=%s n=%d key=%s outcome=%s heard_chars=%d answer_chars=%d segments=%d/%d ms: %s",
            self._options.session_id,
            self._options.number,
            self._caller.identity,
            outcome,
            len(self._question),
            len(self._answer),
            self._speaking.spoken,
            len(self._speaking.script.segments),
            stages,
        )

    def _tell(self, event: Event) -> None:
        self._outbox.put(event)

    @contextlib.contextmanager
    def _telling_failures(self) -> Iterator[None]:
        """Turn what goes wrong in a part of the story into an `error` event; the story goes on to its end."""
        try:
            yield
        except Cancelled:
            pass
        except GatewayError as error:
            self._fail(error)
        except Exception:  # a turn must end with its completion events, whatever broke
            _log.exception("turn broke: session=%s", self._options.session_id)
            self._fail(GatewayError("内部错误，请重试。"))

    def _fail(self, error: GatewayError) -> None:
        self._error_code = error.code
        _log.warning("turn failed: session=%s code=%s status=%d", self._options.session_id, error.code, error.status)
        self._tell(error_event(error))


def error_event(error: GatewayError) -> ErrorEvent:
    """Render an error for the device."""
    return ErrorEvent(
        message=error.message,
        code=error.code,
        param=error.param or msgspec.UNSET,
        retryable=True if error.retryable else msgspec.UNSET,
    )
