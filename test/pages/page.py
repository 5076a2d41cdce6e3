"""A page as its reader sees it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

Browse = Callable[..., Chrome]
ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts"
WAIT_S = 20
PACKET_S = 0.1  # of sound in each packet of the microphone
SECONDS_PER_BYTE = 0.06  # of a text in the sound alphabet


class Page:
    """A page that has been opened; it is ready when `ready` holds."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver = driver
        driver.get(url)
        self.until(self.is_ready)

    def is_ready(self) -> bool:
        return bool(self.all(".pages a"))

    # --- what is there

    def one(self, css: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def element(self, name: str) -> Any:
        return self.driver.find_element(By.ID, name)

    def texts(self, css: str) -> list[str]:
        """The words of all such elements at one moment."""
        words = "(one) => one.checkVisibility() ? one.innerText.trim() : ''"
        return list(self.run(f"return [...document.querySelectorAll(arguments[0])].map({words})", css))

    def run(self, script: str, *values: object) -> Any:
        return self.driver.execute_script(script, *values)

    def html(self, css: str) -> str:
        return str(self.one(css).get_attribute("innerHTML"))

    def until(self, condition: Callable[[], object]) -> Any:
        return WebDriverWait(self.driver, WAIT_S, poll_frequency=0.05).until(lambda _: condition())

    # --- hands

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def tab_to(self, name: str) -> None:
        """Go to an element as people do who have no mouse."""
        seen = []
        while (focused := self.driver.switch_to.active_element.get_attribute("id")) != name:
            seen.append(focused)
            assert len(seen) < 60, f"the tabulator does not lead to {name}: {seen}"
            self.press(Keys.TAB)

    def give_key(self, key: str) -> None:
        self.element("settings").click()
        self.element("key").send_keys(key, Keys.ENTER)

    # --- sound

    @property
    def played_s(self) -> float:
        return float(self.run("return document.getElementById('audio').currentTime"))

    @property
    def buffered_s(self) -> float:
        script = "const b = document.getElementById('audio').buffered; return b.length ? b.end(b.length - 1) : 0"
        return float(self.run(script))

    @property
    def is_playing(self) -> bool:
        return bool(self.run("return !document.getElementById('audio').paused"))

    # --- looks

    @property
    def is_wider_than_its_window(self) -> bool:
        return bool(self.run("return document.documentElement.scrollWidth > innerWidth"))

    def picture(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        self.driver.save_screenshot(str(ARTIFACTS / f"{name}.png"))

    def complaints(self) -> list[str]:
        """What the browser complains of: scripts that fail, rules of the page that are broken."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


class TalkPage(Page):
    """A page with a connection and turns."""

    def is_ready(self) -> bool:
        return bool(self.element("state").get_attribute("data-state") == "open")

    def turns_over(self, count: int) -> None:
        self.until(lambda: len(self.texts(".turn[data-over]")) == count)


def has_said(page: TalkPage, text: str) -> Callable[[], bool]:
    """Whether so much of the microphone has gone up that the text (after its second of silence) is in it."""
    needed_s = 1.6 + SECONDS_PER_BYTE * len(text.encode())
    return lambda: len(page.all("#dots i")) * PACKET_S > needed_s
