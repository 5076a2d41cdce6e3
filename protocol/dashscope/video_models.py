"""The vendor's video models as data: what each one makes, and in which words it is asked.

Source: DashScope API references of text-to-video, image-to-video and first-and-last-frame-to-video; model index of
2026-10-10.  Where a family changed its words, the row says so: `size` ("1280*720"), `ratio` (a tier and a ratio) or
`tier` (a tier alone: the picture decides about the shape).
"""

import math
import re
from dataclasses import dataclass
from typing import Literal

from protocol.errors import BadInput
from protocol.videos import Size, VideoOrder, write_size

Words = Literal["size", "ratio", "tier"]

TIERS: dict[str, tuple[Size, ...]] = {
    "480P": ((832, 480), (480, 832), (624, 624)),
    "720P": ((1280, 720), (720, 1280), (960, 960), (1088, 832), (832, 1088)),
    "1080P": ((1920, 1080), (1080, 1920), (1440, 1440), (1632, 1248), (1248, 1632)),
}
RATIOS: dict[Size, str] = {
    size: ratio
    for sizes in TIERS.values()
    for size, ratio in zip(sizes, ("16:9", "9:16", "1:1", "4:3", "3:4"), strict=False)
}
_TIER_OF = {size: tier for tier, sizes in TIERS.items() for size in sizes}
_OPENAI_SIZES: dict[Size, Size] = {
    (1280, 720): (1280, 720),
    (720, 1280): (720, 1280),
    (1792, 1024): (1920, 1080),
    (1024, 1792): (1080, 1920),
}
"""The four sizes of OpenAI -> the vendor's that is nearest. Source: OpenAI API reference, create video."""
_OPENAI_SECONDS = (4, 8, 12)
_USUAL_SIZE, _USUAL_SECONDS = (720, 1280), 4
"""What OpenAI makes when nobody says otherwise."""
_MOST_SECONDS = 60

_OLD = frozenset({"negative_prompt", "seed", "prompt_extend", "watermark"})
_SOUND = _OLD | {"audio_url"}
_SHOTS = _SOUND | {"shot_type"}
_PLAIN = frozenset({"seed", "watermark"})
WISHES = tuple(sorted(_SHOTS))
"""The parameters beyond OpenAI's that some models obey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Models that are asked alike. `pictures` is how many they take, at least and at most."""

    tiers: tuple[str, ...]
    seconds: tuple[int, ...]
    words: Words
    obeys: frozenset[str] = _OLD
    pictures: tuple[int, int] = (0, 0)
    has_media: bool = False
    from_pictures: str = ""
    """The model of the same generation that takes a picture."""

    @property
    def sizes(self) -> list[Size]:
        return [size for tier in self.tiers for size in TIERS[tier]]


def _to(last: int, *, first: int = 2) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


_HD = ("720P", "1080P")
_ALL = ("480P", "720P", "1080P")
_FIRST, _BOTH = (1, 1), (2, 2)
_KF2V = "wan2.2-kf2v-flash"

FAMILIES: dict[str, Family] = {
    "wan3.0-video": Family(tiers=_ALL, seconds=_to(30), words="ratio", obeys=_PLAIN, pictures=(0, 2), has_media=True),
    **{
        f"happyhorse-{version}-t2v": Family(
            tiers=_HD, seconds=_to(15, first=3), words="ratio", obeys=_PLAIN, from_pictures=f"happyhorse-{version}-i2v"
        )
        for version in ("1.0", "1.1")
    },
    **{
        f"happyhorse-{version}-i2v": Family(
            tiers=_HD, seconds=_to(15, first=3), words="tier", obeys=_PLAIN, pictures=_FIRST, has_media=True
        )
        for version in ("1.0", "1.1")
    },
    "wan2.7-t2v": Family(tiers=_HD, seconds=_to(15), words="ratio", obeys=_SOUND, from_pictures="wan2.7-i2v"),
    "wan2.7-i2v": Family(tiers=_HD, seconds=_to(15), words="tier", obeys=_SOUND, pictures=(1, 2), has_media=True),
    "wan2.6-t2v": Family(tiers=_HD, seconds=_to(15), words="size", obeys=_SHOTS, from_pictures="wan2.6-i2v"),
    "wan2.6-i2v": Family(tiers=_HD, seconds=_to(15), words="tier", obeys=_SHOTS, pictures=_FIRST),
    "wan2.6-i2v-flash": Family(tiers=_HD, seconds=_to(15), words="tier", obeys=_SHOTS, pictures=_FIRST),
    "wan2.5-t2v-preview": Family(
        tiers=_ALL, seconds=(5, 10), words="size", obeys=_SOUND, from_pictures="wan2.5-i2v-preview"
    ),
    "wan2.5-i2v-preview": Family(tiers=_ALL, seconds=(5, 10), words="tier", obeys=_SOUND, pictures=_FIRST),
    "wan2.2-t2v-plus": Family(tiers=("480P", "1080P"), seconds=(5,), words="size", from_pictures="wan2.2-i2v-plus"),
    "wan2.2-i2v-plus": Family(tiers=("480P", "1080P"), seconds=(5,), words="tier", pictures=_FIRST),
    "wan2.2-i2v-flash": Family(tiers=_ALL, seconds=(5,), words="tier", pictures=_FIRST),
    "wanx2.1-t2v-turbo": Family(tiers=("480P", "720P"), seconds=(5,), words="size", from_pictures="wanx2.1-i2v-turbo"),
    "wanx2.1-t2v-plus": Family(tiers=("720P",), seconds=(5,), words="size", from_pictures="wanx2.1-i2v-plus"),
    "wanx2.1-i2v-turbo": Family(tiers=("480P", "720P"), seconds=(5,), words="tier", pictures=_FIRST),
    "wanx2.1-i2v-plus": Family(tiers=("720P",), seconds=(5,), words="tier", pictures=_FIRST),
    _KF2V: Family(tiers=_ALL, seconds=(5,), words="tier", pictures=_BOTH),
    "wanx2.1-kf2v-plus": Family(tiers=("720P",), seconds=(5,), words="tier", pictures=_BOTH),
}
_STRANGER = Family(tiers=_ALL, seconds=(), words="size", obeys=_SHOTS, pictures=(0, 2))
"""A model that came after this table: it gets what is asked for, and the vendor decides."""
_SNAPSHOT = re.compile(r"-(us|\d{4}-\d{2}-\d{2})$")


def family_of(model: str) -> Family:
    """Return how a model is asked; dated snapshots and regional names go with their model."""
    return FAMILIES.get(_SNAPSHOT.sub("", model), _STRANGER)


def model_for(order: VideoOrder) -> str:
    """Return the model that serves an order: with pictures, the one of the same generation that takes them.

    Raises: BadInput when it needs a picture more, or takes none.
    """
    model, count = order.model, len(order.pictures)
    family = family_of(model)
    if count and family.from_pictures:
        model, family = family.from_pictures, family_of(family.from_pictures)
    least, most = family.pictures
    if count > most and most == 1:
        model, (least, most) = _KF2V, _BOTH
    missing = "last_frame" if order.first else "input_reference"
    if order.last and not order.first:
        raise BadInput("'last_frame' needs an 'input_reference' to begin with.", param="input_reference")
    if count < least and not order.own_words:
        raise BadInput(f"The model {model!r} needs a picture: '{missing}'.", code=_MISSING, param=missing)
    if count > most:
        raise BadInput(f"The model {model!r} takes no picture.", code=_UNSUPPORTED, param="input_reference")
    return model


_MISSING, _UNSUPPORTED = "missing_required_parameter", "unsupported_value"


def size_for(family: Family, asked: Size | None) -> Size:
    """Return the size that will be made. OpenAI's four become the nearest; any other must be one of the model's.

    Raises: BadInput listing the model's sizes.
    """
    wanted = _OPENAI_SIZES.get(asked or _USUAL_SIZE, asked or _USUAL_SIZE)
    if wanted in family.sizes or (family is _STRANGER and asked):
        return wanted
    if asked is None or asked in _OPENAI_SIZES:
        alike = [size for size in family.sizes if RATIOS[size] == RATIOS[wanted]]
        return min(alike, key=lambda size: abs(math.log(math.prod(size) / math.prod(wanted))))
    listed = ", ".join(write_size(size) for size in family.sizes)
    raise BadInput(f"Invalid 'size': this model makes {listed}.", code=_UNSUPPORTED, param="size")


def seconds_for(family: Family, asked: int | None) -> int:
    """Return the length that will be made. OpenAI's three become the nearest; any other must be one of the model's.

    Raises: BadInput listing the model's lengths.
    """
    wanted, able = asked or _USUAL_SECONDS, family.seconds
    if wanted in able or (not able and wanted <= _MOST_SECONDS):
        return wanted
    if able and (asked is None or asked in _OPENAI_SECONDS):
        return min(able, key=lambda seconds: (abs(seconds - wanted), -seconds))
    listed = f"{able[0]} to {able[-1]}" if len(able) > 2 else " or ".join(map(str, able)) or f"at most {_MOST_SECONDS}"
    raise BadInput(f"Invalid 'seconds': this model makes {listed}.", code=_UNSUPPORTED, param="seconds")


def tier_of(size: Size) -> str:
    """Return the vendor's name for a size's resolution; a size of no tier is named after its shorter side."""
    return _TIER_OF.get(size) or f"{min(size)}P"
