"""The page of the history, in a real browser, before a real server with which devices have spoken."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from selenium.webdriver import Keys

from test.pages.page import Browse, Page
from test.support.device import Message, TestDevice, packets, spoken_wav
from test.support.photos import photo, picture_packets
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]
Connect = Callable[..., TestDevice]
Script = Callable[..., None]


LOADED_S = """
(({ buffered, duration }) => buffered.length && buffered.end(0) >= duration - 0.01 && duration)
(document.querySelector(".turn audio"))"""


class History(Page):
    """The page of the history."""

    def is_ready(self) -> bool:
        return bool(self.all("#list a") or self.element("list-note").text or self.all(".alarm"))

    def choose(self, title: str) -> None:
        next(link for link in self.all("#list a") if title in link.text).click()
        self.until(lambda: self.all(".turn"))

    def titles(self) -> list[str]:
        return self.texts("#list strong")


@pytest.fixture
def server(serve: Serve) -> RunningServer:
    return serve()


@pytest.fixture
def open_page(browse: Browse, server: RunningServer) -> Callable[..., History]:
    """Open the page; `query` is what stands in its address."""

    def start(query: str = "lang=en", **look: object) -> History:
        return History(browse(**look), f"{server.url}/test/test_history.html?{query}")

    return start


@pytest.fixture
def connect_vlm() -> Iterator[Connect]:
    """Connect devices that see; they leave when the test ends."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(TestDevice(server.vlm_url))


def hold(device: TestDevice, *messages: Message, conversation: str) -> None:
    """Hold one turn of a conversation."""
    device.send({"type": "start", "conversation_id": conversation})
    device.until("ready")
    device.send(*messages)
    device.until("vlm_complete")


def typed(text: str) -> list[Message]:
    return [{"type": "text", "text": text}, {"type": "end"}]


@pytest.fixture
def spoken(connect_vlm: Connect, server: RunningServer) -> TestDevice:
    """A device that has spoken about a picture in one conversation, and written in another."""
    device = connect_vlm(server)
    sound = [{**packet, "type": "audio"} for packet in packets(spoken_wav("这是什么"))]
    hold(device, *picture_packets(photo()), *sound, {"type": "end"}, conversation="kitchen")
    hold(device, *typed("And its colour?"), conversation="kitchen")
    hold(device, *typed("Good morning"), conversation="hall")
    return device


@pytest.mark.usefixtures("spoken")
def test_a_conversation_is_read_seen_and_heard(open_page: Callable[..., History]) -> None:
    page = open_page()
    titles = page.titles()

    page.choose("这是什么")

    assert titles == ["Good morning", "这是什么"]
    assert "2 turns" in page.texts("#list small")[1]
    page.until(lambda: page.texts(".you") == ["这是什么", "And its colour?"])
    assert "这是什么" in page.texts(".answer")[0]
    page.run("const sound = document.querySelector('.turn audio'); sound.preload = 'auto'; sound.load()")
    page.until(lambda: page.run(f"return {LOADED_S.strip()} > 0.5"))
    page.until(lambda: page.run("return document.querySelector('.turn img').naturalWidth") == 320)
    page.picture("history-desktop-light")
    assert page.complaints() == []


@pytest.mark.usefixtures("spoken")
def test_a_conversation_is_deleted_only_when_that_is_confirmed(open_page: Callable[..., History]) -> None:
    page = open_page()
    page.choose("Good morning")

    page.element("delete").click()
    page.picture("history-delete")
    page.press(Keys.ESCAPE)
    kept = page.titles()
    page.element("delete").click()
    page.element("delete-surely").click()
    page.until(lambda: page.titles() == ["这是什么"])

    assert kept == ["Good morning", "这是什么"]
    page.driver.refresh()
    page.until(page.is_ready)
    assert page.titles() == ["这是什么"]


@pytest.mark.usefixtures("spoken")
def test_a_conversation_is_exported_line_by_line(open_page: Callable[..., History], tmp_path: Path) -> None:
    page = open_page()
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.choose("这是什么")

    page.element("export").click()

    saved = tmp_path / "kitchen.ndjson"
    page.until(saved.exists)
    assert [json.loads(line)["user_text"] for line in saved.read_text().splitlines()] == ["这是什么", "And its colour?"]


@pytest.mark.usefixtures("spoken")
def test_a_conversation_goes_on_where_it_ended(open_page: Callable[..., History], tmp_path: Path) -> None:
    (tmp_path / "hello.wav").write_bytes(spoken_wav("还有呢"))
    page = open_page()
    page.choose("这是什么")

    page.element("go-on").click()
    page.until(lambda: page.texts(".you") == ["这是什么", "And its colour?"])
    page.until(lambda: page.element("state").text == "Connected")
    page.element("picker").send_keys(str(tmp_path / "hello.wav"))
    page.until(lambda: page.all(".turn[data-over]"))
    page.driver.get(page.driver.current_url.split("/?")[0] + "/test/test_history.html?lang=en#kitchen")

    page.until(lambda: page.texts(".you") == ["这是什么", "And its colour?", "还有呢"])
    assert len(page.titles()) == 2


def test_a_long_history_comes_in_parts_and_is_searched_whole(
    open_page: Callable[..., History], server: RunningServer, connect_vlm: Connect
) -> None:
    device = connect_vlm(server)
    for number in range(33):
        hold(device, *typed(f"Question {number}"), conversation=f"c{number}")
    page = open_page()
    first = page.titles()

    page.element("search").send_keys("question 1")
    page.until(lambda: len(page.titles()) == 11)
    found = page.titles()
    page.element("search").send_keys(Keys.BACKSPACE * 10)
    page.until(lambda: len(page.titles()) == 33)

    assert first[0] == "Question 32" and len(first) == 30
    assert found[-1] == "Question 1"


def test_show_more_shows_the_rest(
    open_page: Callable[..., History], server: RunningServer, connect_vlm: Connect
) -> None:
    device = connect_vlm(server)
    for number in range(31):
        hold(device, *typed(f"Question {number}"), conversation=f"c{number}")
    page = open_page()

    page.element("more").click()

    page.until(lambda: len(page.titles()) == 31)
    assert not page.element("more").is_displayed()


def test_an_empty_history_says_so(open_page: Callable[..., History]) -> None:
    page = open_page()

    assert page.element("list-note").text == "Nothing has been said yet."
    assert page.complaints() == []


def test_a_conversation_that_is_gone_is_told(browse: Browse, server: RunningServer) -> None:
    page = History(browse(), f"{server.url}/test/test_history.html?lang=en#nowhere")

    alarm = page.until(lambda: page.texts(".alarm"))[0]

    assert "nowhere" in alarm and "req_" in alarm


def test_a_server_that_wants_a_key_gets_one(browse: Browse, serve: Serve) -> None:
    server = serve(key_pass_through="true", api_tokens="sha256:" + "0" * 64)
    page = History(browse(), f"{server.url}/test/test_history.html?lang=en")
    page.until(lambda: page.element("settings-panel").is_displayed())
    told = page.texts(".alarm")[0]

    page.press("sk-of-this-person", Keys.ENTER)

    page.until(lambda: page.element("list-note").text == "Nothing has been said yet.")
    assert "wants a key" in told and page.all(".alarm") == []


def test_what_was_said_stays_text(
    open_page: Callable[..., History], server: RunningServer, connect_vlm: Connect, scenario: Script
) -> None:
    attack = "<img src=x onerror=\"document.title='broken'\">"
    scenario(replies=[attack])
    device = connect_vlm(server)
    hold(device, *typed(attack), conversation="attack")
    page = open_page()

    page.choose("<img")

    page.until(lambda: page.texts(".answer") == [attack])
    assert page.texts(".you") == [attack] and page.driver.title == "History"


@pytest.mark.usefixtures("spoken")
def test_a_keyboard_is_enough(open_page: Callable[..., History]) -> None:
    page = open_page()

    page.tab_to("search")
    page.press(Keys.TAB, Keys.ENTER)
    page.until(lambda: page.texts(".you") == ["Good morning"])
    page.tab_to("delete")
    page.press(Keys.ENTER, Keys.TAB, Keys.ENTER)

    page.until(lambda: page.titles() == ["这是什么"])
    assert page.texts(".turn") == []


@pytest.mark.usefixtures("spoken")
def test_it_speaks_chinese_on_a_phone_in_the_dark(open_page: Callable[..., History]) -> None:
    page = open_page("lang=zh", width=360, height=740, dark=True)
    page.picture("history-phone-dark-list")
    page.choose("这是什么")
    page.until(lambda: len(page.texts(".you")) == 2)
    page.picture("history-phone-dark")
    is_wide = page.is_wider_than_its_window

    page.one(".back").click()
    page.until(lambda: page.element("list").is_displayed())

    assert page.texts(".back") == [""] and not is_wide and not page.is_wider_than_its_window
