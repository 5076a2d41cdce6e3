"""A window onto a conversation: by turns, by tokens, with one set of pictures."""

from datetime import UTC, datetime, timedelta

import pytest

from services.conversation import Exchange, exchange_of, messages, tokens_of, window
from services.ports import Picture
from services.storage_ports import TurnRecord

PICTURE = Picture(data=b"p", content_type="image/png", width=1, height=1)


def exchange(number: int, *, question: str = "q", answer: str = "a", image_keys: tuple[str, ...] = ()) -> Exchange:
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number)
    return Exchange(turn_id=f"t{number}", at=at, question=question, answer=answer, image_keys=image_keys)


def numbers(exchanges: list[Exchange]) -> list[int]:
    return [int(one.turn_id[1:]) for one in exchanges]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("abcd", 1),
        ("abcde", 2),
        ("你好。", 3),
        ("你好abcd", 3),
        ("한국어", 3),
        ("𠮷", 1),
        ("かな", 2),
    ],
)
def test_tokens_are_estimated_on_the_safe_side(text: str, tokens: int) -> None:
    assert tokens_of(text) == tokens


def test_the_newest_turns_are_told_oldest_first_whatever_their_order() -> None:
    told = window([exchange(n) for n in (3, 1, 4, 2)], turns=3, tokens=1000)

    assert numbers(told) == [2, 3, 4]


def test_a_turn_that_does_not_fit_hides_those_before_it() -> None:
    exchanges = [exchange(1), exchange(2, answer="x" * 400), exchange(3)]

    assert numbers(window(exchanges, turns=9, tokens=100)) == [3]


def test_a_last_turn_that_is_too_long_is_told_cut() -> None:
    [told] = window([exchange(1, question="短", answer="很" * 500)], turns=9, tokens=100)

    assert told.question == "短" and told.answer == "很" * 50 + "…"


@pytest.mark.parametrize("turns", [0, 5])
def test_nothing_said_is_nothing_told(turns: int) -> None:
    assert window([] if turns else [exchange(1)], turns=turns, tokens=100) == []


def test_only_the_last_turn_with_pictures_shows_them() -> None:
    exchanges = [exchange(1, image_keys=("a",)), exchange(2, image_keys=("b",)), exchange(3)]

    told = messages(exchanges, shown={"t1": [PICTURE], "t2": [PICTURE, PICTURE]})

    assert [len(message.pictures) for message in told] == [0, 0, 2, 0, 0, 0]
    assert [message.role for message in told] == ["user", "assistant"] * 3


def test_pictures_of_an_earlier_turn_do_not_stand_in_for_later_ones_that_are_not_at_hand() -> None:
    exchanges = [exchange(1, image_keys=("a",)), exchange(2, image_keys=("b",))]

    told = messages(exchanges, shown={"t1": [PICTURE]})

    assert not any(message.pictures for message in told)


@pytest.mark.parametrize(("question", "heard"), [("", "a"), ("q", "")])
def test_a_turn_that_came_to_nothing_is_not_remembered(question: str, heard: str) -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    turn = TurnRecord(
        turn_id="t",
        session_id="s",
        started_at=moment,
        finished_at=moment,
        key_fingerprint="",
        user_text=question,
        answer_text="a",
        answer_heard=heard,
        interrupted=True,
        audio_key="",
        audio_url="",
        audio_seconds=0,
        asr_model="",
        chat_model="",
        tts_model="",
    )

    assert exchange_of(turn) is None
