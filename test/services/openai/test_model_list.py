"""The list of models, with a vendor that is scripted."""

import threading
from collections.abc import Callable, Sequence

import pytest

from protocol.errors import Cancelled, UpstreamUnauthorized
from protocol.keys import ApiKey
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.openai.model_list import ModelList
from services.ports import Cancel, ListedModel

KEY = ApiKey("sk-1")


class Vendor:
    """Lists two models, or does what the test wants; notes who asked."""

    def __init__(self, act: Callable[[Cancel], object] = lambda cancel: None) -> None:
        self.act, self.asked = act, list[ApiKey]()

    def fetch(self, *, key: ApiKey, cancel: Cancel) -> Sequence[ListedModel]:
        self.asked.append(key)
        self.act(cancel)
        return [ListedModel(id="qwen-plus", created=7), ListedModel(id="qwen-new", created=8, owned_by="system")]


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def refuse(cancel: Cancel) -> None:
    raise UpstreamUnauthorized("no")


def hang(cancel: Cancel) -> None:
    cancel.wait(60)
    cancel.raise_if_cancelled()


def test_what_the_vendor_lists_beyond_ours_comes_after_it_as_the_vendor_describes_it() -> None:
    models = ModelList(Catalogue(), Vendor()).all(key=KEY, cancel=CancelToken())

    names = [model.id for model in models]
    assert names.count("qwen-plus") == 1 and names[-1] == "qwen-new"
    assert (models[-1].created, models[-1].owned_by, models[-1].kind) == (8, "system", "")


def test_the_vendor_is_asked_once_in_ten_minutes_for_each_key() -> None:
    vendor, clock = Vendor(), Clock()
    models = ModelList(Catalogue(), vendor, clock=clock)

    for key in (KEY, KEY, ApiKey("sk-2"), KEY):
        models.all(key=key, cancel=CancelToken())
    clock.now_s += 601
    models.all(key=KEY, cancel=CancelToken())

    assert vendor.asked == [KEY, ApiKey("sk-2"), KEY]


def test_a_vendor_that_refuses_leaves_our_own_list_and_is_left_alone_for_a_while() -> None:
    vendor, clock = Vendor(refuse), Clock()
    models = ModelList(Catalogue(), vendor, clock=clock)

    lists = [models.all(key=KEY, cancel=CancelToken()) for _ in range(2)]
    clock.now_s += 31
    models.all(key=KEY, cancel=CancelToken())

    assert lists == [Catalogue().listed()] * 2 and len(vendor.asked) == 2


def test_a_list_that_was_had_outlives_the_vendors_failure() -> None:
    vendor, clock = Vendor(), Clock()
    models = ModelList(Catalogue(), vendor, clock=clock)
    models.all(key=KEY, cancel=CancelToken())
    vendor.act, clock.now_s = refuse, clock.now_s + 601

    listed = models.all(key=KEY, cancel=CancelToken())

    assert listed[-1].id == "qwen-new"


def test_a_vendor_that_hangs_is_waited_for_no_longer_than_the_deadline() -> None:
    listed = ModelList(Catalogue(), Vendor(hang)).all(key=KEY, cancel=CancelToken())

    assert listed == Catalogue().listed()


def test_a_caller_that_leaves_ends_the_waiting_and_spoils_nothing() -> None:
    vendor, cancel = Vendor(), CancelToken()
    models = ModelList(Catalogue(), vendor)
    vendor.act = lambda limited: (cancel.cancel(), limited.raise_if_cancelled())

    with pytest.raises(Cancelled):
        models.all(key=KEY, cancel=cancel)

    vendor.act = lambda limited: None
    assert models.all(key=KEY, cancel=CancelToken())[-1].id == "qwen-new"


def test_no_thread_stays_behind() -> None:
    before = threading.active_count()

    ModelList(Catalogue(), Vendor()).all(key=KEY, cancel=CancelToken())

    assert threading.active_count() == before


def test_without_a_key_nobody_is_asked() -> None:
    vendor = Vendor()

    ModelList(Catalogue(), vendor).all(key=ApiKey(""), cancel=CancelToken())

    assert vendor.asked == []


def test_a_name_that_is_known_here_costs_the_vendor_nothing() -> None:
    vendor = Vendor()
    models = ModelList(Catalogue(), vendor)

    known = models.find("gpt-4o", key=KEY, cancel=CancelToken())

    assert known and known.id == "gpt-4o" and vendor.asked == []


@pytest.mark.parametrize(("name", "is_there"), [("qwen-new", True), ("qwen-none", False)])
def test_a_strangers_name_is_looked_up_in_the_vendors_list(name: str, is_there: bool) -> None:
    found = ModelList(Catalogue(), Vendor()).find(name, key=KEY, cancel=CancelToken())

    assert (found is not None) is is_there
