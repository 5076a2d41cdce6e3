"""Transcription of recorded files as tasks, and the result file with word times."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from flask import Blueprint, Response

from emulator import tasks
from emulator.calls import Call
from emulator.containers import decode_channels
from emulator.ear import spread
from emulator.errors import ApiError
from emulator.files import keep_result
from emulator.journal import without_media
from emulator.media import fetch
from emulator.models import Model, find_model
from emulator.requests import call_of, read_json
from emulator.scenario import Fault
from emulator.task_request import checked_parameters, urls_of
from emulator.transcripts import Recording, transcript_file

blueprint = Blueprint("transcription_tasks", __name__)


@blueprint.post("/api/v1/services/audio/asr/transcription")
def submit() -> Response:
    """Take a transcription task."""
    call, body = call_of(), read_json()
    call.note("request", body=without_media(body))
    tasks.require_async()
    model = find_model(str(body.get("model") or ""), "asr_task", retired=call.scenario.models.retired)
    urls, parameters = urls_of(model, body.get("input")), checked_parameters(model, body.get("parameters"))
    return tasks.accept(call, model, Transcribing(call, model, urls, parameters), stage="asr_task")


class Transcribing:
    """The transcription of some files."""

    kind = "audio:asr:transcription"

    def __init__(self, call: Call, model: Model, urls: list[str], parameters: dict[str, Any]) -> None:
        self._call, self._model, self._urls, self._parameters = call, model, urls, parameters
        self._results: list[dict[str, Any]] = []
        self._duration_s = 0

    @property
    def takes_ms(self) -> float:
        return self._call.scenario.latency.asr_ms

    def run(self, failure: Fault | None) -> bool:
        if failure is not None:
            code = failure.code or "InternalError"
            self._results = [_failed(url, code, failure.message or code) for url in self._urls]
        else:
            self._results = [self._transcribe(url) for url in self._urls]
        return any(result["subtask_status"] == "SUCCEEDED" for result in self._results)

    def usage(self) -> dict[str, Any]:
        return {"seconds" if "filetrans" in self._model.name else "duration": self._duration_s}

    def output(self, status: str) -> dict[str, Any]:
        output: dict[str, Any] = {}
        if status == "FAILED":
            output |= {"code": self._results[0]["code"], "message": self._results[0]["message"]}
        if "filetrans" in self._model.name:
            links = [result["transcription_url"] for result in self._results if "transcription_url" in result]
            return output | ({"result": {"transcription_url": links[0]}} if links else {})
        good_count = sum(result["subtask_status"] == "SUCCEEDED" for result in self._results)
        failed_count = len(self._results) - good_count
        metrics = {"TOTAL": len(self._urls), "SUCCEEDED": good_count, "FAILED": failed_count}
        return output | ({"results": self._results} if self._results else {}) | {"task_metrics": metrics}

    def _transcribe(self, url: str) -> dict[str, Any]:
        """Return the result of one file: a link to its transcript, or what was wrong with it."""
        try:
            data = fetch(url, self._call)
        except ApiError:
            code = "FILE_DOWNLOAD_FAILED" if "filetrans" in self._model.name else "InvalidFile.DownloadFailed"
            return _failed(url, code, "The audio file cannot be downloaded.")
        try:
            recording = self._listen(url, data)
        except ValueError:
            return _failed(url, "InvalidFile.Format", "The audio file cannot be decoded.")
        if not recording.text:
            is_paraformer = "paraformer" in self._model.name
            code = "SUCCESS_WITH_NO_VALID_FRAGMENT" if is_paraformer else "ASR_RESPONSE_HAVE_NO_WORDS"
            return _failed(url, code, code)
        return self._told(url, recording, size_bytes=len(data))

    def _told(self, url: str, recording: Recording, *, size_bytes: int) -> dict[str, Any]:
        call = self._call
        self._duration_s += math.ceil(recording.duration_ms / 1000) * len(recording.tracks)
        speakers = call.scenario.speakers
        body = transcript_file(recording, model=self._model.name, parameters=self._parameters, speakers=speakers)
        call.note("heard", text=recording.text, size_bytes=size_bytes)
        link = keep_result(call.vendor, "transcript.json", msgspec.json.encode(body), "application/json")
        return {"file_url": url, "transcription_url": link, "subtask_status": "SUCCEEDED"}

    def _listen(self, url: str, data: bytes) -> Recording:
        """Return what is heard on the channels that the task asks for; one that the file has not is left out.

        Raises: ValueError when the file cannot be decoded.
        """
        channels, rate_hz = decode_channels(data)
        duration_ms = len(channels[0]) * 500 // rate_hz
        wanted = [n for n in self._parameters.get("channel_id") or [0] if n < len(channels)]
        tracks = []
        for number in wanted:
            scripted = self._call.script.next_transcript()
            ear = self._call.vendor.ear
            heard = ear.listen(channels[number], rate_hz=rate_hz) if scripted is None else spread(scripted, duration_ms)
            tracks.append((number, heard))
        return Recording(
            url=url, rate_hz=rate_hz, duration_ms=duration_ms, channel_count=len(channels), tracks=tuple(tracks)
        )


def _failed(url: str, code: str, message: str) -> dict[str, Any]:
    return {"file_url": url, "code": code, "message": message, "subtask_status": "FAILED"}
