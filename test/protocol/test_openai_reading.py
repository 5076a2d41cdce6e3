"""Bodies that do not fit are refused by the name of the parameter."""

from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BadInput
from protocol.openai.reading import convert, read_json, read_object


class Item(msgspec.Struct, kw_only=True):
    role: Literal["user", "system"]


class Sample(msgspec.Struct, kw_only=True):
    model: Annotated[str, msgspec.Meta(min_length=1)]
    items: list[Item] = []
    heat: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    flag: bool | None = None


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "missing_required_parameter", "model"),
        (b"{}", "missing_required_parameter", "model"),
        (b'{"model":3}', "invalid_type", "model"),
        (b'{"model":""}', "invalid_value", "model"),
        (b'{"model":"m","heat":"1"}', "invalid_type", "heat"),
        (b'{"model":"m","heat":3}', "invalid_value", "heat"),
        (b'{"model":"m","items":[{}]}', "missing_required_parameter", "items[0].role"),
        (b'{"model":"m","items":[{"role":"x"}]}', "invalid_value", "items[0].role"),
        (b"[]", "invalid_type", None),
        (b"{", "invalid_json", None),
        (b'"\xed\xa0\x80"', "invalid_json", None),
        pytest.param(b"[" * 100_000, "invalid_json", None, id="deep"),
        pytest.param(b"1" * 5000, "invalid_json", None, id="a large number"),
        pytest.param(b'{"model":[' + b"[]," * 1_000_000 + b"[]]}", "invalid_json", None, id="many values"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(body: bytes, code: str, param: str | None) -> None:
    with pytest.raises(BadInput) as refused:
        read_json(body, Sample)

    assert (refused.value.status, refused.value.code, refused.value.param) == (400, code, param)


def test_the_words_are_those_of_json() -> None:
    with pytest.raises(BadInput, match=r"^Invalid 'heat': expected number, got string\.$"):
        convert({"model": "m", "heat": "1"}, Sample)


def test_a_form_may_write_numbers_and_booleans_as_text() -> None:
    sample = convert({"model": "m", "heat": "1.5", "flag": "true"}, Sample, is_form=True)

    assert (sample.heat, sample.flag) == (1.5, True)


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_no_body_is_ever_more_than_refused(body: bytes) -> None:
    refused: set[str] = set()
    try:
        kept = read_object(body)
    except BadInput as error:
        kept, refused = {}, {error.code}

    assert isinstance(kept, dict) and refused <= {"invalid_json", "invalid_type"}
