"""Drawing: requests of the four doors, and the answers, at once or as tasks.

Source: DashScope API reference, Qwen image generation and editing, Wan text-to-image V2, asynchronous tasks.
"""

from typing import Any

import msgspec

from protocol.dashscope.failures import Failure, malformed, renamed
from protocol.dashscope.image_models import Door
from protocol.drawings import Drawing, Drawings, DrawingWish, Size
from protocol.errors import UpstreamError, UpstreamRefused

PATHS: dict[Door, str] = {
    "messages": "services/aigc/multimodal-generation/generation",
    "text2image": "services/aigc/text2image/image-synthesis",
    "image2image": "services/aigc/image2image/image-synthesis",
    "imageedit": "services/aigc/image2image/image-synthesis",
}
_EDIT_BY_WORDS = "description_edit"
"""Of the functions of `wanx2.1-imageedit`, the one that is told in words what to change."""

# --- the request


def drawing_body(wish: DrawingWish, *, model: str, door: Door) -> dict[str, Any]:
    """Return the JSON body of a call. `n` is always said: left out, some models draw four, which cost four."""
    parameters: dict[str, Any] = {"n": wish.count}
    if wish.size:
        parameters["size"] = wish.size
    for name in ("prompt_extend", "watermark", "seed"):
        if (value := getattr(wish, name)) is not None:
            parameters[name] = value
    if door == "messages" and wish.negative_prompt:
        parameters["negative_prompt"] = wish.negative_prompt
    return {"model": model, "input": _input(wish, door), "parameters": parameters}


def _input(wish: DrawingWish, door: Door) -> dict[str, Any]:
    if door == "messages":
        content = [*({"image": address} for address in wish.pictures), {"text": wish.prompt}]
        return {"messages": [{"role": "user", "content": content}]}
    said: dict[str, Any] = {"prompt": wish.prompt}
    if wish.negative_prompt:
        said["negative_prompt"] = wish.negative_prompt
    if door == "image2image":
        said["images"] = list(wish.pictures)
    if door == "imageedit":
        said |= {"function": _EDIT_BY_WORDS, "base_image_url": wish.pictures[0]}
    return said


# --- the answer


class _Part(msgspec.Struct, frozen=True):
    """Newer models name the part's `type` as well; a part of text alone is what the model says of its work."""

    image: str | None = None
    text: str | None = None


class _Message(msgspec.Struct, frozen=True):
    content: list[_Part] = []


class _Choice(msgspec.Struct, frozen=True):
    message: _Message = _Message()


class _Result(msgspec.Struct, frozen=True):
    """One drawing of a task, or why there is none."""

    url: str | None = None
    actual_prompt: str | None = None
    code: str | None = None
    message: str | None = None


class _Output(msgspec.Struct, frozen=True):
    choices: list[_Choice] = []
    results: list[_Result] = []
    task_status: str = ""
    task_id: str = ""
    code: str | None = None
    message: str | None = None


class _Usage(msgspec.Struct, frozen=True):
    """Of the models that answer at once. Tasks tell no size."""

    width: Any = None
    height: Any = None


class DrawingBody(msgspec.Struct, frozen=True):
    """An answer of any door, of a task too.  An error may come with HTTP 200 and a `code`."""

    output: _Output = _Output()
    usage: _Usage | None = None
    request_id: str = ""
    code: str | None = None
    message: str | None = None

    @property
    def is_running(self) -> bool:
        return self.output.task_status in ("PENDING", "RUNNING", "SUSPENDED")

    @property
    def task_id(self) -> str:
        return self.output.task_id


def read_drawing_body(body: bytes) -> DrawingBody:
    """Raises: UpstreamBroken."""
    try:
        return msgspec.json.decode(body, type=DrawingBody)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed("图像服务的回复无法解析，请重试。") from error


def drawings_of(answer: DrawingBody) -> Drawings:
    """Return what was drawn. Raises: UpstreamError when nothing was.

    A task is `SUCCEEDED` as soon as one of its drawings is, so each one's own outcome counts.
    """
    output = answer.output
    failures = tuple(_failed(answer, one.code, one.message) for one in output.results if not one.url)
    drawings = (*_of_results(output.results), *_of_choices(answer))
    if drawings:
        return Drawings(drawings=drawings, failures=failures, request_id=answer.request_id)
    if failures and not output.code:
        raise failures[0]
    if code := answer.code or output.code:
        raise _failed(answer, code, answer.message or output.message)
    raise _nothing(answer)


def _of_results(results: list[_Result]) -> list[Drawing]:
    return [Drawing(url=one.url, prompt=one.actual_prompt or "") for one in results if one.url]


def _of_choices(answer: DrawingBody) -> list[Drawing]:
    size, parts = _size(answer.usage), [part for one in answer.output.choices for part in one.message.content]
    prompt = "".join(part.text or "" for part in parts)
    return [Drawing(url=part.image, prompt=prompt, size=size) for part in parts if part.image]


def _size(usage: _Usage | None) -> Size | None:
    if usage and isinstance(usage.width, int) and isinstance(usage.height, int):
        return Size(width=usage.width, height=usage.height)
    return None


def _failed(answer: DrawingBody, code: str | None, message: str | None) -> UpstreamError:
    said = Failure(status=400, code=code or "InternalError", message=message or "", request_id=answer.request_id)
    return renamed(said)


def _nothing(answer: DrawingBody) -> UpstreamError:
    said = "".join(part.text or "" for one in answer.output.choices for part in one.message.content)
    if not said and answer.output.task_status not in ("", "SUCCEEDED"):
        code = answer.output.task_status  # UNKNOWN: it expired; CANCELED: somebody did it
        return renamed(Failure(status=502, code=code, message="", request_id=answer.request_id))
    return UpstreamRefused(
        "模型没有画出图片。" + said[:500],
        english=f"The model drew nothing{', and said: ' + said[:500] if said else '.'}",
        code="no_image",
        request_id=answer.request_id,
    )
