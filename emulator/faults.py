"""Faults on the wire of HTTP answers: what a fault does to a whole answer and to a stream of events."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from emulator.calls import LONGEST_WAIT_S, Call
from emulator.errors import usual_error
from emulator.scenario import Fault

ErrorFrame = Callable[[Fault], str]


def before_answer(call: Call, stage: str) -> Fault | None:
    """Let a fault of this stage strike before the first byte; return it if it strikes later, in the stream.

    Raises: ApiError for a status, ClientGone for a cut line.
    """
    return strike_now(call, call.next_fault(stage))


def strike_now(call: Call, fault: Fault | None) -> Fault | None:
    """Do what `before_answer` does with a fault that is already chosen."""
    if fault is None or (fault.after and fault.kind != "status"):
        return fault
    if fault.delay_ms:
        call.pause(fault.delay_ms)
    if fault.kind == "status":
        raise usual_error(fault.status, fault.code, fault.message)
    if fault.kind in {"cut", "close", "silent_close"}:
        raise call.hang_up()
    if fault.kind == "reset":
        raise call.hang_up(rudely=True)
    if fault.kind == "stall":
        call.pause(LONGEST_WAIT_S * 1000)
    return None if fault.kind == "delay" else fault


def on_stream(frames: Iterator[str], fault: Fault | None, call: Call, error_frame: ErrorFrame) -> Iterator[str]:
    """Pass on the frames of a stream until the fault strikes after its number of events."""
    if fault is None:
        yield from frames
        return
    for count, frame in enumerate(frames):
        if count != fault.after:
            yield frame
            continue
        yield from _struck(frame, fault, call, error_frame)
        if fault.kind == "error_event":
            return


def _struck(frame: str, fault: Fault, call: Call, error_frame: ErrorFrame) -> Iterator[str]:
    if fault.delay_ms:
        call.pause(fault.delay_ms)
    if fault.kind in {"cut", "close", "silent_close", "reset"}:
        raise call.hang_up(rudely=fault.kind == "reset")
    if fault.kind == "stall":
        call.pause(LONGEST_WAIT_S * 1000)
    if fault.kind == "error_event":
        yield error_frame(fault)
    elif fault.kind == "malformed":
        yield frame.rstrip("\n")[:-7] + "\n\n"
    elif fault.kind == "duplicate":
        yield frame + frame
    else:
        yield frame


def on_body(body: bytes, fault: Fault | None) -> bytes:
    """Return the body of a whole answer, broken if the fault says so."""
    return body[: len(body) // 2] if fault is not None and fault.kind == "malformed" else body
