"""`python -m bench [name …]`: run the benchmarks, print the table, write it to bench/results.md."""

import datetime
import importlib
import os
import platform
import sys
from pathlib import Path

from bench.results import Row

_ALL = ("speech_text", "latency", "memory", "long_answer")


def main(names: list[str]) -> int:
    rows: list[Row] = []
    for name in names or _ALL:
        sys.stdout.write(f"… {name}\n")
        rows += importlib.import_module(f"bench.{name}").measure()
    report = _report(rows)
    sys.stdout.write(report)
    if not names:
        Path(__file__).with_name("results.md").write_text(report)
    return 0 if all(row.met for row in rows) else 1


def _report(rows: list[Row]) -> str:
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    lines = [
        f"# Results of {datetime.date.today():%Y-%m-%d} on {machine}",
        "",
        "| goal | what | figure | target | met |",
    ]
    lines += ["|---|---|---|---|---|"]
    lines += [
        f"| {row.goal} | {row.what} | {row.figure} | {row.target} | {'yes' if row.met else 'no'} |" for row in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
