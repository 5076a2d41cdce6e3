"""The page at `/docs`, in a real browser, before the real server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from emulator import voice

Browse = Callable[..., Chrome]
ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts"
WAIT_S = 20


class Docs:
    """The page as its reader sees it."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver = driver
        driver.get(url)
        self.until(lambda: self.all(".operation"))

    def all(self, css: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def until(self, condition: Callable[[], object]) -> Any:
        return WebDriverWait(self.driver, WAIT_S, poll_frequency=0.05).until(lambda _: condition())

    def open(self, name: str) -> None:
        summary = self.one(f"#{name} > summary")
        self.driver.execute_script("arguments[0].scrollIntoView()", summary)
        summary.click()
        self.until(lambda: self.all(f"#{name} .inside"))

    def send(self, name: str) -> None:
        self.one(f"#{name} .send").click()
        self.until(lambda: self.all(f"#{name} .shown > *") and "ms" in self.one(f"#{name} .outcome").text)

    def picture(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        self.driver.save_screenshot(str(ARTIFACTS / f"{name}.png"))

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    @property
    def is_wider_than_its_window(self) -> bool:
        return bool(self.driver.execute_script("return document.documentElement.scrollWidth > innerWidth"))


def test_every_operation_of_the_document_is_shown_and_can_be_opened(browse: Browse, page_url: str) -> None:
    docs = Docs(browse(), f"{page_url}/docs?lang=en")
    told = docs.driver.execute_async_script(
        "const done = arguments[0]; fetch('/openapi.json').then((answer) => answer.json()).then(done)"
    )
    names = [operation["operationId"] for item in told["paths"].values() for operation in item.values()]

    for name in names:
        docs.open(name)

    assert sorted(element.get_attribute("id") for element in docs.all(".operation")) == sorted(names)
    assert "speed" in docs.one("#createSpeech").text and "from 0.25 · to 4" in docs.one("#createSpeech").text
    assert docs.complaints() == [] and not docs.is_wider_than_its_window


def test_a_chat_is_tried_and_its_curl_line_is_told(browse: Browse, page_url: str) -> None:
    docs = Docs(browse(height=1100), f"{page_url}/docs?lang=en#createChatCompletion")
    docs.until(lambda: docs.all("#createChatCompletion .try"))

    docs.send("createChatCompletion")

    assert json.loads(docs.one("#createChatCompletion .shown").text)["object"] == "chat.completion"
    curl = docs.one("#createChatCompletion .curl").text
    assert f"curl '{page_url}/v1/chat/completions'" in curl and "$API_KEY" in curl and '"Hello!"' in curl
    docs.picture("docs-desktop-light")
    assert docs.complaints() == []


def test_a_stream_is_shown_as_it_comes(browse: Browse, page_url: str) -> None:
    docs = Docs(browse(), f"{page_url}/docs?lang=en#createChatCompletion")
    editor = docs.until(lambda: docs.one("#createChatCompletion textarea"))
    editor.clear()
    editor.send_keys('{"stream": true, "messages": [{"role": "user", "content": "Hi"}]}')

    docs.send("createChatCompletion")

    docs.until(lambda: docs.one("#createChatCompletion .shown").text.endswith("data: [DONE]"))
    assert "chat.completion.chunk" in docs.one("#createChatCompletion .shown").text


def test_a_text_is_read_aloud(browse: Browse, page_url: str) -> None:
    docs = Docs(browse(width=390, height=844, dark=True), f"{page_url}/docs?lang=zh#createSpeech")
    docs.until(lambda: docs.all("#createSpeech .try"))

    docs.send("createSpeech")

    length = "return document.querySelector('#createSpeech audio').duration"
    docs.until(lambda: (docs.driver.execute_script(length) or 0) > 0.5)
    docs.driver.execute_script("document.querySelector('#createSpeech .try').scrollIntoView()")
    docs.picture("docs-phone-dark-try")
    assert not docs.is_wider_than_its_window


def test_a_recording_is_sent_as_a_form(browse: Browse, page_url: str, tmp_path: Path) -> None:
    recording = tmp_path / "hello.wav"
    recording.write_bytes(voice.pcm_to_wav(voice.speak("你好，世界", rate_hz=16_000), rate_hz=16_000))
    docs = Docs(browse(), f"{page_url}/docs?lang=en#createTranscription")
    docs.until(lambda: docs.one("#createTranscription input[type=file]")).send_keys(str(recording))

    docs.send("createTranscription")

    assert json.loads(docs.one("#createTranscription .shown").text)["text"] == "你好，世界"
    assert "-F 'file=@hello.wav'" in docs.one("#createTranscription .curl").text


def test_an_error_is_shown_with_its_status_and_request_id(browse: Browse, page_url: str) -> None:
    docs = Docs(browse(), f"{page_url}/docs?lang=en#retrieveModel")
    docs.until(lambda: docs.one("#retrieveModel .try input")).send_keys("no/such")

    docs.send("retrieveModel")

    assert docs.one("#retrieveModel .outcome").text.startswith("404 ")
    assert "req_" in docs.one("#retrieveModel .outcome").text
    assert "'no/such'" in docs.one("#retrieveModel .shown").text


def test_a_key_goes_with_the_request_and_stays_out_of_the_curl_line(browse: Browse, page_url: str) -> None:
    docs = Docs(browse(), f"{page_url}/docs?lang=en#listModels")
    docs.one("#settings").click()
    docs.one("#key").send_keys("sk-secret", Keys.ENTER)
    docs.driver.execute_script(
        "const real = fetch; window.fetch = (url, options) => { window.sent = options; return real(url, options); }"
    )

    docs.send("listModels")

    assert docs.driver.execute_script("return window.sent.headers.Authorization") == "Bearer sk-secret"
    assert "sk-secret" not in docs.one("body").text


def test_it_speaks_chinese_and_english(browse: Browse, page_url: str) -> None:
    docs = Docs(browse(), f"{page_url}/docs?lang=zh#createSpeech")
    docs.until(lambda: "必填" in docs.one("#createSpeech").text)

    docs.one("#language").click()

    docs.until(lambda: "required" in docs.one("#createSpeech").text)
    assert "必填" not in docs.one("#createSpeech").text


def test_a_keyboard_is_enough(browse: Browse, page_url: str) -> None:
    docs = Docs(browse(), f"{page_url}/docs?lang=en")
    summary = docs.one("#getHealth > summary")
    docs.driver.execute_script("arguments[0].focus()", summary)

    keys = ActionChains(docs.driver).send_keys(Keys.ENTER)
    keys.perform()
    docs.until(lambda: docs.all("#getHealth .send"))
    while docs.driver.switch_to.active_element.get_attribute("class") != "send":
        ActionChains(docs.driver).send_keys(Keys.TAB).perform()
    ActionChains(docs.driver).send_keys(Keys.ENTER).perform()

    docs.until(lambda: '"healthy"' in docs.one("#getHealth .shown").text)
    assert docs.one("#getHealth .outcome").text.startswith("200 ")


@pytest.mark.parametrize(("width", "dark"), [(360, True), (360, False), (1280, True)])
def test_it_fits_every_screen_with_everything_open(browse: Browse, page_url: str, width: int, dark: bool) -> None:
    docs = Docs(browse(width=width, dark=dark), f"{page_url}/docs?lang=en")

    docs.driver.execute_script("for (const one of document.querySelectorAll('.operation')) one.open = true")

    docs.until(lambda: len(docs.all(".inside")) == len(docs.all(".operation")))
    docs.picture(f"docs-{width}-{'dark' if dark else 'light'}")
    assert not docs.is_wider_than_its_window
