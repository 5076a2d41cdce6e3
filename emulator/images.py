"""Models that draw: at once by messages, or as tasks. Results are PNG files behind links that look signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, request

from emulator import faults
from emulator.calls import Call
from emulator.errors import ApiError, usual_error
from emulator.files import keep_result
from emulator.image_request import ImageRequest, check_messages, check_prompt
from emulator.models import Family, Model, find_model
from emulator.painting import paint
from emulator.requests import JSON, open_native, text_of
from emulator.scenario import Fault
from emulator.tasks import accept, require_async

blueprint = Blueprint("images", __name__)
_TEXT2IMAGE = "/api/v1/services/aigc/text2image/image-synthesis"
_IMAGE2IMAGE = "/api/v1/services/aigc/image2image/image-synthesis"
Result = tuple[dict[str, Any], dict[str, Any]]
"""Output and usage."""


def draw(model: Model, inputs: dict[str, Any], parameters: dict[str, Any], call: Call) -> Response:
    """Answer at once, with pictures in a message."""
    if g.is_stream:
        raise ApiError("This model does not support stream mode.")
    asked = check_messages(model, inputs, parameters, call)
    fault = faults.before_answer(call, "image")
    call.pause(call.scenario.latency.image_ms)
    output, usage = _message(asked, call)
    body = text_of({"output": output, "usage": usage, "request_id": call.request_id})
    return Response(faults.on_body(body.encode(), fault), content_type=JSON)


@blueprint.post("/api/v1/services/aigc/image-generation/generation")
def generation() -> Response:
    """Take a task that is worded as a message."""
    call, model, inputs, parameters = _open("image")
    if not model.name.startswith("wan"):
        raise ApiError("url error, please check url\uff01")
    asked = check_messages(model, inputs, parameters, call)
    job = _Drawing(call, lambda: _message(asked, call), kind="aigc:image-generation:generation")
    return accept(call, model, job, stage="image_task")


@blueprint.post(_TEXT2IMAGE)
@blueprint.post(_IMAGE2IMAGE)
def synthesis() -> Response:
    """Take a task that is worded as a prompt."""
    call, model, inputs, parameters = _open("image_task")
    begins_from_pictures = "i2i" in model.name or "imageedit" in model.name
    if (request.path == _IMAGE2IMAGE) is not begins_from_pictures:
        raise ApiError("url error, please check url\uff01")
    asked = check_prompt(model, inputs, parameters, call)
    job = _Drawing(call, lambda: _results(asked, call), kind="aigc:text2image:image-synthesis")
    return accept(call, model, job, stage="image_task")


def _open(family: Family) -> tuple[Call, Model, dict[str, Any], dict[str, Any]]:
    call, body, inputs = open_native()
    require_async()
    parameters = body.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise ApiError("Required body invalid, please check the request body format.")
    retired = call.scenario.models.retired
    model = find_model(str(body.get("model") or ""), family, retired=retired)
    return call, model, inputs, parameters


class _Drawing:
    """The work behind a task that draws."""

    def __init__(self, call: Call, work: Callable[[], Result], *, kind: str) -> None:
        self._call, self._work, self.kind = call, work, kind
        self._output: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    @property
    def takes_ms(self) -> float:
        return self._call.scenario.latency.image_ms

    def run(self, failure: Fault | None) -> bool:
        try:
            if failure is not None:
                raise usual_error(failure.status, failure.code, failure.message)
            self._output, self._usage = self._work()
        except ApiError as error:
            self._output = {"code": error.code, "message": error.message}
            return False
        return True

    def output(self, status: str) -> dict[str, Any]:
        return self._output

    def usage(self) -> dict[str, Any]:
        return self._usage


# -- pictures ---------------------------------------------------------------------------------------------------------


def _message(asked: ImageRequest, call: Call) -> Result:
    """Return output and usage of a call that is answered with a message.  Raises: ApiError when no picture is good."""
    parts = [_part(asked, index, call) for index in range(asked.count)]
    failed = [part for part in parts if isinstance(part, ApiError)]
    if len(failed) == len(parts):
        raise failed[0]
    content = [part for part in parts if isinstance(part, dict)]
    if asked.model.name.startswith("z-image") and asked.is_extended:
        content.append({"text": asked.rewritten})
    metric = {"TOTAL": len(parts), "SUCCEEDED": len(parts) - len(failed), "FAILED": len(failed)}
    usage = {"width": asked.width, "height": asked.height, "image_count": len(parts) - len(failed)}
    if asked.model.name.startswith("wan"):
        choices = [_choice([{"type": "image", **part}]) for part in content]
        return {"choices": choices, "finished": True}, usage
    return {"choices": [_choice(content)], "task_metric": metric}, usage


def _choice(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}


def _part(asked: ImageRequest, index: int, call: Call) -> dict[str, Any] | ApiError:
    """Return a picture as a part of a message, or why there is none."""
    if fault := call.next_fault("image_part"):
        return usual_error(fault.status, fault.code, fault.message)
    return {"image": _kept(asked, index, call)}


def _results(asked: ImageRequest, call: Call) -> Result:
    """Return output and usage of a task; it has succeeded when one of its pictures is good."""
    parts = [_part(asked, index, call) for index in range(asked.count)]
    results = [_result(asked, part) for part in parts]
    good = [result for result in results if "url" in result]
    if not good:
        raise next(part for part in parts if isinstance(part, ApiError))
    metrics = {"TOTAL": len(parts), "SUCCEEDED": len(good), "FAILED": len(parts) - len(good)}
    return {"results": results, "task_metrics": metrics}, {"image_count": len(good)}


def _result(asked: ImageRequest, part: dict[str, Any] | ApiError) -> dict[str, Any]:
    if isinstance(part, ApiError):
        return {"code": part.code, "message": part.message}
    rewritten = {"actual_prompt": asked.rewritten} if asked.is_extended else {}
    return {"orig_prompt": asked.prompt, **rewritten, "url": part["image"]}


def _kept(asked: ImageRequest, index: int, call: Call) -> str:
    """Paint a picture and return its link; a fault may leave nothing, or half of it, behind the link."""
    picture, kind = paint(asked.width, asked.height, asked.story(index)), "image/png"
    fault: Fault | None = call.next_fault("image_result")
    if fault and fault.kind == "malformed":
        picture = picture[: len(picture) // 2]
    if fault and fault.kind == "error_event":
        kind = "text/html"
    link = keep_result(call.vendor, f"{index}.png", picture, kind)
    call.note("drawn", story=asked.story(index), size=f"{asked.width}*{asked.height}")
    return link.replace("/results/", "/results/gone/") if fault and fault.kind == "status" else link
