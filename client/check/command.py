"""`python -m client check`: walk, show, and say with the exit code whether all is well (0) or something failed (1)."""

import argparse
import dataclasses
import json
import shutil
from collections.abc import Sequence
from typing import Final

from client.check.site import Failed, Site
from client.check.visit import Visit
from client.check.walk import Finding, walk
from client.report import write

_URL: Final = "http://127.0.0.1:5000"
_SIGNS: Final = {"ok": "✓", "failed": "✗", "absent": "–"}
_HEAD_CHARS: Final = 56
"""Columns before the detail: sign, surface, result, two times."""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    args = _parser().parse_args(argv)
    visit = _visit(args)
    try:
        findings = _walk_silently(visit) if args.json else _walk_aloud(visit)
    except Failed as failed:
        sentence = f"{visit.site.address}: {failed}"
        write(json.dumps({"ok": False, "failure": sentence}) if args.json else f"✗ {sentence}")
        return 1
    return 0 if all(finding.outcome != "failed" for finding in findings) else 1


def _visit(args: argparse.Namespace) -> Visit:
    return Visit(
        site=Site(args.base_url, key=args.key, timeout_s=args.timeout_s),
        wanted_chat_model=args.model,
        wanted_vision_model=args.vision_model,
        asr_model=args.asr_model,
        tts_model=args.tts_model,
        voice=args.voice,
    )


def _walk_silently(visit: Visit) -> list[Finding]:
    findings = list(walk(visit))
    is_ok = all(finding.outcome != "failed" for finding in findings)
    rows = [dataclasses.asdict(finding) for finding in findings]
    write(json.dumps({"ok": is_ok, "base_url": visit.site.root, "surfaces": rows}, ensure_ascii=False))
    return findings


def _walk_aloud(visit: Visit) -> list[Finding]:
    findings: list[Finding] = []
    for finding in walk(visit):
        if not findings:
            write(f"● {visit.site.root}\n  {'surface':<26}{'result':<8}{'first':>8}{'total':>10}  what came")
        findings.append(finding)
        write(row(finding, width=shutil.get_terminal_size((120, 24)).columns))
    write(_sum(findings))
    return findings


def row(finding: Finding, *, width: int) -> str:
    """Return one line of the table; what failed is told whole, all else must fit the width."""
    times = "".join(f"{'' if ms is None else f'{ms:.0f} ms':>9}" for ms in (finding.first_ms, finding.total_ms))
    detail = " ".join(finding.detail.split())
    room = max(20, width - _HEAD_CHARS)
    if finding.outcome != "failed" and len(detail) > room:
        detail = detail[: room - 1] + "…"
    return f"{_SIGNS[finding.outcome]} {finding.surface:<26}{finding.outcome:<8}{times}  {detail}"


def _sum(findings: Sequence[Finding]) -> str:
    failed = [finding.surface for finding in findings if finding.outcome == "failed"]
    absent = sum(finding.outcome == "absent" for finding in findings)
    rest = f"; {absent} not there (optional)" if absent else ""
    if failed:
        return f"✗ {len(failed)} of {len(findings)} failed: {'; '.join(failed)}{rest}"
    return f"✓ {len(findings) - absent} of {len(findings)} ok{rest}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m client check",
        description="Walk through every surface of a server like a new user: chat, voice, ear, a spoken turn, errors.",
    )
    add = parser.add_argument
    add("--base-url", default=_URL, help=f"default {_URL}; with or without /v1")
    add("--key", default="", help="sent as Authorization: Bearer …")
    add("--model", default="", help="for chat (default: chosen from the server's list)")
    add("--vision-model", default="", help="for the picture (default: chosen from the server's list)")
    add("--asr-model", default="whisper-1", help="for transcriptions (default whisper-1)")
    add("--tts-model", default="tts-1", help="for speech (default tts-1)")
    add("--voice", default="alloy", help="default alloy")
    add("--timeout-s", type=float, default=60.0, metavar="S", help="give up a silent answer (default 60)")
    add("--json", action="store_true", help="print one JSON report and nothing else")
    return parser
