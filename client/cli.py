"""`python -m client hello.wav`: speak to a server, watch it answer, keep the reply; `… check`: try all that it offers.

Exit code 0: every turn was held to its end; 1: something failed (the last line says what); 2: a command without sense;
141: who read the output left, as `head` does.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from client import fleet, question
from client.check import command as check
from client.device import Device, DeviceError
from client.report import OutputClosed, Screen, fleet_report, turn_report, write
from client.result import TurnResult
from client.turn import LOAD, Options
from client.upload import PROFILES, Link

_URL: Final = "ws://127.0.0.1:5000/v1/chat/audio"
_PICTURE_URL: Final = "ws://127.0.0.1:5000/v1/chat/vlm"
_READER_LEFT: Final = 141  # what a shell shows for a program that SIGPIPE ended: 128 + 13
_EXAMPLES: Final = """examples:
  python -m client hello.wav                              one turn; the reply is saved as reply.mp3
  python -m client hello.wav --live --wifi busy           speak in real time over a crowded Wi-Fi
  python -m client hello.wav --repeat 3 --json            three turns on one connection, one JSON report
  python -m client hello.wav --fleet 60 --stagger-ms 50   sixty devices at once
  python -m client --picture cat.jpg hello.wav            a picture, and a spoken question about it
  python -m client --picture a.jpg --picture b.jpg --ask "What has changed?"
  python -m client check --key sk-…                       try every surface of a server and say what works
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _check(words[1:]) if words[:1] == ["check"] else _run(_arguments(words))
    except OutputClosed:
        return _READER_LEFT


def _check(words: Sequence[str]) -> int:
    try:
        return check.main(words)
    except KeyboardInterrupt:
        return _fail("Stopped by the keyboard.", as_json="--json" in words)


def _run(args: argparse.Namespace) -> int:
    try:
        data = args.recording.read_bytes() if args.recording else b""
        return _speak_as_fleet(args, data) if args.fleet else _speak(args, data)
    except (DeviceError, OSError) as error:
        return _fail(str(error), as_json=args.json)
    except KeyboardInterrupt:
        return _fail("Stopped by the keyboard.", as_json=args.json)


def _fail(sentence: str, *, as_json: bool) -> int:
    write(json.dumps({"ok": False, "failure": sentence}, ensure_ascii=False) if as_json else f"✗ {sentence}")
    return 1


def _speak(args: argparse.Namespace, data: bytes) -> int:
    screen = Screen(is_silent=args.json)
    options = dataclasses.replace(_options(args), on_event=screen.on_event)
    results: list[TurnResult] = []
    with Device(args.url, key=args.key, start=_start(args), options=options) as device:
        screen.connected(args.url, device.session_id)
        for _ in range(args.repeat):
            screen.begin()
            results.append(_turn(device, args, data))
            screen.end(results[-1])
            if not results[-1].completed:
                break
    saved = _save(args.out, results)
    report = {"ok": all(r.is_ok for r in results), "saved": saved, "turns": [turn_report(r) for r in results]}
    write(json.dumps(report, ensure_ascii=False) if args.json else f"  saved    {', '.join(saved) or 'nothing'}")
    return 0 if report["ok"] else 1


def _turn(device: Device, args: argparse.Namespace, data: bytes) -> TurnResult:
    if not _has_pictures(args):
        return device.turn(data, **_how(args))
    pictures = [path.read_bytes() for path in args.picture]
    return device.ask(question.ask(pictures, recording=data, text=args.ask, **_how(args)))


def _speak_as_fleet(args: argparse.Namespace, data: bytes) -> int:
    options = dataclasses.replace(_options(args), keeps_sound=LOAD.keeps_sound, keeps_events=LOAD.keeps_events)
    result = fleet.run(
        args.fleet,
        args.url,
        data=data,
        key=args.key,
        start=_start(args),
        options=options,
        stagger_ms=args.stagger_ms,
        repeat=args.repeat,
        **_how(args),
    )
    report = fleet_report(result)
    write(json.dumps(report, ensure_ascii=False) if args.json else _table(report))
    return 0 if result.is_ok else 1


def _table(report: dict[str, Any]) -> str:
    return "\n".join(f"  {name:<32}{value}" for name, value in report.items())


def _save(out: Path, results: Sequence[TurnResult]) -> list[str]:
    """Write the reply of each turn that has sound: reply.mp3, reply-2.mp3, … and return the names."""
    saved = []
    for number, result in enumerate(results, start=1):
        if result.sound:
            path = out if number == 1 else out.with_stem(f"{out.stem}-{number}")
            path.write_bytes(result.sound)
            saved.append(str(path))
    return saved


def _options(args: argparse.Namespace) -> Options:
    link = PROFILES[args.wifi]
    link = Link(
        loss=link.loss if args.loss is None else args.loss,
        delay_ms=link.delay_ms if args.delay_ms is None else args.delay_ms,
        read_bytes_per_s=link.read_bytes_per_s if args.read_bytes_per_s is None else args.read_bytes_per_s,
    )
    return Options(link=link, buffer_s=args.buffer_s, cancel_after_ms=args.cancel_after_ms, silence_s=args.silence_s)


def _start(args: argparse.Namespace) -> dict[str, Any] | None:
    """Return the `start` message: the stage table needs `timings`, unless the plain protocol is asked for."""
    declared: dict[str, Any] = args.start
    return None if args.plain else {"timings": True} | declared


def _how(args: argparse.Namespace) -> dict[str, Any]:
    return {"packet_bytes": args.packet_bytes, "interval_ms": args.interval_ms, "live": args.live}


def _has_pictures(args: argparse.Namespace) -> bool:
    """Return whether this is a matter of the picture socket, where alone a question can be typed."""
    return bool(args.picture or args.ask)


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for; a command without sense ends the program with a sentence."""
    parser = _parser()
    args = parser.parse_args(words)
    if bool(args.recording) == bool(args.ask):
        parser.error("give either a recording or --ask, the question in writing")
    if args.fleet and _has_pictures(args):
        parser.error("--fleet speaks recordings alone: leave --picture and --ask out")
    args.url = args.url or (_PICTURE_URL if _has_pictures(args) else _URL)
    return args


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is not a JSON object")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m client",
        description="A voice device: says a recording to the server and listens to the answer.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("recording", type=Path, nargs="?", help="what to say: a sound file of any container")
    add("--picture", type=Path, action="append", default=[], metavar="FILE", help="show a picture; again for more")
    add("--ask", default="", metavar="QUESTION", help="type the question in place of a recording")
    add("--url", default="", help=f"default {_URL}; with --picture or --ask {_PICTURE_URL}")
    add("--key", default="", help="sent as Authorization: Bearer …")
    add("--out", type=Path, default=Path("reply.mp3"), help="where the reply goes (default reply.mp3)")
    add("--json", action="store_true", help="print one JSON report and nothing else")
    add("--live", action="store_true", help="packets without a total, in real time, closed by end")
    add("--packet-bytes", type=int, default=3000, metavar="N", help="decoded bytes per packet (default 3000)")
    add("--interval-ms", type=float, metavar="MS", help="time between packets (default: none; --live: real time)")
    add("--repeat", type=int, default=1, metavar="N", help="turns on one connection")
    add("--fleet", type=int, default=0, metavar="N", help="that many devices at once")
    add("--stagger-ms", type=float, default=0.0, metavar="MS", help="time between the starts of a fleet's devices")
    add(
        "--start",
        type=_json_object,
        default={},
        metavar="JSON",
        help='fields of the start message: \'{"codec":"pcm"}\'',
    )
    add("--plain", action="store_true", help="send no start message: the plain protocol, no stage table")
    add("--cancel-after-ms", type=float, metavar="MS", help="press stop that long after the last packet")
    add("--wifi", choices=sorted(PROFILES), default="perfect", help="loss, delay and speed of the link")
    add("--loss", type=float, metavar="SHARE", help="share of packets lost the first time, 0 to 1")
    add("--delay-ms", type=float, metavar="MS", help="mean delay of a packet; changes their order")
    add("--read-bytes-per-s", type=int, metavar="N", help="a slow reader; 0 = no limit")
    add("--buffer-s", type=float, default=2.0, metavar="S", help="what the device's player can store (default 2)")
    add("--silence-s", type=float, default=60.0, metavar="S", help="give up a silent server (default 60)")
    return parser
