"""The page at `/`, in a real browser, before the real server: what a person does, read off the screen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from emulator import voice
from test.pages.page import SECONDS_PER_BYTE, Browse, TalkPage, has_said
from test.support.servers import RunningServer

KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket { constructor(...how) { super(...how); sockets.push(this); } };
"""


class Page(TalkPage):
    """The page for spoken turns."""

    def send_file(self, path: Path) -> None:
        self.element("picker").send_keys(str(path))


@contextmanager
def holding(page: Page) -> Iterator[None]:
    """Hold the button; let go at the end."""
    button = page.element("speak")
    ActionChains(page.driver).click_and_hold(button).perform()
    yield
    ActionChains(page.driver).release(button).perform()


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello.wav"
    path.write_bytes(voice.pcm_to_wav(voice.speak("你好，世界", rate_hz=16_000), rate_hz=16_000))
    return path


def test_a_spoken_turn_is_held_through_the_microphone(browse: Browse, page_url: str) -> None:
    question = "明天几点开会"
    page = Page(browse(says=question), f"{page_url}/?raw=1&lang=en")

    with holding(page):
        page.until(lambda: page.element("speak").get_attribute("aria-pressed") == "true")
        page.until(lambda: page.element("packets-note").text)
        page.until(has_said(page, question))
        page.picture("speaking")
    page.turns_over(1)
    page.until(lambda: page.played_s > 0.3)

    assert page.texts(".you") == [question]
    assert question in page.texts(".answer")[0]
    assert page.buffered_s > SECONDS_PER_BYTE * len(page.texts(".answer")[0].encode()) * 0.5
    page.until(lambda: "Recognition" in page.element("stages").text and "Sound heard" in page.element("stages").text)
    page.picture("answered-desktop-light")
    assert page.complaints() == []


def test_a_sound_file_is_sent_acknowledged_and_answered(browse: Browse, page_url: str, hello: Path) -> None:
    page = Page(browse(width=390, height=844, dark=True), f"{page_url}/?lang=zh")

    page.send_file(hello)
    page.turns_over(1)
    page.until(lambda: page.played_s > 0.3)

    sent = len(page.driver.find_elements(By.CSS_SELECTOR, "#dots i"))
    acked = len(page.driver.find_elements(By.CSS_SELECTOR, "#dots i.acked"))
    assert page.texts(".you") == ["你好，世界"]
    assert (sent, acked) == (-(-hello.stat().st_size // 6000), sent)
    page.picture("answered-phone-dark")
    assert page.complaints() == []


def test_stop_ends_the_sound_and_the_next_turn_is_held_as_ever(browse: Browse, page_url: str, hello: Path) -> None:
    page = Page(browse(), f"{page_url}/?lang=en")
    page.send_file(hello)
    page.until(lambda: page.played_s > 0.2)

    page.element("stop").click()

    page.turns_over(1)
    assert not page.is_playing
    assert not page.element("stop").is_enabled()
    page.send_file(hello)
    page.turns_over(2)
    page.until(lambda: page.is_playing and page.played_s > 0.2)


def test_the_space_bar_speaks_and_interrupts_the_answer(browse: Browse, page_url: str, hello: Path) -> None:
    page = Page(browse(says="再见"), f"{page_url}/?raw=1&lang=en")
    page.send_file(hello)
    page.until(lambda: page.played_s > 0.2)

    ActionChains(page.driver).key_down(Keys.SPACE).perform()
    page.until(lambda: not page.is_playing)
    page.until(lambda: page.element("speak").get_attribute("aria-pressed") == "true")
    page.until(has_said(page, "再见"))
    ActionChains(page.driver).key_up(Keys.SPACE).perform()

    page.turns_over(2)
    assert page.texts(".you") == ["你好，世界", "再见"]
    assert page.complaints() == []


def test_what_is_no_sound_is_refused_in_words(browse: Browse, page_url: str, tmp_path: Path) -> None:
    page = Page(browse(), f"{page_url}/?lang=en")
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam " * 20)

    page.send_file(tmp_path / "letter.txt")
    page.turns_over(1)

    assert "无法识别的音频格式" in page.texts(".alarm[role=alert]")[0]


def test_a_lost_connection_comes_back_by_itself(browse: Browse, page_url: str, hello: Path) -> None:
    driver = browse()
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KEEP_SOCKETS})
    page = Page(driver, f"{page_url}/?lang=en")

    driver.execute_script("sockets[0].close()")
    page.until(lambda: driver.execute_script("return sockets.length") == 2)
    page.until(lambda: page.element("state").text == "Connected")
    page.send_file(hello)
    page.turns_over(1)

    assert page.texts(".you") == ["你好，世界"]


def test_the_language_can_be_changed(browse: Browse, page_url: str) -> None:
    page = Page(browse(), f"{page_url}/?lang=zh")
    before = page.element("hint").text

    page.element("language").click()

    assert (before, page.element("hint").text) == ("按住说话", "Hold to speak")


def test_a_short_tap_listens_until_the_next_tap(browse: Browse, page_url: str) -> None:
    page = Page(browse(says="开灯"), f"{page_url}/?raw=1&lang=en")

    page.element("speak").click()
    page.until(lambda: page.element("hint").text == "Listening: tap to send")
    page.until(has_said(page, "开灯"))
    page.element("speak").click()

    page.turns_over(1)
    assert page.texts(".you") == ["开灯"]
    assert page.element("speak").get_attribute("aria-pressed") == "false"


def test_a_connection_lost_while_speaking_says_so_and_is_ready_again(browse: Browse, page_url: str) -> None:
    driver = browse(says="喂")
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KEEP_SOCKETS})
    page = Page(driver, f"{page_url}/?raw=1&lang=en")

    page.element("speak").click()
    page.until(lambda: page.element("packets").is_displayed())
    driver.execute_script("sockets[0].close()")

    page.turns_over(1)
    assert "The connection broke" in page.texts(".alarm")[0]
    page.until(lambda: page.element("speak").is_enabled() and page.element("hint").text == "Hold to speak")
    assert page.complaints() == []


def test_a_server_that_wants_a_key_gets_one(browse: Browse, serve: Callable[..., RunningServer], hello: Path) -> None:
    server = serve(key_pass_through="true", api_tokens="sha256:" + "0" * 64)
    page = RefusedPage(browse(), f"{server.url}/?lang=en")
    page.until(lambda: page.element("settings-panel").is_displayed())
    page.picture("key-desktop-light")

    told = page.texts(".alarm")[0]
    page.press("sk-of-this-person", Keys.ENTER)
    page.until(lambda: page.element("state").text == "Connected")
    page.send_file(hello)
    page.turns_over(1)

    assert "wants a key" in told and page.texts(".alarm") == []
    assert page.texts(".you") == ["你好，世界"]


class RefusedPage(Page):
    """The page before a server that does not let it in."""

    def is_ready(self) -> bool:
        return bool(self.element("state").get_attribute("data-state") == "refused")


def test_what_a_model_writes_stays_text(
    browse: Browse, serve: Callable[..., RunningServer], scenario: Callable[..., None], hello: Path
) -> None:
    attack = "<img src=x onerror=\"document.title='broken'\">"
    scenario(replies=[attack], transcripts=[attack])
    page = Page(browse(), f"{serve().url}/?lang=en")

    page.send_file(hello)
    page.turns_over(1)

    assert page.texts(".answer") == [attack] and page.driver.title == "Voice assistant"


def test_what_is_being_said_is_dropped_by_escape(browse: Browse, page_url: str, hello: Path) -> None:
    page = Page(browse(says="喂"), f"{page_url}/?raw=1&lang=en")
    page.element("speak").click()
    page.until(lambda: page.element("hint").text == "Listening: tap to send")

    page.press(Keys.ESCAPE)
    page.turns_over(1)
    page.until(lambda: page.element("hint").text == "Hold to speak")
    page.send_file(hello)
    page.turns_over(2)

    assert page.texts(".you") == ["(not sent)", "你好，世界"]


def test_a_keyboard_is_enough(browse: Browse, page_url: str) -> None:
    page = Page(browse(says="关灯"), f"{page_url}/?raw=1&lang=en")

    page.tab_to("speak")
    page.press(Keys.ENTER)
    page.until(has_said(page, "关灯"))
    page.press(Keys.ENTER)

    page.turns_over(1)
    assert page.texts(".you") == ["关灯"]


@pytest.mark.parametrize("width", [320, 360, 768])
def test_it_fits_every_screen(browse: Browse, page_url: str, hello: Path, width: int) -> None:
    page = Page(browse(width=width, height=700), f"{page_url}/?lang=en")

    page.send_file(hello)
    page.turns_over(1)
    page.run("for (const one of document.querySelectorAll('details')) one.open = true")
    page.element("settings").click()

    page.picture(f"talk-{width}-light")
    assert not page.is_wider_than_its_window


def test_the_look_can_be_chosen_and_stays(browse: Browse, page_url: str) -> None:
    page = Page(browse(), f"{page_url}/?lang=en")
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(paper)

    page.element("settings").click()
    page.element("theme").send_keys("Dark")
    dark = page.run(paper)
    page.driver.refresh()
    page.until(page.is_ready)

    assert (light, dark, page.run(paper)) == ("rgb(245, 246, 248)", "rgb(18, 21, 28)", "rgb(18, 21, 28)")
