"""Drawing with a scripted painter: how many at once, in which order, and what is left when one fails or leaves."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from protocol.drawings import Drawing, Drawings, DrawingWish
from protocol.errors import Cancelled, UpstreamBusy, UpstreamError
from protocol.keys import ApiKey
from protocol.openai.images import Asked
from services.catalogue import Catalogue, Defaults
from services.flow import CancelToken
from services.openai.images import Drawn, Images, Outcome
from services.pictures import PictureRules
from services.ports import Cancel, Picture
from test.support.photos import photo

KEY = ApiKey("sk-test")
RULES = PictureRules(max_side=3072, max_pixels=10_000_000)
ONE_BY_ONE = Catalogue(defaults=Defaults(image="z-image-turbo", image_edit="qwen-image-2.0"))
Act = Callable[[DrawingWish, Cancel], None]


@dataclass
class ScriptedPainter:
    """Does what the test's function does with each wish, and draws its seed."""

    act: Act
    model: str = "z-image-turbo"
    wishes: list[DrawingWish] = field(default_factory=list)
    lent: list[Picture] = field(default_factory=list)

    def lend(self, picture: Picture, *, key: ApiKey, cancel: Cancel) -> str:
        self.lent.append(picture)
        return f"oss://{len(self.lent)}"

    def draw(self, wish: DrawingWish, *, key: ApiKey, cancel: Cancel) -> Drawings:
        self.wishes.append(wish)
        self.act(wish, cancel)
        return Drawings(drawings=(Drawing(url=str(wish.seed)),), request_id="r")

    def fetch(self, url: str, *, cancel: Cancel) -> bytes:
        raise AssertionError("nobody asked for a file")


def painted(painter: ScriptedPainter, asked: Asked, cancel: CancelToken | None = None) -> Sequence[Outcome]:
    def named(model: str) -> ScriptedPainter:
        painter.model = model
        return painter

    images = Images(named, catalogue=ONE_BY_ONE, rules=RULES)
    return list(images.draw(asked, key=KEY, cancel=cancel or CancelToken()))


def asked(count: int) -> Asked:
    return Asked(task="generation", prompt="p", count=count, seed=0)


def test_four_are_drawn_at_once_and_no_more() -> None:
    lock, under_way, most, full = threading.Lock(), set[int](), [0], threading.Barrier(4)

    def act(wish: DrawingWish, cancel: Cancel) -> None:
        with lock:
            under_way.add(wish.seed or 0)
            most[0] = max(most[0], len(under_way))
        full.wait(20)  # passes only when four are here together
        with lock:
            under_way.discard(wish.seed or 0)

    outcomes = painted(ScriptedPainter(act), asked(8))

    assert len(outcomes) == 8 and most[0] == 4


def test_pictures_come_in_order_whoever_is_first() -> None:
    later = threading.Event()

    def act(wish: DrawingWish, cancel: Cancel) -> None:
        later.set() if wish.seed else later.wait(20)  # the first waits for another

    outcomes = painted(ScriptedPainter(act), asked(3))

    assert [outcome.url for outcome in outcomes if isinstance(outcome, Drawn)] == ["0", "1", "2"]


def test_failures_come_behind_the_pictures_and_none_is_lost() -> None:
    def act(wish: DrawingWish, cancel: Cancel) -> None:
        if wish.seed in (0, 2):
            raise UpstreamBusy("busy")

    outcomes = painted(ScriptedPainter(act), asked(4))

    assert [getattr(one, "url", "failed") for one in outcomes] == ["1", "3", "failed", "failed"]


def test_when_nothing_is_drawn_the_first_failure_is_raised() -> None:
    def act(wish: DrawingWish, cancel: Cancel) -> None:
        raise UpstreamError(f"failure {wish.seed}")

    with pytest.raises(UpstreamError, match="failure 0"):
        painted(ScriptedPainter(act), asked(3))


def test_a_caller_who_leaves_stops_all_that_are_under_way_and_all_that_were_to_come() -> None:
    cancel = CancelToken()
    painter = ScriptedPainter(lambda wish, stop: _leave(cancel, stop))

    with pytest.raises(Cancelled):
        painted(painter, asked(10), cancel)

    assert not [thread for thread in threading.enumerate() if "-drawing" in thread.name]


def _leave(caller: CancelToken, stop: Cancel) -> None:
    caller.cancel()
    assert stop.wait(20)
    stop.raise_if_cancelled()


def test_a_stream_that_is_closed_early_stops_the_rest() -> None:
    stopped = threading.Event()

    def act(wish: DrawingWish, cancel: Cancel) -> None:
        if wish.seed:
            assert cancel.wait(20)
            stopped.set()

    drawing = Images(lambda model: ScriptedPainter(act), catalogue=ONE_BY_ONE, rules=RULES).draw(
        asked(3), key=KEY, cancel=CancelToken()
    )
    first = next(drawing)
    drawing.close()

    assert isinstance(first, Drawn) and stopped.is_set()


def test_a_picture_is_lent_once_however_many_calls_it_serves() -> None:
    painter = ScriptedPainter(lambda wish, cancel: None)
    wish = Asked(task="edit", prompt="p", count=10, pictures=(photo(), "https://example.com/a.png"))

    painted(painter, wish)

    assert len(painter.lent) == 1 and painter.lent[0].content_type == "image/jpeg"
    assert {one.pictures for one in painter.wishes} == {("oss://1", "https://example.com/a.png")}


def test_a_picture_that_lies_on_its_side_is_turned_and_a_giant_reduced() -> None:
    painter = ScriptedPainter(lambda wish, cancel: None)
    sideways, giant = photo(size=(320, 240), orientation=6), photo(size=(4000, 400))

    painted(painter, Asked(task="edit", prompt="p", pictures=(sideways, giant)))

    assert [(one.width, one.height) for one in painter.lent] == [(240, 320), (3072, 307)]
