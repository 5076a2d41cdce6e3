"""Drawings as files of the format that was asked for."""

import io

import pytest
from PIL import Image

from emulator.painting import paint
from protocol.drawings import Size
from protocol.errors import UpstreamBroken
from services.openai.picture_files import Form, encoded
from test.support.photos import photo

PNG = paint(64, 48, {"prompt": "a cat"})


def test_a_drawing_that_has_the_format_stays_as_it_is() -> None:
    file = encoded(PNG, form="png", quality=None)

    assert (file.data, file.size) == (PNG, Size(width=64, height=48))


@pytest.mark.parametrize(("form", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
@pytest.mark.parametrize("source", [PNG, photo("JPEG"), photo("WEBP"), photo("PNG", mode="RGBA")])
def test_any_picture_becomes_any_format(source: bytes, form: Form, kind: str) -> None:
    file = encoded(source, form=form, quality=80)

    image = Image.open(io.BytesIO(file.data))
    assert image.format == kind
    assert image.size == Image.open(io.BytesIO(source)).size == (file.size.width, file.size.height)


@pytest.mark.parametrize("data", [b"", b"<html>no</html>", PNG[:60], photo("JPEG")[:400]])
def test_what_cannot_be_decoded_is_a_failure_that_was_paid_for(data: bytes) -> None:
    with pytest.raises(UpstreamBroken) as broken:
        encoded(data, form="webp", quality=None)

    assert (broken.value.code, broken.value.is_spent) == ("upstream_malformed", True)
