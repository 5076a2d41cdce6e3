"""Videos by the real SDK, by plain HTTP and in NewAPI's words: made, looked at, given out, listed, forgotten."""

import io
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import openai
import pytest
import urllib3
from PIL import Image

from emulator import Emulator
from emulator.filming import story_in
from test.support.openai_schema import assert_openai
from test.support.photos import photo
from test.support.servers import RunningServer

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")

SIZES = ("720x1280", "1280x720", "1024x1792", "1792x1024")


@dataclass(frozen=True)
class Door:
    """The routes, by the SDK and by bare HTTP, and what reached the vendor."""

    url: str
    sdk: openai.OpenAI
    journal: Callable[[], list[dict[str, Any]]]

    def make(self, **said: Any) -> Any:
        """Have a video made and wait for it."""
        return self.sdk.videos.create_and_poll(**{"prompt": "a cat", "poll_interval_ms": 5, **said})

    def film(self, video_id: str) -> bytes:
        return self.sdk.videos.download_content(video_id).read()

    def http(self, method: str, path: str, body: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
        sent = {"Authorization": f"Bearer {self.sdk.api_key}", "Content-Type": "application/json", **headers}
        data = json.dumps(body).encode() if body is not None else b""
        return urllib3.request(method, f"{self.url}{path}", body=data, headers=sent, timeout=20, retries=False)

    def asked(self) -> list[dict[str, Any]]:
        """Return the submissions that reached the vendor."""
        return [entry["body"] for entry in self.journal() if entry["kind"] == "request"]

    def refusal(self, **said: Any) -> openai.APIStatusError:
        with pytest.raises(openai.APIStatusError) as refused:
            self.sdk.videos.create(**{"prompt": "a cat", **said})
        assert_openai("ErrorResponse", refused.value.response.json())
        return refused.value


@pytest.fixture
def open_door(emulator: Emulator, serve: Callable[..., RunningServer], key: str) -> Iterator[Callable[..., Door]]:
    sdks = []

    def open_(server: RunningServer | None = None, *, as_key: str = key, **settings: object) -> Door:
        server = server or serve(**settings)
        sdks.append(openai.OpenAI(base_url=f"{server.url}/v1", api_key=as_key, max_retries=0))
        return Door(url=server.url, sdk=sdks[-1], journal=lambda: emulator.journal(as_key))

    yield open_
    for sdk in sdks:
        sdk.close()


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    return open_door()


# --- making


def test_a_video_is_made_and_downloaded(door: Door) -> None:
    begun = door.sdk.videos.create(prompt="a cat", model="sora-2", seconds="8", size="1280x720")
    video = door.sdk.videos.poll(begun.id, poll_interval_ms=5)

    assert (begun.status, begun.progress, begun.completed_at) == ("queued", 0, None)
    assert (video.status, video.progress, video.size, video.seconds) == ("completed", 100, "1280x720", "8")
    assert video.completed_at and video.expires_at == video.completed_at + 86400
    film = door.film(video.id)
    assert story_in(film) == {"model": "wan2.7-t2v", "prompt": "a cat", "pictures": 0}
    with av.open(io.BytesIO(film)) as container:
        assert (container.streams.video[0].width, container.duration) == (1280, 8_000_000)


@pytest.mark.parametrize("size", [*SIZES[:2], None])
def test_every_answer_is_of_openais_shape(door: Door, size: str | None) -> None:
    said = {"prompt": "p", "seconds": "4"} | ({"size": size} if size else {})

    made = door.http("POST", "/v1/videos", said)
    video_id = made.json()["id"]
    looked, listed = door.http("GET", f"/v1/videos/{video_id}"), door.http("GET", "/v1/videos")
    gone = door.http("DELETE", f"/v1/videos/{video_id}")

    assert_openai("VideoResource", made.json())
    assert_openai("VideoResource", looked.json())
    assert_openai("VideoListResource", listed.json())
    assert_openai("DeletedVideoResource", gone.json())
    assert made.headers["x-dashscope-request-id"] and looked.headers["x-dashscope-request-id"]
    assert made.headers["openai-poll-after-ms"] == looked.headers["openai-poll-after-ms"] == "5000"


def test_states_follow_the_vendors(door: Door, scenario: Callable[..., None]) -> None:
    scenario(latency={"task_polls": 2})
    video_id = door.sdk.videos.create(prompt="p").id

    seen = [door.sdk.videos.retrieve(video_id) for _ in range(4)]

    assert [video.status for video in seen] == ["queued", "in_progress", "completed", "completed"]
    assert [video.progress for video in seen] == [0, 1, 100, 100]
    assert sum(entry["kind"] == "polled" for entry in door.journal()) == 3


@pytest.mark.parametrize("size", SIZES)
def test_openais_sizes_are_made_by_the_default_model(door: Door, size: str) -> None:
    video = door.make(size=size)

    width, height = map(int, video.size.split("x"))
    assert door.asked()[0]["parameters"]["ratio"] == ("16:9" if width > height else "9:16")
    assert (width > height) == (int(size.split("x")[0]) > int(size.split("x")[1]))


def test_wishes_beyond_openais_reach_the_model(door: Door) -> None:
    wishes = {"negative_prompt": "dogs", "seed": 7, "prompt_extend": False, "watermark": True}

    door.make(model="wan2.6-t2v", seconds="15", size="960x960", extra_body={**wishes, "shot_type": "multi"})

    [body] = door.asked()
    assert body["input"] == {"prompt": "a cat", "negative_prompt": "dogs"}
    assert body["parameters"] == {
        "size": "960*960", "duration": 15, "seed": 7, "prompt_extend": False, "watermark": True, "shot_type": "multi"
    }  # fmt: skip


def test_a_picture_as_a_file_begins_the_video(door: Door) -> None:
    video = door.make(input_reference=("a.png", photo("PNG", size=(400, 300))), size="1280x720")

    assert video.model == "wan2.7-i2v" and story_in(door.film(video.id))["pictures"] == 1
    assert door.asked()[0]["input"]["media"][0]["url"].startswith("oss://")


def test_older_models_get_the_picture_within_the_request(door: Door) -> None:
    video = door.make(model="wan2.6-t2v", input_reference=("a.heic", photo("HEIF", size=(400, 300))))

    assert video.model == "wan2.6-i2v" and video.status == "completed"
    assert door.asked()[0]["input"]["img_url"].startswith("<data:")


def test_two_pictures_are_the_first_and_the_last(door: Door) -> None:
    files = {"input_reference": ("a.png", photo("PNG")), "last_frame": ("b.jpg", photo())}
    fields = {"prompt": "p", "model": "wan2.5-t2v-preview", **files}

    made = urllib3.request(
        "POST", f"{door.url}/v1/videos", fields=fields, headers={"Authorization": f"Bearer {door.sdk.api_key}"}
    )

    assert (made.status, made.json()["model"], made.json()["seconds"]) == (200, "wan2.2-kf2v-flash", "5")
    assert door.sdk.videos.poll(made.json()["id"], poll_interval_ms=5).status == "completed"


def test_a_link_to_a_picture_is_the_vendors_to_read(door: Door) -> None:
    made = door.http("POST", "/v1/videos", {"prompt": "p", "input_reference": {"image_url": "oss://nowhere/a.png"}})
    video = door.sdk.videos.poll(made.json()["id"], poll_interval_ms=5)

    assert video.status == "failed" and video.error and video.error.code == "InvalidParameter"
    assert door.asked()[0]["input"]["media"] == [{"type": "first_frame", "url": "oss://nowhere/a.png"}]


# --- refusing


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"seconds": "16"}, "seconds"),
        ({"size": "640x480"}, "size"),
        ({"model": "wan2.7-i2v"}, "input_reference"),
        ({"model": "qwen-plus"}, "model"),
        ({"model": "gpt-4o"}, "model"),
        ({"model": "m" * 129}, "model"),
        ({"input_reference": ("a.txt", b"no picture at all")}, "input_reference"),
        ({"extra_body": {"fps": 30}}, "fps"),
        ({"extra_body": {"shot_type": "multi"}}, "shot_type"),
        ({"extra_body": {"colour": "red"}}, "colour"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused_by_name_before_the_vendor_is_asked(
    door: Door, said: dict[str, Any], param: str
) -> None:
    error = door.refusal(**said)

    assert (error.status_code, error.param) == (400, param)
    assert door.asked() == [] and door.sdk.videos.list().data == []


def test_an_unknown_model_is_the_vendors_to_refuse_and_leaves_no_trace(door: Door) -> None:
    error = door.refusal(model="wan9.9-t2v", input_reference=("a.png", photo("PNG")))

    assert (error.status_code, error.code) == (404, "model_not_found")
    assert door.sdk.videos.list().data == []


def test_bodies_that_are_too_large_are_refused(open_door: Callable[..., Door]) -> None:
    door = open_door(max_picture_bytes=200_000)

    answers = [
        door.http("POST", "/v1/videos", {"prompt": "p", "image": "A" * 2_000_000}),
        door.http("POST", "/v1/videos/video_1/remix", {"prompt": "p" * 2_000_000}),
    ]

    assert [answer.status for answer in answers] == [413, 413]


@pytest.mark.parametrize(
    ("fault", "status", "code", "should_retry"),
    [
        ({"kind": "status", "status": 429}, 429, "rate_limit_exceeded", None),
        ({"kind": "status", "status": 400, "code": "DataInspectionFailed"}, 400, "content_policy_violation", None),
        ({"kind": "status", "status": 403, "code": "AccessDenied"}, 403, "permission_denied", None),
        ({"kind": "status", "status": 400, "code": "Arrearage"}, 429, "insufficient_quota", "false"),
        ({"kind": "status", "status": 503, "code": "ServiceUnavailable"}, 503, "upstream_unavailable", None),
        ({"kind": "cut"}, 502, "upstream_error", "false"),
        ({"kind": "reset"}, 502, "upstream_error", "false"),
    ],
    ids=str,
)
def test_a_submission_that_fails_is_told_and_never_sent_twice(
    door: Door, scenario: Callable[..., None], fault: dict[str, Any], status: int, code: str, should_retry: str | None
) -> None:
    scenario(faults=[{"stage": "video_task", **fault}])

    error = door.refusal()

    assert (error.status_code, error.code) == (status, code)
    assert error.response.headers.get("x-should-retry") == should_retry
    assert len(door.asked()) == 1 and door.sdk.videos.list().data == []


# --- looking


def test_a_task_that_fails_keeps_the_vendors_reason(door: Door, scenario: Callable[..., None]) -> None:
    fault = {"stage": "video_task", "kind": "error_event", "code": "DataInspectionFailed", "message": "Unsafe."}
    scenario(faults=[fault])

    video = door.make()

    assert video.status == "failed" and video.error
    assert (video.error.code, video.error.message) == ("DataInspectionFailed", "Unsafe.")
    assert_openai("VideoResource", door.http("GET", f"/v1/videos/{video.id}").json())


def test_a_question_that_fails_is_told_and_the_next_is_answered(door: Door, scenario: Callable[..., None]) -> None:
    video_id = door.sdk.videos.create(prompt="p").id
    scenario(faults=[{"stage": "task_poll", "kind": "status", "status": 429}])

    with pytest.raises(openai.RateLimitError):
        door.sdk.videos.retrieve(video_id)

    assert door.sdk.videos.retrieve(video_id).status == "completed"


@pytest.mark.parametrize("video_id", ["video_none", "x", "é", "a%20b", "v" * 65])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/videos/{}"), ("DELETE", "/v1/videos/{}"), ("GET", "/v1/videos/{}/content"),
     ("POST", "/v1/videos/{}/remix"), ("GET", "/v1/video/generations/{}")],
)  # fmt: skip
def test_what_does_not_exist_is_not_found(door: Door, method: str, path: str, video_id: str) -> None:
    answer = door.http(method, path.format(video_id), {"prompt": "p"} if method == "POST" else None)

    assert (answer.status, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_video_is_its_owners_alone(open_door: Callable[..., Door], serve: Callable[..., RunningServer]) -> None:
    server = serve()
    ann, bob = open_door(server), open_door(server, as_key=f"sk-test-{uuid.uuid4().hex}")
    video_id = ann.make().id

    answers = [
        bob.http("GET", f"/v1/videos/{video_id}"),
        bob.http("GET", f"/v1/videos/{video_id}/content"),
        bob.http("DELETE", f"/v1/videos/{video_id}"),
        bob.http("POST", f"/v1/videos/{video_id}/remix", {"prompt": "p"}),
        bob.http("GET", f"/v1/video/generations/{video_id}"),
        bob.http("GET", f"/v1/videos?after={video_id}"),
    ]

    assert {answer.status for answer in answers} == {404}
    assert bob.sdk.videos.list().data == [] and bob.asked() == []
    assert ann.sdk.videos.retrieve(video_id).status == "completed"


def test_a_video_outlives_the_server(open_door: Callable[..., Door], scenario: Callable[..., None]) -> None:
    before = open_door()
    video_id = before.sdk.videos.create(prompt="p", input_reference=("a.png", photo("PNG"))).id

    after = open_door()

    assert after.sdk.videos.poll(video_id, poll_interval_ms=5).status == "completed"
    assert after.sdk.videos.remix(video_id, prompt="again").model == "wan2.7-i2v"


# --- giving out


def test_a_part_of_the_video_is_given(door: Door) -> None:
    video_id = door.make().id
    whole = door.film(video_id)

    part = door.http("GET", f"/v1/videos/{video_id}/content", Range="bytes=100-299")
    end = door.http("GET", f"/v1/videos/{video_id}/content", Range="bytes=-50")

    assert (part.status, part.data, part.headers["content-type"]) == (206, whole[100:300], "video/mp4")
    assert part.headers["content-range"] == f"bytes 100-299/{len(whole)}"
    assert (end.status, end.data) == (206, whole[-50:])


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=99999999-", "bytes=x-y", "lines=1-2", ""])
def test_a_part_that_cannot_be_given_is_answered_with_the_whole(door: Door, wanted: str) -> None:
    video_id = door.make().id

    answer = door.http("GET", f"/v1/videos/{video_id}/content", Range=wanted)

    assert (answer.status, len(answer.data)) == (200, int(answer.headers["content-length"]))
    assert story_in(answer.data)["prompt"] == "a cat" and answer.headers["accept-ranges"] == "bytes"


def test_the_head_of_a_video_tells_its_length(door: Door) -> None:
    video_id = door.make().id

    head = door.http("HEAD", f"/v1/videos/{video_id}/content")

    assert (head.status, int(head.headers["content-length"]), head.data) == (200, len(door.film(video_id)), b"")


def test_a_thumbnail_is_the_first_picture(door: Door) -> None:
    video_id = door.make(size="1280x720").id

    shown = door.sdk.videos.download_content(video_id, variant="thumbnail").read()

    with Image.open(io.BytesIO(shown)) as image:
        assert (image.format, image.size) == ("WEBP", (640, 360))


@pytest.mark.parametrize(("variant", "code"), [("spritesheet", "unsupported_value"), ("gif", "invalid_value")])
def test_a_variant_that_is_not_made_is_refused_by_name(door: Door, variant: str, code: str) -> None:
    answer = door.http("GET", f"/v1/videos/{door.make().id}/content?variant={variant}")

    error = answer.json()["error"]
    assert (answer.status, error["param"], error["code"]) == (400, "variant", code)


def test_a_video_that_is_not_ready_is_not_found_yet(door: Door, scenario: Callable[..., None]) -> None:
    scenario(latency={"task_polls": 99})
    video_id = door.sdk.videos.create(prompt="p").id

    with pytest.raises(openai.NotFoundError) as refused:
        door.film(video_id)

    assert refused.value.code == "video_not_ready" and "Video not ready" in refused.value.message


def test_a_video_that_failed_cannot_be_given(door: Door, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "video_task", "kind": "error_event", "message": "Unsafe."}])

    with pytest.raises(openai.NotFoundError) as refused:
        door.film(door.make().id)

    assert refused.value.code == "video_failed" and "Unsafe." in refused.value.message


@pytest.mark.parametrize("variant", ["video", "thumbnail"])
def test_a_video_that_the_vendor_has_thrown_away_has_expired(
    door: Door, scenario: Callable[..., None], variant: str
) -> None:
    scenario(faults=[{"stage": "video_result", "kind": "status"}])
    video_id = door.make().id

    answer = door.http("GET", f"/v1/videos/{video_id}/content?variant={variant}")

    assert (answer.status, answer.json()["error"]["code"]) == (404, "video_expired")


# --- listing


def test_videos_are_listed_page_by_page(door: Door) -> None:
    made = [door.sdk.videos.create(prompt=str(number)).id for number in range(5)]

    newest = door.sdk.videos.list(limit=2)
    oldest = door.sdk.videos.list(limit=2, order="asc", after=made[0])

    assert ([video.id for video in newest.data], newest.has_more) == ([made[4], made[3]], True)
    assert [video.id for video in newest] == made[::-1]
    assert [video.id for video in oldest.data] == made[1:3]
    assert {video.status for video in door.sdk.videos.list()} == {"completed"}


def test_a_list_tells_what_was_known_when_the_vendor_is_away(door: Door, scenario: Callable[..., None]) -> None:
    video_id = door.sdk.videos.create(prompt="p").id
    scenario(faults=[{"stage": "task_poll", "kind": "status", "status": 500, "times": 0}])

    listed = door.sdk.videos.list().data

    assert [(video.id, video.status) for video in listed] == [(video_id, "queued")]


def test_a_list_of_nothing_says_whether_there_is_more(door: Door) -> None:
    door.sdk.videos.create(prompt="p")

    answer = door.http("GET", "/v1/videos?limit=0").json()

    assert answer == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": True}


@pytest.mark.parametrize("query", ["limit=101", "limit=-1", "limit=many", "order=up", "after=video_none", "before=x"])
def test_a_list_that_cannot_be_given_is_refused_by_name(door: Door, query: str) -> None:
    answer = door.http("GET", f"/v1/videos?{query}")

    assert answer.status in (400, 404) and answer.json()["error"]["param"] == query.partition("=")[0]


def test_strangers_keep_their_videos_by_their_ids_and_see_no_list(open_door: Callable[..., Door]) -> None:
    door = open_door(allow_anonymous=True)
    mine = door.sdk.videos.create(prompt="mine").id
    stranger = {"Authorization": "", "X-Forwarded-For": "203.0.113.9"}

    def ask(method: str, path: str, body: object = None) -> urllib3.BaseHTTPResponse:
        headers = {"X-Forwarded-For": stranger["X-Forwarded-For"], "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body else b""
        return urllib3.request(method, f"{door.url}{path}", body=data, headers=headers, retries=False)

    made = ask("POST", "/v1/videos", {"prompt": "a stranger's"})

    assert made.status == 200 and ask("GET", f"/v1/videos/{made.json()['id']}").status == 200
    assert ask("GET", f"/v1/videos/{mine}").status == 404
    assert (ask("GET", "/v1/videos").status, len(door.sdk.videos.list().data)) == (401, 1)


# --- again, and no more


def test_a_remix_has_other_words_and_all_else_as_it_was(door: Door) -> None:
    source = door.make(model="wan2.6-t2v", size="1792x1024", seconds="5", extra_body={"seed": 7})

    remix = door.sdk.videos.remix(source.id, prompt="a dog")

    first, second = door.asked()
    assert second == {**first, "input": {"prompt": "a dog"}}
    assert (remix.remixed_from_video_id, remix.prompt, remix.size) == (source.id, "a dog", "1920x1080")


def test_a_remix_begins_with_the_same_picture(door: Door) -> None:
    source = door.make(input_reference=("a.png", photo("PNG")))
    door.sdk.videos.delete(door.sdk.videos.remix(source.id, prompt="b").id)

    remix = door.sdk.videos.poll(door.sdk.videos.remix(source.id, prompt="c").id, poll_interval_ms=5)

    assert story_in(door.film(remix.id)) == {"model": "wan2.7-i2v", "prompt": "c", "pictures": 1}


def test_a_deleted_video_is_gone_with_its_picture(open_door: Callable[..., Door], serve: Callable[..., Any]) -> None:
    server = serve()
    door = open_door(server)
    video_id = door.make(input_reference=("a.png", photo("PNG"))).id
    kept = list((server.data_dir / "files").rglob(f"*{video_id}*/*"))

    deleted = door.sdk.videos.delete(video_id)

    assert (deleted.id, deleted.deleted, deleted.object) == (video_id, True, "video.deleted")
    assert len(kept) == 1 and not kept[0].exists()
    assert door.http("DELETE", f"/v1/videos/{video_id}").status == 404


def test_deleting_what_has_not_begun_stops_it(door: Door, emulator: Emulator) -> None:
    video_id = door.sdk.videos.create(prompt="p").id

    door.sdk.videos.delete(video_id)

    [row] = vendor_tasks(emulator, door)
    assert row["status"] == "CANCELED"


def test_deleting_what_has_begun_forgets_it(door: Door, emulator: Emulator, scenario: Callable[..., None]) -> None:
    scenario(latency={"task_polls": 9})
    video_id = door.sdk.videos.create(prompt="p").id
    assert [door.sdk.videos.retrieve(video_id).status for _ in range(2)] == ["queued", "in_progress"]

    door.sdk.videos.delete(video_id)

    [row] = vendor_tasks(emulator, door)
    assert row["status"] == "RUNNING" and door.sdk.videos.list().data == []


def vendor_tasks(emulator: Emulator, door: Door) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {door.sdk.api_key}"}
    return urllib3.request("GET", f"{emulator.native_url}/tasks", headers=headers).json()["data"]


# --- NewAPI's words


def test_newapis_clients_ask_and_are_given_a_link(door: Door) -> None:
    wish = {"model": "wan2.6-t2v", "prompt": "a cat", "duration": 5.0, "width": 1280, "height": 720, "seed": 7, "n": 1}

    begun = door.http("POST", "/v1/video/generations", wish)
    task_id = begun.json()["task_id"]
    told = door.http("GET", f"/v1/video/generations/{task_id}").json()

    assert begun.json() == {"task_id": task_id, "status": "queued"}
    assert told == {
        "task_id": task_id,
        "status": "completed",
        "url": told["url"],
        "format": "mp4",
        "metadata": {"duration": 5, "width": 1280, "height": 720, "seed": 7},
        "error": None,
    }
    assert story_in(urllib3.request("GET", told["url"]).data)["prompt"] == "a cat"
    assert door.sdk.videos.retrieve(task_id).status == "completed"


def test_newapis_metadata_is_the_vendors_own(door: Door) -> None:
    metadata = {"negative_prompt": "dogs", "resolution": "1080P", "watermark": True}

    door.http("POST", "/v1/video/generations", {"prompt": "p", "metadata": metadata})

    assert door.asked()[0]["input"] == {"prompt": "p", "negative_prompt": "dogs"}
    assert door.asked()[0]["parameters"] == {"resolution": "1080P", "ratio": "9:16", "duration": 4, "watermark": True}


def test_newapis_clients_are_told_of_a_failure(door: Door, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "video_task", "kind": "error_event", "code": "InternalError", "message": "Sorry."}])
    task_id = door.http("POST", "/v1/video/generations", {"prompt": "p"}).json()["task_id"]

    told = door.http("GET", f"/v1/video/generations/{task_id}").json()

    assert (told["status"], told["url"], told["format"]) == ("failed", None, None)
    assert told["error"] == {"code": "InternalError", "message": "Sorry."}


def test_an_operators_own_names_are_obeyed(open_door: Callable[..., Door]) -> None:
    door = open_door(
        model_aliases="film=wan2.6-t2v,sora-2-pro=wan3.0-video,later=wan9.9-t2v", video_model="wan2.5-t2v-preview"
    )

    made = [door.make(model=name).model for name in ("film", "sora-2-pro", "sora-2")]

    assert made == ["wan2.6-t2v", "wan3.0-video", "wan2.5-t2v-preview"]
    assert door.refusal(model="later").code == "model_not_found"
