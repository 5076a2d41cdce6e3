"""The first picture of a video."""

import io

import pytest
from PIL import Image

from emulator.filming import film
from protocol.errors import UpstreamBroken
from services.openai.thumbnails import thumbnail
from test.support.photos import photo


def test_the_first_picture_is_reduced_to_a_webp_of_the_same_shape() -> None:
    video = film(720, 1280, 2, {"prompt": "a cat"})

    shown = thumbnail([video[:1000], video[1000:]])

    with Image.open(io.BytesIO(shown)) as image:
        assert (image.format, image.size) == ("WEBP", (360, 640))


@pytest.mark.parametrize("data", [b"", b"#EXTM3U\nfile:///etc/passwd\n", photo(), film(832, 480, 2, {})[:600]], ids=len)
def test_what_is_no_video_has_no_picture(data: bytes) -> None:
    with pytest.raises(UpstreamBroken) as refused:
        thumbnail([data])

    assert refused.value.code == "upstream_malformed"
