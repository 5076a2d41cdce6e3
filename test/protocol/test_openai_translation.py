"""Requests for a translation of speech, as forms and as JSON."""

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BadInput
from protocol.openai.translation import TranslationRequest, Wanted, read_body, read_form
from protocol.translation import Term, Wording

MODEL = ("model", "whisper-1")


def test_english_is_the_target_unless_another_is_named() -> None:
    assert read_form([MODEL]) == Wanted(model="whisper-1", wording=Wording(target="en"))
    assert read_form([MODEL, ("target_language", "zh-HK")]).wording.target == "yue"


@pytest.mark.parametrize(
    "fields",
    [
        [("terms", '{"a": "b", "c": "d"}')],
        [("terms", '[{"source": "a", "target": "b"}, {"source": "c", "target": "d"}]')],
        [("terms[a]", "b"), ("terms[c]", "d")],
    ],
)
def test_terms_may_be_written_in_three_ways(fields: list[tuple[str, str]]) -> None:
    assert read_form([MODEL, *fields]).wording.terms == (
        Term(source="a", target="b"),
        Term(source="c", target="d"),
    )


def test_a_json_body_says_the_same() -> None:
    by_body = read_body(b'{"model": "whisper-1", "prompt": "law", "terms": {"a": "b"}, "response_format": "srt"}')

    assert by_body == read_form([MODEL, ("prompt", "law"), ("terms", '{"a": "b"}'), ("response_format", "srt")])


def test_the_document_says_what_becomes_of_every_parameter() -> None:
    document = (Path(__file__).parents[2] / "docs" / "openai.md").read_text("utf-8")
    section = document.partition("\n## Translations\n")[2].partition("\n## ")[0]

    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]

    told = sorted(name for row in rows for name in re.findall(r"`(\w+)`", row))
    assert told == sorted(TranslationRequest.__struct_fields__)


@given(st.lists(st.tuples(st.sampled_from(["terms", "terms[a]", "stream", "model", "url"]), st.text(max_size=12))))
def test_no_form_is_ever_more_than_refused(fields: list[tuple[str, str]]) -> None:
    with contextlib.suppress(BadInput):
        assert read_form([MODEL, *fields]).wording.target == "en"
