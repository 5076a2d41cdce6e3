"""Requests for pictures, read: every spelling, every refusal."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.drawings import Size
from protocol.errors import BadInput
from protocol.openai.image_edits import (
    PICTURES,
    ImageEditRequest,
    ImageVariationRequest,
    read_edit_body,
    read_edit_form,
    read_variation_body,
    read_variation_form,
)
from protocol.openai.images import Asked, read_generation, size_name
from test.support.openai_schema import _bundle

LINK = "https://example.com/a.png"
DATA = "data:image/png;base64,cGljdHVyZQ=="
PICTURE = b"picture"


def generation(**wish: Any) -> Asked:
    return read_generation(json.dumps({"prompt": "a cat", **wish}).encode())


def edit(**wish: Any) -> Asked:
    return read_edit_body(json.dumps({"prompt": "a hat", **wish}).encode())


def refused(read: Any) -> tuple[str | None, str]:
    with pytest.raises(BadInput) as refusal:
        read()
    return refusal.value.param, refusal.value.code


# --- from words


@pytest.mark.parametrize(
    ("text", "size", "scale"),
    [
        ("1024x1536", Size(width=1024, height=1536), ""),
        ("1664*928", Size(width=1664, height=928), ""),
        (" 512 X 512 ", Size(width=512, height=512), ""),
        ("auto", None, ""),
        ("", None, ""),
        ("2k", None, "2K"),
    ],
)
def test_a_size_is_read_in_every_spelling(text: str, size: Size | None, scale: str) -> None:
    asked = generation(size=text)

    assert (asked.size, asked.scale) == (size, scale)


@pytest.mark.parametrize(
    ("wish", "is_base64"),
    [
        ({}, False),
        ({"model": "dall-e-3"}, False),
        ({"model": "gpt-image-1.5"}, True),
        ({"model": "chatgpt-image-latest"}, True),
        ({"model": "gpt-image-1", "response_format": "url"}, False),
        ({"response_format": "b64_json"}, True),
        ({"output_format": "webp"}, True),
        ({"stream": True}, True),
    ],
)
def test_a_picture_is_a_link_or_a_file(wish: dict[str, Any], is_base64: bool) -> None:
    assert generation(**wish).is_base64 is is_base64


def test_a_form_says_numbers_and_switches_as_text() -> None:
    asked = read_edit_form(
        [("prompt", "x"), ("n", "3"), ("stream", "true"), ("watermark", "false"), ("seed", "5")], [("image", PICTURE)]
    )

    assert (asked.count, asked.is_stream, asked.watermark, asked.seed) == (3, True, False, 5)


@pytest.mark.parametrize(
    ("size", "name"),
    [(Size(width=1024, height=1024), "1024x1024"), (Size(width=1328, height=1328), ""), (None, "")],
)
def test_only_openais_sizes_have_a_name_in_its_answers(size: Size | None, name: str) -> None:
    assert size_name(size) == name


# --- from pictures


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("value", [DATA, [DATA], {"image_url": DATA}, [{"image_url": DATA}], {"url": DATA}])
def test_a_picture_is_read_under_every_name_and_in_every_form(name: str, value: Any) -> None:
    assert edit(**{name: value}).pictures == edit(**{f"{name}[]": value}).pictures == (PICTURE,)


def test_pictures_under_several_names_are_all_taken() -> None:
    asked = read_edit_form(
        [("prompt", "x"), ("image_url", LINK), ("input_images[]", DATA), ("input_images[]", LINK)],
        [("image[]", b"1"), ("image[0]", b"2"), ("images", b"3")],
    )

    assert asked.pictures == (b"1", b"2", b"3", PICTURE, LINK, LINK)


def test_a_variation_has_one_picture_and_needs_no_words() -> None:
    by_form, by_body = (
        read_variation_form([], [("image", PICTURE)]),
        read_variation_body(b'{"image": "%s"}' % DATA.encode()),
    )

    assert by_form.pictures == by_body.pictures == (PICTURE,)
    assert by_form.prompt and by_form.task == "variation"
    assert refused(lambda: read_variation_form([], [("image[]", b"1"), ("image[]", b"2")])) == (
        "image",
        "invalid_value",
    )


@pytest.mark.parametrize(
    ("wish", "param", "code"),
    [
        ({}, "image", "missing_required_parameter"),
        ({"image": ""}, "image", "missing_required_parameter"),
        ({"image": "picture.png"}, "image", "invalid_value"),
        ({"image": "data:image/png;base64,"}, "image", "invalid_value"),
        ({"image": 5}, "image", "invalid_type"),
        ({"image": [{"image_url": DATA, "detail": "high"}]}, "image[0].detail", "unknown_parameter"),
        ({"image": {"file_id": "file-1"}}, "image.file_id", "unsupported_value"),
        ({"image": DATA, "mask": {"image_url": DATA}}, "mask", "unsupported_value"),
        ({"image": DATA, "prompt": ""}, "prompt", "missing_required_parameter"),
    ],
)
def test_an_edit_that_cannot_be_read_is_refused_by_name(wish: dict[str, Any], param: str, code: str) -> None:
    assert refused(lambda: edit(**wish)) == (param, code)


# --- completeness


@pytest.mark.parametrize(
    ("schema", "record"),
    [
        ("CreateImageRequest", ImageEditRequest),
        ("CreateImageEditRequest", ImageEditRequest),
        ("CreateImageVariationRequest", ImageVariationRequest),
    ],
)
def test_every_parameter_of_openai_is_known(schema: str, record: Any) -> None:
    names = set(_bundle()["components"]["schemas"][schema]["properties"])

    assert names <= set(record.__struct_fields__)


def test_the_document_says_what_becomes_of_every_parameter() -> None:
    document = (Path(__file__).parents[2] / "docs" / "openai.md").read_text("utf-8")
    section = document.partition("\n## Images\n")[2].partition("\n## ")[0]

    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]

    told = sorted(name for row in rows for name in re.findall(r"`(\w+)`", row))
    assert told == sorted(ImageEditRequest.__struct_fields__)


_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.just(DATA)
_BODIES = st.dictionaries(
    st.sampled_from([*ImageEditRequest.__struct_fields__, "image[]", "other"]),
    _VALUES | st.lists(_VALUES, max_size=3) | st.dictionaries(st.sampled_from(["image_url", "file_id"]), _VALUES),
)


@given(_BODIES)
def test_no_body_is_ever_more_than_refused(body: dict[str, Any]) -> None:
    for read in (read_generation, read_edit_body, read_variation_body):
        try:
            outcome: object = read(json.dumps(body).encode())
        except BadInput as error:
            outcome = error
        assert isinstance(outcome, (Asked, BadInput))
