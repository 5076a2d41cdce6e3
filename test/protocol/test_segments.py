"""Segments: a fast start, whole sentences, no loss, the same at every cut."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.segments import FIRST_WEIGHT, MOST_CHARS, Segmenter, weight
from protocol.speech_text import SpeechText, speakable
from test.protocol.speech_corpus import Case, cases

_CORPUS = cases()
_SPEECH = st.lists(
    st.one_of(
        st.sampled_from([case.spoken for case in _CORPUS]),
        st.text(st.sampled_from("你好世界 abc DE，。！？：；、…\n.,!?:;\"“”「」（）()'e.g. Mr. 3.14"), max_size=60),
    ),
    max_size=6,
).map("".join)


def _segments(pieces: object) -> list[str]:
    segmenter = Segmenter()
    found = [segment for piece in pieces for segment in segmenter.feed(piece)]  # type: ignore[attr-defined]
    return found + segmenter.finish()


def _at_once(text: str) -> list[str]:
    return Segmenter().feed(text)


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def _words(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


@given(_SPEECH, st.integers(1, 9))
@settings(max_examples=300, deadline=None)
def test_segments_are_the_same_however_the_text_is_cut(text: str, size: int) -> None:
    whole = _segments([text])

    assert _segments(text) == whole
    assert _segments(text[at : at + size] for at in range(0, len(text), size)) == whole


@given(_SPEECH)
@settings(max_examples=300, deadline=None)
def test_segments_hold_every_word_once_and_in_order(text: str) -> None:
    segments = _segments([text])

    assert _words("".join(segments)) == _words(text)
    assert all(weight(segment) and len(segment) <= MOST_CHARS for segment in segments)


@pytest.mark.parametrize("case", _CORPUS, ids=lambda case: f"{case.line}:{case.section}")
def test_normalising_and_segmenting_together_do_not_depend_on_the_cut(case: Case) -> None:
    stream, segmenter = SpeechText(), Segmenter()
    by_char = [s for char in case.written for s in segmenter.feed(stream.feed(char))]
    by_char += segmenter.feed(stream.finish()) + segmenter.finish()

    whole = speakable(case.written)

    assert by_char == _segments([whole])
    assert _bare("".join(by_char)) == _bare(whole) or not _words(whole)


def test_the_first_segment_ends_at_the_first_comma_that_leaves_enough_to_say() -> None:
    assert _at_once("今天北京天气很好，适合出门散步") == ["今天北京天气很好，"]
    assert _at_once("Sure, I can help you, of course") == ["Sure, I can help you,"]


def test_a_short_opening_is_not_sent_alone() -> None:
    assert _at_once("好的。") == []
    assert _at_once("好的。今天天气很好，") == ["好的。今天天气很好，"]


@given(_SPEECH)
@settings(max_examples=200, deadline=None)
def test_the_first_segment_is_never_a_stub(text: str) -> None:
    segments = _segments([text])

    assert len(segments) < 2 or weight(segments[0]) >= FIRST_WEIGHT or len(text) > MOST_CHARS


def test_later_segments_are_whole_sentences() -> None:
    text = "今天北京天气很好，适合出门散步。下午可能会有一点小雨，请记得带伞。晚上气温会下降。"

    assert _segments([text]) == [
        "今天北京天气很好，",
        "适合出门散步。下午可能会有一点小雨，请记得带伞。",
        "晚上气温会下降。",
    ]


def test_short_sentences_go_together() -> None:
    text = "这里是一个开头的句子。好。行。可以。没有问题的。再见。"

    assert _segments([text]) == ["这里是一个开头的句子。", "好。行。可以。没有问题的。再见。"]


@pytest.mark.parametrize(
    "text",
    [
        "The value of it is 3.14 and no more than that",
        "Please meet Mr. Smith and Dr. Lee at the door",
        "Fruits, e.g. apples, i.e. what grows on the trees",
        "He lives in the U.S. today with all of his family",
        "Well… maybe we can do that later on this evening",
        "Visit example.com now for a list of our products",
        "It was at 3 p.m. today when the phone was ringing",
    ],
)
def test_a_dot_that_is_no_stop_does_not_split(text: str) -> None:
    opening = "This is the opening sentence. "

    assert _segments([opening + text]) == [opening.strip(), text]


def test_the_number_of_a_list_stays_with_its_line() -> None:
    assert _segments(["下面是全部的步骤：\n1. 打开这个设备的电源开关\n2. 按下"]) == [
        "下面是全部的步骤：",
        "1. 打开这个设备的电源开关",
        "2. 按下",
    ]


def test_a_closing_quote_stays_with_its_sentence() -> None:
    text = "“你今天过得怎么样呢？”她笑着这样问道。（这是一个旁白而已。）然后他们就走了。"

    assert _segments([text]) == ["“你今天过得怎么样呢？”", "她笑着这样问道。（这是一个旁白而已。）", "然后他们就走了。"]


def test_an_english_quote_stays_with_its_sentence() -> None:
    text = 'He said "It is raining today." Then he went away from there. Bye.'

    assert _segments([text]) == ['He said "It is raining today."', "Then he went away from there.", "Bye."]


def test_a_new_line_is_a_stop() -> None:
    assert _segments(["今天的天气预报\n北京今天白天晴转多云\n上海小雨"]) == [
        "今天的天气预报",
        "北京今天白天晴转多云",
        "上海小雨",
    ]


def test_a_chinese_stop_outside_quotes_does_not_wait() -> None:
    assert _at_once("今天北京天气很好。") == ["今天北京天气很好。"]


def test_a_stop_inside_quotes_waits_for_the_next_character() -> None:
    segmenter = Segmenter()

    assert segmenter.feed("他说：“今天天气很好。") == []
    assert segmenter.feed("”") == ["他说：“今天天气很好。”"]


def test_an_english_stop_waits_for_the_next_character() -> None:
    segmenter = Segmenter()

    assert segmenter.feed("It is a sunny day.") == []
    assert segmenter.feed(" ") == ["It is a sunny day."]


def test_a_long_sentence_is_cut_at_its_commas() -> None:
    text = "这是第一个分段的开头部分，" + "后面还有很长很长的一句话没有说完，" * 10

    segments = _segments([text])

    assert all(segment.endswith("，") and len(segment) <= MOST_CHARS for segment in segments)
    assert "".join(segments) == text


def test_text_without_any_mark_is_cut_in_the_end() -> None:
    chinese, english = _segments(["字" * 500]), _segments(["word " * 100])

    assert [len(segment) for segment in chinese] == [120, 120, 120, 120, 20]
    assert all(len(segment) <= MOST_CHARS and segment.endswith("word") for segment in english)


def test_what_has_no_sound_makes_no_segment() -> None:
    assert _segments(["……\n——\n”"]) == []
