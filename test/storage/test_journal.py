"""The journal keeps what it was given, whole and in order, whoever else uses it and whatever was killed."""

import os
import time
from pathlib import Path
from threading import Timer

import pytest

from protocol.errors import StorageError
from storage.journal import Damaged, Entry, Journal

ABOUT = {"kind": "test"}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal", max_bytes=1_000_000)


def bodies(journal: Journal) -> list[bytes]:
    return [entry.read().data for entry in journal.entries()]


def test_what_was_added_comes_back_in_the_order_of_adding(journal: Journal) -> None:
    for number in range(30):
        journal.add(ABOUT | {"n": str(number)}, b"line one\nline two \x00\xff%d" % number)

    contents = [entry.read() for entry in journal.entries()]

    assert [content.about["n"] for content in contents] == [str(number) for number in range(30)]
    assert contents[7].data == b"line one\nline two \x00\xff7"


def test_another_process_sees_the_same_and_adds_behind(journal: Journal, tmp_path: Path) -> None:
    journal.add(ABOUT, b"one")

    Journal(tmp_path / "journal", max_bytes=1000).add(ABOUT, b"two")

    assert bodies(journal) == [b"one", b"two"]


def test_it_is_empty_until_something_waits_and_when_all_is_gone(journal: Journal) -> None:
    assert journal.is_empty

    entry = journal.add(ABOUT, b"one")
    assert not journal.is_empty
    entry.remove()

    assert journal.is_empty


def test_what_is_set_aside_blocks_nothing_and_stays_for_people(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry = journal.add(ABOUT, b"poison")

    entry.set_aside("nobody takes it")

    assert journal.is_empty
    (kept,) = (tmp_path / "journal" / "aside").iterdir()
    assert Entry(kept).read().data == b"poison"
    assert "nobody takes it" in caplog.text and "poison" not in caplog.text


def test_a_held_entry_is_not_anothers_until_it_is_released(journal: Journal) -> None:
    held = journal.add(ABOUT, b"one", hold=True)
    (other,) = journal.entries()

    assert not other.hold()
    held.release()

    assert other.hold()
    other.release()


def test_an_entry_that_is_gone_cannot_be_held(journal: Journal) -> None:
    journal.add(ABOUT, b"one")
    first, second = journal.entries()[0], journal.entries()[0]

    first.remove()

    assert not second.hold()


def test_only_one_delivers_at_a_time(journal: Journal, tmp_path: Path) -> None:
    other = Journal(tmp_path / "journal", max_bytes=1000)

    with journal.sole() as first, other.sole() as second:
        assert (first, second) == (True, False)

    with other.sole() as third:
        assert third


@pytest.mark.parametrize("damage", [b"", b"\n", b"{}\n", b"[]\nx", b"not json\nx", b'{"about": {}, "sha256": "0"}\nx'])
def test_a_damaged_entry_is_told(journal: Journal, damage: bytes) -> None:
    entry = journal.add(ABOUT, b"one")
    entry.path.write_bytes(damage)

    with pytest.raises(Damaged):
        entry.read()


def test_bytes_that_changed_on_the_disk_are_told(journal: Journal) -> None:
    entry = journal.add(ABOUT, b"one")
    entry.path.write_bytes(entry.path.read_bytes()[:-1] + b"E")

    with pytest.raises(Damaged, match="not those that were written"):
        entry.read()


def test_a_full_journal_says_so_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", max_bytes=1000)
    entry = journal.add(ABOUT, b"x" * 800)

    with pytest.raises(StorageError, match="is full: see JOURNAL_MAX_BYTES"):
        journal.add(ABOUT, b"x" * 800)
    entry.remove()

    journal.add(ABOUT, b"y" * 800)
    assert bodies(journal) == [b"y" * 800]


def test_what_is_set_aside_counts_towards_the_bound(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", max_bytes=1000)
    journal.add(ABOUT, b"x" * 800).set_aside("poison")

    with pytest.raises(StorageError, match="is full"):
        journal.add(ABOUT, b"x" * 800)


def test_a_disk_that_takes_nothing_is_an_error_and_leaves_nothing_behind(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "journal").rmdir()

    with pytest.raises(StorageError, match="Could not write to the journal"):
        journal.add(ABOUT, b"one")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="Could not open the journal"):
        Journal(tmp_path / "file" / "journal", max_bytes=1000)


def test_drafts_of_the_dead_are_swept_and_those_of_the_living_are_not(journal: Journal, tmp_path: Path) -> None:
    old, young = tmp_path / "journal" / ".a.part", tmp_path / "journal" / ".b.part"
    for draft in (old, young):
        draft.touch()
    os.utime(old, (time.time() - 7200,) * 2)

    journal.sweep()

    assert (old.exists(), young.exists()) == (False, True)
    assert journal.is_empty


def test_entries_are_found_by_their_label_and_only_their_owner_reads_them(journal: Journal) -> None:
    journal.add(ABOUT, b"one", label="aa")
    journal.add(ABOUT, b"two", label="baa")
    journal.add(ABOUT, b"three", label="aa")

    found = journal.find("aa")

    assert [entry.read().data for entry in found] == [b"one", b"three"]
    assert found[0].path.stat().st_mode & 0o777 == 0o600


def test_what_is_on_its_way_is_waited_for_before_it_is_taken(journal: Journal) -> None:
    held = journal.add(ABOUT, b"one", label="aa", hold=True)
    journal.add(ABOUT, b"two", label="aa")
    with pytest.raises(StorageError, match="on its way this moment"):
        journal.take("aa", within_s=0)

    letting_go = Timer(0.05, held.remove)
    letting_go.start()
    taken = journal.take("aa", within_s=10)

    assert [entry.read().data for entry in taken] == [b"two"]
    assert not journal.entries()[0].hold()
    letting_go.join()
