"""The page for chat, in a real browser, before a real server whose model says what the test wants."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver import Keys

from test.pages.page import Browse, Page
from test.support.photos import photo
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]
Script = Callable[..., None]
ANSWER = """# Tea
Boil *fresh* water and **wait**. See [how](https://example.org/tea).

1. Warm the pot
2. Add leaves
   - green: 80 °C
   - black: 100 °C

| tea | minutes |
|-----|--------:|
| green | 2 |
| black | 4 |

> Never squeeze.

```python
def brew(leaves: str, minutes: int = 3) -> str:
    return f"{leaves}, {minutes} minutes"
```
Enjoy!"""
KEEP_REQUESTS = """
const real = window.fetch;
window.sent = [];
window.fetch = (url, options) => { sent.push([String(url), options ?? {}]); return real(url, options); };
"""


class Chat(Page):
    """The page for chat."""

    def is_ready(self) -> bool:
        return len(self.all("#model option")) > 1

    def ask(self, text: str) -> None:
        self.element("question").send_keys(text, Keys.ENTER)

    def answers(self, count: int) -> list[str]:
        self.until(lambda: len(self.all(".turn[data-over] .answer")) == count and not self.is_answering)
        return self.texts(".answer")

    @property
    def is_answering(self) -> bool:
        return bool(self.element("send").text in ("Stop", "停止"))

    def sent(self, path: str) -> list[dict[str, object]]:
        """What the page has asked of one route."""
        bodies = self.run("return sent.filter(([url]) => url === arguments[0]).map(([, { body }]) => body)", path)
        return [json.loads(body) for body in bodies]


@pytest.fixture
def open_chat(browse: Browse, serve: Serve) -> Callable[..., Chat]:
    """Open the page; `query` is what stands in its address, `settings` are the server's."""

    def start(query: str = "lang=en", *, settings: dict[str, object] | None = None, **look: object) -> Chat:
        driver = browse(**look)
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KEEP_REQUESTS})
        return Chat(driver, f"{serve(**settings or {}).url}/test/test_chat_web.html?{query}")

    return start


def test_an_answer_is_shown_with_its_markdown_thoughts_and_usage(
    open_chat: Callable[..., Chat], scenario: Script
) -> None:
    scenario(replies=[ANSWER], reasoning="The person wants tea.")
    chat = open_chat(height=1000)

    chat.ask("How do I make tea?")
    chat.answers(1)

    assert chat.texts(".you") == ["How do I make tea?"]
    assert chat.texts(".answer h2") == ["Tea"] and chat.texts(".answer ul li") == ["green: 80 °C", "black: 100 °C"]
    assert chat.texts(".answer td") == ["green", "2", "black", "4"]
    assert chat.one(".answer a").get_attribute("href") == "https://example.org/tea"
    assert chat.one(".thoughts").get_attribute("open") is None
    assert "The person wants tea." in chat.html(".thoughts")
    assert "tokens" in chat.texts(".foot")[1]
    chat.picture("chat-desktop-light")
    assert chat.complaints() == []


def test_what_was_chosen_is_asked_for_and_what_was_not_is_left_out(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat()

    chat.ask("One")
    chat.answers(1)
    chat.element("model").send_keys("gpt-4o-mini")
    chat.element("system").send_keys("Be brief.")
    chat.element("temperature").send_keys("0.3")
    chat.element("max_tokens").send_keys("5")
    chat.element("reasoning_effort").send_keys("little")
    chat.ask("Two")
    chat.answers(2)

    plain, chosen = chat.sent("/v1/chat/completions")
    assert set(plain) == {"stream", "stream_options", "messages"}
    assert (chosen["model"], chosen["temperature"], chosen["max_tokens"]) == ("gpt-4o-mini", 0.3, 5)
    assert chosen["reasoning_effort"] == "low"
    assert [message["role"] for message in chosen["messages"]] == ["system", "user", "assistant", "user"]
    assert "cut at max tokens" in chat.texts(".foot")[-1]


def test_stop_ends_the_answer_and_keeps_what_came(open_chat: Callable[..., Chat], scenario: Script) -> None:
    scenario(replies=["word " * 2000], latency={"chat_token_ms": 20})
    chat = open_chat()
    chat.ask("Talk")
    chat.until(lambda: "word" in chat.texts(".answer")[0])

    chat.element("send").click()

    kept = chat.answers(1)[0]
    assert kept.startswith("word") and len(kept) < 9000
    assert "stopped" in chat.texts(".foot")[-1]
    assert chat.element("send").text == "Send"


def test_an_error_is_told_with_its_code_and_request_and_can_be_tried_again(
    open_chat: Callable[..., Chat], scenario: Script
) -> None:
    fault = {"stage": "chat", "kind": "status", "status": 400, "code": "data_inspection_failed", "message": "No."}
    scenario(faults=[fault], replies=["Better."])
    chat = open_chat()
    chat.ask("Something")
    told = chat.until(lambda: chat.texts(".alarm"))[0]

    chat.one(".alarm button").click()

    assert "content_policy_violation" in told and "req_" in told
    assert chat.answers(1) == ["Better."]
    assert chat.all(".alarm") == []


def test_an_answer_that_breaks_off_is_kept_and_said_so(open_chat: Callable[..., Chat], scenario: Script) -> None:
    scenario(replies=["It was a dark and stormy night"], faults=[{"stage": "chat", "kind": "cut", "after": 5}])
    chat = open_chat()

    chat.ask("Tell")

    alarm = chat.until(lambda: chat.texts(".alarm"))[0]
    assert "It was" in chat.texts(".answer")[0] and "upstream_error" in alarm


def test_a_server_that_wants_a_key_gets_one(open_chat: Callable[..., Chat], browse: Browse, serve: Serve) -> None:
    server = serve(key_pass_through="true", api_tokens="sha256:" + "0" * 64)
    page = Page(browse(), f"{server.url}/test/test_chat_web.html?lang=en")
    page.until(lambda: page.element("settings-panel").is_displayed())
    told = page.texts(".alarm")[0]

    page.press("sk-of-this-person", Keys.ENTER)
    page.until(lambda: len(page.all("#model option")) > 1)
    page.element("question").send_keys("Hello", Keys.ENTER)

    page.until(lambda: page.all(".turn[data-over] .answer"))
    assert "wants a key" in told
    assert "Hello" in page.texts(".answer")[0]
    assert page.run("return sessionStorage.getItem('api-key')") == "sk-of-this-person"
    assert page.run("return Object.keys(localStorage).length") == 0


def test_pictures_go_along_as_data(open_chat: Callable[..., Chat], tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(photo("PNG", size=(3000, 1500)))
    (tmp_path / "small.jpg").write_bytes(photo("JPEG"))
    chat = open_chat()

    for name in ("large.png", "small.jpg"):
        chat.element("picker").send_keys(str(tmp_path / name))
        chat.until(lambda: chat.element("picker").get_attribute("value") == "")
    chat.until(lambda: len(chat.all("#tray img")) == 2)
    chat.ask("What is this?")

    assert "2 pictures" in chat.answers(1)[0]
    parts = chat.sent("/v1/chat/completions")[0]["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["image_url", "image_url", "text"]
    assert all(part["image_url"]["url"].startswith("data:image/jpeg;base64,") for part in parts[:2])
    assert len(chat.all(".turn .pictures img")) == 2 and chat.all("#tray img") == []


def test_an_answer_is_read_aloud_until_it_is_stopped(open_chat: Callable[..., Chat], scenario: Script) -> None:
    scenario(replies=["Good morning, this is a sentence that takes a while."])
    chat = open_chat()
    chat.ask("Hi")
    chat.answers(1)
    speaker = chat.one("[data-label=readAloud]")

    speaker.click()
    chat.until(lambda: chat.is_playing and chat.played_s > 0.2)
    pressed = speaker.get_attribute("aria-pressed")
    speaker.click()

    assert pressed == "true" and not chat.is_playing
    assert speaker.get_attribute("aria-pressed") == "false"
    assert chat.complaints() == []


def test_the_conversation_stays_in_the_tab_until_a_new_one_begins(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat()
    chat.ask("Remember me")
    before = chat.answers(1)

    chat.driver.refresh()
    chat.until(chat.is_ready)
    after = chat.texts(".answer")
    chat.element("new").click()

    assert after == before and chat.texts(".turn") == []
    assert chat.run("return sessionStorage.getItem('chat')") == "[]"


def test_an_answer_is_given_again(open_chat: Callable[..., Chat], scenario: Script) -> None:
    scenario(replies=["First.", "Second."])
    chat = open_chat()
    chat.ask("Say")
    chat.answers(1)

    chat.one("[data-label=again]").click()

    chat.until(lambda: chat.texts(".turn[data-over] .answer") == ["Second."])
    assert len(chat.sent("/v1/chat/completions")[1]["messages"]) == 1


def test_code_is_copied_as_it_is(open_chat: Callable[..., Chat], scenario: Script) -> None:
    scenario(replies=["```js\nif (a < b) c();\n```"])
    chat = open_chat()
    chat.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    chat.ask("Code")
    chat.answers(1)

    chat.one(".code button").click()

    assert chat.run("return window.copied") == "if (a < b) c();"
    assert chat.one(".code button").text == "Copied"


def test_what_a_model_writes_stays_text(open_chat: Callable[..., Chat], scenario: Script) -> None:
    attack = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
    scenario(replies=[attack], reasoning=attack)
    chat = open_chat()

    chat.ask(attack)

    assert chat.answers(1) == [attack] and chat.texts(".you") == [attack]
    assert chat.driver.title == "Chat" and chat.all(".turn img, .turn script") == []


def test_a_keyboard_is_enough(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat()

    chat.tab_to("question")
    chat.press("Hello", Keys.ENTER)
    chat.answers(1)
    chat.press("And again")
    chat.tab_to("send")
    chat.press(Keys.ENTER)

    assert "And again" in chat.answers(2)[1]


def test_it_speaks_chinese_on_a_phone_in_the_dark(open_chat: Callable[..., Chat], scenario: Script) -> None:
    scenario(replies=[ANSWER + "\n\n" + "长" * 300 + " https://example.org/" + "a" * 200], reasoning="想一想。")
    chat = open_chat("lang=zh", width=360, height=740, dark=True)

    chat.ask("怎么泡茶？")
    chat.answers(1)

    assert chat.element("send").text == "发送" and "token" in chat.texts(".foot")[1]
    chat.picture("chat-phone-dark")
    assert not chat.is_wider_than_its_window
    chat.run("document.querySelector('#options').open = true")
    chat.picture("chat-phone-dark-options")
    assert not chat.is_wider_than_its_window
