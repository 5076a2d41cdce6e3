"""Models that draw: what the SDK of the contract tests does not show."""

import base64
import io

import pytest
from PIL import Image

from emulator.painting import colour_of, paint, story_in

ASYNC = {"X-DashScope-Async": "enable"}
PNG = paint(64, 48, {"prompt": "begin"})
DATA_URI = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
AT_ONCE, GENERATION = "multimodal-generation/generation", "image-generation/generation"
TEXT2IMAGE, IMAGE2IMAGE = "text2image/image-synthesis", "image2image/image-synthesis"


@pytest.fixture
def api(emulator, http):
    """Call the native surface; the answer is (status, JSON)."""

    def call(path: str, body: dict | None = None, **headers: str):
        method, service = ("POST", "services/aigc/") if body else ("GET", "")
        answer = http.request(method, f"{emulator.native_url}/{service}{path}", json=body, headers=headers, timeout=10)
        return answer.status_code, answer.json()

    return call


def wish(model: str, *pictures: str, **parameters) -> dict:
    content = [*({"image": picture} for picture in pictures), {"text": "a cat"}]
    return {"model": model, "input": {"messages": [{"role": "user", "content": content}]}, "parameters": parameters}


def prompt(model: str, *, parameters: dict | None = None, **inputs) -> dict:
    return {"model": model, "input": {"prompt": "a cat", **inputs}, "parameters": parameters or {}}


def refusal(answer) -> tuple[int, str, str]:
    status, body = answer
    return status, body["code"], body["message"]


# --- the paint


def test_a_picture_tells_its_story_in_its_colour_and_its_text() -> None:
    story = {"prompt": "一只猫 in the \\ rain", "seed": 5, "pictures": ["ab"]}

    picture = paint(30, 20, story)

    image = Image.open(io.BytesIO(picture))
    image.load()
    assert (image.size, image.convert("RGB").getpixel((29, 19))) == ((30, 20), colour_of(story))
    assert story_in(picture) == story and paint(30, 20, story) == picture
    assert paint(30, 20, {**story, "seed": 6}) != picture


@pytest.mark.parametrize("data", [b"", PNG[:20], b"\x89PNG\r\n\x1a\n"])
def test_what_tells_no_story_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match="no story"):
        story_in(data)


# --- at once


def test_the_same_seed_draws_the_same_picture(api, http) -> None:
    def drawn(**parameters) -> bytes:
        _, body = api(AT_ONCE, wish("qwen-image-2.0", size="512*512", **parameters))
        link = body["output"]["choices"][0]["message"]["content"][0]["image"]
        return http.get(link, headers={"Authorization": ""}, timeout=5).content

    assert drawn(seed=5) == drawn(seed=5) != drawn(seed=6)


def test_a_link_looks_signed_and_needs_no_key(api, http) -> None:
    _, body = api(AT_ONCE, wish("qwen-image-2.0"))

    link = body["output"]["choices"][0]["message"]["content"][0]["image"]
    answer = http.get(link, headers={"Authorization": ""}, timeout=5)
    assert all(f"{name}=" in link for name in ("Expires", "OSSAccessKeyId", "Signature"))
    assert answer.headers["Content-Type"] == "image/png" and story_in(answer.content)["prompt"] == "a cat"


@pytest.mark.parametrize(("model", "count"), [("wan2.6-t2i", 4), ("wan2.7-image", 4), ("qwen-image-2.0", 1)])
def test_wan_draws_four_unless_it_is_told_how_many(api, model: str, count: int) -> None:
    _, body = api(AT_ONCE, wish(model))

    pictures = [part for choice in body["output"]["choices"] for part in choice["message"]["content"]]
    assert len(pictures) == body["usage"]["image_count"] == count


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (wish("qwen-image-max", size="1024*1024"), "size does not match the allowed size"),
        (wish("qwen-image-2.0", size="256*256"), "Total pixels of size should be in [262144, 4194304]"),
        (wish("qwen-image-3.0", size="4096*256"), "size is out of range"),
        (wish("qwen-image-2.0", size="1024x1024"), "size must be in the format of width*height"),
        (wish("qwen-image-2.0", n=7), "Range of n should be [1, 6]"),
        (wish("qwen-image-max", n=2), "Range of n should be [1, 1]"),
        (wish("qwen-image-2.0", seed=2147483648), "Range of seed should be [0, 2147483647]"),
        (wish("qwen-image-2.0", watermark="no"), "Input should be a valid boolean: parameters.watermark"),
        (wish("z-image-turbo", DATA_URI), "The number of images should be in [0, 0]"),
        (wish("qwen-image-2.0", *[DATA_URI] * 4), "The number of images should be in [0, 3]"),
        (wish("wan2.6-image"), "The number of images should be in [1, 4]"),
        (wish("qwen-image-2.0", "data:image/png;base64,AAAA"), "The image format is illegal and cannot be opened."),
    ],
)
def test_what_the_service_refuses_is_refused(api, emulator, key, body: dict, message: str) -> None:
    emulator.set_scenario(key, {"models": {"retired": "served"}})

    assert refusal(api(AT_ONCE, body)) == (400, "InvalidParameter", message)


def test_one_message_with_one_text_is_needed(api) -> None:
    body = wish("qwen-image-2.0")
    body["input"]["messages"] *= 2
    textless = wish("qwen-image-2.0")
    textless["input"]["messages"][0]["content"] = [{"image": DATA_URI}]

    assert refusal(api(AT_ONCE, body))[2] == "messages length only support 1"
    assert refusal(api(AT_ONCE, textless))[2] == "content must contain exactly one text"


def test_the_first_generation_is_retired(api) -> None:
    assert refusal(api(AT_ONCE, wish("qwen-image-plus")))[:2] == (403, "Endpoint.AccessDenied")


# --- as tasks


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TEXT2IMAGE, prompt("wan2.5-t2i-preview", parameters={"n": 1})),
        (IMAGE2IMAGE, prompt("wan2.5-i2i-preview", images=[DATA_URI], parameters={"n": 1})),
        (
            IMAGE2IMAGE,
            prompt("wanx2.1-imageedit", function="description_edit", base_image_url=DATA_URI, parameters={"n": 1}),
        ),
        (GENERATION, wish("wan2.6-t2i", n=1)),
    ],
)
def test_a_task_is_taken_runs_and_ends_with_pictures(api, emulator, key, path: str, body: dict) -> None:
    emulator.set_scenario(key, {"latency": {"task_polls": 2}})
    _, taken = api(path, body, **ASYNC)

    told = [api(f"tasks/{taken['output']['task_id']}")[1] for _ in range(3)]

    assert taken["output"]["task_status"] == "PENDING"
    assert [one["output"]["task_status"] for one in told] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert told[-1]["usage"]["image_count"] == 1 and told[-1]["output"]["end_time"]
    assert ("results" in told[-1]["output"]) is (path != GENERATION)


def test_a_task_must_be_asked_for_as_one_and_at_its_own_door(api) -> None:
    body = prompt("wan2.5-t2i-preview")

    assert refusal(api(TEXT2IMAGE, body))[:2] == (403, "AccessDenied")
    assert "url error" in refusal(api(IMAGE2IMAGE, body, **ASYNC))[2]
    assert "url error" in refusal(api(GENERATION, wish("qwen-image-2.0"), **ASYNC))[2]
    assert "url error" in refusal(api(AT_ONCE, wish("wan2.5-t2i-preview")))[2]


def test_some_pictures_of_a_task_can_fail_and_it_has_still_succeeded(api, emulator, key) -> None:
    fault = {"stage": "image_part", "kind": "status", "status": 400, "code": "DataInspectionFailed", "times": 3}
    emulator.set_scenario(key, {"faults": [fault]})
    _, taken = api(TEXT2IMAGE, prompt("wan2.5-t2i-preview"), **ASYNC)

    _, told = api(f"tasks/{taken['output']['task_id']}")

    assert told["output"]["task_status"] == "SUCCEEDED"
    assert told["output"]["task_metrics"] == {"TOTAL": 4, "SUCCEEDED": 1, "FAILED": 3}
    assert [one.get("code") for one in told["output"]["results"]] == ["DataInspectionFailed"] * 3 + [None]


def test_a_task_of_which_nothing_succeeded_has_failed(api, emulator, key) -> None:
    fault = {"stage": "image_part", "kind": "status", "status": 400, "code": "DataInspectionFailed", "times": 0}
    emulator.set_scenario(key, {"faults": [fault]})
    _, taken = api(TEXT2IMAGE, prompt("wan2.5-t2i-preview"), **ASYNC)

    status, told = api(f"tasks/{taken['output']['task_id']}")

    assert (status, told["output"]["task_status"], told["output"]["code"]) == (200, "FAILED", "DataInspectionFailed")
