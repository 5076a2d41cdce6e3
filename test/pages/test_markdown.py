"""What a model writes, as the pages show it: in a real browser, read back as HTML."""

import pytest

from test.pages.page import Browse, Page

SHOW = """
const [text, done] = arguments;
Promise.all([import("/test/markdown.js"), import("/test/pages.js")]).then(([{ showMarkdown }, { make }]) => {
  const element = make("div");
  for (let end = 1; end < text.length; end += 7) showMarkdown(element, text.slice(0, end));
  showMarkdown(element, text);
  done(element.innerHTML);
});"""
CASES = {
    "# Title #": "<h2>Title</h2>",
    "a **b** *c* ~~d~~ `e`": "<p>a <strong>b</strong> <em>c</em> <s>d</s> <code>e</code></p>",
    "***both***": "<p><strong><em>both</em></strong></p>",
    "snake_case_name 2*3*4": "<p>snake_case_name 2<em>3</em>4</p>",
    r"\*plain\*": "<p>*plain*</p>",
    "one\ntwo\n\nthree": "<p>one\ntwo</p><p>three</p>",
    "- a\n- b\n  - c\n- d": "<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>",
    "3. a\n4. b": '<ol start="3"><li>a</li><li>b</li></ol>',
    "- [x] done\n- [ ] open": "<ul><li>☑ done</li><li>☐ open</li></ul>",
    "> quoted\n> more": "<blockquote><p>quoted\nmore</p></blockquote>",
    "a\n\n---\n\nb": "<p>a</p><hr><p>b</p>",
    "| a | b |\n|---|--:|\n| 1 | `x` |": '<div class="table" tabindex="0"><table><thead><tr><th>a</th>'
    '<th style="text-align: right;">b</th></tr></thead><tbody><tr><td>1</td>'
    '<td style="text-align: right;"><code>x</code></td></tr></tbody></table></div>',
    "see https://example.org/a_b. Yes": '<p>see <a href="https://example.org/a_b" target="_blank" '
    'rel="noopener noreferrer">https://example.org/a_b</a>. Yes</p>',
    "[this](mailto:a@example.org)": '<p><a href="mailto:a@example.org" target="_blank" '
    'rel="noopener noreferrer">this</a></p>',
    "```py\nprint(1)\n# no title\n```": '<div class="code"><div class="code-head"><span>py</span></div>'
    '<pre tabindex="0"><code>print(1)\n# no title</code></pre></div>',
    "~~~\nopen": '<div class="code"><div class="code-head"><span></span></div>'
    '<pre tabindex="0"><code>open</code></pre></div>',
}
ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "![picture](https://example.org/track.png)",
    '[x](https://example.org/"onmouseover="alert(1))',
    "```<img src=x onerror=alert(1)>\n<b>\n```",
    "| <i>a</i> | b |\n|---|---|\n| <svg onload=alert(1)> | 2 |",
    "# <iframe src=https://example.org>",
    "<a href=javascript:alert(1)>x</a>",
]


@pytest.fixture
def page(browse: Browse, page_url: str) -> Page:
    return Page(browse(), f"{page_url}/test/test_chat_web.html?lang=en")


def test_markdown_is_shown_as_it_is_meant_even_when_it_comes_in_pieces(page: Page) -> None:
    shown = {text: page.driver.execute_async_script(SHOW, text) for text in CASES}

    assert shown == CASES


def test_nothing_that_a_model_writes_becomes_a_part_of_the_page(page: Page) -> None:
    parse = """
        const parsed = new DOMParser().parseFromString(arguments[0], "text/html").body;
        const all = [...parsed.querySelectorAll("*")];
        return [
          all.map(({ tagName }) => tagName).filter((tag) => /SCRIPT|IMG|IFRAME|SVG|IFRAME|^I$/.test(tag)),
          all.flatMap((one) => one.getAttributeNames()).filter((name) => name.startsWith("on")),
          all.map((one) => one.href ?? "").filter((href) => href && !/^(https?|mailto):/.test(href)),
        ].flat();"""

    found = {text: page.run(parse, page.driver.execute_async_script(SHOW, text)) for text in ATTACKS}

    assert found == {text: [] for text in ATTACKS}


@pytest.mark.parametrize("mark", ["**", "`", "[", "> ", "- ", "| ", "_", "<https://", "#", "* ", "~~", "\\"])
def test_a_page_of_marks_is_shown_and_loses_nothing(page: Page, mark: str) -> None:
    text = mark * (20_000 // len(mark)) + "\nend"
    show = SHOW.replace("end += 7", "end += text.length")

    shown = page.driver.execute_async_script(show, text)

    assert "end" in shown
