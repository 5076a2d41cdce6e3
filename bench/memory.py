"""G8, G9: memory at rest, per connection and per talker; what is left after a thousand sessions."""

import threading
import time

import numpy as np

from bench.results import Row
from bench.rig import Rig, rig, spoken_wav
from client import fleet
from client.device import Device

_IDLE, _TALKERS, _WARM_ROUNDS, _ROUNDS, _PER_ROUND = 200, 60, 20, 40, 50
_ANSWER = "好的，我来回答。" + "今天的天气很好，适合出门走一走，看看山和水。" * 6


def measure() -> list[Row]:
    with rig(MAX_WS_SESSIONS="300") as running:
        rest = running.rss_bytes()
        question = spoken_wav("今天的天气怎么样")
        running.script(replies=["好的。"])
        fleet.run(1, running.audio_url, data=question, repeat=3)
        idle_kb = _idle_kb(running)
        talker_mb = _talker_mb(running, question)
        return [
            _row("G8", "process at rest", f"{rest / 1e6:.0f} MB", "<= 90 MB", rest <= 90e6),
            _row("G8", "per idle connection", f"{idle_kb:.0f} KB", "<= 100 KB", idle_kb <= 100),
            _row("G8", "per talker", f"{talker_mb:.2f} MB", "<= 0.8 MB", talker_mb <= 0.8),
            *_after_sessions(running, question),
        ]


def _row(goal: str, what: str, figure: str, target: str, met: bool) -> Row:
    return Row(goal=goal, what=what, figure=figure, target=target, met=met)


def _idle_kb(running: Rig) -> float:
    before = running.rss_bytes()
    devices = [Device(running.audio_url) for _ in range(_IDLE)]
    for device in devices:
        device.connect()
    time.sleep(2)
    grown = running.rss_bytes() - before
    for device in devices:
        device.close()
    return grown / _IDLE / 1000


def _talker_mb(running: Rig, question: bytes) -> float:
    """Return the peak over the memory before, while all talk at once."""
    running.script(replies=[_ANSWER], latency={"tts_speed": 3.0})
    before, peak, over = running.rss_bytes(), [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            peak[0] = max(peak[0], running.rss_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    fleet.run(_TALKERS, running.audio_url, data=question)
    over.set()
    watcher.join()
    return max(0, peak[0] - before) / _TALKERS / 1e6


def _after_sessions(running: Rig, question: bytes) -> list[Row]:
    """Hold sessions round after round; the slope of memory is taken over rounds, after some that warm the heaps."""
    running.script(replies=["好的。"])
    for _ in range(_WARM_ROUNDS):
        fleet.run(_PER_ROUND, running.audio_url, data=question)
    _settle(running)
    threads, files, sizes = running.worker.num_threads(), running.worker.num_fds(), []
    for _ in range(_ROUNDS):
        fleet.run(_PER_ROUND, running.audio_url, data=question)
        _settle(running)
        sizes.append(running.rss_bytes())
    more_threads, more_files = running.worker.num_threads() - threads, running.worker.num_fds() - files
    slope_kb = float(np.polyfit(np.arange(_ROUNDS) * _PER_ROUND, sizes, 1)[0]) / 1000
    sessions = _ROUNDS * _PER_ROUND
    return [
        _row("G9", f"threads and descriptors after {sessions} sessions, over before",
             f"{more_threads:+d} / {more_files:+d}", "+-2", abs(more_threads) <= 2 and abs(more_files) <= 2),
        _row("G9", f"memory kept per session, slope over {sessions} after {_WARM_ROUNDS * _PER_ROUND} to warm up",
             f"{slope_kb:.2f} KB", "<= 1 KB", slope_kb <= 1),
    ]  # fmt: skip


def _settle(running: Rig) -> None:
    """Wait until the sessions have ended and the threads' number stands still."""
    last, steady = -1, 0
    while steady < 10:
        time.sleep(0.1)
        now = running.worker.num_threads()
        steady = steady + 1 if now == last else 0
        last = now
