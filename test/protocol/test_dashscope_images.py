"""What the vendor's models draw, how they are asked, and what their answers mean."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.dashscope.image_models import image_model
from protocol.dashscope.images import drawing_body, drawings_of, read_drawing_body
from protocol.drawings import Drawing, DrawingWish, Size
from protocol.errors import UpstreamBroken, UpstreamError, UpstreamRefused

FIVE = {(1664, 928), (1472, 1104), (1328, 1328), (1104, 1472), (928, 1664)}


def fitted(model: str, width: int, height: int) -> tuple[int, int]:
    size = image_model(model).sizes.fit(Size(width=width, height=height))
    return size.width, size.height


def answer(**fields: object) -> bytes:
    return msgspec.json.encode({"request_id": "r-1", **fields})


def failure(**fields: object) -> UpstreamError:
    with pytest.raises(UpstreamError) as failed:
        drawings_of(read_drawing_body(answer(**fields)))
    return failed.value


def message(*parts: dict[str, str | None]) -> dict[str, object]:
    return {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": list(parts)}}]}


# --- families


@pytest.mark.parametrize(
    ("model", "door", "most_count", "most_pictures"),
    [
        ("qwen-image-max", "messages", 1, 0),
        ("qwen-image-plus-2026-01-09", "messages", 1, 0),
        ("qwen-image-edit-plus-2025-12-15", "messages", 6, 3),
        ("qwen-image-edit", "messages", 1, 3),
        ("qwen-image-2.0-pro-2026-03-03", "messages", 6, 3),
        ("qwen-image-2.1-pro", "messages", 6, 10),
        ("qwen-image-3.0", "messages", 6, 3),
        ("z-image-turbo", "messages", 1, 0),
        ("wan2.6-t2i", "messages", 4, 0),
        ("wan2.5-t2i-preview", "text2image", 4, 0),
        ("wan2.2-t2i-flash", "text2image", 4, 0),
        ("wanx2.1-t2i-turbo", "text2image", 4, 0),
        ("wan2.5-i2i-preview", "image2image", 4, 3),
        ("wanx2.1-imageedit", "imageedit", 4, 1),
        ("some-model-of-next-year", "messages", 1, 16),
    ],
)
def test_each_family_is_known_by_the_beginning_of_its_names(
    model: str, door: str, most_count: int, most_pictures: int
) -> None:
    family = image_model(model)

    assert (family.door, family.most_count, family.most_pictures) == (door, most_count, most_pictures)


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [
        ((1024, 1024), (1328, 1328)),
        ((512, 512), (1328, 1328)),
        ((256, 256), (1328, 1328)),
        ((1536, 1024), (1472, 1104)),
        ((1024, 1536), (1104, 1472)),
        ((1792, 1024), (1664, 928)),
        ((1024, 1792), (928, 1664)),
        ((1664, 928), (1664, 928)),
    ],
)
def test_a_model_of_five_sizes_draws_the_one_of_the_nearest_ratio(
    asked: tuple[int, int], drawn: tuple[int, int]
) -> None:
    assert fitted("qwen-image", *asked) == drawn


@given(st.integers(10, 99_999), st.integers(10, 99_999))
def test_whatever_is_asked_for_the_size_is_one_that_the_model_draws(width: int, height: int) -> None:
    assert fitted("qwen-image-max", width, height) in FIVE
    for model, least, most, ratio in (
        ("qwen-image-2.0", 512**2, 2048**2, 1e9),
        ("qwen-image-3.0", 512**2, 2048**2, 8),
        ("wan2.6-t2i", 1280**2, 1440**2, 4),
        ("wan2.5-i2i-preview", 768**2, 1280**2, 4),
    ):
        sides = fitted(model, width, height)
        assert least <= sides[0] * sides[1] <= most, (model, sides)
        assert max(sides) <= ratio * min(sides), (model, sides)
    assert all(512 <= side <= 1440 for side in fitted("wan2.2-t2i-flash", width, height))


# --- requests


def test_what_is_not_said_is_left_to_the_model_but_the_number() -> None:
    body = drawing_body(DrawingWish(prompt="a cat"), model="m", door="messages")

    content = [{"text": "a cat"}]
    assert body == {
        "model": "m",
        "input": {"messages": [{"role": "user", "content": content}]},
        "parameters": {"n": 1},
    }


def test_each_door_has_its_own_place_for_pictures_and_negative_words() -> None:
    wish = DrawingWish(prompt="p", pictures=("oss://a", "oss://b"), negative_prompt="no")

    inputs = {door: drawing_body(wish, model="m", door=door) for door in ("messages", "image2image", "imageedit")}

    assert inputs["messages"]["input"]["messages"][0]["content"][:2] == [{"image": "oss://a"}, {"image": "oss://b"}]
    assert inputs["messages"]["parameters"]["negative_prompt"] == "no"
    assert inputs["image2image"]["input"] == {"prompt": "p", "negative_prompt": "no", "images": ["oss://a", "oss://b"]}
    assert inputs["imageedit"]["input"]["base_image_url"] == "oss://a"
    assert inputs["imageedit"]["input"]["function"] == "description_edit"


# --- answers


def test_a_message_holds_pictures_and_what_became_of_the_prompt() -> None:
    body = answer(
        output=message({"image": "u1"}, {"type": "image", "image": "u2"}, {"text": "a tabby"}),
        usage={"width": 1024, "height": 768, "image_count": 2},
    )

    drawn = drawings_of(read_drawing_body(body))

    size = Size(width=1024, height=768)
    assert drawn.drawings == tuple(Drawing(url=url, prompt="a tabby", size=size) for url in ("u1", "u2"))
    assert drawn.request_id == "r-1"


def test_null_is_as_good_as_nothing() -> None:
    part = {"image": "u1", "text": None}
    body = answer(output={**message(part), "code": None}, code=None, message=None, usage={"image_count": 1})

    assert drawings_of(read_drawing_body(body)).drawings == (Drawing(url="u1"),)


def test_a_task_that_succeeded_in_part_tells_both() -> None:
    results = [{"url": "u1", "actual_prompt": "p"}, {"code": "DataInspectionFailed", "message": "no"}]

    drawn = drawings_of(read_drawing_body(answer(output={"task_status": "SUCCEEDED", "results": results})))

    assert [one.url for one in drawn.drawings] == ["u1"]
    assert [one.code for one in drawn.failures] == ["content_policy_violation"]


@pytest.mark.parametrize(
    ("fields", "kind", "code"),
    [
        (
            {"output": {"task_status": "FAILED", "code": "InternalError", "message": "m"}},
            UpstreamBroken,
            "upstream_error",
        ),
        ({"output": {"task_status": "UNKNOWN"}}, UpstreamBroken, "upstream_error"),
        ({"output": {"task_status": "CANCELED"}}, UpstreamBroken, "upstream_error"),
        ({"code": "InvalidParameter", "message": "m"}, UpstreamRefused, "invalid_parameter"),
        ({"output": message({"text": "I would rather not"})}, UpstreamRefused, "no_image"),
        ({"output": {}}, UpstreamRefused, "no_image"),
    ],
)
def test_an_answer_without_a_picture_is_an_error(
    fields: dict[str, object], kind: type[UpstreamError], code: str
) -> None:
    failed = failure(**fields)

    assert isinstance(failed, kind) and failed.code == code and failed.request_id == "r-1"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"output": 5}', b"\xff"])
def test_an_answer_that_is_none_is_an_error_of_the_vendors(body: bytes) -> None:
    with pytest.raises(UpstreamBroken) as broken:
        read_drawing_body(body)

    assert broken.value.code == "upstream_malformed"
