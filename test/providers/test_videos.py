"""Videos as tasks: nothing is sent twice, and nothing is read from where it should not be."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator import Emulator
from protocol.errors import Cancelled, UpstreamBroken, UpstreamError, UpstreamUnreachable
from protocol.keys import ApiKey
from protocol.videos import VideoOrder
from providers.dashscope.transport import Transport
from providers.dashscope.videos import TaskVideos
from services.flow import CancelToken
from services.ports import Picture
from test.providers.vendor import Line
from test.support.photos import photo

ORDER = VideoOrder(model="wan2.7-t2v", prompt="a cat")


def submit(maker: TaskVideos, key: ApiKey, cancel: CancelToken) -> str:
    taken = maker.submit(ORDER, maker.plan(ORDER), [], key=key, cancel=cancel)
    assert taken.request_id
    return taken.task_id


def read(maker: TaskVideos, url: str, cancel: CancelToken) -> bytes:
    with maker.open(url, part="", cancel=cancel) as file:
        return b"".join(file.pieces)


@pytest.fixture
def maker(emulator: Emulator, transport: Transport) -> TaskVideos:
    return TaskVideos(transport, base_url=emulator.native_url)


def test_a_video_is_made(maker: TaskVideos, api_key: ApiKey, cancel: CancelToken) -> None:
    news = maker.look(submit(maker, api_key, cancel), key=api_key, cancel=cancel)

    assert news.status == "completed" and news.request_id
    assert read(maker, news.url, cancel)[4:8] == b"ftyp"


def test_a_task_that_nobody_knows_is_told_so(maker: TaskVideos, api_key: ApiKey, cancel: CancelToken) -> None:
    news = maker.look("never-made", key=api_key, cancel=cancel)

    assert (news.is_known, news.status) == (False, "queued")


@pytest.mark.parametrize("silence", ["closes at once", "answers half"])
def test_a_submission_that_breaks_is_spent_and_not_repeated(
    script: Callable[..., Any], transport: Transport, api_key: ApiKey, cancel: CancelToken, silence: str
) -> None:
    seen: list[str] = []

    def vendor(line: Line) -> None:
        seen.append(line.request()[0])
        if silence == "answers half":
            line.sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"output"')
        line.close()

    maker = TaskVideos(transport, base_url=script(vendor).url)
    with pytest.raises(UpstreamError) as broken:
        submit(maker, api_key, cancel)

    assert broken.value.is_spent and len(seen) == 1


def test_a_submission_that_never_left_is_not_spent(transport: Transport, api_key: ApiKey, cancel: CancelToken) -> None:
    maker = TaskVideos(transport, base_url="http://127.0.0.1:9")

    with pytest.raises(UpstreamUnreachable) as broken:
        submit(maker, api_key, cancel)

    assert not broken.value.is_spent


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/v.mp4", "http://169.254.169.254/v", "file:///etc/passwd", "oss://a/b", "ftp://a.example/b"],
)
def test_a_video_is_read_from_the_world_alone(maker: TaskVideos, cancel: CancelToken, url: str) -> None:
    with pytest.raises(UpstreamBroken):
        read(maker, url, cancel)


def test_a_video_that_breaks_off_is_no_video(
    script: Callable[..., Any], transport: Transport, cancel: CancelToken
) -> None:
    def vendor(line: Line) -> None:
        line.request()
        line.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
        line.close()

    base_url = script(vendor).url

    with pytest.raises(UpstreamBroken):
        read(TaskVideos(transport, base_url=base_url), f"{base_url}/v.mp4", cancel)


def test_a_part_that_the_vendor_has_not_is_answered_with_the_whole(
    script: Callable[..., Any], transport: Transport, cancel: CancelToken
) -> None:
    def vendor(line: Line) -> None:
        while True:
            has_range = "range" in line.request()[1]
            line.answer(b"InvalidRange" if has_range else b"film", status="416 No" if has_range else "200 OK")

    base_url = script(vendor).url
    with TaskVideos(transport, base_url=base_url).open(f"{base_url}/v", part="bytes=9-", cancel=cancel) as file:
        assert (file.status, b"".join(file.pieces)) == (200, b"film")


def test_a_client_that_leaves_ends_the_download(
    script: Callable[..., Any], transport: Transport, cancel: CancelToken
) -> None:
    def vendor(line: Line) -> None:
        line.request()
        line.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
        cancel.cancel()

    base_url = script(vendor).url

    with pytest.raises(Cancelled):
        read(TaskVideos(transport, base_url=base_url), f"{base_url}/v.mp4", cancel)


def test_pictures_are_lent_as_the_model_wants_them(maker: TaskVideos, api_key: ApiKey, cancel: CancelToken) -> None:
    picture = Picture(data=photo(), content_type="image/jpeg", width=320, height=240)

    lent = [maker.lend(picture, model=model, key=api_key, cancel=cancel) for model in ("wan2.6-i2v", "wan2.7-i2v")]

    assert lent[0].startswith("data:image/jpeg;base64,") and lent[1].startswith("oss://") and lent[1].endswith(".jpeg")


def test_what_cannot_be_stopped_is_left_alone(maker: TaskVideos, api_key: ApiKey, cancel: CancelToken) -> None:
    task_id = submit(maker, api_key, cancel)
    maker.look(task_id, key=api_key, cancel=cancel)

    maker.stop(task_id, key=api_key, cancel=cancel)

    assert maker.look(task_id, key=api_key, cancel=cancel).status == "completed"
