"""A connection's memory over a scripted history: what is read, what is known without, and how long is waited."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from protocol.errors import NotFound, StorageError
from services.memory import Memory, MemoryRules
from services.patience import Patience
from services.storage_ports import TurnRecord

RULES = MemoryRules(system_prompt="system", turns=3, tokens=1000)


class ScriptedHistory:
    """Gives out what `turns` holds, fails when `failure` is set, answers when `gate` is open."""

    def __init__(self) -> None:
        self.turns: list[TurnRecord] = []
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[tuple[str, str]] = []

    def window(self, owner: str, conversation_id: str, *, turns: int) -> Sequence[TurnRecord]:
        self.asked.append((owner, conversation_id))
        self.gate.wait()
        if self.failure:
            raise self.failure
        return self.turns[:turns]


class EmptyStore:
    def get(self, key: str) -> bytes:
        raise NotFound(key)


def turn(number: int, **changes: object) -> TurnRecord:
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number)
    fields: dict[str, object] = {
        "turn_id": f"t{number}",
        "session_id": "s",
        "started_at": at,
        "finished_at": at,
        "key_fingerprint": "",
        "user_text": f"q{number}",
        "answer_text": f"a{number}",
        "answer_heard": f"a{number}",
        "interrupted": False,
        "audio_key": "",
        "audio_url": "",
        "audio_seconds": 0.0,
        "asr_model": "",
        "chat_model": "",
        "tts_model": "",
    }
    return TurnRecord(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def history() -> Iterator[ScriptedHistory]:
    made = ScriptedHistory()
    yield made
    made.gate.set()


@pytest.fixture
def remember(history: ScriptedHistory) -> Callable[..., Memory]:
    """Make memories of the conversation `c`, which share their patience."""
    patience = Patience()

    def made(*, is_new: bool = False, rules: MemoryRules = RULES) -> Memory:
        rules = replace(rules, patience=patience)
        memory = Memory(history, rules, store=EmptyStore(), owner="ann", pictures=None, name="ws-test")  # type: ignore[arg-type]
        memory.open("c", is_new=is_new)
        return memory

    return made


def questions(memory: Memory) -> list[str]:
    return [message.content for message in memory.prompt("now") if message.role == "user"]


def test_a_new_conversation_is_not_looked_for(remember: Callable[..., Memory], history: ScriptedHistory) -> None:
    memory = remember(is_new=True)
    memory.recall()

    assert (questions(memory), history.asked) == (["now"], [])


def test_what_the_history_holds_is_told_under_the_system_prompt(
    remember: Callable[..., Memory], history: ScriptedHistory
) -> None:
    history.turns = [turn(2), turn(1)]

    told = remember().prompt("now")

    assert [(m.role, m.content) for m in told] == [
        ("system", "system"),
        ("user", "q1"),
        ("assistant", "a1"),
        ("user", "q2"),
        ("assistant", "a2"),
        ("user", "now"),
    ]
    assert history.asked == [("ann", "c")]


def test_a_history_that_does_not_answer_is_not_waited_for_and_its_answer_is_used_later(
    remember: Callable[..., Memory], history: ScriptedHistory, caplog: pytest.LogCaptureFixture
) -> None:
    history.turns = [turn(1)]
    history.gate.clear()
    memory = remember()

    without = questions(memory)
    history.gate.set()
    memory._known.reading.thread.join()
    memory.recall()

    assert (without, questions(memory)) == (["now"], ["q1", "now"])
    assert "did not answer in time" in caplog.text


def test_a_history_that_kept_one_turn_waiting_keeps_no_other_until_it_answers_in_time() -> None:
    patience = Patience()
    before = patience.left_s(time.monotonic())

    patience.lose()
    lost = patience.left_s(time.monotonic())
    patience.regain(time.monotonic() - 10)
    still_lost = patience.left_s(time.monotonic())
    patience.regain(time.monotonic())

    assert before > lost == still_lost == 0.0
    assert patience.left_s(time.monotonic()) > 0.0


def test_connections_share_their_patience_with_the_history(history: ScriptedHistory) -> None:
    history.gate.clear()
    rules = replace(RULES, patience=Patience())
    first, second = (Memory(history, rules, store=EmptyStore(), owner="ann", pictures=None, name="ws") for _ in "ab")  # type: ignore[arg-type]
    first.open("c")
    questions(first)
    lost = rules.patience.left_s(time.monotonic())

    history.gate.set()
    second.open("c")
    second._known.reading.thread.join()

    assert lost == 0.0
    assert rules.patience.left_s(time.monotonic()) > 0.0


def test_one_reader_at_a_time_waits_for_a_history_that_hangs(
    remember: Callable[..., Memory], history: ScriptedHistory
) -> None:
    history.gate.clear()
    memory = remember()

    for _ in range(5):
        memory.recall()

    assert len(history.asked) <= 1


def test_what_was_said_here_is_known_while_the_history_is_away(
    remember: Callable[..., Memory], history: ScriptedHistory
) -> None:
    history.failure = StorageError("away")
    memory = remember()
    for number in range(1, 6):
        memory.add(turn(number), (), is_saved=False)
        memory.recall()

    assert questions(memory) == ["q3", "q4", "q5", "now"]


def test_a_turn_that_waits_in_the_journal_and_those_in_the_history_are_told_in_order(
    remember: Callable[..., Memory], history: ScriptedHistory
) -> None:
    memory = remember()
    memory.add(turn(1), (), is_saved=False)
    history.turns = [turn(2)]
    memory.recall()

    assert questions(memory) == ["q1", "q2", "now"]


def test_a_saved_turn_that_the_history_no_longer_has_was_deleted(
    remember: Callable[..., Memory], history: ScriptedHistory
) -> None:
    memory = remember(is_new=True)
    memory.add(turn(1), (), is_saved=True)
    before = questions(memory)

    memory.recall()

    assert (before, questions(memory)) == (["q1", "now"], ["now"])


def test_a_turn_that_is_saved_after_the_reading_began_is_not_lost(
    remember: Callable[..., Memory], history: ScriptedHistory
) -> None:
    memory = remember()
    memory.recall()
    memory.add(turn(1), (), is_saved=True)

    assert questions(memory) == ["q1", "now"]


def test_another_conversation_begins_with_what_it_has(
    remember: Callable[..., Memory], history: ScriptedHistory
) -> None:
    memory = remember()
    memory.add(turn(1), (), is_saved=False)

    memory.open("other")

    assert (questions(memory), memory.conversation_id) == (["now"], "other")


def test_what_breaks_while_reading_ends_no_turn(remember: Callable[..., Memory], history: ScriptedHistory) -> None:
    history.failure = ValueError("broken")

    assert questions(remember()) == ["now"]


def test_pictures_that_are_gone_leave_the_words(history: ScriptedHistory) -> None:
    from services.pictures import PictureRules

    history.turns = [turn(1, image_keys=("image/1.jpg",))]
    rules = PictureRules(max_side=100, max_pixels=10_000)
    memory = Memory(history, RULES, store=EmptyStore(), owner="ann", pictures=rules, name="ws-test")  # type: ignore[arg-type]

    memory.open("c")

    assert questions(memory) == ["q1", "now"]
