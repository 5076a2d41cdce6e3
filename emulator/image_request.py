"""What a request for pictures asks for, checked as the service does it.

Source: the vendor's pages of Qwen image, Z-Image and Wan models.  Recorded are the refusal of a size that is not one
of five and the defaults of `n`; other refusals are in the emulator's own words.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.calls import Call
from emulator.errors import ApiError
from emulator.media import fetch
from emulator.models import Model
from emulator.painting import PICTURE_BEGINNINGS

_FIVE: Final = ("1664*928", "1472*1104", "1328*1328", "1104*1472", "928*1664")
_SCALES: Final = {"1K": "1024*1024", "2K": "2048*2048", "4K": "4096*4096"}
_MOST_PROMPT: Final = 800
_MOST_NEGATIVE: Final = 500
_MOST_SEED: Final = 2147483647


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a family draws.  `area` and `side` are bounds in pixels, `pictures` how few and how many it begins from."""

    default_size: str
    sizes: tuple[str, ...] = ()
    area: tuple[int, int] = (1, 100_000_000)
    side: tuple[int, int] = (1, 100_000)
    ratio: float = 1000.0
    most: int = 1
    default_count: int = 1
    pictures: tuple[int, int] = (0, 0)


_QWEN_AREA: Final = (512 * 512, 2048 * 2048)
_WAN_AREA: Final = (1280 * 1280, 1440 * 1440)
_RULES: Final = {
    "qwen-image-edit-plus": Rule(default_size="1024*1024", side=(512, 2048), most=6, pictures=(1, 3)),
    "qwen-image-edit-max": Rule(default_size="1024*1024", side=(512, 2048), most=6, pictures=(1, 3)),
    "qwen-image-edit": Rule(default_size="1024*1024", sizes=("",), pictures=(1, 3)),
    "qwen-image-2.1": Rule(default_size="2048*2048", area=_QWEN_AREA, most=6, pictures=(0, 10)),
    "qwen-image-2.0": Rule(default_size="2048*2048", area=_QWEN_AREA, most=6, pictures=(0, 3)),
    "qwen-image-3.0": Rule(default_size="1328*1328", area=_QWEN_AREA, ratio=8, most=6, pictures=(0, 3)),
    "qwen-image": Rule(default_size="1664*928", sizes=_FIVE),
    "z-image": Rule(default_size="1024*1536", area=_QWEN_AREA),
    "wan2.6-t2i": Rule(default_size="1280*1280", area=_WAN_AREA, ratio=4, most=4, default_count=4),
    "wan2.6-image": Rule(default_size="1280*1280", most=4, default_count=4, pictures=(1, 4)),
    "wan2.7-image": Rule(default_size="2048*2048", most=4, default_count=4, pictures=(0, 9)),
    "wan2.5-t2i": Rule(default_size="1280*1280", area=_WAN_AREA, ratio=4, most=4, default_count=4),
    "wan2.5-i2i": Rule(
        default_size="1280*1280",
        area=(768 * 768, 1280 * 1280),
        ratio=4,
        most=4,
        default_count=4,
        pictures=(1, 3),
    ),
    "wanx2.1-imageedit": Rule(default_size="1024*1024", sizes=("",), most=4, pictures=(1, 1)),
    "wan": Rule(default_size="1024*1024", side=(512, 1440), most=4, default_count=4),
}
"""By the beginning of a name; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """A request that can be served; `pictures` are the hashes of what it begins from."""

    model: Model
    prompt: str
    width: int
    height: int
    count: int
    seed: int | None
    negative_prompt: str
    is_extended: bool
    has_watermark: bool
    pictures: list[str] = field(default_factory=list)

    def story(self, index: int) -> dict[str, Any]:
        """Return all that decides how the picture of that number looks."""
        told = {
            "model": self.model.name,
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "seed": None if self.seed is None else self.seed + index,
            "index": index if self.seed is None else 0,
            "watermark": self.has_watermark,
            "pictures": self.pictures,
        }
        return {key: value for key, value in told.items() if value not in (None, "", [], False)}

    @property
    def rewritten(self) -> str:
        """What the service's own model makes of the prompt."""
        return f"{self.prompt}，细节丰富，光线柔和" if self.is_extended else self.prompt


def check_messages(model: Model, inputs: dict[str, Any], parameters: dict[str, Any], call: Call) -> ImageRequest:
    """Return what one user's message asks for.  Raises: ApiError."""
    messages = inputs.get("messages")
    if not isinstance(messages, list) or len(messages) != 1 or not isinstance(messages[0], dict):
        raise ApiError("messages length only support 1")
    content = messages[0].get("content")
    if not isinstance(content, list):
        raise ApiError("Input should be a valid list: input.messages.0.content")
    parts = [part for part in content if isinstance(part, dict)]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    if messages[0].get("role") != "user" or len(texts) != 1:
        raise ApiError("content must contain exactly one text")
    addresses = [part["image"] for part in parts if "image" in part]
    said = {**parameters, "prompt": texts[0], "negative_prompt": parameters.get("negative_prompt")}
    return _checked(model, said, addresses, call)


def check_prompt(model: Model, inputs: dict[str, Any], parameters: dict[str, Any], call: Call) -> ImageRequest:
    """Return what the input of a task asks for.  Raises: ApiError."""
    addresses = inputs.get("images") or []
    if model.name.startswith("wanx2.1-imageedit"):
        if not inputs.get("function"):
            raise ApiError("Field required: input.function")
        addresses = [inputs.get("base_image_url")]
    if not isinstance(addresses, list):
        raise ApiError("Input should be a valid list: input.images")
    said = {**parameters, "prompt": inputs.get("prompt"), "negative_prompt": inputs.get("negative_prompt")}
    return _checked(model, said, addresses, call)


def _checked(model: Model, said: dict[str, Any], addresses: list[Any], call: Call) -> ImageRequest:
    rule = next(rule for name, rule in _RULES.items() if model.name.startswith(name))
    fewest, most = rule.pictures
    if not fewest <= len(addresses) <= most:
        raise ApiError(f"The number of images should be in [{fewest}, {most}]")
    width, height = _size(said.get("size"), rule)
    return ImageRequest(
        model=model,
        prompt=_text(said, "prompt", _MOST_PROMPT, is_needed=True),
        negative_prompt=_text(said, "negative_prompt", _MOST_NEGATIVE),
        width=width,
        height=height,
        count=_number(said, "n", (1, rule.most), rule.default_count) or 1,
        seed=_number(said, "seed", (0, _MOST_SEED), None),
        is_extended=_switch(said, "prompt_extend", default=not model.name.startswith("z-image")),
        has_watermark=_switch(said, "watermark", default=False),
        pictures=[_picture(address, call) for address in addresses],
    )


def _text(said: dict[str, Any], name: str, most: int, *, is_needed: bool = False) -> str:
    text = said.get(name) or ""
    if not isinstance(text, str) or (is_needed and not text.strip()):
        raise ApiError(f"Field required: input.{name}")
    return text[:most]


def _number(said: dict[str, Any], name: str, bounds: tuple[int, int], default: int | None) -> int | None:
    number = said.get(name, default)
    if number is not None and (type(number) is not int or not bounds[0] <= number <= bounds[1]):
        raise ApiError(f"Range of {name} should be [{bounds[0]}, {bounds[1]}]")
    return number


def _switch(said: dict[str, Any], name: str, *, default: bool) -> bool:
    value = said.get(name, default)
    if not isinstance(value, bool):
        raise ApiError(f"Input should be a valid boolean: parameters.{name}")
    return value


def _size(size: Any, rule: Rule) -> tuple[int, int]:
    wanted = rule.default_size if size is None else str(size)
    if size is not None and rule.sizes and wanted not in rule.sizes:
        raise ApiError("size does not match the allowed size")
    width, star, height = _SCALES.get(wanted, wanted).partition("*")
    if not star or not (width.isdigit() and height.isdigit()) or not int(width) * int(height):
        raise ApiError("size must be in the format of width*height")
    sides, area = (int(width), int(height)), int(width) * int(height)
    if not rule.area[0] <= area <= rule.area[1]:
        raise ApiError(f"Total pixels of size should be in [{rule.area[0]}, {rule.area[1]}]")
    if min(sides) < rule.side[0] or max(sides) > rule.side[1] or max(sides) > rule.ratio * min(sides):
        raise ApiError("size is out of range")
    return sides


def _picture(address: Any, call: Call) -> str:
    """Return the hash of a picture.  Raises: ApiError when it cannot be had or is none."""
    if not isinstance(address, str):
        raise ApiError("Input should be a valid string: image")
    data = fetch(address, call)
    if not data.startswith(PICTURE_BEGINNINGS):
        raise ApiError("The image format is illegal and cannot be opened.")
    return hashlib.sha256(data).hexdigest()[:16]
