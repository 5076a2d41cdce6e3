"""The vendor's families of models that draw: which door each is asked at, what it takes, which sizes it draws.

Source: DashScope model pages, Qwen image generation and editing, Wan text-to-image V2, Wan image editing, Z-Image.
A model that no row knows is asked like the newest families, so that one that came later works at once.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal

from protocol.drawings import Size

Door = Literal["messages", "text2image", "image2image", "imageedit"]
"""`messages` answers at once; the others are tasks, each with words of its own for its input."""

_STEP, _LONGEST_SIDE, _MOST_RATIO = 16, 4096, 16
"""Of sizes made here: models round sides to multiples of 16 themselves."""

EVERYTHING = frozenset({"negative_prompt", "prompt_extend", "watermark", "seed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRule:
    """Which sizes a model draws. What is 0 or empty does not bound it.

    `choices`: these alone.  `scales`: words like 2K, of which the model makes a size.
    """

    is_settable: bool = True
    choices: tuple[Size, ...] = ()
    least_pixels: int = 0
    most_pixels: int = 0
    most_ratio: float = 0.0
    least_side: int = 0
    most_side: int = 0
    scales: tuple[str, ...] = ()

    def fit(self, wanted: Size) -> Size:
        """Return the size that the model draws and that is most like the wanted one: first its ratio, then its area."""
        if self.choices:
            return min(self.choices, key=lambda one: (abs(math.log(one.ratio / wanted.ratio)), -one.pixels))
        return wanted if self._fits(wanted) else self._changed(wanted)

    def _fits(self, size: Size) -> bool:
        sides = (size.width, size.height)
        ratio = max(size.ratio, 1 / size.ratio)
        return (
            self.least_pixels <= size.pixels <= (self.most_pixels or size.pixels)
            and ratio <= (self.most_ratio or ratio)
            and self.least_side <= min(sides)
            and max(sides) <= (self.most_side or max(sides))
        )

    def _changed(self, wanted: Size) -> Size:
        """Try every width: rounding a computed size could put it outside again."""

        def unlikeness(one: Size) -> float:
            return 4 * abs(math.log(one.ratio / wanted.ratio)) + abs(math.log(one.pixels / wanted.pixels))

        most_ratio = self.most_ratio or _MOST_RATIO
        ratio = min(max(wanted.ratio, 1 / most_ratio), most_ratio)
        widths = range(_STEP, _LONGEST_SIDE + 1, _STEP)
        tried = (Size(width=width, height=max(_STEP, round(width / ratio / _STEP) * _STEP)) for width in widths)
        fitting = (one for one in tried if self._fits(one))
        return min(fitting, key=unlikeness, default=self._nearest_sides(wanted))

    def _nearest_sides(self, wanted: Size) -> Size:
        most = self.most_side or _LONGEST_SIDE
        return Size(
            width=min(max(wanted.width, self.least_side), most), height=min(max(wanted.height, self.least_side), most)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageModel:
    """What is known of a family.

    `draws`: it needs no picture to begin from.  `most_pictures`: it can begin from so many.  `most_count`: drawings of
    one call.  `takes`: the parameters that mean something to it.
    """

    names: str
    door: Door = "messages"
    draws: bool = True
    most_pictures: int = 0
    most_count: int = 1
    sizes: SizeRule = SizeRule()
    takes: frozenset[str] = EVERYTHING


def _sizes(*pairs: tuple[int, int]) -> tuple[Size, ...]:
    return tuple(Size(width=width, height=height) for width, height in pairs)


_AREA = SizeRule(least_pixels=512**2, most_pixels=2048**2)
_WAN_AREA = SizeRule(least_pixels=1280**2, most_pixels=1440**2, most_ratio=4)
_FIVE = SizeRule(choices=_sizes((1664, 928), (1472, 1104), (1328, 1328), (1104, 1472), (928, 1664)))
_ANY = SizeRule(scales=("1K", "2K", "4K"))
_NONE = SizeRule(is_settable=False)
_MANY = 16
"""No family takes more, and OpenAI's clients send no more."""

_FAMILIES = (
    ImageModel(
        names=r"qwen-image-edit-(plus|max)",
        draws=False,
        most_pictures=3,
        most_count=6,
        sizes=SizeRule(least_side=512, most_side=2048),
    ),
    ImageModel(
        names=r"qwen-image-edit", draws=False, most_pictures=3, sizes=_NONE, takes=EVERYTHING - {"prompt_extend"}
    ),
    ImageModel(names=r"qwen-image-2\.1", most_pictures=10, most_count=6, sizes=_AREA),
    ImageModel(names=r"qwen-image-2\.", most_pictures=3, most_count=6, sizes=_AREA),
    ImageModel(
        names=r"qwen-image-3\.",
        most_pictures=3,
        most_count=6,
        sizes=SizeRule(least_pixels=512**2, most_pixels=2048**2, most_ratio=8),
    ),
    ImageModel(names=r"qwen-image(-plus|-max)?(-20\d\d-\d\d-\d\d)?$", sizes=_FIVE),
    ImageModel(names=r"z-image", sizes=_AREA, takes=frozenset({"prompt_extend", "seed"})),
    ImageModel(names=r"wan2\.6-t2i", most_count=4, sizes=_WAN_AREA),
    ImageModel(names=r"wan2\.6-image", draws=False, most_pictures=_MANY, sizes=_ANY),
    ImageModel(names=r"wan2\.5-t2i", door="text2image", most_count=4, sizes=_WAN_AREA),
    ImageModel(
        names=r"wan(2\.2|x2\.\d)-t2i",
        door="text2image",
        most_count=4,
        sizes=SizeRule(least_side=512, most_side=1440),
    ),
    ImageModel(
        names=r"wan2\.5-i2i",
        door="image2image",
        draws=False,
        most_pictures=3,
        most_count=4,
        sizes=SizeRule(least_pixels=768**2, most_pixels=1280**2, most_ratio=4),
    ),
    ImageModel(
        names=r"wanx2\.1-imageedit",
        door="imageedit",
        draws=False,
        most_pictures=1,
        most_count=4,
        sizes=_NONE,
        takes=frozenset({"seed", "watermark"}),
    ),
    ImageModel(names=r"", most_pictures=_MANY, sizes=_ANY),
)
"""The first row whose pattern the name begins with. Dated snapshots go with their family."""


def image_model(name: str) -> ImageModel:
    """Return what is known of a model that draws."""
    return next(family for family in _FAMILIES if re.match(family.names, name))
