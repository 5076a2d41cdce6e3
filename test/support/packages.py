"""Releases of other people's packages, each fetched once into a folder of its own below the tests' artifacts.

The project's own environment stays as it is; a program in a process of its own puts such a folder on its path.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[1] / "artifacts" / "sdk"
_FETCH_S = 600


def python_packages(*requirements: str, with_dependencies: bool = True) -> Path:
    """Return a folder with these releases, to be put into PYTHONPATH."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    flags = [] if with_dependencies else ["--no-deps"]
    return _fetched(requirements, lambda folder: [*pip, *flags, "--target", str(folder), *requirements])


def node_packages(*requirements: str) -> Path:
    """Return a folder whose `node_modules` holds these releases."""
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
    return _fetched(requirements, lambda folder: [*npm, "--prefix", str(folder), *requirements])


def _fetched(requirements: tuple[str, ...], command: Callable[[Path], list[str]]) -> Path:
    target = CACHE / re.sub(r"[^A-Za-z0-9.-]+", "-", "_".join(requirements))
    if target.exists():
        return target
    shutil.rmtree(half := target.with_name(target.name + ".half"), ignore_errors=True)  # what an interrupted run left
    half.mkdir(parents=True)
    done = subprocess.run(command(half), capture_output=True, text=True, timeout=_FETCH_S, check=False)
    if done.returncode:
        pytest.fail(
            f"The contract with {', '.join(requirements)} could not be checked: it cannot be installed into {target}."
            f" A package index is needed once.\n{done.stderr[-1500:]}"
        )
    half.rename(target)
    return target
