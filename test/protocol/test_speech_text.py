"""Speech text: the corpus at every cut, what may come out at all, how little is held back."""

import itertools
import re
import unicodedata
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol.speech_text import SpeechText, speakable
from test.protocol.speech_corpus import Case, cases

_CORPUS = cases()
_PIECES = st.sampled_from([case.written for case in _CORPUS])
_NOISE = st.text(
    st.sampled_from(
        "**__``~~$$[]()<>!#|&\\\n\n  --=:.,%/^{}\"'0123456789年月日元万个℃aAkmVXhttp@￥€，。！？（）“”…→😊\u200d\ufe0f°"
    ),
    max_size=40,
)
_TEXTS = st.lists(st.one_of(_PIECES, _NOISE, st.text(max_size=12)), max_size=5).map("".join)
_SPOKEN_SIGNS = frozenset("，。！？、；：“”‘’「」『』（）《》【】…·,.!?;:'\"() \n")
_NAME_SIGNS = frozenset("-_+#&")


def _id(case: Case) -> str:
    return f"{case.line}:{case.section}"


def _spoken(pieces: Iterable[str]) -> str:
    stream = SpeechText()
    return "".join([*map(stream.feed, pieces), stream.finish()])


def _shown_so_far(text: str) -> str:
    stream = SpeechText()
    return "".join(map(stream.feed, text))


def _cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in itertools.pairwise(edges)]


def assert_speakable(text: str) -> None:
    """Letters and their marks, punctuation with a pause, and five signs and digits inside names: nothing else."""
    for at, char in enumerate(text):
        if unicodedata.category(char)[0] in "LM" or char in _SPOKEN_SIGNS or char in "0123456789":
            continue
        assert char in _NAME_SIGNS, f"{char!r} in {text!r}"
        assert at and (text[at - 1].isalnum() or text[at - 1] == "+"), f"bare {char!r} in {text!r}"
    assert not re.search(r"(?m)^\s*\d+\s*$", text), f"a number left in digits: {text!r}"


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(_CORPUS) >= 450


@pytest.mark.parametrize("case", _CORPUS, ids=_id)
def test_a_case_of_the_corpus_is_said_as_a_person_would_say_it(case: Case) -> None:
    assert speakable(case.written).strip() == case.spoken


@pytest.mark.parametrize("case", _CORPUS, ids=_id)
def test_a_case_of_the_corpus_is_said_alike_however_it_is_cut(case: Case) -> None:
    whole = speakable(case.written)

    assert _spoken(case.written) == whole
    for at in range(1, len(case.written)):
        assert _spoken([case.written[:at], case.written[at:]]) == whole, f"cut at {at}"


@pytest.mark.parametrize("case", _CORPUS, ids=_id)
def test_a_case_of_the_corpus_comes_out_in_speakable_characters(case: Case) -> None:
    assert_speakable(speakable(case.written))


@given(_TEXTS, st.lists(st.integers(0, 400), max_size=12))
@settings(max_examples=400, deadline=None)
@example("World War II ended", list(range(18)))
def test_any_text_is_said_alike_however_it_is_cut(text: str, places: list[int]) -> None:
    whole = speakable(text)

    assert _spoken(text) == whole
    assert _spoken(_cut(text, places)) == whole


@given(st.one_of(_TEXTS, st.text(max_size=60)))
@settings(max_examples=400, deadline=None)
def test_any_text_comes_out_in_speakable_characters(text: str) -> None:
    assert_speakable(speakable(text))


PLAIN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5, exclude_characters="乁凸")
"""The two left out also begin faces, so they wait for the next character."""


@given(st.text(PLAIN, min_size=1, max_size=80))
@settings(deadline=None)
def test_plain_chinese_is_never_held_and_never_changed(text: str) -> None:
    stream = SpeechText()

    shown = [stream.feed(char) for char in text]

    assert shown == list(text)


def test_chinese_punctuation_comes_out_at_once() -> None:
    assert _shown_so_far("你好，今天天气很好。") == "你好，今天天气很好。"


def test_plain_english_is_held_by_one_word() -> None:
    assert _shown_so_far("Hello there, my friend") == "Hello there, my"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("一共3个", "一共三个"),  # a number waits for the character after it
        ("一共3", "一共"),
        ("他有**重", "他有重"),  # emphasis waits for the character after the mark
        ("天气[晴", "天气晴"),  # a link's words do not wait at all
        ("价格是$5 元", "价格是五美元"),  # a dollar sign waits for the end of the amount
        ("用`代码", "用代码"),
        ("真的!好", "真的!好"),
        ("- 苹果", "苹果"),
        ("1. 苹果", "一，苹果"),
        ("I know that I have 3 cats now", "I know that I have three cats"),  # the next word may be a unit
    ],
)
def test_a_mark_or_a_number_waits_only_for_what_decides_it(text: str, shown: str) -> None:
    assert _shown_so_far(text) == shown


@pytest.mark.parametrize(
    ("opening", "limit"),
    [
        ("**", 2),
        ("__", 2),
        ("~~", 2),
        ("`", 1),
        ("[", 1),
        ("（", 1),
        ("![", 1),
        ("<b", 20),
        ("<div class='a", 320),
        ("$", 2),
        ("[文字](", 520),
        ("[文字][", 60),
        ("$$", 1010),
        ("\\(", 210),
        ("\\[", 1010),
        ("<!--", 2010),
        ("&", 2),
        ("&am", 2),
        ("\\frac{", 60),
    ],
)
def test_what_is_opened_and_never_closed_does_not_swallow_the_answer(opening: str, limit: int) -> None:
    stream = SpeechText()
    answer = "这是回答的正文，" * 300

    shown = "".join(map(stream.feed, "好" + opening + answer[:limit]))
    rest = "".join(map(stream.feed, answer[limit:]))

    assert stream.held_chars <= 1
    assert (shown + rest).endswith(answer[limit:])


@pytest.mark.parametrize(
    "unit",
    ["<", "(", "[", "1", "1 ", "1-", "*", "`", "$", "\\", "&", "|", "-", "a", "a.", "http://a.", "[a](", "$a", "x ",
     "<!--", "<think>", "```\n", "\\[a", "😊", "é", "= ", "\u0301", "US$", "1/", "。", "“", "\n"],
)  # fmt: skip
def test_what_is_held_is_bounded_whatever_comes(unit: str) -> None:
    stream = SpeechText()
    most = 0

    for _ in range(6000 // len(unit)):
        stream.feed(unit)
        most = max(most, stream.held_chars)

    assert most <= 2100


def test_a_thought_and_a_code_block_that_never_end_are_left_out() -> None:
    assert speakable("好<think>想" + "啊" * 5000).strip() == "好"
    assert speakable("好\n```\n" + "x = 1\n" * 500).strip() == "好\n代码略。"


def test_two_answers_do_not_share_anything() -> None:
    first, second = SpeechText(), SpeechText()

    first_said = first.feed("**他有5")
    second_said = second.feed("She has 5")
    first_said += first.feed("%") + first.finish()
    second_said += second.feed("%") + second.finish()

    assert (first_said, second_said) == ("他有百分之五", "She has five percent")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("I say it is a 5. 他说5。", "I say it is a five. 他说五。"),
        ("iPhone 15 很好", "iPhone 十五很好"),
        ("他说 5 apples", "他说五 apples"),
        ("5 apples are here", "five apples are here"),
        ("5", "五"),
        ("The answer is 5元", "The answer is 五元"),
    ],
)
def test_the_language_of_a_number_is_that_of_the_text_around_it(text: str, spoken: str) -> None:
    assert speakable(text) == spoken
