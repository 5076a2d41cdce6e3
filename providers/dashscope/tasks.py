"""Asynchronous tasks: ask how one stands until it has ended.

Source: DashScope HTTP reference §4.4 (tasks).
"""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar
from urllib.parse import quote

from protocol.errors import UpstreamBroken, UpstreamBusy, UpstreamTimeout
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport, authorization
from services.ports import Cancel

_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _PAUSE_GROWTH = 0.3, 3.0, 1.5
"""Between two questions; the vendor allows 20 a second for the whole account."""
_POLL_TRIES = 3
"""A task that runs is not given up for a question or two that failed."""

ASYNC = {"X-DashScope-Async": "enable"}
"""Without it the vendor refuses what it does as a task."""


class _Task(Protocol):
    @property
    def is_running(self) -> bool: ...


T = TypeVar("T", bound=_Task)


class Tasks:
    """Tasks of one server of the vendor. Threads: any. `limit_s` is the patience with one task."""

    def __init__(self, transport: Transport, *, base_url: str, limit_s: float) -> None:
        self._transport, self._base_url, self._limit_s = transport, base_url, limit_s

    def wait(self, task_id: str, read: Callable[[bytes], T], *, key: ApiKey, cancel: Cancel) -> T:
        """Return the task as it ended, well or not. Raises: UpstreamError, Cancelled as soon as `cancel` says so."""
        end, pause_s = time.monotonic() + self._limit_s, _FIRST_PAUSE_S
        while time.monotonic() < end:
            cancel.wait(pause_s)
            cancel.note_waiting(pause_s)
            task = read(self._ask(task_id, key, cancel))
            if not task.is_running:
                return task
            pause_s = min(pause_s * _PAUSE_GROWTH, _LONGEST_PAUSE_S)
        raise UpstreamTimeout(
            f"任务在 {self._limit_s:g} 秒内没有完成，请稍后重试。",
            english=f"The task did not end within {self._limit_s:g} seconds. Try again later.",
        )

    def _ask(self, task_id: str, key: ApiKey, cancel: Cancel) -> bytes:
        url, headers = f"{self._base_url}/tasks/{quote(task_id)}", {"Authorization": authorization(key)}
        for _ in range(_POLL_TRIES - 1):
            try:
                return self._get(url, headers, cancel)
            except (UpstreamBusy, UpstreamBroken):
                cancel.wait(_FIRST_PAUSE_S)
        return self._get(url, headers, cancel)

    def _get(self, url: str, headers: dict[str, str], cancel: Cancel) -> bytes:
        with self._transport.call("GET", url, headers=headers, cancel=cancel) as response:
            return response.read()
