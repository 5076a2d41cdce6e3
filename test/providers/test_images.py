"""Pictures lent to the vendor and fetched from it: over which way, from where, and what was paid for."""

from collections.abc import Callable

import pytest

from emulator import Emulator
from emulator.painting import paint, story_in
from protocol.drawings import DrawingWish
from protocol.errors import Cancelled, UpstreamBroken, UpstreamTimeout, UpstreamUnauthorized
from protocol.keys import ApiKey
from providers.dashscope import tasks
from providers.dashscope.images import Painter
from providers.dashscope.transport import Transport
from services.flow import CancelToken
from services.ports import Picture
from test.providers.calls import Background
from test.providers.vendor import HangUp, Line
from test.providers.vendor import Vendor as ScriptedVendor
from test.support.waiting import eventually

Script = Callable[[Callable[[Line], None]], ScriptedVendor]
WISH = DrawingWish(prompt="a cat", size="1280*1280")
PNG = paint(64, 48, {"prompt": "begin"})
BY_TASK = "wan2.5-t2i-preview"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_FIRST_PAUSE_S", 0.01)


@pytest.fixture
def painter(emulator: Emulator, transport: Transport) -> Callable[..., Painter]:
    def build(model: str = "wan2.6-t2i", *, limit_s: float = 20, base_url: str = "") -> Painter:
        return Painter(transport, base_url=base_url or emulator.native_url, model=model, limit_s=limit_s)

    return build


def picture(data: bytes) -> Picture:
    return Picture(data=data, content_type="image/png", width=64, height=48)


def test_a_drawing_can_be_fetched_and_tells_its_prompt(
    painter: Callable[..., Painter], api_key: ApiKey, cancel: CancelToken
) -> None:
    for model in ("wan2.6-t2i", BY_TASK):
        drawn = painter(model).draw(WISH, key=api_key, cancel=cancel)

        assert story_in(painter(model).fetch(drawn.drawings[0].url, cancel=cancel))["prompt"] == "a cat"
        assert drawn.request_id


def test_a_small_picture_travels_in_the_request_and_a_large_one_is_uploaded(
    painter: Callable[..., Painter], api_key: ApiKey, cancel: CancelToken
) -> None:
    editor = painter("qwen-image-2.0")
    small, large = picture(PNG), picture(PNG + bytes(8_000_000))

    addresses = tuple(editor.lend(one, key=api_key, cancel=cancel) for one in (small, large))
    drawn = editor.draw(DrawingWish(prompt="p", pictures=addresses), key=api_key, cancel=cancel)

    assert addresses[0].startswith("data:image/png;base64,") and addresses[1].startswith("oss://")
    assert len(story_in(editor.fetch(drawn.drawings[0].url, cancel=cancel))["pictures"]) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/a.png",
        "file:///etc/passwd",
        "oss://bucket/a.png",
        "",
    ],
)
def test_nothing_is_fetched_from_inside_whatever_the_vendor_says(
    painter: Callable[..., Painter], cancel: CancelToken, url: str
) -> None:
    with pytest.raises(UpstreamBroken, match="无法下载") as refused:
        painter().fetch(url, cancel=cancel)

    assert refused.value.is_spent


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("200 OK", "Content-Type: text/html\r\n"),
        ("200 OK", ""),
        ("302 Found", "Location: http://127.0.0.1:9/\r\nContent-Type: image/png\r\n"),
        ("403 Forbidden", "Content-Type: image/png\r\n"),
    ],
)
def test_what_is_no_picture_is_not_taken(
    script: Script, painter: Callable[..., Painter], cancel: CancelToken, status: str, headers: str
) -> None:
    def serve(line: Line) -> None:
        line.request()
        line.answer(PNG, status=status, headers=headers)
        raise HangUp

    vendor = script(serve)

    with pytest.raises(UpstreamBroken) as refused:
        painter(base_url=vendor.url).fetch(f"{vendor.url}/a.png", cancel=cancel)

    assert refused.value.is_spent


def test_a_picture_without_an_end_is_left(
    script: Script, painter: Callable[..., Painter], cancel: CancelToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.dashscope.images._MOST_BYTES", 100_000)

    def serve(line: Line) -> None:
        line.request()
        line.answer(bytes(1_000_000), headers="Content-Type: image/png\r\n")
        raise HangUp

    vendor = script(serve)

    with pytest.raises(UpstreamBroken, match="100000"):
        painter(base_url=vendor.url).fetch(f"{vendor.url}/a.png", cancel=cancel)


def test_a_download_that_broke_is_tried_once_more(
    script: Script, painter: Callable[..., Painter], cancel: CancelToken
) -> None:
    def serve(line: Line) -> None:
        line.request()
        if line.number == 1:
            line.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 999\r\n\r\n\x89PNG")
        else:
            line.answer(PNG, headers="Content-Type: image/png\r\n")
        raise HangUp

    vendor = script(serve)

    assert painter(base_url=vendor.url).fetch(f"{vendor.url}/a.png", cancel=cancel) == PNG


def test_a_call_that_broke_off_is_not_sent_again_and_counts_as_spent(
    script: Script, painter: Callable[..., Painter], api_key: ApiKey, cancel: CancelToken
) -> None:
    calls: list[str] = []

    def serve(line: Line) -> None:
        calls.append(line.request()[0])
        raise HangUp

    with pytest.raises(UpstreamBroken) as broken:
        painter(base_url=script(serve).url).draw(WISH, key=api_key, cancel=cancel)

    assert broken.value.is_spent and len(calls) == 1


def test_a_refusal_is_not_spent(painter: Callable[..., Painter], cancel: CancelToken) -> None:
    with pytest.raises(UpstreamUnauthorized) as refused:
        painter().draw(WISH, key=ApiKey("sk-invalid"), cancel=cancel)

    assert not refused.value.is_spent


def test_a_vendor_that_cannot_be_reached_has_taken_nothing(
    painter: Callable[..., Painter], api_key: ApiKey, cancel: CancelToken
) -> None:
    with pytest.raises(UpstreamBroken) as refused:
        painter(base_url="http://127.0.0.1:9").draw(WISH, key=api_key, cancel=cancel)

    assert not refused.value.is_spent


def test_a_task_that_does_not_end_is_given_up_and_was_paid_for(
    painter: Callable[..., Painter], api_key: ApiKey, cancel: CancelToken, scenario: Callable[..., None]
) -> None:
    scenario(latency={"task_polls": 1_000_000})

    with pytest.raises(UpstreamTimeout) as late:
        painter(BY_TASK, limit_s=0.2).draw(WISH, key=api_key, cancel=cancel)

    assert late.value.is_spent


def test_a_caller_who_leaves_does_not_wait_for_the_task(
    painter: Callable[..., Painter],
    api_key: ApiKey,
    cancel: CancelToken,
    scenario: Callable[..., None],
    emulator: Emulator,
) -> None:
    scenario(latency={"task_polls": 1_000_000})
    drawing = Background(lambda: painter(BY_TASK).draw(WISH, key=api_key, cancel=cancel))
    eventually(lambda: "polled" in [entry["kind"] for entry in emulator.journal(api_key.reveal())])

    cancel.cancel()

    assert isinstance(drawing.wait(), Cancelled)
