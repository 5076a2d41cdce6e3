"""Conversations are found by their owner and by nobody else, page by page, and are gone when deleted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from protocol.errors import NotFound, StorageError
from services.storage_ports import Conversations, Saved, TurnRecord
from storage.conversations import SqlConversations
from storage.history import SqlHistory
from storage.journaled_history import JournaledHistory
from test.storage.gate import gate_to
from test.storage.mariadb import MariaDb
from test.support.waiting import eventually

MakeTurn = Callable[..., TurnRecord]
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def reader(history: SqlHistory) -> Conversations:
    return SqlConversations(history._engine, forget_waiting=lambda *_: [])


@pytest.fixture
def save(history: SqlHistory, make_turn: MakeTurn) -> Callable[..., None]:
    """Save a turn of an owner's conversation in a given minute."""

    def save_(owner: str, conversation_id: str, minute: int, **changes: object) -> None:
        at = START + timedelta(minutes=minute)
        fields = {"user_text": f"question {minute}", "audio_key": f"audio/{owner}-{minute}.wav", "image_keys": ()}
        turn = make_turn(
            f"{owner}-{conversation_id}-{minute}",
            owner=owner,
            conversation_id=conversation_id,
            started_at=at,
            finished_at=at + timedelta(seconds=9),
            **(fields | changes),
        )
        history.save(turn)

    return save_


def minutes(turns: object) -> list[int]:
    return [int(turn.turn_id.rpartition("-")[2]) for turn in turns]  # type: ignore[attr-defined]


def test_a_window_is_the_last_turns_newest_first(reader: Conversations, save: Callable[..., None]) -> None:
    for minute in (3, 1, 4, 2):
        save("ann", "c", minute)
    save("ann", "other", 9)

    assert minutes(reader.window("ann", "c", turns=3)) == [4, 3, 2]
    assert reader.window("ann", "unknown", turns=3) == []


def test_a_conversation_is_made_by_its_first_turn_and_used_by_each(
    reader: Conversations, save: Callable[..., None]
) -> None:
    save("ann", "c", 5, user_text="  What is\nthe weather? " + "x" * 500)
    save("ann", "c", 7)
    save("ann", "c", 2)  # one that had waited in a journal

    found = reader.conversation("ann", "c")

    assert (found.owner, found.title) == ("ann", ("What is the weather? " + "x" * 500)[:80])
    assert (found.created_at, found.updated_at) == (
        START + timedelta(minutes=5),
        START + timedelta(minutes=7, seconds=9),
    )


def test_a_title_comes_from_the_first_turn_that_has_words(reader: Conversations, save: Callable[..., None]) -> None:
    save("ann", "c", 1, user_text="")
    save("ann", "c", 2, user_text="half \ud83d of a pair")
    save("ann", "c", 3, user_text="later")

    assert reader.conversation("ann", "c").title == "half \ufffd of a pair"


def test_a_turn_without_conversation_or_owner_belongs_to_its_session_and_key(
    reader: Conversations, history: SqlHistory, make_turn: MakeTurn
) -> None:
    history.save(make_turn(owner="", conversation_id=""))

    (turn,) = reader.window("0a1b2c3d", "session-1", turns=9)

    assert (turn.owner, turn.conversation_id) == ("0a1b2c3d", "session-1")


def test_conversations_come_page_by_page_the_last_used_first(reader: Conversations, save: Callable[..., None]) -> None:
    for minute, name in enumerate(["a", "b", "c", "d", "e", "b"]):
        save("ann", name, minute)

    pages = [reader.page("ann", limit=2)]
    while pages[-1]:
        pages.append(reader.page("ann", limit=2, after=pages[-1][-1].conversation_id))

    assert [[found.conversation_id for found in page] for page in pages] == [["b", "e"], ["d", "c"], ["a"], []]


def test_conversations_of_one_moment_are_neither_lost_nor_doubled_between_pages(
    reader: Conversations, save: Callable[..., None]
) -> None:
    names = [f"c{n}" for n in range(7)]
    for name in names:
        save("ann", name, 1)

    first = reader.page("ann", limit=3)
    second = reader.page("ann", limit=9, after=first[-1].conversation_id)

    assert sorted(found.conversation_id for found in (*first, *second)) == names


def test_turns_come_page_by_page_oldest_first(reader: Conversations, save: Callable[..., None]) -> None:
    for minute in (4, 2, 0, 3, 1):
        save("ann", "c", minute)
    first = reader.turns("ann", "c", limit=2)
    second = reader.turns("ann", "c", limit=2, after=first[-1].turn_id)
    third = reader.turns("ann", "c", limit=2, after=second[-1].turn_id)

    assert [minutes(page) for page in (first, second, third)] == [[0, 1], [2, 3], [4]]
    assert reader.turns("ann", "c", limit=2, after=third[-1].turn_id) == []


@pytest.mark.parametrize("newest_first", [False, True])
def test_turns_come_in_either_order_with_or_without_the_last_one_of_before(
    reader: Conversations, save: Callable[..., None], newest_first: bool
) -> None:
    for minute in range(1, 6):
        save("ann", "c", minute)
    order = [5, 4, 3, 2, 1] if newest_first else [1, 2, 3, 4, 5]

    behind = reader.turns("ann", "c", limit=2, after="ann-c-3", newest_first=newest_first)
    again = reader.turns("ann", "c", limit=2, after="ann-c-3", newest_first=newest_first, including=True)

    assert (minutes(behind), minutes(again)) == (order[3:], order[2:4])


def test_conversations_come_oldest_first_too_and_their_turns_are_counted(
    reader: Conversations, save: Callable[..., None]
) -> None:
    for name, minute in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        save("ann", name, minute)
    save("bob", "a", 5)

    names = [found.conversation_id for found in reader.page("ann", limit=9, after="b", oldest_first=True)]

    assert names == ["a", "c"]
    assert reader.counts("ann", ["a", "b", "unknown"]) == {"a": 2, "b": 1}


def test_the_objects_of_a_conversation_are_known_before_it_is_deleted(
    reader: Conversations, save: Callable[..., None]
) -> None:
    save("ann", "c", 1, image_keys=("image/1.jpg",))
    save("ann", "c", 2)

    keys = reader.objects("ann", "c")

    assert sorted(keys) == ["audio/ann-1.wav", "audio/ann-2.wav", "image/1.jpg"]
    assert sorted(reader.delete("ann", "c")) == sorted(keys)


def test_turns_between_two_moments_come_oldest_first(reader: Conversations, save: Callable[..., None]) -> None:
    for minute in range(1, 7):
        save("ann", "c", minute)
    first, last = START + timedelta(minutes=2), START + timedelta(minutes=6)

    assert minutes(reader.between("ann", "c", after=first, before=last, limit=2)) == [3, 4]
    assert minutes(reader.between("ann", "c", after=None, before=first, limit=9)) == [1]
    assert reader.between("bob", "c", after=None, before=last, limit=9) == []


def test_a_summary_is_kept_but_not_for_a_conversation_begun_anew(
    reader: Conversations, save: Callable[..., None]
) -> None:
    save("ann", "c", 1)
    before = reader.conversation("ann", "c")
    reader.summarise(before, "摘要 😀", until=START)
    kept = reader.conversation("ann", "c")
    reader.delete("ann", "c")
    save("ann", "c", 2)

    reader.summarise(before, "of the deleted one", until=START)

    assert (kept.summary, kept.summary_until) == ("摘要 😀", START)
    assert reader.conversation("ann", "c").summary == ""


def test_an_export_has_everything_of_an_owner_in_order_however_much(
    reader: Conversations, save: Callable[..., None]
) -> None:
    for minute in range(230):
        save("ann", "long", minute)
    save("ann", "a", 500)
    save("bob", "long", 3)

    exported = list(reader.export("ann"))

    assert [turn.conversation_id for turn in exported] == ["a"] + ["long"] * 230
    assert minutes(exported) == [500, *range(230)]
    assert list(reader.export("nobody")) == []


def test_a_deleted_conversation_is_gone_and_names_its_objects(
    reader: Conversations, save: Callable[..., None], history: SqlHistory
) -> None:
    save("ann", "c", 1, image_keys=("image/1.jpg", "image/2.jpg"))
    save("ann", "c", 2, audio_key="")
    save("ann", "kept", 3)

    keys = reader.delete("ann", "c")

    assert keys == ["audio/ann-1.wav", "image/1.jpg", "image/2.jpg"]
    assert (reader.window("ann", "c", turns=9), history.count()) == ([], 1)
    for call in (reader.conversation, reader.delete):
        with pytest.raises(NotFound, match="There is no conversation 'c'"):
            call("ann", "c")


def test_nobody_sees_or_deletes_what_is_anothers(
    reader: Conversations, save: Callable[..., None], history: SqlHistory
) -> None:
    save("ann", "c", 1)
    save("bob", "c", 2)
    save("Ann", "c", 3)

    assert minutes(reader.window("bob", "c", turns=9)) == [2]
    assert [found.owner for found in reader.page("ann", limit=9)] == ["ann"]
    assert minutes(reader.export("Ann")) == [3]
    assert reader.delete("bob", "c") == ["audio/bob-2.wav"]
    assert minutes(reader.turns("ann", "c", limit=9)) == [1]


@pytest.mark.parametrize(
    "ask",
    [
        lambda reader: reader.conversation("bob", "c"),
        lambda reader: reader.turns("bob", "c", limit=9),
        lambda reader: reader.delete("bob", "c"),
        lambda reader: reader.page("bob", limit=9, after="c"),
        lambda reader: reader.turns("ann", "c", limit=9, after="ann-other-2"),
        lambda reader: reader.turns("ann", "none", limit=9),
    ],
)
def test_what_is_not_there_or_anothers_is_not_found(
    reader: Conversations, save: Callable[..., None], ask: Callable[[Conversations], object]
) -> None:
    save("ann", "c", 1)
    save("ann", "other", 2)

    with pytest.raises(NotFound):
        ask(reader)


def test_a_database_that_is_away_is_a_storage_error(mariadb: MariaDb, tmp_path: Path) -> None:
    with gate_to(mariadb.port) as gate:
        url = mariadb.new_database().set(port=gate.port)
        history = JournaledHistory(url, journal=tmp_path, max_bytes=1000)
        gate.shut()

        with pytest.raises(StorageError):
            history.conversations.page("ann", limit=9)

        history.close()
        gate.open()


def test_a_conversation_deleted_while_turns_of_it_wait_does_not_come_back(
    mariadb: MariaDb, tmp_path: Path, make_turn: MakeTurn
) -> None:
    with gate_to(mariadb.port) as gate:
        url = mariadb.new_database().set(port=gate.port)
        history = JournaledHistory(url, journal=tmp_path, max_bytes=100_000, longest_pause_s=1000.0)
        history.save(make_turn("saved", audio_key="audio/1.wav", image_keys=()))
        gate.shut()
        assert history.save(make_turn("waits", audio_key="audio/2.wav", image_keys=())) is Saved.JOURNALED
        history.save(make_turn("anothers", owner="bob"))
        gate.open()

        known = history.conversations.objects("device-1", "conversation-1")
        keys = history.conversations.delete("device-1", "conversation-1")
        eventually(lambda: history._journal.is_empty)

        assert known == keys == ["audio/1.wav", "audio/2.wav"]
        assert list(history.conversations.export("device-1")) == []
        assert [turn.turn_id for turn in history.conversations.export("bob")] == ["anothers"]
        history.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM turns WHERE owner='a' AND conversation_id='c' ORDER BY started_at DESC, id DESC", "by_conv"),
        ("SELECT * FROM conversations WHERE owner='a' ORDER BY updated_at DESC, id DESC", "by_use"),
    ],
)
def test_pages_are_read_through_an_index(url: URL, history: SqlHistory, query: str, index: str) -> None:
    explain = "EXPLAIN QUERY PLAN" if url.get_backend_name() == "sqlite" else "EXPLAIN"

    with history._engine.connect() as connection:
        plan = str(connection.execute(text(f"{explain} {query} LIMIT 5")).all()).lower()

    assert index in plan or "sqlite_autoindex_conversations_2" in plan
    assert "filesort" not in plan and "temp b-tree" not in plan
