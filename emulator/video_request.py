"""What a video task asks for, checked.

Source: DashScope API references of text-to-video, image-to-video and first-and-last-frame-to-video.  The words of
refusals are the emulator's own where nobody recorded the service's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from emulator.errors import ApiError, wrong_endpoint
from emulator.models import Model

TIERS: Final = {
    "480P": {"16:9": (832, 480), "9:16": (480, 832), "1:1": (624, 624)},
    "720P": {"16:9": (1280, 720), "9:16": (720, 1280), "1:1": (960, 960), "4:3": (1088, 832), "3:4": (832, 1088)},
    "1080P": {
        "16:9": (1920, 1080),
        "9:16": (1080, 1920),
        "1:1": (1440, 1440),
        "4:3": (1632, 1248),
        "3:4": (1248, 1632),
    },
}
_GENERATIONS: Final = {
    "wan3.0": (("480P", "720P", "1080P"), range(2, 31)),
    "happyhorse": (("720P", "1080P"), range(3, 16)),
    "wan2.7": (("720P", "1080P"), range(2, 16)),
    "wan2.6": (("720P", "1080P"), range(2, 16)),
    "wan2.5": (("480P", "720P", "1080P"), (5, 10)),
    "wan2.2-kf2v": (("480P", "720P", "1080P"), (5,)),
    "wan2.2-i2v-flash": (("480P", "720P", "1080P"), (5,)),
    "wan2.2": (("480P", "1080P"), (5,)),
    "wanx2.1": (("480P", "720P"), (5,)),
}
_SIZED: Final = ("wan2.6-t2v", "wan2.5-t2v", "wan2.2-t2v", "wanx2.1-t2v")
_MEDIA: Final = ("wan3.0", "wan2.7-i2v", "happyhorse")
_MOST_SEED: Final = 2_147_483_647


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """One video.  `pictures` are addresses; `told` is how the answer tells the shape."""

    prompt: str
    width: int
    height: int
    seconds: int
    tier: str
    pictures: tuple[str, ...]
    told: dict[str, Any]


def check(model: Model, inputs: dict[str, Any], parameters: dict[str, Any], *, is_kf2v_door: bool) -> VideoRequest:
    """Return what is asked for if the service would take it.  Raises: ApiError with its message."""
    if is_kf2v_door is not ("kf2v" in model.name):
        raise wrong_endpoint()
    pictures = _pictures(model, inputs)
    prompt = inputs.get("prompt", "")
    if not isinstance(prompt, str) or not (prompt or pictures):
        raise ApiError("Field required: input.prompt")
    seed = parameters.get("seed")
    if seed is not None and (type(seed) is not int or not 0 <= seed <= _MOST_SEED):
        raise ApiError(f"Range of seed should be [0, {_MOST_SEED}]")
    _check_switches(parameters)
    tiers, lengths = next(value for name, value in _GENERATIONS.items() if model.name.startswith(name))
    seconds = parameters.get("duration", 5)
    if type(seconds) is not int or seconds not in lengths:
        raise ApiError("duration is not supported by this model")
    tier, ratio = _shape(model, parameters, tiers)
    width, height = TIERS[tier].get(ratio) or TIERS[tier]["16:9"]
    told = {"size": f"{width}*{height}"} if model.name.startswith(_SIZED) else {"SR": int(tier[:-1]), "ratio": ratio}
    return VideoRequest(
        prompt=prompt, width=width, height=height, seconds=seconds, tier=tier, pictures=pictures, told=told
    )


def _check_switches(parameters: dict[str, Any]) -> None:
    for name in ("prompt_extend", "watermark", "audio"):
        if not isinstance(parameters.get(name, False), bool):
            raise ApiError(f"Input should be a valid boolean: parameters.{name}")
    if parameters.get("shot_type", "single") not in ("single", "multi"):
        raise ApiError("Input should be 'single' or 'multi': parameters.shot_type")


def _shape(model: Model, parameters: dict[str, Any], tiers: tuple[str, ...]) -> tuple[str, str]:
    """Return the tier and the ratio that are asked for."""
    if model.name.startswith(_SIZED):
        size = str(parameters.get("size", "1280*720" if "720P" in tiers else "1920*1080"))
        found = re.fullmatch(r"(\d+)\*(\d+)", size)
        wanted = (int(found[1]), int(found[2])) if found else None
        for tier in tiers:
            for ratio, known in TIERS[tier].items():
                if known == wanted:
                    return tier, ratio
        raise ApiError(f"The size {size} does not match the allowed size")
    tier, ratio = parameters.get("resolution", tiers[-1]), parameters.get("ratio", "16:9")
    if tier not in tiers:
        raise ApiError("resolution is not supported by this model")
    if ratio not in TIERS["720P"]:
        raise ApiError("ratio is not supported by this model")
    return str(tier), str(ratio)


def _pictures(model: Model, inputs: dict[str, Any]) -> tuple[str, ...]:
    if model.name.startswith(_MEDIA):
        found = _frames(inputs.get("media"))
    elif "kf2v" in model.name:
        found = (str(inputs.get("first_frame_url") or ""), str(inputs.get("last_frame_url") or ""))
    else:
        found = (str(inputs.get("img_url") or ""),) if inputs.get("img_url") else ()
    if "kf2v" in model.name and not all(found):
        raise ApiError("first_frame_url and last_frame_url are required")
    if "i2v" in model.name and not found:
        raise ApiError(f"image-to-video model {model.name} must provide an image")
    return found


def _frames(media: Any) -> tuple[str, ...]:
    if media is None:
        return ()
    if not isinstance(media, list) or not all(isinstance(item, dict) and item.get("url") for item in media):
        raise ApiError("Input should be a valid list: input.media")
    if any(str(item["url"]).startswith("data:") for item in media):
        raise ApiError("The provided URL does not appear to be valid. Ensure it is correctly formatted.")
    frames = {item.get("type"): str(item["url"]) for item in media}
    return tuple(frames[kind] for kind in ("first_frame", "last_frame") if kind in frames)
