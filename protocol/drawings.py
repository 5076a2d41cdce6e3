"""What is asked of a model that draws, and what it drew.  Units: pixels."""

from dataclasses import dataclass

from protocol.errors import UpstreamError


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    width: int
    height: int

    @property
    def ratio(self) -> float:
        return self.width / self.height

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingWish:
    """One call. `size` is in the vendor's words, "" is left to the model, and so is what is None.

    `pictures` are the addresses of what the drawing is made from: data:, http(s):// or the vendor's own oss://.
    """

    prompt: str
    count: int = 1
    size: str = ""
    seed: int | None = None
    negative_prompt: str = ""
    prompt_extend: bool | None = None
    watermark: bool | None = None
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture as the vendor gives it: an address that it can be read at for a day.

    `prompt` is what the model made of the client's, "" where it does not tell; `size` is None where it does not.
    """

    url: str
    prompt: str = ""
    size: Size | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawings:
    """What came of one call. Invariant: there is a drawing or a failure; of several, some may have failed."""

    drawings: tuple[Drawing, ...]
    failures: tuple[UpstreamError, ...] = ()
    request_id: str = ""
