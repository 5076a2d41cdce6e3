import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from protocol.errors import BadInput, TooLarge
from services.pictures import PictureRules, prepare
from test.support.photos import photo

RULES = PictureRules(max_side=1024, max_pixels=4_000_000)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_is_fit_stays_as_it_is(kind: str) -> None:
    data = photo(kind)

    picture = prepare(data, rules=RULES)

    assert picture.data == data and (picture.width, picture.height) == (320, 240)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "HEIF"])
def test_other_kinds_become_jpeg(kind: str) -> None:
    picture = prepare(photo(kind), rules=RULES)

    assert picture.content_type == "image/jpeg" and opened(picture.data).size == (320, 240)


def test_a_picture_taken_sideways_is_turned_upright() -> None:
    picture = prepare(photo(orientation=6), rules=RULES)

    image = opened(picture.data)
    red, _, blue = image.getpixel((120, 20))
    assert image.size == (240, 320) and red > 200 > 60 > blue


def test_a_large_picture_is_reduced_to_the_longest_side() -> None:
    picture = prepare(photo(size=(2000, 1000)), rules=RULES)

    assert opened(picture.data).size == (picture.width, picture.height) == (1024, 512)


def test_what_is_transparent_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (2000, 40), (0, 0, 0, 0)).save(out, "PNG")

    picture = prepare(out.getvalue(), rules=RULES)

    assert opened(picture.data).getpixel((5, 5)) == (255, 255, 255)


def test_of_a_moving_picture_the_first_frame_is_shown() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])

    red, _, blue = opened(prepare(out.getvalue(), rules=RULES).data).getpixel((5, 5))

    assert red > 200 and blue < 60


@pytest.mark.parametrize("size", [(10, 200), (4000, 12)])
def test_a_picture_that_the_model_would_refuse_is_refused_here(size: tuple[int, int]) -> None:
    with pytest.raises(BadInput) as caught:
        prepare(photo("PNG", size=size), rules=RULES)

    assert caught.value.code == "unsupported_image" and f"{size[0]}x{size[1]}" in caught.value.english


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(TooLarge):
        prepare(photo("PNG", size=(2001, 2000)), rules=RULES)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "HEIF"])
def test_half_a_picture_is_told(kind: str) -> None:
    data = photo(kind)

    with pytest.raises(BadInput, match="损坏"):
        prepare(data[: len(data) // 2], rules=RULES)


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP"]), st.binary(max_size=200), st.integers(0, 400))
def test_damage_anywhere_is_told_or_harmless(kind: str, damage: bytes, at: int) -> None:
    data = bytearray(photo(kind, size=(40, 30)))
    data[at : at + len(damage)] = damage

    try:
        outcome = prepare(bytes(data), rules=RULES).content_type
    except BadInput as error:
        outcome = error.code

    assert outcome in ("image/jpeg", "image/png", "image/webp", "unsupported_image", "too_large")
