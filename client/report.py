"""How a turn is shown to a person, and told to a program."""

import dataclasses
import os
import shutil
import sys
from collections import Counter
from typing import Any, Final

from client.fleet import FleetResult, Spread
from client.hearing import PLAIN_NAMES
from client.result import Arrival, Body, TurnResult

_BAR: Final = 30
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"


class OutputClosed(Exception):
    """Nobody reads what the tool writes any more."""


def write(line: str, *, end: str = "\n") -> None:
    """Write to the terminal at once.  Raises: OutputClosed."""
    try:
        sys.stdout.write(line + end)
        sys.stdout.flush()
    except BrokenPipeError as error:
        with open(os.devnull, "w") as nowhere:  # what is still buffered would fail again when the interpreter ends
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise OutputClosed from error


class Screen:
    """Shows a turn while it happens: a bar of packets, the transcript, the answer, the sound, the stages."""

    def __init__(self, *, is_silent: bool) -> None:
        self._is_silent = is_silent
        self._is_terminal = sys.stdout.isatty()
        self._is_in_answer = False

    def _show(self, line: str, *, end: str = "\n") -> None:
        if not self._is_silent:
            write(line, end=end)

    def connected(self, url: str, session_id: str) -> None:
        self._show(f"● {url}  session {session_id}")

    def begin(self) -> None:
        self._is_in_answer = False

    def on_event(self, arrival: Arrival) -> None:
        body = arrival.body
        match PLAIN_NAMES.get(arrival.name, arrival.name):
            case "packet_ack":
                self._show_packets(_upload_name(body), body["received"], body["total"])
            case "chat_started":
                self._show(f"\n  you      {body.get('user_message', body['message'])}")
            case "chat_chunk":
                self._show_chunk(body["chunk"])
            case "error":
                self._show(f"\n  error    {body['message']}")

    def _show_packets(self, name: str, received: int, total: int | None) -> None:
        is_last = received == total
        if self._is_terminal or is_last:
            bar = f"{_bar(received / total)} {received}/{total}" if total else f"{received} so far"
            self._show(f"\r  {name:<9}{bar}", end="")

    def _show_chunk(self, chunk: str) -> None:
        self._show(chunk if self._is_in_answer else f"  answer   {chunk}", end="")
        self._is_in_answer = True

    def end(self, result: TurnResult) -> None:
        self._show("")
        if result.sound_bytes:
            self._show(f"  sound    {_sound_line(result)}")
        self._show(f"  here     {_times_line(result)}")
        for line in _stage_lines(result):
            self._show(f"  {line}")
        self._show(
            f"✗ {result.failure}" if result.failure else "✓ " + ("stopped" if result.interrupted else "complete")
        )


def _upload_name(ack: Body) -> str:
    """Return what an acknowledged packet belongs to, as people are shown it."""
    kind = {"audio": "sound", "image": "picture"}.get(ack.get("type", ""), "packets")
    return f"{kind} {ack['image']}" if "image" in ack else kind


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return ("█" * (eighths // 8) + _BLOCKS[eighths % 8].strip()).ljust(_BAR)


def _sound_line(result: TurnResult) -> str:
    play, resent = result.playback, f", {result.resent} packets sent again" if result.resent else ""
    gaps = f"{play.gaps} gaps ({play.gap_ms:.0f} ms)" if play.gaps else "no gaps"
    return f"{result.sound_ms / 1000:.2f} s, {result.sound_bytes:,} bytes, {gaps}{resent}"


def _times_line(result: TurnResult) -> str:
    """Return when things arrived at the device, counted from its last packet."""
    times = {"first text": result.first_text_ms, "first audio": result.first_audio_ms, "end": result.end_ms}
    return ", ".join(f"{name} {'—' if ms is None else f'{ms:.0f} ms'}" for name, ms in times.items())


def _stage_lines(result: TurnResult) -> list[str]:
    """Return a bar chart of the server's stages: from the last packet to the moment each was reached."""
    longest = max(result.stages.values(), default=0.0) or 1.0
    width = max(10, min(40, shutil.get_terminal_size().columns - 34))
    bars = ("▇" * max(1, round(width * ms / longest)) for ms in result.stages.values())
    return [
        f"{name:<16}{bar:<{width}} {ms:8.0f} ms" for (name, ms), bar in zip(result.stages.items(), bars, strict=True)
    ]


def turn_report(result: TurnResult) -> dict[str, Any]:
    """Return a turn as plain JSON data, without its sound; events are counted by name."""
    report = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    del report["sound"]
    report["ok"] = result.is_ok
    report["stages"] = dict(result.stages)
    report["playback"] = dataclasses.asdict(result.playback)
    report["errors"] = [dataclasses.asdict(error) for error in result.errors]
    report["events"] = dict(Counter(arrival.name for arrival in result.events))
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in report.items()}


def fleet_report(result: FleetResult) -> dict[str, Any]:
    """Return a fleet's figures as plain JSON data."""
    device_minutes = result.devices * result.wall_s / 60
    return {
        "ok": result.is_ok,
        "devices": result.devices,
        "turns": len(result.turns),
        "completed": sum(turn.completed for turn in result.turns),
        "first_text_ms": _spread(result.first_text),
        "first_audio_ms": _spread(result.first_audio),
        "end_ms": _spread(result.end),
        "gaps": result.gaps,
        "gap_ms": round(result.gap_ms, 1),
        "sound_s": round(result.sound_s, 2),
        "wall_s": round(result.wall_s, 2),
        "client_cpu_s": round(result.cpu_s, 3),
        "client_cpu_s_per_device_minute": round(result.cpu_s / device_minutes, 4) if device_minutes else 0.0,
        "failures": dict(result.failures),
    }


def _spread(spread: Spread) -> dict[str, float | None]:
    figures = {"p50": spread.p50, "p95": spread.p95, "p99": spread.p99, "worst": spread.worst}
    return {name: round(ms, 1) if spread.count else None for name, ms in figures.items()}
