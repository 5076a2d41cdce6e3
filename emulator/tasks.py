"""Tasks of every kind: how they are taken, polled, cancelled and listed.

The work is done by the poll that finds the task due, so no thread outlives a request.
"""

from __future__ import annotations

import math
import time
from typing import Any, Final

from flask import Blueprint, Response, request

from emulator import faults
from emulator.calls import Call, Job, Task
from emulator.errors import ApiError
from emulator.models import Model
from emulator.requests import call_of, json_response, read_page
from emulator.scenario import Stage

blueprint = Blueprint("tasks", __name__)
_BEIJING_S: Final = 8 * 3600


def require_async() -> None:
    """Refuse a call that wants to wait for the result.  Raises: ApiError 403."""
    if request.headers.get("X-DashScope-Async", "").lower() != "enable":
        message = "Current user api does not support synchronous calls."
        raise ApiError(message, status=403, code="AccessDenied")


def accept(call: Call, model: Model, job: Job, *, stage: Stage) -> Response:
    """Take a task and return the answer to its submission."""
    fault = faults.before_answer(call, stage)
    task = Task(call, model, job, fault)
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
        "user_api_unique_key": f"apikey:v1:{task.job.kind}:{task.model.name}",
    }


@blueprint.route("/api/v1/tasks/<task_id>", methods=["GET", "POST"])
def poll(task_id: str) -> Response:
    """Tell how a task stands; an unknown id is not an error here."""
    call = call_of()
    faults.before_answer(call, "task_poll")
    task = call.vendor.tasks.get(task_id)
    if task is None:
        output = {"task_id": task_id, "task_status": "UNKNOWN"}
        return json_response({"request_id": call.request_id, "output": output})
    with task.lock:
        _advance(task)
        call.note("polled", task_id=task_id, status=task.status)
        body = {"request_id": call.request_id, "output": _output(task)}
        if task.status == "SUCCEEDED":
            body["usage"] = task.job.usage()
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
    if task.polls <= task.call.scenario.latency.task_polls or time.time() - task.submitted_s < task.job.takes_ms / 1000:
        task.status = "PENDING" if task.polls == 1 else "RUNNING"
        return
    task.status, task.ended_s = "SUCCEEDED" if task.job.run(task.failure) else "FAILED", time.time()


def _output(task: Task) -> dict[str, Any]:
    output: dict[str, Any] = {"task_id": task.task_id, "task_status": task.status}
    output |= {"submit_time": _local_time(task.submitted_s), "scheduled_time": _local_time(task.submitted_s + 0.02)}
    if task.ended_s:
        output["end_time"] = _local_time(task.ended_s)
    return output | task.job.output(task.status)


def _local_time(moment_s: float) -> str:
    """Return a moment as the service writes it: Beijing time with milliseconds."""
    whole = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment_s + _BEIJING_S))
    return f"{whole}.{int(moment_s % 1 * 1000):03d}"
