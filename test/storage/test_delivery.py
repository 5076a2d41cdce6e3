"""What waits is delivered in order, once; what nobody takes is set aside; a place that is away condemns nothing."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from protocol.errors import StorageError, StorageRefused
from storage.delivery import Deliverer
from storage.journal import Content, Journal
from test.support.waiting import eventually


class Place:
    """Takes what it likes: a scripted stand-in for a database or a bucket."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.refused: set[bytes] = set()
        self.failing: set[bytes] = set()
        self.is_away = False

    def take(self, content: Content) -> None:
        self.check()
        if content.data in self.refused:
            raise StorageRefused("never")
        if content.data in self.failing:
            raise StorageError("not this one")
        self.taken.append(content.data)

    def check(self) -> None:
        if self.is_away:
            raise StorageError("away")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal", max_bytes=1_000_000)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def deliverer(journal: Journal, place: Place) -> Iterator[Deliverer]:
    made = Deliverer(journal, place.take, name="test-delivery", check=place.check, longest_pause_s=0.01)
    yield made
    made.close()


def add(journal: Journal, *bodies: bytes) -> None:
    for body in bodies:
        journal.add({}, body)


def aside(tmp_path: Path) -> int:
    return len(list(tmp_path.glob("journal/aside/*.entry")))


def test_all_that_waits_is_delivered_in_order(journal: Journal, place: Place, deliverer: Deliverer) -> None:
    add(journal, b"a", b"b", b"c")

    assert deliverer.deliver()

    assert (place.taken, journal.is_empty) == ([b"a", b"b", b"c"], True)


def test_a_place_that_is_away_leaves_everything_in_order(
    journal: Journal, place: Place, deliverer: Deliverer, tmp_path: Path
) -> None:
    add(journal, b"a", b"b")
    place.is_away = True
    for _ in range(10):
        with pytest.raises(StorageError, match="away"):
            deliverer.deliver()

    place.is_away = False
    deliverer.deliver()

    assert (place.taken, aside(tmp_path)) == ([b"a", b"b"], 0)


def test_a_place_that_fails_everything_though_it_says_it_is_well_loses_nothing(
    journal: Journal, place: Place, deliverer: Deliverer, tmp_path: Path
) -> None:
    add(journal, b"a", b"b", b"c")
    place.failing = {b"a", b"b", b"c"}
    for _ in range(10):
        with pytest.raises(StorageError, match="not this one"):
            deliverer.deliver()

    place.failing = set()
    deliverer.deliver()

    assert (place.taken, aside(tmp_path)) == ([b"a", b"b", b"c"], 0)


def test_what_is_refused_or_damaged_is_set_aside_at_once_and_the_rest_goes_on(
    journal: Journal, place: Place, deliverer: Deliverer, tmp_path: Path
) -> None:
    add(journal, b"a", b"poison", b"c", b"d")
    place.refused = {b"poison"}
    journal.entries()[2].path.write_bytes(b"garbage")

    deliverer.deliver()

    assert (place.taken, aside(tmp_path), journal.is_empty) == ([b"a", b"d"], 2, True)


def test_what_alone_fails_again_and_again_is_set_aside_only_when_another_goes_through(
    journal: Journal, place: Place, deliverer: Deliverer, tmp_path: Path
) -> None:
    add(journal, b"stone")
    place.failing = {b"stone"}
    for _ in range(10):
        with pytest.raises(StorageError):
            deliverer.deliver()
    assert aside(tmp_path) == 0

    add(journal, b"b", b"c")
    deliverer.deliver()

    assert (place.taken, aside(tmp_path), journal.is_empty) == ([b"b", b"c"], 1, True)


def test_an_entry_in_other_hands_is_passed_by(journal: Journal, place: Place, deliverer: Deliverer) -> None:
    held = journal.add({}, b"held", hold=True)
    add(journal, b"b")

    deliverer.deliver()

    assert (place.taken, len(journal.entries())) == ([b"b"], 1)
    held.release()


def test_while_another_process_delivers_nothing_is_done(journal: Journal, place: Place, deliverer: Deliverer) -> None:
    add(journal, b"a")

    with journal.sole():
        assert not deliverer.deliver()

    assert place.taken == []


def test_the_thread_delivers_what_a_former_process_left_and_what_it_is_woken_for(
    journal: Journal, place: Place, deliverer: Deliverer
) -> None:
    add(journal, b"left")
    deliverer.start()
    eventually(lambda: place.taken == [b"left"])

    add(journal, b"new")
    deliverer.wake()

    eventually(lambda: place.taken == [b"left", b"new"])
    assert place.taken == [b"left", b"new"]


def test_the_thread_goes_on_when_the_place_is_back_and_says_both(
    journal: Journal, place: Place, deliverer: Deliverer, caplog: pytest.LogCaptureFixture
) -> None:
    place.is_away = True
    add(journal, b"a")
    deliverer.start()
    eventually(lambda: "delivery waits" in caplog.text)

    place.is_away = False

    eventually(lambda: place.taken == [b"a"] and "delivery goes on" in caplog.text)
    assert journal.is_empty


def test_a_defect_does_not_end_the_thread(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[bytes] = []

    def take(content: Content) -> None:
        calls.append(content.data)
        if len(calls) == 1:
            raise RuntimeError("a defect")

    add(journal, b"a")
    with ExitStack() as stack:
        deliverer = Deliverer(journal, take, name="test-delivery", longest_pause_s=0.01)
        stack.callback(deliverer.close)
        deliverer.start()
        eventually(lambda: len(calls) == 2)

    assert "delivery broke" in caplog.text


def test_several_deliverers_deliver_each_entry_once(journal: Journal, place: Place, tmp_path: Path) -> None:
    with ExitStack() as stack:
        journals = [Journal(tmp_path / "journal", max_bytes=1_000_000) for _ in range(4)]
        deliverers = [Deliverer(own, place.take, name="test-several", longest_pause_s=0.01) for own in journals]
        for other in deliverers:
            stack.callback(other.close)
            other.start()
        for number in range(100):
            add(journal, b"%d" % number)
            deliverers[number % 4].wake()
        eventually(lambda: journal.is_empty)

    assert place.taken == [b"%d" % number for number in range(100)]
