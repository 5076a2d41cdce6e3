"""Texts put together for a translator: none is lost, none is too long."""

from hypothesis import given
from hypothesis import strategies as st

from services.openai.text_batches import batches_of, lines_of, passages_of


def test_few_sentences_are_one_batch_in_their_order() -> None:
    assert list(batches_of(["One.", "Two\nlines.", "Three."])) == [("One.", "Two lines.", "Three.")]


def test_a_batch_is_bounded_by_lines_and_by_length() -> None:
    assert [len(batch) for batch in batches_of(["a"] * 40)] == [16, 16, 8]
    assert [len(batch) for batch in batches_of(["a" * 1000] * 3)] == [1, 1, 1]


def test_a_text_is_cut_where_its_sentences_end() -> None:
    assert list(passages_of("今天好。 Shall we go? Yes!\nGood")) == ["今天好。", "Shall we go?", "Yes!", "Good"]


def test_numbers_and_abbreviations_without_a_space_stay_whole() -> None:
    assert list(passages_of("It is 3.5 km away.")) == ["It is 3.5 km away."]


@given(st.text(alphabet="ab 。.!\n", max_size=5000))
def test_no_letter_of_a_text_is_lost(text: str) -> None:
    passages = list(passages_of(text))

    assert "".join("".join(passages).split()) == "".join(text.split())
    assert all(0 < len(passage) <= 1500 for passage in passages)


def test_empty_lines_are_none() -> None:
    assert lines_of(" one \n\n two\n") == ["one", "two"]
