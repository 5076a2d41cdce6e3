"""`/v1/images/…`: pictures drawn from words, or from words and other pictures.

How it works.  The name becomes a model, and what is known of its family (`protocol/dashscope/image_models.py`) says
what it can be told: the rest is refused by its name, and a size becomes the nearest that it draws. A model that draws
fewer pictures in one call than are wanted is called several times, side by side. What has to be given as a file is
fetched, and encoded anew where another format is wanted, by the thread that drew it.

A call that fails does not take the others with it: what was drawn is paid for. Failures are told behind the pictures.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from protocol.dashscope.image_models import ImageModel, image_model
from protocol.drawings import Drawing, Drawings, DrawingWish, Size
from protocol.errors import BadInput, UpstreamError
from protocol.keys import ApiKey
from protocol.openai.images import Asked
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.openai.picture_files import encoded
from services.pictures import PictureRules, prepare
from services.ports import Cancel, Picture

_AT_ONCE = 4
_SEEDS = 2**31


class Painter(Protocol):
    """A model that draws."""

    @property
    def model(self) -> str: ...

    def lend(self, picture: Picture, *, key: ApiKey, cancel: Cancel) -> str:
        """Return an address at which the vendor can read a picture. Raises: UpstreamError, Cancelled."""

    def draw(self, wish: DrawingWish, *, key: ApiKey, cancel: Cancel) -> Drawings:
        """Return what was drawn, some of it perhaps missing. Raises: UpstreamError, Cancelled."""

    def fetch(self, url: str, *, cancel: Cancel) -> bytes:
        """Return a drawing. Raises: UpstreamError, Cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture: its address, or the file itself. `prompt` is what the model made of the client's."""

    url: str = ""
    data: bytes = b""
    prompt: str = ""
    size: Size | None = None
    request_id: str = ""


Outcome = Drawn | UpstreamError
Job = Callable[[Cancel], list[Outcome]]


class Images:
    """Draws. Threads: any."""

    def __init__(self, painters: Callable[[str], Painter], *, catalogue: Catalogue, rules: PictureRules) -> None:
        self._painters, self._catalogue, self._rules = painters, catalogue, rules

    def draw(self, asked: Asked, *, key: ApiKey, cancel: CancelToken) -> Generator[Outcome]:
        """Yield the pictures as they are there, in order, then the failures.

        Raises: BadInput, Cancelled, UpstreamError, which is the first failure when there is no picture at all.
        """
        painter = self._painters(self._model(asked))
        family = image_model(painter.model)
        _check(asked, painter.model, family)
        pictures = tuple(self._lent(picture, painter, key, cancel) for picture in asked.pictures)
        jobs = [_job(wish, asked, painter, key) for wish in _wishes(asked, family, pictures)]
        failures: list[UpstreamError] = []
        is_any_drawn = False
        for outcome in _side_by_side(jobs, cancel):
            if isinstance(outcome, UpstreamError):
                failures.append(outcome)
                continue
            is_any_drawn = True
            yield outcome
        if not is_any_drawn:
            raise failures[0]
        yield from failures

    def _model(self, asked: Asked) -> str:
        model = self._catalogue.resolve_image(asked.model, is_edit=asked.task != "generation")
        known = self._catalogue.find(model)
        if known and known.kind != "image":
            raise BadInput(f"The model '{asked.model}' does not draw.", code="model_not_supported", param="model")
        return model

    def _lent(self, picture: bytes | str, painter: Painter, key: ApiKey, cancel: Cancel) -> str:
        """Return where the vendor can read a picture: upright, and of a kind that it takes."""
        if isinstance(picture, str):
            return picture
        try:
            fit = prepare(picture, rules=self._rules)
        except BadInput as error:
            raise type(error)(error.message, code=error.code, param="image", english=error.english) from error
        return painter.lend(fit, key=key, cancel=cancel)


# --- what this model can be told


def _check(asked: Asked, model: str, family: ImageModel) -> None:
    """Refuse by name what the model cannot do. Raises: BadInput."""
    _check_pictures(asked, model, family)
    for name in ("negative_prompt", "prompt_extend", "watermark", "seed"):
        if getattr(asked, name) not in ("", None) and name not in family.takes:
            raise BadInput(f"The model '{model}' takes no '{name}'.", code="unsupported_parameter", param=name)
    if asked.scale and asked.scale not in family.sizes.scales:
        raise BadInput(f"The model '{model}' takes no size {asked.scale}. Say WxH.", param="size")
    if asked.size and not family.sizes.is_settable:
        message = f"The model '{model}' chooses the size by the picture. Leave 'size' out."
        raise BadInput(message, code="unsupported_parameter", param="size")


def _check_pictures(asked: Asked, model: str, family: ImageModel) -> None:
    if not asked.pictures and not family.draws:
        message = f"The model '{model}' only edits pictures: send them to /v1/images/edits."
        raise BadInput(message, code="model_not_supported", param="model")
    if asked.pictures and not family.most_pictures:
        message = f"The model '{model}' draws from words alone. Name a model that edits pictures."
        raise BadInput(message, code="model_not_supported", param="model")
    if len(asked.pictures) > family.most_pictures:
        message = f"The model '{model}' takes {family.most_pictures} pictures, and these are {len(asked.pictures)}."
        raise BadInput(message, param="image")


def _wishes(asked: Asked, family: ImageModel, pictures: tuple[str, ...]) -> Iterator[DrawingWish]:
    """Yield one call after the other until there are enough pictures; each has its own seed."""
    size = family.sizes.fit(asked.size) if asked.size else None
    for begin in range(0, asked.count, family.most_count):
        yield DrawingWish(
            prompt=asked.prompt,
            count=min(family.most_count, asked.count - begin),
            size=f"{size.width}*{size.height}" if size else asked.scale,
            seed=None if asked.seed is None else (asked.seed + begin) % _SEEDS,
            negative_prompt=asked.negative_prompt,
            prompt_extend=asked.prompt_extend,
            watermark=asked.watermark,
            pictures=pictures,
        )


# --- drawing


def _job(wish: DrawingWish, asked: Asked, painter: Painter, key: ApiKey) -> Job:
    def draw(cancel: Cancel) -> list[Outcome]:
        try:
            made = painter.draw(wish, key=key, cancel=cancel)
        except UpstreamError as error:
            return [error] * wish.count
        return [*(_given(one, made, asked, painter, cancel) for one in made.drawings), *made.failures]

    return draw


def _given(drawing: Drawing, made: Drawings, asked: Asked, painter: Painter, cancel: Cancel) -> Outcome:
    """Return a drawing as it was asked for, or why it cannot be had."""
    drawn = Drawn(url=drawing.url, prompt=drawing.prompt, size=drawing.size, request_id=made.request_id)
    if not asked.is_base64:
        return drawn
    try:
        file = encoded(painter.fetch(drawing.url, cancel=cancel), form=asked.format, quality=asked.quality)
    except UpstreamError as error:
        error.request_id = made.request_id
        return error
    return Drawn(data=file.data, prompt=drawing.prompt, size=file.size, request_id=made.request_id)


def _side_by_side(jobs: list[Job], cancel: CancelToken) -> Iterator[Outcome]:
    """Yield what comes of the jobs, in their order. A single one is done by the caller's own thread.

    When the iteration ends, however it ends, every thread has ended: one stop signal, behind the caller's, is theirs.
    """
    if len(jobs) == 1:
        yield from jobs[0](cancel)
        return
    stop = CancelToken()
    forget = cancel.on_cancel(stop.cancel)
    name = f"{threading.current_thread().name}-drawing"
    with ThreadPoolExecutor(min(_AT_ONCE, len(jobs)), thread_name_prefix=name) as pool:
        try:
            for future in [pool.submit(job, stop) for job in jobs]:
                began_s = time.monotonic()
                outcomes = future.result()
                cancel.note_waiting(time.monotonic() - began_s)
                yield from outcomes
        finally:
            forget()
            stop.cancel()
