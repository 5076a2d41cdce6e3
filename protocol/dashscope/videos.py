"""Video tasks in the vendor's words: what is asked, and what a poll answers.

Source: DashScope HTTP reference §12.1 (tasks), §12.4 (video synthesis).
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from protocol.dashscope.failures import malformed
from protocol.dashscope.video_models import (
    RATIOS,
    TIERS,
    WISHES,
    Family,
    family_of,
    model_for,
    seconds_for,
    size_for,
    tier_of,
)
from protocol.errors import BadInput
from protocol.videos import Size, Status, VideoNews, VideoOrder, VideoPlan

_INPUT_WORDS = frozenset(
    "prompt negative_prompt img_url audio_url template first_frame_url last_frame_url reference_url reference_urls"
    " reference_video_urls reference_video_description media function video_url mask_image_url ref_images_url".split()
)
"""The vendor's words that stand in `input`; all others stand in `parameters`."""
_WISHES_IN_INPUT = ("negative_prompt", "audio_url")
_BEIJING = timezone(timedelta(hours=8))
_STATUS: dict[str, Status] = {
    "PENDING": "queued",
    "SUSPENDED": "queued",
    "UNKNOWN": "queued",
    "RUNNING": "in_progress",
    "SUCCEEDED": "completed",
    "FAILED": "failed",
    "CANCELED": "failed",
}


# --- what is asked


def plan(order: VideoOrder) -> VideoPlan:
    """Return what will be made of an order. Raises: BadInput naming what the model cannot do."""
    model = model_for(order)
    family = family_of(model)
    for wish in WISHES:
        if getattr(order, wish) not in (None, "") and wish not in family.obeys:
            raise BadInput(f"The model {model!r} takes no '{wish}'.", code="unsupported_value", param=wish)
    return VideoPlan(model=model, size=size_for(family, order.size), seconds=seconds_for(family, order.seconds))


def path_of(model: str) -> str:
    """Return where a model is asked, below the native API's address."""
    room = "image2video" if "kf2v" in model else "video-generation"
    return f"services/aigc/{room}/video-synthesis"


def wants_upload(model: str) -> bool:
    """Whether a picture must lie in the vendor's storage; others are sent within the request."""
    return family_of(model).has_media


def body_of(order: VideoOrder, planned: VideoPlan, pictures: Sequence[str]) -> dict[str, Any]:
    """Return the submission; `pictures` are the addresses of the first and the last one, in the vendor's reach."""
    family = family_of(planned.model)
    inputs: dict[str, Any] = {"prompt": order.prompt} if order.prompt else {}
    inputs |= _pictures(planned.model, family, pictures, audio_url=order.audio_url)
    parameters = _shape(family, planned) | {"duration": planned.seconds}
    for wish in WISHES:
        if (said := getattr(order, wish)) not in (None, "") and not (wish == "audio_url" and "media" in inputs):
            (inputs if wish in _WISHES_IN_INPUT else parameters)[wish] = said
    for word, value in order.own_words.items():
        (inputs if word in _INPUT_WORDS else parameters)[word] = value
    return {"model": planned.model, "input": inputs, "parameters": parameters}


def _shape(family: Family, planned: VideoPlan) -> dict[str, Any]:
    width, height = planned.size
    if family.words == "size":
        return {"size": f"{width}*{height}"}
    tier = {"resolution": tier_of(planned.size)}
    return tier | ({"ratio": RATIOS[planned.size]} if family.words == "ratio" else {})


def _pictures(model: str, family: Family, pictures: Sequence[str], *, audio_url: str) -> dict[str, Any]:
    if not pictures:
        return {}
    if family.has_media:
        kinds = ("first_frame", "last_frame")
        media = [{"type": kind, "url": url} for kind, url in zip(kinds, pictures, strict=False)]
        return {"media": [*media, *([{"type": "driving_audio", "url": audio_url}] if audio_url else [])]}
    if "kf2v" in model:
        return dict(zip(("first_frame_url", "last_frame_url"), pictures, strict=False))
    return dict(zip(("img_url", "last_frame_url"), pictures, strict=False))


# --- what is answered


class _Output(msgspec.Struct, frozen=True):
    task_id: str | None = None
    task_status: str | None = None
    video_url: str | None = None
    end_time: str | None = None
    code: str | None = None
    message: str | None = None


class _Usage(msgspec.Struct, frozen=True):
    """Newer models tell `duration` and `SR`, older ones `video_duration`; the shape is a size or a ratio."""

    duration: float | None = None
    video_duration: float | None = None
    output_video_duration: float | None = None
    SR: int | str | None = None
    ratio: str | None = None
    video_ratio: str | None = None
    size: str | None = None


class _Body(msgspec.Struct, frozen=True):
    output: _Output = _Output()
    usage: _Usage | None = None
    request_id: str = ""


def read_taken(body: bytes) -> tuple[str, str]:
    """Return the name of a task that was taken, and the call's. Raises: UpstreamBroken."""
    told = _read(body)
    if not told.output.task_id:
        raise malformed("视频服务的回复无法解析，请重试。")
    return told.output.task_id, told.request_id


def read_news(body: bytes) -> VideoNews:
    """Return how a task stands. Raises: UpstreamBroken."""
    told = _read(body)
    output, usage = told.output, told.usage or _Usage()
    state = (output.task_status or "").upper()
    status = _STATUS.get(state, "queued")
    code, message = output.code or "", output.message or ""
    if status == "completed" and not output.video_url:
        status, code, message = "failed", code or "no_video", message or "The vendor made no video."
    if status == "failed":
        code, message = code or state.lower(), message or f"The task is {state}."
    return VideoNews(
        status=status,
        is_known=state != "UNKNOWN",
        url=output.video_url or "",
        error_code=code if status == "failed" else "",
        error_message=message if status == "failed" else "",
        ended_at=_moment(output.end_time or ""),
        size=_size(usage),
        seconds=_seconds(usage),
        request_id=told.request_id,
    )


def _seconds(usage: _Usage) -> int | None:
    told = usage.output_video_duration or usage.duration or usage.video_duration
    return round(told) if told else None


def _size(usage: _Usage) -> Size | None:
    """Return the size that was made, told as `1280*720` or by tier and ratio."""
    for text in (usage.size, usage.ratio, usage.video_ratio):
        if text and (found := re.fullmatch(r"(\d{2,5})[*x](\d{2,5})", text)):
            return int(found[1]), int(found[2])
    tier = f"{str(usage.SR or '').upper().removesuffix('P')}P"
    return next((size for size in TIERS.get(tier, ()) if RATIOS[size] == usage.ratio), None)


def _moment(text: str) -> datetime | None:
    """Return a moment that the vendor writes in Beijing's time, without saying so."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=_BEIJING) if text else None
    except ValueError:
        return None


def _read(body: bytes) -> _Body:
    try:
        return msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed("视频服务的回复无法解析，请重试。") from error
