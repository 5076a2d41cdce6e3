import threading
from collections.abc import Sequence

import pytest

from protocol.errors import Cancelled, UpstreamBroken, UpstreamBusy, UpstreamRefused, UpstreamTimeout
from protocol.keys import ApiKey
from services.flow import CancelToken
from services.openai.narration import Narration
from services.ports import PLAIN, Sound
from test.services.narrators import ScriptedNarrator, said
from test.support.waiting import eventually

BROKEN = UpstreamBroken("broken", code="upstream_cut")


def narration(narrator: ScriptedNarrator, *texts: str, cancel: CancelToken | None = None) -> Narration:
    return Narration(
        narrator,
        [(text,) for text in texts],
        voice="Cherry",
        manner=PLAIN,
        key=ApiKey("k"),
        cancel=cancel or CancelToken(),
    )


def pcm_of(sounds: Sequence[Sound]) -> bytes:
    return b"".join(sound.pcm for sound in sounds)


def readers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "-passage-" in thread.name]


def test_passages_sound_in_their_order() -> None:
    narrator = ScriptedNarrator()

    sounds = list(narration(narrator, "one", "two", "three").sounds())

    assert pcm_of(sounds) == said("onetwothree")
    assert narrator.asked == ["one", "two", "three"]


def test_the_first_passage_is_asked_for_before_anybody_takes_a_sound() -> None:
    narrator = ScriptedNarrator()

    sounds = narration(narrator, "one", "two").sounds()

    eventually(lambda: narrator.asked == ["one"])
    sounds.close()
    assert readers() == []


def test_the_next_passage_is_asked_for_when_this_one_sounds_and_no_sooner() -> None:
    go_on = threading.Event()
    narrator = ScriptedNarrator(script={"one": [[b"\x01\x00", go_on.wait, b"\x02\x00"]]})
    sounds = narration(narrator, "one", "two", "three").sounds()

    first = next(sounds)
    next_asked = [*narrator.asked]
    taking = threading.Thread(target=lambda: rest.extend(sounds))
    rest: list[Sound] = []
    taking.start()
    eventually(lambda: narrator.asked == ["one", "two"])
    go_on.set()
    taking.join()

    assert next_asked == ["one"]
    assert pcm_of([first, *rest]) == b"\x01\x00\x02\x00" + said("twothree")


@pytest.mark.parametrize("error", [BROKEN, UpstreamBusy("busy")])
def test_a_passage_that_fails_before_it_sounds_is_tried_once_more(error: Exception) -> None:
    narrator = ScriptedNarrator(script={"two": [[error]]})

    assert pcm_of(list(narration(narrator, "one", "two", "three").sounds())) == said("onetwothree")
    assert narrator.asked == ["one", "two", "two", "three"]


@pytest.mark.parametrize(
    ("calls", "asked"),
    [
        ([[BROKEN], [BROKEN]], 2),
        ([[b"\x01\x00", BROKEN]], 1),
        ([[UpstreamRefused("no")]], 1),
        ([[UpstreamTimeout("late")]], 1),
    ],
)
def test_what_failed_for_good_is_raised_at_its_place(calls: list[list[object]], asked: int) -> None:
    narrator = ScriptedNarrator(script={"two": calls})
    heard = []

    with pytest.raises((UpstreamBroken, UpstreamRefused, UpstreamTimeout)):
        heard.extend(narration(narrator, "one", "two").sounds())

    assert narrator.asked == ["one", *["two"] * asked]
    assert readers() == []


def test_a_call_without_a_sound_is_a_failure() -> None:
    narrator = ScriptedNarrator(script={"one": [[], []]})

    with pytest.raises(UpstreamBroken) as failure:
        list(narration(narrator, "one").sounds())

    assert failure.value.code == "upstream_empty" and narrator.asked == ["one", "one"]


def test_giving_up_stops_the_vendor_and_leaves_no_thread() -> None:
    cancel, stopped = CancelToken(), threading.Event()
    cancel.on_cancel(stopped.set)
    narrator = ScriptedNarrator(script={"one": [[b"\x01\x00", stopped.wait, b"\x02\x00"]]})
    sounds = narration(narrator, "one", "two", cancel=cancel).sounds()
    next(sounds)

    sounds.close()

    assert cancel.is_cancelled and readers() == []


def test_a_call_whose_client_left_ends_as_cancelled() -> None:
    cancel = CancelToken()
    narrator = ScriptedNarrator(script={"one": [[b"\x01\x00", cancel.cancel, b"\x02\x00"]]})

    with pytest.raises(Cancelled):
        list(narration(narrator, "one", cancel=cancel).sounds())

    assert readers() == []


def test_an_answer_that_was_read_to_its_end_cancels_nothing() -> None:
    cancel = CancelToken()

    list(narration(ScriptedNarrator(), "one", "two", cancel=cancel).sounds())

    assert not cancel.is_cancelled and readers() == []


def test_a_slow_taker_makes_the_vendor_wait_when_enough_is_read_ahead() -> None:
    big = bytes(4_000_000)
    put: list[int] = []
    steps = [part for n in range(6) for part in (big, lambda n=n: put.append(n))]
    narrator = ScriptedNarrator(script={"one": [steps]})
    sounds = narration(narrator, "one").sounds()

    first = next(sounds)
    eventually(lambda: len(put) >= 3)

    assert len(first.pcm) == 4_000_000 and len(put) < 6
    assert len(pcm_of(list(sounds))) == 20_000_000
