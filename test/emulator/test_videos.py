"""Videos of the emulator: what the SDKs of the contract tests do not show."""

import base64
import io
from collections.abc import Callable
from typing import Any

import av
import pytest
import requests

from emulator import Emulator
from emulator.filming import film, story_in
from emulator.painting import paint

PICTURE = f"data:image/png;base64,{base64.b64encode(paint(400, 300, {})).decode()}"
Submit = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def submit(emulator: Emulator, http: requests.Session) -> Submit:
    """Submit a task; the answer is (status, JSON)."""

    def post(
        model: str, *, door: str = "video-generation", is_async: bool = True, inputs: object = None, **parameters: Any
    ) -> tuple[int, dict[str, Any]]:
        body = {"model": model, "input": inputs or {"prompt": "a cat"}, "parameters": parameters}
        headers = {"X-DashScope-Async": "enable"} if is_async else {}
        url = f"{emulator.native_url}/services/aigc/{door}/video-synthesis"
        answer = http.post(url, json=body, headers=headers, timeout=10)
        return answer.status_code, answer.json()

    return post


@pytest.fixture
def poll(emulator: Emulator, http: requests.Session) -> Callable[..., dict[str, Any]]:
    return lambda task_id: http.get(f"{emulator.native_url}/tasks/{task_id}", timeout=10).json()


def test_a_film_has_the_size_length_and_story_that_it_was_asked_for() -> None:
    video = film(832, 480, 5, {"prompt": "一只猫"})

    with av.open(io.BytesIO(video)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, container.duration, stream.codec.name) == (832, 480, 5_000_000, "h264")
    assert story_in(video) == {"prompt": "一只猫"} and video == film(832, 480, 5, {"prompt": "一只猫"})


def test_a_task_passes_through_its_states(
    submit: Submit, poll: Callable[..., dict[str, Any]], scenario: Callable[..., None]
) -> None:
    scenario(latency={"task_polls": 2})
    _, begun = submit("wan2.6-t2v", size="1920*1080", duration=2)

    seen = [poll(begun["output"]["task_id"]) for _ in range(3)]

    assert [body["output"]["task_status"] for body in seen] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert seen[2]["usage"] == {"duration": 2, "output_video_duration": 2, "video_count": 1, "size": "1920*1080"}
    assert "Expires=" in seen[2]["output"]["video_url"] and seen[2]["output"]["orig_prompt"] == "a cat"


@pytest.mark.parametrize(
    ("model", "options", "code"),
    [
        ("wan2.7-t2v", {"is_async": False}, "AccessDenied"),
        ("wan9-t2v", {}, "ModelNotFound"),
        ("qwen-plus", {}, "InvalidParameter"),
        ("wan2.2-kf2v-flash", {}, "InvalidParameter"),
        ("wan2.7-t2v", {"door": "image2video"}, "InvalidParameter"),
        ("wan2.7-t2v", {"inputs": {"prompt": ""}}, "InvalidParameter"),
        ("wan2.7-t2v", {"inputs": "words"}, "InvalidParameter"),
        ("wan2.7-t2v", {"duration": 16}, "InvalidParameter"),
        ("wan2.7-t2v", {"duration": "5"}, "InvalidParameter"),
        ("wan2.7-t2v", {"resolution": "480P"}, "InvalidParameter"),
        ("wan2.7-t2v", {"ratio": "2:1"}, "InvalidParameter"),
        ("wan2.7-t2v", {"seed": -1}, "InvalidParameter"),
        ("wan2.7-t2v", {"watermark": "yes"}, "InvalidParameter"),
        ("wan2.6-t2v", {"shot_type": "three"}, "InvalidParameter"),
        ("wan2.6-t2v", {"size": "1280x720"}, "InvalidParameter"),
        ("wan2.7-i2v", {}, "InvalidParameter"),
        ("wan2.7-i2v", {"inputs": {"prompt": "p", "media": "x"}}, "InvalidParameter"),
        ("wan2.7-i2v", {"inputs": {"media": [{"type": "first_frame", "url": PICTURE}]}}, "InvalidParameter"),
    ],
    ids=str,
)
def test_what_the_service_would_not_take_is_refused(
    submit: Submit, model: str, options: dict[str, Any], code: str
) -> None:
    status, body = submit(model, **options)

    assert status in (400, 403, 404) and body["code"] == code


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/none.png", "oss://never/uploaded.png", "data:;base64,bm8="])
def test_a_picture_that_is_none_fails_the_task(
    submit: Submit, poll: Callable[..., dict[str, Any]], address: str
) -> None:
    _, begun = submit("wan2.6-i2v", inputs={"prompt": "p", "img_url": address})

    output = poll(begun["output"]["task_id"])["output"]

    assert (output["task_status"], output["code"]) == ("FAILED", "InvalidParameter")


def test_a_scripted_failure_fails_the_task(
    submit: Submit, poll: Callable[..., dict[str, Any]], scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "video_task", "kind": "error_event", "code": "DataInspectionFailed"}])
    _, begun = submit("wan2.7-t2v")

    output = poll(begun["output"]["task_id"])["output"]

    assert (output["task_status"], output["code"]) == ("FAILED", "DataInspectionFailed")


def test_results_are_given_in_parts_as_a_bucket_does(submit: Submit, poll: Callable[..., dict[str, Any]]) -> None:
    _, begun = submit("wan2.7-t2v", resolution="720P")
    url = poll(begun["output"]["task_id"])["output"]["video_url"]
    whole = requests.get(url, timeout=5).content

    answers = [
        requests.get(url, headers={"Range": part}, timeout=5) for part in ("bytes=5-9", "bytes=-3", "bytes=99999999-")
    ]

    assert [(answer.status_code, answer.content) for answer in answers] == [
        (206, whole[5:10]),
        (206, whole[-3:]),
        (200, whole),
    ]
    assert answers[0].headers["Content-Range"] == f"bytes 5-9/{len(whole)}"
