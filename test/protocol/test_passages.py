from hypothesis import given
from hypothesis import strategies as st

from protocol.passages import passages

STORY = "".join(f"第{number}天，他走过一座桥，又走过一片树林。" for number in ("一", "二", "三", "四", "五")) * 20


def test_a_text_without_a_word_has_no_passage() -> None:
    assert [list(passages(text, most=600)) for text in (".", "。！？", "🎉🎉", "  \n ", "***")] == [[]] * 5


def test_a_short_text_is_one_passage() -> None:
    assert list(passages("今天天气怎么样？It is fine.", most=600)) == ["今天天气怎么样？It is fine."]


def test_a_long_text_is_said_whole_in_passages_that_grow() -> None:
    cut = list(passages(STORY, most=600))

    assert "".join(cut) == STORY
    assert 60 < len(cut[0]) <= 80 and 120 < len(cut[1]) <= 160
    assert all(280 < len(passage) <= 320 for passage in cut[2:-1])


def test_passages_end_where_sentences_end() -> None:
    assert {passage[-1] for passage in passages(STORY, most=600)} == {"。"}


def test_what_a_voice_cannot_say_is_not_in_a_passage() -> None:
    (said,) = passages("**重点**：见[文档](https://example.com/a?b=c)😀。", most=600)

    assert said == "重点：见文档。"


@given(st.text(alphabet="a1 ,.。，！\n😀*今天（」", max_size=400), st.integers(5, 60))
def test_no_passage_is_longer_than_one_call_takes(text: str, most: int) -> None:
    cut = list(passages(text, most=most))

    assert all(0 < len(passage) <= most for passage in cut)
