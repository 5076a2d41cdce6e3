"""`python -m bench [name …]`: run the benchmarks, print their table, and put their rows into bench/results.md.

A benchmark that is run alone replaces its own rows there and leaves the others, each with its own date.
"""

import datetime
import importlib
import os
import platform
import sys
from pathlib import Path

from bench.results import Row

_ALL = ("speech_text", "latency", "memory", "long_answer", "http", "history", "storage")
_RESULTS = Path(__file__).with_name("results.md")
_HEAD = "| bench | goal | what | figure | target | met | measured |\n|---|---|---|---|---|---|---|\n"


def main(names: list[str]) -> int:
    is_met = True
    for name in names or _ALL:
        sys.stdout.write(f"… {name}\n")
        rows: list[Row] = importlib.import_module(f"bench.{name}").measure()
        lines = [_line(name, row) for row in rows]
        sys.stdout.write(_HEAD + "".join(lines))
        _put(name, lines)
        is_met = is_met and all(row.met for row in rows)
    return 0 if is_met else 1


def _line(name: str, row: Row) -> str:
    machine = f"{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores {platform.machine()}"
    met = "yes" if row.met else "no"
    return f"| {name} | {row.goal} | {row.what} | {row.figure} | {row.target} | {met} | {machine} |\n"


def _put(name: str, lines: list[str]) -> None:
    """Exchange one benchmark's rows in the results; all stay in the order of `_ALL`."""
    known = _RESULTS.read_text("utf-8").splitlines(keepends=True) if _RESULTS.exists() else []
    rows = {other: [line for line in known if line.startswith(f"| {other} |")] for other in _ALL} | {name: lines}
    _RESULTS.write_text("# Results\n\n" + _HEAD + "".join(line for other in _ALL for line in rows[other]), "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
