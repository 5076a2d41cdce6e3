"""Pictures, by the real SDK: what a picture was drawn from is read out of its own bytes."""

import base64
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import openai
import pytest
import urllib3
from PIL import Image

from emulator import Emulator
from emulator.painting import paint, story_in
from providers.dashscope import tasks
from routes.presence import of_this_process
from test.support.openai_schema import assert_openai
from test.support.photos import photo
from test.support.servers import RunningServer
from test.support.waiting import eventually

PROMPT = "雨中的灯塔, a lighthouse"
PNG = paint(64, 48, {"prompt": "a picture to begin from"})
DATA_URI = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
LINK = "https://example.com/a.png"
BY_TASK = "wan2.5-t2i-preview"


@dataclass(frozen=True)
class Door:
    """The routes, by the SDK and by bare HTTP."""

    url: str
    key: str
    sdk: openai.OpenAI

    def draw(self, **wish: Any) -> Any:
        return self.sdk.images.generate(**{"prompt": PROMPT, "response_format": "b64_json", **wish})

    def stories(self, **wish: Any) -> list[dict[str, Any]]:
        return [story_in(base64.b64decode(one.b64_json)) for one in self.draw(**wish).data]

    def post(self, path: str, body: object = None, **options: Any) -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            options["body"], headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        return urllib3.request("POST", f"{self.url}/v1/images/{path}", headers=headers, timeout=20, **options)

    def refusal(self, ask: Callable[[], object]) -> openai.APIStatusError:
        with pytest.raises(openai.APIStatusError) as refused:
            ask()
        assert_openai("ErrorResponse", refused.value.response.json())
        return refused.value


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the emulator, which is always ready, without the pause that a busy vendor deserves."""
    monkeypatch.setattr(tasks, "_FIRST_PAUSE_S", 0.01)


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


@pytest.fixture
def door(server: RunningServer) -> Iterator[Door]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as sdk:
        yield Door(url=server.url, key=server.key, sdk=sdk)


@pytest.fixture
def asked(emulator: Emulator, key: str) -> Callable[[], list[dict[str, Any]]]:
    """Return what the vendor was asked, call by call."""
    return lambda: [entry["body"] for entry in emulator.journal(key) if entry["kind"] == "request"]


def sizes_in(answer: Any) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(base64.b64decode(one.b64_json))).size for one in answer.data]


# --- from words


@pytest.mark.parametrize("model", ["dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-1-mini", "gpt-image-9", ""])
def test_openais_names_draw_with_the_default_model(door: Door, model: str) -> None:
    (story,) = door.stories(**({"model": model} if model else {}))

    assert (story["model"], story["prompt"]) == ("qwen-image-2.0", PROMPT)


@pytest.mark.parametrize(
    "model", ["qwen-image-3.0-pro", "wan2.7-image", "z-image-turbo", "wan2.6-t2i", BY_TASK, "wan2.2-t2i-flash"]
)
def test_every_family_draws_at_its_own_door(door: Door, model: str) -> None:
    (story,) = door.stories(model=model)

    assert (story["model"], story["prompt"]) == (model, PROMPT)


@pytest.mark.parametrize("model", ["qwen-image-max", "qwen-image-plus", "qwen-image-plus-2026-01-09"])
def test_the_first_generation_and_its_snapshots_draw_where_they_are_served(
    door: Door, scenario: Callable[..., None], model: str
) -> None:
    scenario(models={"retired": "served"})

    drawn = door.draw(model=model, size="1536x1024")

    assert sizes_in(drawn) == [(1472, 1104)]


def test_dall_e_gives_a_link_and_gpt_image_the_file(door: Door) -> None:
    by_link = door.sdk.images.generate(prompt=PROMPT, model="dall-e-3")
    by_file = door.sdk.images.generate(prompt=PROMPT, model="gpt-image-1")

    fetched = urllib3.request("GET", by_link.data[0].url).data
    assert story_in(fetched) == story_in(base64.b64decode(by_file.data[0].b64_json))
    assert by_link.data[0].b64_json is None and by_file.data[0].url is None


@pytest.mark.parametrize("wish", [{}, {"response_format": "b64_json", "size": "1024x1024", "n": 2}, {"model": BY_TASK}])
def test_answers_are_openais(door: Door, wish: dict[str, Any]) -> None:
    answer = door.post("generations", {"prompt": PROMPT, **wish})

    body = answer.json()
    assert_openai("ImagesResponse", body)
    assert body["data"] and body.get("size") == ("1024x1024" if "size" in wish else None)
    assert answer.headers["x-request-id"] and answer.headers["x-dashscope-request-id"]


def test_what_the_model_made_of_the_prompt_is_told(door: Door) -> None:
    revised = [door.draw(model=model).data[0].revised_prompt for model in (BY_TASK, "qwen-image-2.0")]
    told = door.draw(model="z-image-turbo", extra_body={"prompt_extend": True}).data[0].revised_prompt

    assert revised == [f"{PROMPT}，细节丰富，光线柔和", None] and told == revised[0]


def test_the_vendors_own_parameters_go_through(door: Door, asked: Callable[[], list[dict[str, Any]]]) -> None:
    own = {"negative_prompt": "dogs", "seed": 7, "prompt_extend": False, "watermark": True}

    door.draw(extra_body=own)
    door.draw(extra_body=own, model=BY_TASK)

    at_once, as_task = asked()
    assert at_once["parameters"] == {"n": 1, **own}
    assert as_task["input"]["negative_prompt"] == "dogs"
    assert as_task["parameters"] == {"n": 1, "prompt_extend": False, "watermark": True, "seed": 7}


def test_what_only_advises_is_taken_and_changes_nothing(door: Door, asked: Callable[[], list[dict[str, Any]]]) -> None:
    door.draw(quality="high", style="natural", user="u1", moderation="low", background="opaque")

    (call,) = asked()
    assert call["parameters"] == {"n": 1}


def test_null_and_empty_mean_not_said(door: Door) -> None:
    body = {"prompt": PROMPT, "size": None, "n": None, "quality": None, "user": "", "negative_prompt": ""}

    assert door.post("generations", body).status == 200


# --- sizes


@pytest.mark.parametrize(
    ("model", "size", "drawn"),
    [
        ("qwen-image-2.0", "1024x1024", (1024, 1024)),
        ("qwen-image-2.0", "1792x1024", (1792, 1024)),
        ("qwen-image-2.0", "256x256", (512, 512)),
        ("qwen-image-2.0", "1328*1328", (1328, 1328)),
        ("qwen-image-2.0", "auto", (2048, 2048)),
        ("wan2.6-t2i", "1024x1024", (1280, 1280)),
        ("wan2.6-t2i", "1024x1536", (1056, 1584)),
        (BY_TASK, "1024x1792", (1024, 1792)),
        ("wan2.2-t2i-plus", "1792x1024", (1424, 816)),
        ("wan2.7-image", "2K", (2048, 2048)),
    ],
)
def test_a_size_becomes_the_nearest_that_the_model_draws(
    door: Door, model: str, size: str, drawn: tuple[int, int]
) -> None:
    assert sizes_in(door.draw(model=model, size=size)) == [drawn]


@pytest.mark.parametrize("size", ["huge", "1024", "0x10", "10x1e3", "2K", "1024x1024x3"])
def test_what_is_no_size_for_the_model_is_refused(door: Door, size: str) -> None:
    refused = door.refusal(lambda: door.draw(size=size))

    assert (refused.status_code, refused.param) == (400, "size")


# --- how many


def test_many_pictures_are_drawn_by_as_few_calls_as_the_model_needs(
    door: Door, asked: Callable[[], list[dict[str, Any]]]
) -> None:
    stories = door.stories(n=10, size="512x512", extra_body={"seed": 2147483645})

    calls = sorted((call["parameters"]["n"], call["parameters"]["seed"]) for call in asked())
    assert calls == [(4, 3), (6, 2147483645)]
    assert [story["seed"] for story in stories][:6] == list(range(2147483645, 2147483651))


def test_a_model_that_draws_one_at_a_time_is_asked_several_times_each_with_its_seed(door: Door) -> None:
    stories = door.stories(model="z-image-turbo", n=3, size="512x512", extra_body={"seed": 40})

    assert [story["seed"] for story in stories] == [40, 41, 42]


def test_the_number_is_always_said_because_some_models_draw_four_unasked(
    door: Door, asked: Callable[[], list[dict[str, Any]]]
) -> None:
    assert len(door.draw(model="wan2.6-t2i").data) == 1
    assert [call["parameters"]["n"] for call in asked()] == [1]


# --- formats


@pytest.mark.parametrize(("form", "beginning"), [("png", b"\x89PNG"), ("jpeg", b"\xff\xd8\xff"), ("webp", b"RIFF")])
@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1"])
def test_a_picture_is_in_the_format_that_was_asked_for(door: Door, form: str, beginning: bytes, model: str) -> None:
    drawn = door.sdk.images.generate(prompt=PROMPT, model=model, output_format=form, size="1024x1024", **_as_file(form))

    data = base64.b64decode(drawn.data[0].b64_json)
    assert data.startswith(beginning) and drawn.output_format == form
    assert sizes_in(drawn) == [(1024, 1024)]


def _as_file(form: str) -> dict[str, Any]:
    """A format that the vendor has not implies the file itself, as with OpenAI's models that know formats."""
    return {"response_format": "b64_json"} if form == "png" else {}


def test_compression_is_the_encoders_quality(door: Door) -> None:
    fine, coarse = (
        base64.b64decode(door.draw(output_format="jpeg", output_compression=quality).data[0].b64_json)
        for quality in (95, 5)
    )

    assert _first_quantiser(fine) < _first_quantiser(coarse)


def _first_quantiser(jpeg: bytes) -> int:
    return Image.open(io.BytesIO(jpeg)).quantization[0][0]


# --- from pictures


def test_the_sdk_edits_one_picture_and_many(door: Door) -> None:
    one = door.sdk.images.edit(image=("a.png", PNG), prompt=PROMPT, response_format="b64_json")
    many = door.sdk.images.edit(
        image=[("a.png", PNG), ("b.jpg", photo())], prompt=PROMPT, model="gpt-image-1", n=2, size="512x512"
    )

    begun = [[len(story_in(base64.b64decode(d.b64_json))["pictures"]) for d in answer.data] for answer in (one, many)]
    assert begun == [[1], [2, 2]]


@pytest.mark.parametrize("name", ["image", "images", "input_image", "input_images", "image_url", "image_urls"])
@pytest.mark.parametrize("brackets", ["", "[]"])
def test_pictures_come_under_many_names(door: Door, name: str, brackets: str) -> None:
    file = (f"{name}{brackets}", ("a.png", PNG, "application/octet-stream"))

    in_form = door.post("edits", fields=[("prompt", PROMPT), ("response_format", "b64_json"), file])
    as_text = door.post("edits", fields=[("prompt", PROMPT), (f"{name}{brackets}", DATA_URI)])
    in_json = door.post("edits", {"prompt": PROMPT, f"{name}{brackets}": [DATA_URI, {"image_url": DATA_URI}]})

    assert (in_form.status, as_text.status, in_json.status) == (200, 200, 200), as_text.data
    assert len(story_in(base64.b64decode(in_form.json()["data"][0]["b64_json"]))["pictures"]) == 1


def test_openais_new_form_of_an_edit_is_json(door: Door, asked: Callable[[], list[dict[str, Any]]]) -> None:
    answer = door.post("edits", {"prompt": PROMPT, "images": [{"image_url": DATA_URI}, {"image_url": DATA_URI}]})

    (call,) = asked()
    assert_openai("ImagesResponse", answer.json())
    assert [*map(set, call["input"]["messages"][0]["content"])] == [{"image"}, {"image"}, {"text"}]


def test_a_link_is_passed_on_and_not_read_here(door: Door, asked: Callable[[], list[dict[str, Any]]]) -> None:
    door.post("edits", {"prompt": PROMPT, "image": LINK})

    assert asked()[0]["input"]["messages"][0]["content"][0] == {"image": LINK}


@pytest.mark.parametrize(
    "link", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/a.png", "http://169.254.169.254/x", "a.png"]
)
def test_no_link_leads_into_this_machine(door: Door, link: str, asked: Callable[[], list[dict[str, Any]]]) -> None:
    answer = door.post("edits", {"prompt": PROMPT, "images": [{"image_url": link}]})

    assert (answer.status, answer.json()["error"]["param"]) == (400, "images")
    assert asked() == []


@pytest.mark.parametrize("kind", ["GIF", "HEIF", "JPEG", "WEBP", "BMP"])
def test_pictures_of_any_usual_kind_are_made_fit_for_the_model(door: Door, kind: str) -> None:
    answer = door.sdk.images.edit(image=("upload", photo(kind)), prompt=PROMPT, response_format="b64_json")

    assert len(story_in(base64.b64decode(answer.data[0].b64_json))["pictures"]) == 1


def test_a_picture_that_is_too_large_for_the_body_is_uploaded(
    door: Door, asked: Callable[[], list[dict[str, Any]]]
) -> None:
    noise = Image.effect_noise((2900, 2900), 200)
    out = io.BytesIO()
    noise.save(out, "PNG", compress_level=0)

    door.sdk.images.edit(image=("a.png", out.getvalue()), prompt=PROMPT, n=1)

    address = asked()[0]["input"]["messages"][0]["content"][0]["image"]
    assert len(out.getvalue()) > 7_864_320 and address.startswith("oss://")


@pytest.mark.parametrize("model", ["wan2.5-i2i-preview", "wanx2.1-imageedit", "wan2.6-image", "qwen-image-3.0"])
def test_every_family_edits_at_its_own_door(door: Door, model: str) -> None:
    answer = door.sdk.images.edit(image=("a.png", PNG), prompt=PROMPT, model=model, response_format="b64_json")

    story = story_in(base64.b64decode(answer.data[0].b64_json))
    assert (story["model"], len(story["pictures"])) == (model, 1)


def test_a_variation_is_an_edit_with_words_of_ours(door: Door) -> None:
    with pytest.deprecated_call():
        answer = door.sdk.images.create_variation(
            image=("a.png", PNG), n=2, size="1024x1024", response_format="b64_json"
        )

    stories = [story_in(base64.b64decode(one.b64_json)) for one in answer.data]
    assert all("variation" in story["prompt"] and len(story["pictures"]) == 1 for story in stories)
    assert len(stories) == 2


def test_edits_have_a_default_of_their_own(serve: Callable[..., RunningServer]) -> None:
    server = serve(image_model="wan2.6-t2i", image_edit_model="wan2.6-image")

    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as sdk:
        drawn = sdk.images.generate(prompt=PROMPT, model="gpt-image-1")
        edited = sdk.images.edit(image=("a.png", PNG), prompt=PROMPT, model="gpt-image-1")

    models = [story_in(base64.b64decode(one.data[0].b64_json))["model"] for one in (drawn, edited)]
    assert models == ["wan2.6-t2i", "wan2.6-image"]


# --- streams


def test_a_stream_tells_each_picture_when_it_is_whole(door: Door) -> None:
    events = list(door.sdk.images.generate(prompt=PROMPT, n=2, stream=True, size="1024x1024", partial_images=2))

    assert [event.type for event in events] == ["image_generation.completed"] * 2
    for event in events:
        assert_openai("ImageGenStreamEvent", event.to_dict())
    assert [story_in(base64.b64decode(event.b64_json))["prompt"] for event in events] == [PROMPT] * 2
    assert [event.size for event in events] == ["1024x1024"] * 2


def test_a_streamed_edit_has_events_of_its_own(door: Door) -> None:
    (event,) = door.sdk.images.edit(image=("a.png", PNG), prompt=PROMPT, stream=True, output_format="webp")

    assert (event.type, event.output_format, event.size) == ("image_edit.completed", "webp", "auto")
    assert_openai("ImageEditStreamEvent", event.to_dict())


def test_a_stream_that_fails_before_its_first_picture_is_an_error_with_a_status(
    door: Door, scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "image", "kind": "status", "status": 400, "code": "DataInspectionFailed"}])

    refused = door.refusal(lambda: list(door.sdk.images.generate(prompt=PROMPT, stream=True)))

    assert (refused.status_code, refused.code) == (400, "content_policy_violation")


def test_a_stream_that_fails_later_ends_with_the_error(door: Door, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "image_part", "kind": "status", "status": 400, "code": "DataInspectionFailed"}])
    events = door.sdk.images.generate(prompt=PROMPT, stream=True, n=3, model=BY_TASK)

    seen = [next(events).type, next(events).type]
    with pytest.raises(openai.APIError, match="The model service answered"):
        next(events)

    assert seen == ["image_generation.completed"] * 2


# --- what is refused


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": "two"}, "n"),
        ({"background": "transparent"}, "background"),
        ({"quality": "best"}, "quality"),
        ({"output_format": "gif"}, "output_format"),
        ({"output_format": "jpeg", "response_format": "url"}, "output_format"),
        ({"output_compression": 50}, "output_compression"),
        ({"output_compression": 101, "output_format": "jpeg"}, "output_compression"),
        ({"response_format": "file"}, "response_format"),
        ({"stream": True, "response_format": "url"}, "stream"),
        ({"partial_images": 4}, "partial_images"),
        ({"seed": -1}, "seed"),
        ({"seed": 2147483648}, "seed"),
        ({"mask": DATA_URI}, "mask"),
        ({"image": DATA_URI}, "image"),
        ({"frobnicate": 1}, "frobnicate"),
        ({"model": "tts-1"}, "model"),
        ({"model": "qwen-plus"}, "model"),
        ({"model": "wan2.6-image"}, "model"),
        ({"model": "z-image-turbo", "negative_prompt": "dogs"}, "negative_prompt"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    door: Door, wish: dict[str, Any], param: str, asked: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = door.post("generations", {"prompt": PROMPT, **wish})

    assert_openai("ErrorResponse", answer.json())
    assert (answer.status, answer.json()["error"]["param"], asked()) == (400, param, []), answer.data


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({}, "image"),
        ({"image": []}, "image"),
        ({"image": DATA_URI, "mask": DATA_URI}, "mask"),
        ({"image": "data:image/png;base64,!!"}, "image"),
        ({"image": "data:image/png,abc"}, "image"),
        ({"image": DATA_URI[:80]}, "image"),
        ({"image": "data:image/png;base64,AAAA"}, "image"),
        ({"images": [{"file_id": "file-1"}]}, "images.file_id"),
        ({"images": [DATA_URI] * 17}, "image"),
        ({"images": [DATA_URI] * 4}, "image"),
        ({"image": DATA_URI, "model": "z-image-turbo"}, "model"),
        ({"image": DATA_URI, "model": "wanx2.1-imageedit", "size": "1024x1024"}, "size"),
        ({"image": DATA_URI, "input_fidelity": "exact"}, "input_fidelity"),
    ],
)
def test_edits_that_cannot_be_made_are_refused_by_name(
    door: Door, wish: dict[str, Any], param: str, asked: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = door.post("edits", {"prompt": PROMPT, **wish})

    assert_openai("ErrorResponse", answer.json())
    assert (answer.status, answer.json()["error"]["param"], asked()) == (400, param, []), answer.data


@pytest.mark.parametrize(
    ("path", "field", "param"),
    [
        ("edits", ("mask", ("m.png", PNG)), "mask"),
        ("edits", ("picture", ("m.png", PNG)), "picture"),
        ("edits", ("image", ("m.png", b"")), "image"),
        ("edits", ("image", ("m.txt", b"not a picture at all")), "image"),
        ("variations", ("prompt", "words"), "prompt"),
        ("variations", ("images", ("m.png", PNG)), "images"),
        ("variations", ("n", "1"), "image"),
    ],
)
def test_forms_that_cannot_be_served_are_refused_by_name(door: Door, path: str, field: Any, param: str) -> None:
    prompt = [("prompt", PROMPT)] if path == "edits" else []

    answer = door.post(path, fields=[*prompt, field])

    assert (answer.status, answer.json()["error"]["param"]) == (400, param), answer.data


def test_a_request_that_is_too_large_is_refused_and_not_cut(serve: Callable[..., RunningServer]) -> None:
    server = serve(max_body_bytes=2000)

    fields = [("prompt", PROMPT), ("image", ("a.png", PNG + bytes(3000)))]
    answer = urllib3.request(
        "POST", f"{server.url}/v1/images/edits", fields=fields, headers={"Authorization": f"Bearer {server.key}"}
    )

    assert (answer.status, answer.json()["error"]["code"]) == (413, "too_large")


# --- what goes wrong at the vendor


@pytest.mark.parametrize(
    ("fault", "status", "code", "should_retry"),
    [
        ({"status": 429, "code": "Throttling.RateQuota"}, 429, "rate_limit_exceeded", None),
        ({"status": 400, "code": "Arrearage"}, 429, "insufficient_quota", "false"),
        ({"status": 400, "code": "DataInspectionFailed"}, 400, "content_policy_violation", None),
        ({"status": 500}, 502, "upstream_error", None),
        ({"kind": "cut"}, 502, "upstream_error", "false"),
        ({"kind": "malformed"}, 502, "upstream_malformed", "false"),
    ],
)
def test_failures_of_the_vendor_have_our_names_and_say_whether_to_try_again(
    door: Door, scenario: Callable[..., None], fault: dict[str, Any], status: int, code: str, should_retry: str | None
) -> None:
    scenario(faults=[{"stage": "image", "kind": "status", "times": 0, **fault}])

    refused = door.refusal(door.draw)

    assert (refused.status_code, refused.code) == (status, code)
    assert refused.response.headers.get("x-should-retry") == should_retry


def test_a_retired_or_unknown_model_is_the_vendors_to_refuse(door: Door) -> None:
    assert door.refusal(lambda: door.draw(model="qwen-image-max")).status_code == 403
    assert door.refusal(lambda: door.draw(model="qwen-image-none")).code == "model_not_found"


def test_a_job_that_was_taken_and_failed_is_not_to_be_repeated(door: Door, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "image_task", "kind": "error_event", "code": "InternalError", "message": "no"}])

    refused = door.refusal(lambda: door.draw(model=BY_TASK))

    assert (refused.status_code, refused.code) == (502, "upstream_error")
    assert refused.response.headers["x-should-retry"] == "false"


def test_a_job_that_does_not_end_is_given_up(
    serve: Callable[..., RunningServer], scenario: Callable[..., None]
) -> None:
    server = serve(image_s=1.0)
    scenario(latency={"task_polls": 1_000_000})

    body = json.dumps({"prompt": PROMPT, "model": BY_TASK}).encode()
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    answer = urllib3.request("POST", f"{server.url}/v1/images/generations", body=body, headers=headers)

    assert (answer.status, answer.json()["error"]["code"]) == (504, "request_timeout")
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("model", [BY_TASK, "z-image-turbo"])
def test_pictures_that_were_drawn_are_given_when_others_failed(
    door: Door, scenario: Callable[..., None], model: str
) -> None:
    scenario(faults=[{"stage": "image_part", "kind": "status", "status": 400, "code": "DataInspectionFailed"}])

    answer = door.post("generations", {"prompt": PROMPT, "model": model, "n": 3, "size": "512x512"}).json()

    assert_openai("ImagesResponse", answer)
    assert len(answer["data"]) == 2
    assert [failure["code"] for failure in answer["failures"]] == ["content_policy_violation"]


def test_when_all_pictures_failed_the_answer_is_the_error(door: Door, scenario: Callable[..., None]) -> None:
    scenario(
        faults=[{"stage": "image_part", "kind": "status", "status": 400, "code": "DataInspectionFailed", "times": 0}]
    )

    refusals = [
        door.post("generations", {"prompt": PROMPT, "model": model, "n": 2}) for model in (BY_TASK, "z-image-turbo")
    ]

    codes = [refusal.json()["error"]["code"] for refusal in refusals]

    assert codes == ["content_policy_violation"] * 2


@pytest.mark.parametrize("kind", ["status", "malformed", "error_event"])
def test_a_picture_that_cannot_be_fetched_is_a_failure_not_to_be_repeated(
    door: Door, scenario: Callable[..., None], kind: str
) -> None:
    scenario(faults=[{"stage": "image_result", "kind": kind, "times": 0}])

    refused = door.refusal(lambda: door.draw(output_format="jpeg"))

    assert refused.status_code == 502 and refused.response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(("model", "n"), [(BY_TASK, 1), (BY_TASK, 8), ("z-image-turbo", 1), ("z-image-turbo", 3)])
def test_when_the_client_leaves_the_vendor_is_left_at_once(
    server: RunningServer, scenario: Callable[..., None], emulator: Emulator, key: str, model: str, n: int
) -> None:
    scenario(latency={"task_polls": 1_000_000, "image_ms": 60_000})
    client = ask(server.url, key, {"prompt": PROMPT, "model": model, "n": n})
    eventually(lambda: {entry["kind"] for entry in emulator.journal(key)} & {"polled", "request"})

    client.close()

    eventually(lambda: len(of_this_process()) == 0)  # the request has ended, which the drawing never would
    eventually(lambda: not [thread for thread in threading.enumerate() if "-drawing" in thread.name])


def ask(url: str, key: str, wish: dict[str, Any]) -> socket.socket:
    """Ask over a connection that the caller closes."""
    body = json.dumps(wish)
    head = f"Host: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    client = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=20)
    client.sendall(f"POST /v1/images/generations HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return client
