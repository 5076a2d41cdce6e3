"""Models that make videos, as tasks.  Results are real mp4 files behind links that look signed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from emulator.calls import Call
from emulator.errors import ApiError
from emulator.files import keep_result
from emulator.filming import film
from emulator.media import fetch
from emulator.models import Model, find_model
from emulator.painting import PICTURE_BEGINNINGS
from emulator.requests import open_native
from emulator.scenario import Fault
from emulator.tasks import accept, require_async
from emulator.video_request import VideoRequest, check

blueprint = Blueprint("videos", __name__)
_SYNTHESIS = "/api/v1/services/aigc/video-generation/video-synthesis"
_BETWEEN_FRAMES = "/api/v1/services/aigc/image2video/video-synthesis"


@blueprint.post(_SYNTHESIS)
@blueprint.post(_BETWEEN_FRAMES)
def synthesis() -> Response:
    """Take a task that makes a video."""
    call, body, inputs = open_native()
    require_async()
    parameters = body.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise ApiError("Required body invalid, please check the request body format.")
    model = find_model(str(body.get("model") or ""), "video", retired=call.scenario.models.retired)
    asked = check(model, inputs, parameters, is_kf2v_door=request.path == _BETWEEN_FRAMES)
    return accept(call, model, _Filming(call, model, asked), stage="video_task")


class _Filming:
    """The work behind a task that makes a video."""

    kind = "aigc:video-generation:video-synthesis"

    def __init__(self, call: Call, model: Model, asked: VideoRequest) -> None:
        self._call, self._model, self._asked = call, model, asked
        self._output: dict[str, Any] = {}

    @property
    def takes_ms(self) -> float:
        return self._call.scenario.latency.video_ms

    def run(self, failure: Fault | None) -> bool:
        if failure is not None:
            code = failure.code or "InternalError"
            self._output = {"code": code, "message": failure.message or code}
            return False
        try:
            self._look_at_pictures()
        except ApiError as error:
            self._output = {"code": error.code, "message": error.message}
            return False
        self._output = {"orig_prompt": self._asked.prompt, "video_url": self._link()}
        return True

    def output(self, status: str) -> dict[str, Any]:
        return self._output

    def usage(self) -> dict[str, Any]:
        seconds = self._asked.seconds
        return {"duration": seconds, "output_video_duration": seconds, "video_count": 1, **self._asked.told}

    def _look_at_pictures(self) -> None:
        for address in self._asked.pictures:
            if not fetch(address, self._call).startswith(PICTURE_BEGINNINGS):
                raise ApiError("The image format is illegal and cannot be opened.", code="InvalidParameter")

    def _link(self) -> str:
        asked, vendor = self._asked, self._call.vendor
        story = {"model": self._model.name, "prompt": asked.prompt, "pictures": len(asked.pictures)}
        data = film(asked.width, asked.height, asked.seconds, story)
        self._call.note("filmed", **story, size_bytes=len(data))
        link = keep_result(vendor, "video.mp4", data, "video/mp4")
        lost = self._call.next_fault("video_result")
        return link if lost is None else link.replace("video.mp4", "lost.mp4")
