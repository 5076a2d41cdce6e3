"""The page for pictures, in a real browser with a camera and a microphone, before a real server."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Keys

from emulator import Emulator
from test.pages.page import Browse, TalkPage, has_said
from test.support.photos import photo
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]
Script = Callable[..., None]
KEEP_MESSAGES = """
window.sent = [];
window.lose = 0;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (message) {
  sent.push(message);
  if (lose && message.includes('"image"') && --lose === 0) return;
  send.call(this, message);
};"""


class Seeing(TalkPage):
    """The page for pictures."""

    def choose(self, *files: Path) -> None:
        before = len(self.all("#tray img"))
        self.element("picker").send_keys("\n".join(map(str, files)))
        self.until(lambda: len(self.all("#tray img")) == before + len(files))

    def ask(self, text: str) -> None:
        self.element("question").send_keys(text, Keys.ENTER)

    def open_camera(self) -> None:
        self.element("camera").click()
        self.until(lambda: self.run("return document.getElementById('video').videoWidth > 0"))

    def sent(self, word: str) -> list[str]:
        return list(self.run("return sent.filter((message) => message.includes(arguments[0]))", word))


@pytest.fixture
def open_page(browse: Browse, serve: Serve) -> Callable[..., Seeing]:
    """Open the page; `query` is what stands in its address, `settings` are the server's."""

    def start(query: str = "lang=en", *, settings: dict[str, object] | None = None, **look: object) -> Seeing:
        driver = browse(**look)
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KEEP_MESSAGES})
        return Seeing(driver, f"{serve(**settings or {}).url}/test/test_vlm_stream.html?{query}")

    return start


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three pictures of different kinds."""
    paths = []
    for name, kind in (("one.jpg", "JPEG"), ("two.png", "PNG"), ("three.webp", "WEBP")):
        (tmp_path / name).write_bytes(photo(kind, size=(640, 480)))
        paths.append(tmp_path / name)
    return paths


def test_typed_questions_about_several_pictures_are_answered_in_words_and_sound(
    open_page: Callable[..., Seeing], pictures: list[Path]
) -> None:
    page = open_page()
    page.choose(*pictures)

    page.ask("What do you see?")
    page.turns_over(1)
    page.until(lambda: page.played_s > 0.3)

    assert page.texts(".you") == ["What do you see?"]
    assert "3 pictures" in page.texts(".answer")[0]
    assert len(page.all(".turn .pictures img")) == 3 and page.all("#tray img") == []
    assert len(page.all("#dots i.acked")) == len(page.all("#dots i")) >= 3
    page.until(lambda: "Sound heard" in page.element("stages").text)
    page.picture("vlm-desktop-light")
    assert page.complaints() == []


def test_a_further_question_is_about_the_same_picture(
    open_page: Callable[..., Seeing], pictures: list[Path], emulator: Emulator, key: str
) -> None:
    page = open_page()
    page.choose(pictures[0])
    page.ask("What is it?")
    page.turns_over(1)

    page.ask("And its colour?")
    page.turns_over(2)

    questions = [note["body"] for note in emulator.journal(key) if "messages" in note.get("body", {})]
    assert len(page.sent('"type":"image"')) == 1
    assert ["image_url" in str(question["messages"]) for question in questions] == [True, True]


def test_a_spoken_question_takes_what_the_camera_shows(open_page: Callable[..., Seeing]) -> None:
    question = "这是什么"
    page = open_page("raw=1&lang=en", says=question)
    page.open_camera()
    button = page.element("speak")

    ActionChains(page.driver).click_and_hold(button).perform()
    page.until(lambda: button.get_attribute("aria-pressed") == "true")
    page.until(has_said(page, question))
    page.picture("vlm-listening")
    ActionChains(page.driver).release(button).perform()
    page.turns_over(1)

    assert page.texts(".you") == [question]
    assert "图片" in page.texts(".answer")[0]
    assert len(page.all(".turn .pictures img")) == 1
    assert page.complaints() == []


def test_snapshots_wait_and_can_be_removed(open_page: Callable[..., Seeing]) -> None:
    page = open_page()
    page.open_camera()

    for count in (1, 2):
        page.element("snap").click()
        page.until(lambda count=count: len(page.all("#tray img")) == count)
    page.one("#tray button").click()
    page.element("camera").click()
    page.ask("What is it?")
    page.turns_over(1)

    assert "1 picture" in page.texts(".answer")[0]
    assert not page.element("video").is_displayed()


def test_a_lost_packet_is_sent_again_by_itself(open_page: Callable[..., Seeing], tmp_path: Path) -> None:
    noise = photo("BMP", size=(300, 200))
    (tmp_path / "large.bmp").write_bytes(noise)
    page = open_page(settings={"packet_idle_s": 0.5})
    page.choose(tmp_path / "large.bmp")
    page.run("window.lose = 2")

    page.ask("What is it?")
    page.turns_over(1)

    assert "1 picture" in page.texts(".answer")[0]
    assert "1 sent again" in page.element("packets-note").text
    assert len(page.sent('"seq":2,')) == 2


def test_stop_ends_the_answer_and_the_next_one_is_given(
    open_page: Callable[..., Seeing], pictures: list[Path], scenario: Script
) -> None:
    scenario(replies=["A sentence that is long enough to be stopped. " * 20, "Short."], latency={"chat_token_ms": 5})
    page = open_page()
    page.choose(pictures[0])
    page.ask("What is it?")
    page.until(lambda: page.played_s > 0.2)

    page.element("stop").click()
    page.turns_over(1)
    stopped = not page.is_playing
    page.ask("Again?")
    page.turns_over(2)

    assert stopped and "interrupted" in page.texts(".foot")[0]
    assert page.texts(".answer")[1] == "Short."


def test_a_question_is_dropped_while_its_picture_is_on_its_way(
    open_page: Callable[..., Seeing], pictures: list[Path]
) -> None:
    page = open_page()
    page.choose(pictures[0])
    page.run("window.lose = 1")
    page.ask("What is it?")
    page.until(lambda: page.element("stop").is_enabled())

    page.press(Keys.ESCAPE)
    page.turns_over(1)
    page.choose(pictures[1])
    page.ask("And this?")
    page.turns_over(2)

    assert page.texts(".you") == ["(not sent)", "And this?"]
    assert "1 picture" in page.texts(".answer")[-1]


def test_what_is_no_picture_is_refused_in_words(open_page: Callable[..., Seeing], tmp_path: Path) -> None:
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam " * 20)
    page = open_page()
    page.choose(tmp_path / "letter.jpg")

    page.ask("What is it?")
    page.turns_over(1)

    assert "unsupported_image" in page.texts(".alarm[role=alert]")[0]


def test_a_server_that_wants_a_key_gets_one(browse: Browse, serve: Serve, pictures: list[Path]) -> None:
    server = serve(key_pass_through="true", api_tokens="sha256:" + "0" * 64)
    page = Refused(browse(), f"{server.url}/test/test_vlm_stream.html?lang=en")
    page.until(lambda: page.element("settings-panel").is_displayed())

    told = page.texts(".alarm")[0]
    page.press("sk-of-this-person", Keys.ENTER)
    page.until(lambda: page.element("state").text == "Connected")
    page.choose(pictures[0])
    page.ask("What is it?")
    page.turns_over(1)

    assert "wants a key" in told and page.texts(".alarm") == []
    assert "1 picture" in page.texts(".answer")[0]


class Refused(Seeing):
    """The page before a server that does not let it in."""

    def is_ready(self) -> bool:
        return bool(self.element("state").get_attribute("data-state") == "refused")


def test_a_key_that_is_no_word_of_a_protocol_goes_in_the_address(browse: Browse, serve: Serve) -> None:
    server = serve(key_pass_through="true", api_tokens="sha256:" + "0" * 64)
    page = Refused(browse(), f"{server.url}/test/test_vlm_stream.html?lang=en")

    page.until(lambda: page.element("settings-panel").is_displayed())
    page.press(base64.b64encode(b"??>>~~").decode() + "/=", Keys.ENTER)
    page.until(lambda: page.element("state").text == "Connected")
    page.ask("Hello")
    page.turns_over(1)

    assert "Hello" in page.texts(".answer")[0]


def test_what_a_model_writes_stays_text(
    open_page: Callable[..., Seeing], pictures: list[Path], scenario: Script
) -> None:
    attack = "<img src=x onerror=\"document.title='broken'\">"
    scenario(replies=[attack])
    page = open_page()
    page.choose(pictures[0])

    page.ask(attack)
    page.turns_over(1)

    assert page.texts(".answer") == [attack] and page.driver.title == "See and ask"


def test_a_keyboard_is_enough(open_page: Callable[..., Seeing]) -> None:
    page = open_page()

    page.tab_to("camera")
    page.press(Keys.ENTER)
    page.until(lambda: page.run("return document.getElementById('video').videoWidth > 0"))
    page.tab_to("question")
    page.press("What is it?", Keys.ENTER)
    page.turns_over(1)

    assert "1 picture" in page.texts(".answer")[0]


def test_it_speaks_chinese_on_a_phone_in_the_dark(open_page: Callable[..., Seeing], pictures: list[Path]) -> None:
    page = open_page("lang=zh", width=360, height=740, dark=True)
    page.open_camera()
    page.choose(*pictures)
    page.picture("vlm-phone-dark-camera")
    page.element("camera").click()

    page.ask("图里有什么？")
    page.turns_over(1)

    page.picture("vlm-phone-dark")
    assert "3张图片" in page.texts(".answer")[0]
    assert page.element("send").text == "提问" and not page.is_wider_than_its_window
