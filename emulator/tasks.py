"""Transcription of recorded files as tasks: submit, poll, cancel, list, and the result file with word times.

The work is done by the poll that finds the task due, so no thread outlives a request.
"""

from __future__ import annotations

import math
import time
from typing import Any, Final

import msgspec
from flask import Blueprint, Response, request

from emulator import faults
from emulator.calls import Task
from emulator.containers import decode_channels
from emulator.ear import spread
from emulator.errors import ApiError
from emulator.files import keep_result
from emulator.journal import without_media
from emulator.media import fetch
from emulator.models import find_model
from emulator.requests import call_of, json_response, read_json, read_page
from emulator.task_request import checked_parameters, urls_of
from emulator.transcripts import Recording, transcript_file

blueprint = Blueprint("tasks", __name__)
_BEIJING_S: Final = 8 * 3600


@blueprint.post("/api/v1/services/audio/asr/transcription")
def submit() -> Response:
    """Take a transcription task."""
    call, body = call_of(), read_json()
    call.note("request", body=without_media(body))
    if request.headers.get("X-DashScope-Async", "").lower() != "enable":
        message = "Current user api does not support synchronous calls."
        raise ApiError(message, status=403, code="AccessDenied")
    model = find_model(str(body.get("model") or ""), "asr_task", retired=call.scenario.models.retired)
    urls, parameters = urls_of(model, body.get("input")), checked_parameters(model, body.get("parameters"))
    fault = faults.before_answer(call, "asr_task")
    task = Task(call, model, urls, parameters, fault)
    call.vendor.tasks.put(task.task_id, task)
    output = {"task_status": task.status, "task_id": task.task_id}
    return json_response({"output": output, "request_id": call.request_id})


@blueprint.get("/api/v1/tasks")
def list_tasks() -> Response:
    """List the calling key's tasks."""
    call = call_of()
    tasks = [task for task in call.vendor.tasks.newest_first() if task.call.key == call.key]
    page, size = read_page()
    body = {
        "total": len(tasks),
        "total_page": math.ceil(len(tasks) / size),
        "page_no": page,
        "page_size": size,
        "data": [_row(task) for task in tasks[(page - 1) * size : page * size]],
        "request_id": call.request_id,
    }
    return json_response(body)


def _row(task: Task) -> dict[str, Any]:
    created_ms = int(task.submitted_s * 1000)
    return {
        "task_id": task.task_id,
        "status": task.status,
        "model_name": task.model.name,
        "start_time": created_ms,
        "end_time": int(task.ended_s * 1000),
        "gmt_create": created_ms,
        "request_id": task.call.request_id,
        "user_api_unique_key": f"apikey:v1:audio:asr:transcription:{task.model.name}",
    }


@blueprint.route("/api/v1/tasks/<task_id>", methods=["GET", "POST"])
def poll(task_id: str) -> Response:
    """Tell how a task stands; an unknown id is not an error here."""
    call = call_of()
    task = call.vendor.tasks.get(task_id)
    if task is None:
        output = {"task_id": task_id, "task_status": "UNKNOWN"}
        return json_response({"request_id": call.request_id, "output": output})
    with task.lock:
        _advance(task)
        call.note("polled", task_id=task_id, status=task.status)
        body = {"request_id": call.request_id, "output": _output(task)}
        if task.status == "SUCCEEDED":
            body["usage"] = {"seconds" if "filetrans" in task.model.name else "duration": task.duration_s}
        return json_response(body)


@blueprint.post("/api/v1/tasks/<task_id>/cancel")
def cancel(task_id: str) -> Response:
    """Cancel a task that has not begun."""
    call = call_of()
    task = call.vendor.tasks.get(task_id)
    if task is None or task.status != "PENDING":
        message = "Failed to cancel the task, please confirm if the task is in PENDING status."
        raise ApiError(message, code="UnsupportedOperation")
    task.status = "CANCELED"
    return json_response({"request_id": call.request_id})


def _advance(task: Task) -> None:
    """Move a task on by one poll: pending, running, and done when its polls and its time are over."""
    if task.status not in {"PENDING", "RUNNING"}:
        return
    task.polls += 1
    latency = task.call.scenario.latency
    if task.polls <= latency.task_polls or time.time() - task.submitted_s < latency.asr_ms / 1000:
        task.status = "PENDING" if task.polls == 1 else "RUNNING"
        return
    failure = task.failure
    if failure is not None:
        code = failure.code or "InternalError"
        task.results = [_failed(url, code, failure.message or code) for url in task.urls]
    else:
        task.results = [_transcribe(task, url) for url in task.urls]
    is_any_good = any(result["subtask_status"] == "SUCCEEDED" for result in task.results)
    task.status, task.ended_s = "SUCCEEDED" if is_any_good else "FAILED", time.time()


def _transcribe(task: Task, url: str) -> dict[str, Any]:
    """Return the result of one file: a link to its transcript, or what was wrong with it."""
    try:
        data = fetch(url, task.call)
    except ApiError:
        code = "FILE_DOWNLOAD_FAILED" if "filetrans" in task.model.name else "InvalidFile.DownloadFailed"
        return _failed(url, code, "The audio file cannot be downloaded.")
    try:
        recording = _listen(task, url, data)
    except ValueError:
        return _failed(url, "InvalidFile.Format", "The audio file cannot be decoded.")
    if not recording.text:
        code = "SUCCESS_WITH_NO_VALID_FRAGMENT" if "paraformer" in task.model.name else "ASR_RESPONSE_HAVE_NO_WORDS"
        return _failed(url, code, code)
    task.duration_s += math.ceil(recording.duration_ms / 1000) * len(recording.tracks)
    speakers = task.call.scenario.speakers
    body = transcript_file(recording, model=task.model.name, parameters=task.parameters, speakers=speakers)
    task.call.note("heard", text=recording.text, size_bytes=len(data))
    link = keep_result(task.call.vendor, "transcript.json", msgspec.json.encode(body), "application/json")
    return {"file_url": url, "transcription_url": link, "subtask_status": "SUCCEEDED"}


def _listen(task: Task, url: str, data: bytes) -> Recording:
    """Return what is heard on the channels that the task asks for; one that the file has not is left out.

    Raises: ValueError when the file cannot be decoded.
    """
    channels, rate_hz = decode_channels(data)
    duration_ms = len(channels[0]) * 500 // rate_hz
    wanted = [n for n in task.parameters.get("channel_id") or [0] if n < len(channels)]
    tracks = []
    for number in wanted:
        scripted = task.call.script.next_transcript()
        ear = task.call.vendor.ear
        heard = ear.listen(channels[number], rate_hz=rate_hz) if scripted is None else spread(scripted, duration_ms)
        tracks.append((number, heard))
    return Recording(
        url=url, rate_hz=rate_hz, duration_ms=duration_ms, channel_count=len(channels), tracks=tuple(tracks)
    )


def _failed(url: str, code: str, message: str) -> dict[str, Any]:
    return {"file_url": url, "code": code, "message": message, "subtask_status": "FAILED"}


def _output(task: Task) -> dict[str, Any]:
    output: dict[str, Any] = {"task_id": task.task_id, "task_status": task.status}
    output |= {"submit_time": _local_time(task.submitted_s), "scheduled_time": _local_time(task.submitted_s + 0.02)}
    if task.ended_s:
        output["end_time"] = _local_time(task.ended_s)
    if task.status == "FAILED":
        output |= {"code": task.results[0]["code"], "message": task.results[0]["message"]}
    if "filetrans" in task.model.name:
        links = [result["transcription_url"] for result in task.results if "transcription_url" in result]
        return output | ({"result": {"transcription_url": links[0]}} if links else {})
    good_count = sum(result["subtask_status"] == "SUCCEEDED" for result in task.results)
    failed_count = len(task.results) - good_count
    metrics = {"TOTAL": len(task.urls), "SUCCEEDED": good_count, "FAILED": failed_count}
    return output | ({"results": task.results} if task.results else {}) | {"task_metrics": metrics}


def _local_time(moment_s: float) -> str:
    """Return a moment as the service writes it: Beijing time with milliseconds."""
    whole = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment_s + _BEIJING_S))
    return f"{whole}.{int(moment_s % 1 * 1000):03d}"
