"""Orders in the vendor's words, for every family of models, and its answers."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.models import MODELS
from emulator.video_request import check
from protocol.dashscope.video_models import FAMILIES, WISHES
from protocol.dashscope.videos import body_of, path_of, plan, read_news, read_taken, wants_upload
from protocol.errors import BadInput, UpstreamBroken
from protocol.videos import VideoOrder, VideoPlan

LINKS = ("https://a.example/first.png", "https://a.example/last.png")
OPENAI_SIZES = ((720, 1280), (1280, 720), (1024, 1792), (1792, 1024))


def order(model: str, *, pictures: int = 0, **said: Any) -> VideoOrder:
    names = dict(zip(("first", "last"), LINKS[:pictures], strict=False))
    return VideoOrder(model=model, prompt="a cat", **names, **said)


def submission(model: str, *, pictures: int = 0, **said: Any) -> dict[str, Any]:
    wanted = order(model, pictures=pictures, **said)
    return body_of(wanted, plan(wanted), wanted.pictures)


def refusal(model: str, **said: Any) -> BadInput:
    with pytest.raises(BadInput) as refused:
        plan(order(model, **said))
    return refused.value


# --- what is asked


def test_the_newest_words_are_a_tier_and_a_ratio() -> None:
    body = submission("wan2.7-t2v", size=(1280, 720), seconds=8, negative_prompt="dogs", seed=7, prompt_extend=False)

    assert body == {
        "model": "wan2.7-t2v",
        "input": {"prompt": "a cat", "negative_prompt": "dogs"},
        "parameters": {"resolution": "720P", "ratio": "16:9", "duration": 8, "prompt_extend": False, "seed": 7},
    }


def test_older_words_are_a_size() -> None:
    body = submission("wan2.6-t2v", size=(1024, 1792), audio_url="https://a.example/b.mp3", shot_type="multi")

    assert body["input"] == {"prompt": "a cat", "audio_url": "https://a.example/b.mp3"}
    assert body["parameters"] == {"size": "1080*1920", "duration": 4, "shot_type": "multi"}


def test_a_picture_changes_the_model_and_its_words() -> None:
    media = submission("wan2.7-t2v", pictures=2, audio_url="https://a.example/b.mp3")
    older = submission("wan2.6-t2v", pictures=1, audio_url="https://a.example/b.mp3")

    assert media["model"] == "wan2.7-i2v" and media["input"] == {
        "prompt": "a cat",
        "media": [
            {"type": "first_frame", "url": LINKS[0]},
            {"type": "last_frame", "url": LINKS[1]},
            {"type": "driving_audio", "url": "https://a.example/b.mp3"},
        ],
    }
    assert older["model"] == "wan2.6-i2v" and older["parameters"] == {"resolution": "720P", "duration": 4}
    assert older["input"] == {"prompt": "a cat", "img_url": LINKS[0], "audio_url": "https://a.example/b.mp3"}


def test_two_pictures_go_to_the_model_that_takes_two() -> None:
    body = submission("wan2.6-t2v", pictures=2)

    assert body["model"] == "wan2.2-kf2v-flash" and path_of(body["model"]).startswith("services/aigc/image2video/")
    assert body["input"] == {"prompt": "a cat", "first_frame_url": LINKS[0], "last_frame_url": LINKS[1]}
    assert path_of("wan2.7-i2v") == "services/aigc/video-generation/video-synthesis"


@pytest.mark.parametrize("size", [None, *OPENAI_SIZES], ids=str)
@pytest.mark.parametrize("seconds", [None, 4, 8, 12], ids=str)
@pytest.mark.parametrize("model", FAMILIES)
def test_whatever_openai_can_ask_every_model_makes(
    model: str, seconds: int | None, size: tuple[int, int] | None
) -> None:
    pictures = FAMILIES[model].pictures[0]

    body = submission(model, pictures=pictures, size=size, seconds=seconds)

    is_kf2v_door = "image2video" in path_of(model)
    made = check(MODELS[body["model"]], body["input"], body["parameters"], is_kf2v_door=is_kf2v_door)
    assert (made.width > made.height) == (size in OPENAI_SIZES[1::2] or FAMILIES[model].words == "tier")


@pytest.mark.parametrize(
    ("model", "size", "made"),
    [
        ("wan2.7-t2v", (1792, 1024), (1920, 1080)),
        ("wan2.7-t2v", (1024, 1792), (1080, 1920)),
        ("wan2.7-t2v", None, (720, 1280)),
        ("wan2.7-t2v", (960, 960), (960, 960)),
        ("wan2.2-t2v-plus", (1280, 720), (1920, 1080)),
        ("wanx2.1-t2v-turbo", (1792, 1024), (1280, 720)),
        ("a-model-to-come", (1000, 500), (1000, 500)),
    ],
)
def test_sizes_of_openais_become_the_nearest(model: str, size: Any, made: tuple[int, int]) -> None:
    assert plan(order(model, size=size)).size == made


@pytest.mark.parametrize(
    ("model", "asked", "made"),
    [("wan2.7-t2v", 12, 12), ("wan2.5-t2v-preview", 4, 5), ("wan2.5-t2v-preview", 8, 10),
     ("wan2.5-t2v-preview", 12, 10), ("wan2.2-t2v-plus", 12, 5), ("wan2.7-t2v", None, 4), ("wan3.0-video", 30, 30),
     ("happyhorse-1.1-t2v", 3, 3), ("a-model-to-come", 60, 60)],
)  # fmt: skip
def test_lengths_of_openais_become_the_nearest(model: str, asked: int | None, made: int) -> None:
    assert plan(order(model, seconds=asked)).seconds == made


@pytest.mark.parametrize(
    ("model", "said", "param", "words"),
    [
        ("wan2.7-t2v", {"size": (640, 480)}, "size", "1280x720"),
        ("wan2.2-t2v-plus", {"size": (960, 960)}, "size", "832x480"),
        ("wan2.7-t2v", {"seconds": 16}, "seconds", "2 to 15"),
        ("wan2.5-t2v-preview", {"seconds": 6}, "seconds", "5 or 10"),
        ("wan2.2-t2v-plus", {"seconds": 10}, "seconds", "5"),
        ("a-model-to-come", {"seconds": 61}, "seconds", "60"),
        ("wan2.7-i2v", {}, "input_reference", "needs a picture"),
        ("wan2.2-kf2v-flash", {"first": LINKS[0]}, "last_frame", "needs a picture"),
        ("wan2.7-i2v", {"last": LINKS[1]}, "input_reference", "begin with"),
        ("happyhorse-1.1-t2v", {"negative_prompt": "dogs"}, "negative_prompt", "happyhorse"),
        ("wan3.0-video", {"prompt_extend": False}, "prompt_extend", "wan3.0"),
        ("wan2.7-t2v", {"shot_type": "multi"}, "shot_type", "wan2.7"),
        ("wan2.2-t2v-plus", {"audio_url": "https://a.example/b.mp3"}, "audio_url", "wan2.2"),
    ],
)
def test_what_a_model_cannot_do_is_refused_by_name(model: str, said: dict[str, Any], param: str, words: str) -> None:
    error = refusal(model, **said)

    assert error.param == param and words in error.message


def test_every_wish_is_a_field_of_an_order() -> None:
    assert set(WISHES) <= set(VideoOrder.__struct_fields__)


def test_the_vendors_own_words_count_more_and_stand_where_it_wants_them() -> None:
    words = {"resolution": "1080P", "audio": False, "img_url": LINKS[0], "template": "squish"}

    body = submission("wan2.6-i2v", own_words=words)

    assert body["input"] == {"prompt": "a cat", "img_url": LINKS[0], "template": "squish"}
    assert body["parameters"] == {"resolution": "1080P", "duration": 4, "audio": False}


def test_dated_names_are_asked_as_their_model() -> None:
    assert submission("wan2.6-t2v-us")["parameters"]["size"] == "720*1280"
    assert plan(order("wan2.7-t2v-2026-04-25")) == VideoPlan(model="wan2.7-t2v-2026-04-25", size=(720, 1280), seconds=4)


def test_only_newer_models_want_pictures_in_the_vendors_storage() -> None:
    assert [wants_upload(model) for model in ("wan2.7-i2v", "wan3.0-video", "wan2.6-i2v", "wan2.2-kf2v-flash")] == [
        True,
        True,
        False,
        False,
    ]


# --- what is answered


def answer(status: str, **output: object) -> bytes:
    usage = output.pop("usage", None)
    return json.dumps({"output": {"task_status": status, **output}, "usage": usage, "request_id": "r"}).encode()


@pytest.mark.parametrize(
    ("status", "ours"),
    [("PENDING", "queued"), ("SUSPENDED", "queued"), ("RUNNING", "in_progress"), ("FAILED", "failed"),
     ("CANCELED", "failed"), ("SOMETHING_NEW", "queued")],
)  # fmt: skip
def test_every_state_is_one_of_openais_four(status: str, ours: str) -> None:
    assert read_news(answer(status)).status == ours


def test_a_video_that_is_made_tells_where_when_and_what() -> None:
    body = answer(
        "SUCCEEDED",
        video_url="https://a.example/v.mp4",
        end_time="2026-11-21 17:00:00.250",
        usage={"duration": 5, "output_video_duration": 5.0, "SR": 720, "ratio": "9:16"},
    )

    news = read_news(body)

    assert (news.status, news.url, news.size, news.seconds) == ("completed", "https://a.example/v.mp4", (720, 1280), 5)
    assert news.ended_at and news.ended_at.astimezone(UTC) == datetime(2026, 11, 21, 9, 0, 0, 250_000, tzinfo=UTC)
    assert news.request_id == "r"


@pytest.mark.parametrize(
    ("usage", "size"),
    [({"size": "1920*1080"}, (1920, 1080)), ({"video_ratio": "832*480"}, (832, 480)), ({"SR": 720}, None), ({}, None),
     ({"SR": "1080", "ratio": "1:1"}, (1440, 1440))],
)  # fmt: skip
def test_the_shape_is_told_in_several_ways(usage: dict[str, object], size: tuple[int, int] | None) -> None:
    assert read_news(answer("SUCCEEDED", video_url="u", usage=usage)).size == size


def test_a_failure_keeps_the_vendors_reason() -> None:
    told = read_news(answer("FAILED", code="DataInspectionFailed", message="Unsafe."))
    untold, cancelled = read_news(answer("FAILED", code=None)), read_news(answer("CANCELED"))

    assert (told.error_code, told.error_message) == ("DataInspectionFailed", "Unsafe.")
    assert (untold.error_code, cancelled.error_code) == ("failed", "canceled")


def test_a_success_without_a_video_is_none() -> None:
    news = read_news(answer("SUCCEEDED"))

    assert (news.status, news.error_code) == ("failed", "no_video")


def test_an_unknown_task_is_told_apart() -> None:
    assert [read_news(answer(status)).is_known for status in ("UNKNOWN", "PENDING")] == [False, True]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"output": 1}', b'{"output": {"task_status": 1}}', b"\xff"])
def test_an_answer_that_makes_no_sense_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        read_news(body)
    with pytest.raises(UpstreamBroken):
        read_taken(body)


def test_a_submission_without_a_name_is_an_error() -> None:
    assert read_taken(answer("PENDING", task_id="t")) == ("t", "r")
    with pytest.raises(UpstreamBroken):
        read_taken(answer("PENDING"))
