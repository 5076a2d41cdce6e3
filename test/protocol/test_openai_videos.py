"""What a request for a video says, however it is written, and what is refused by name."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import BadInput
from protocol.openai.videos import VideoRequest, read_remix, read_video_body, read_video_form
from protocol.videos import VideoOrder

PICTURE = b"\x89PNG\r\n\x1a\n and so on"
ENCODED = base64.b64encode(PICTURE).decode()


def order(**said: Any) -> VideoOrder:
    return read_video_body(json.dumps({"prompt": "a cat", **said}).encode()).order


def refusal(**said: Any) -> BadInput:
    with pytest.raises(BadInput) as refused:
        read_video_body(json.dumps({"prompt": "a cat", **said}).encode())
    return refused.value


def test_openais_words_are_read() -> None:
    found = order(model="sora-2", seconds="8", size="1792x1024", input_reference={"image_url": "https://a.example/b"})

    assert found == VideoOrder(
        model="sora-2", prompt="a cat", seconds=8, size=(1792, 1024), first="https://a.example/b"
    )


def test_newapis_words_mean_the_same() -> None:
    newapi = order(model="m", duration=8.0, width=1280, height=720, image="https://a.example/b", n=1, user="u")

    assert newapi == order(model="m", seconds="8", size="1280*720", input_reference="https://a.example/b")


def test_a_form_says_the_same_as_json() -> None:
    fields = [("prompt", "a cat"), ("seconds", "5"), ("seed", "7"), ("watermark", "true"), ("metadata", '{"x":[1]}')]

    asked = read_video_form([*fields, ("input_reference[image_url]", "https://a.example/b")], {"last_frame": PICTURE})

    assert asked.order == order(
        seconds=5, seed=7, watermark=True, metadata={"x": [1]}, input_reference="https://a.example/b"
    )
    assert asked.last == PICTURE


@pytest.mark.parametrize(
    "written", [ENCODED, f"data:image/png;base64,{ENCODED}", {"image_url": f"data:;base64,{ENCODED}"}]
)
def test_a_picture_may_stand_in_the_request(written: object) -> None:
    asked = read_video_body(json.dumps({"input_reference": written}).encode())

    assert (asked.first, asked.order.first) == (PICTURE, "")


def test_empty_and_null_mean_not_said() -> None:
    assert order(seconds="", size=None, input_reference="", image=None, metadata=None) == order()


@pytest.mark.parametrize(
    ("said", "param", "code"),
    [
        ({"prompt": ""}, "prompt", "missing_required_parameter"),
        ({"prompt": "x" * 32_001}, "prompt", "invalid_value"),
        ({"seconds": "four"}, "seconds", "invalid_value"),
        ({"seconds": 0}, "seconds", "invalid_value"),
        ({"seconds": 4.5}, "seconds", "invalid_value"),
        ({"duration": "4"}, "duration", "invalid_type"),
        ({"duration": -4}, "duration", "invalid_value"),
        ({"seconds": "4", "duration": 4}, "seconds", "invalid_value"),
        ({"size": "large"}, "size", "invalid_value"),
        ({"size": "1280x720", "width": 1280, "height": 720}, "size", "invalid_value"),
        ({"width": 1280}, "height", "missing_required_parameter"),
        ({"height": 720}, "width", "missing_required_parameter"),
        ({"fps": 30}, "fps", "unsupported_parameter"),
        ({"n": 2}, "n", "unsupported_value"),
        ({"response_format": "b64_json"}, "response_format", "unsupported_value"),
        ({"seed": -1}, "seed", "invalid_value"),
        ({"shot_type": "three"}, "shot_type", "invalid_value"),
        ({"input_reference": {"file_id": "file-1"}}, "input_reference.file_id", "unsupported_parameter"),
        ({"input_reference": "/etc/passwd"}, "input_reference", "invalid_value"),
        ({"input_reference": "file:///etc/passwd"}, "input_reference", "invalid_value"),
        ({"input_reference": "http://169.254.169.254/x"}, "input_reference", "invalid_value"),
        ({"image": ENCODED, "input_reference": ENCODED}, "input_reference", "invalid_value"),
        ({"last_frame": {"image_url": "http://localhost/x"}}, "last_frame.image_url", "invalid_value"),
        ({"audio_url": "http://10.0.0.1/a.mp3"}, "audio_url", "invalid_value"),
        ({"metadata": {"img_url": "http://127.0.0.1/x"}}, "metadata.img_url", "invalid_value"),
        ({"metadata": {"reference_urls": ["/etc/passwd"]}}, "metadata.reference_urls", "invalid_value"),
        ({"metadata": {"media": [{"type": "a", "url": "file:/x"}]}}, "metadata.media", "invalid_value"),
        ({"metadata": {"x": " file:///etc/passwd"}}, "metadata.x", "invalid_value"),
        ({"metadata": {"x": "y" * 65_536}}, "metadata", "invalid_value"),
        ({"metadata": "words"}, "metadata", "invalid_type"),
        ({"style": "vivid"}, "style", "unknown_parameter"),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_by_name(said: dict[str, Any], param: str, code: str) -> None:
    error = refusal(**said)

    assert (error.param, error.code, error.status) == (param, code, 400)


@pytest.mark.parametrize("depth", [900, 5_000, 100_000])
def test_metadata_that_is_nested_too_deeply_is_refused(depth: int) -> None:
    with pytest.raises(BadInput):
        read_video_body(b'{"prompt": "p", "metadata": {"x": %s"http://localhost"%s}}' % (b"[" * depth, b"]" * depth))


@pytest.mark.parametrize(
    ("fields", "files", "param"),
    [
        ([("metadata", "no json")], {}, "metadata"),
        ([], {"mask": PICTURE}, "mask"),
        ([("image", ENCODED)], {"image": PICTURE}, "image"),
        ([("prompt", "a"), ("prompt", "b")], {}, "prompt"),
    ],
)
def test_what_a_form_cannot_say_is_refused_by_name(
    fields: list[tuple[str, str]], files: dict[str, bytes], param: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read_video_form(fields, files)

    assert refused.value.param == param


def test_a_prompt_in_metadata_may_speak_of_addresses() -> None:
    words = {"prompt": "see http://localhost", "img_url": "https://a.example/b", "none": None}

    assert order(metadata=words).own_words == {"prompt": "see http://localhost", "img_url": "https://a.example/b"}


def test_a_remix_has_words_and_nothing_else() -> None:
    assert read_remix(b'{"prompt": "again"}') == "again"
    for body, param in ((b"{}", "prompt"), (b'{"prompt": ""}', "prompt"), (b'{"prompt": "a", "size": "b"}', "size")):
        with pytest.raises(BadInput) as refused:
            read_remix(body)
        assert refused.value.param == param


def test_the_document_tells_of_every_parameter() -> None:
    document = (Path(__file__).parents[2] / "docs" / "openai.md").read_text("utf-8")
    section = document.split("## Videos\n")[1].split("\n## ")[0]

    rows = re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)

    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(VideoRequest.__struct_fields__)
