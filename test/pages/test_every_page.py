"""What holds for every page: words for those who listen, no scrolling sideways, nothing that the browser refuses."""

import pytest

from test.pages.page import Browse, Page

PAGES = {
    "/": "Talk",
    "/test/test_chat_web.html": "Chat",
    "/test/test_vlm_stream.html": "See",
    "/test/test_history.html": "History",
    "/docs": "API",
}
SPOKEN_ROLES = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "spinbutton", "navigation", "image"}
every_page = pytest.mark.parametrize("path", PAGES)


@every_page
def test_whatever_can_be_used_has_a_name(browse: Browse, page_url: str, path: str) -> None:
    page = Page(browse(), f"{page_url}{path}?lang=en")
    page.run("for (const one of document.querySelectorAll('details')) one.open = true")
    page.element("settings").click()

    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]

    shown = [node for node in nodes if not node["ignored"] and node["role"]["value"] in SPOKEN_ROLES]
    nameless = [node["role"]["value"] for node in shown if not node.get("name", {}).get("value")]
    assert len(shown) > 8 and nameless == []


@every_page
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_has_a_title_a_place_and_all_its_words(browse: Browse, page_url: str, path: str, language: str) -> None:
    page = Page(browse(), f"{page_url}{path}?lang={language}")

    missing = page.run(
        "return [...document.querySelectorAll('[data-word], [data-label], [data-placeholder]')]"
        ".filter((one) => !(one.textContent || one.ariaLabel || one.placeholder)).map((one) => one.outerHTML)"
    )
    assert missing == []
    assert len(page.all("h1")) == 1 and page.driver.title == page.run("return document.querySelector('h1').textContent")
    assert page.run("return document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
    assert page.run("return document.querySelector('.pages [aria-current=page]').dataset.word").startswith("nav")
    assert page.complaints() == []


@every_page
@pytest.mark.parametrize("width", [320, 820, 1600])
def test_it_never_scrolls_sideways(browse: Browse, page_url: str, path: str, width: int) -> None:
    page = Page(browse(width=width, dark=width == 820), f"{page_url}{path}?lang=en")

    page.run("for (const one of document.querySelectorAll('details:not(.operation)')) one.open = true")

    page.picture(f"every-{PAGES[path].lower()}-{width}")
    assert not page.is_wider_than_its_window


def test_the_pages_lead_to_one_another(browse: Browse, page_url: str) -> None:
    page = Page(browse(), f"{page_url}/?lang=en")

    titles = []
    for name in PAGES.values():
        next(link for link in page.all(".pages a") if link.text == name).click()
        page.until(lambda name=name: page.texts(".pages [aria-current]") == [name])
        titles.append(page.driver.title)

    assert titles == ["Voice assistant", "Chat", "See and ask", "History", "API"]


def test_the_first_tab_leads_past_the_frame(browse: Browse, page_url: str) -> None:
    page = Page(browse(), f"{page_url}/test/test_chat_web.html?lang=en")
    page.run("document.activeElement.blur()")

    page.press("\ue004", "\ue007")

    assert page.run("return document.activeElement.id") == "main"
