"""The frame holds what it says: habits of the Makefile, scripts, requirements, and the names that documents mention."""

import ast
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT) for pattern in ("*.md", "docs/*.md", "docs/adr/*.md") for path in ROOT.glob(pattern)
)


def run(*command: object, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with an environment of its own and return what it said."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), **environment}
    return subprocess.run([*map(str, command)], cwd=folder, env=variables, capture_output=True, text=True, timeout=120)


def stub(folder: Path, name: str, text: str = "") -> None:
    """Put a program into a folder that only writes down how it was called, then does what `text` says."""
    program = folder / name
    program.write_text(f'#!/bin/bash\necho "{name} $*" >> "{folder}/calls"\n{text}\n')
    program.chmod(0o755)


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


# --- the habits


def test_make_alone_lists_every_habit() -> None:
    habits = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    listed = run("make").stdout

    assert habits and re.findall(r"make (\w+)", listed) == habits[1].split()


def test_every_habit_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()

    named = {name for path in DOCUMENTS for name in re.findall(r"^make (\w+)", (ROOT / path).read_text(), re.MULTILINE)}

    assert {"run", "test", "check", "bench"} <= named
    assert all(f"\n{name}:" in makefile for name in named)


def test_run_hands_the_terminal_to_the_server() -> None:
    steps = run("make", "-n", "run").stdout.splitlines()

    assert steps == ["scripts/venv requirements.txt", "exec .venv/bin/python app.py"]


@pytest.mark.parametrize(
    ("failing", "steps"), [("none", ["check", "test"]), ("check", ["check"]), ("test", ["check", "test"])]
)
def test_ci_stops_at_the_first_step_that_fails_and_says_which(failing: str, steps: list[str], tmp_path: Path) -> None:
    stub(tmp_path, "make", f'[[ "$1" != {failing} ]]')

    done = run(ROOT / ".ci" / "run", PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert calls(tmp_path) == [f"make {step}" for step in steps]
    assert (done.returncode == 0) == (failing == "none")
    assert (f"make {failing} FAILED" in done.stderr) == (failing != "none")


# --- the virtual environment


def lay_out(folder: Path) -> Path:
    """Make a checkout that needs no packages, so that nothing is fetched."""
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "venv", folder / "scripts" / "venv")
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / "requirements-test.txt").write_text("-r requirements.txt\n")
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "checkout")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A checkout whose environment was made by the script, and what the script said."""
    folder = lay_out(tmp_path_factory.mktemp("made") / "checkout")
    done = run("scripts/venv", "requirements.txt", folder=folder, PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    return folder, done.stderr


@pytest.fixture
def ready(made: tuple[Path, str], tmp_path: Path) -> Path:
    """A checkout of this test's own with an environment."""
    return Path(shutil.copytree(made[0], tmp_path / "checkout", symlinks=True))


def test_the_environment_is_made_once_and_then_left_alone(made: tuple[Path, str]) -> None:
    folder, said = made

    again = run("scripts/venv", "requirements.txt", folder=folder, PYTHON=sys.executable)

    assert "making .venv with Python" in said and "installing requirements.txt" in said
    assert (again.returncode, again.stderr) == (0, "")


def test_a_changed_requirement_is_installed_without_making_the_environment_anew(ready: Path) -> None:
    (ready / "requirements.txt").write_text("# nothing more\n")

    done = run("scripts/venv", "requirements.txt", folder=ready, PYTHON=sys.executable)

    assert "installing requirements.txt" in done.stderr and "making" not in done.stderr


def test_a_package_that_cannot_be_had_is_an_error_and_tried_again_the_next_time(ready: Path) -> None:
    (ready / "requirements.txt").write_text("./no-such-package\n")

    first = run("scripts/venv", "requirements.txt", folder=ready, PYTHON=sys.executable)
    second = run("scripts/venv", "requirements.txt", folder=ready, PYTHON=sys.executable)

    assert first.returncode == second.returncode == 1
    assert "could not be installed" in first.stderr and "could not be installed" in second.stderr


def test_without_a_python_that_is_new_enough_it_says_so(checkout: Path) -> None:
    stub(checkout, "python3", "exit 1")

    done = run("scripts/venv", "requirements.txt", folder=checkout, PYTHON=str(checkout / "python3"))

    assert done.returncode == 1 and not (checkout / ".venv").exists()
    assert "no Python 3.11 or newer was found" in done.stderr


def test_a_python_without_the_module_venv_is_told_with_the_package_to_install(checkout: Path) -> None:
    stub(checkout, "python3", '[[ "$*" != *ensurepip* ]]')

    done = run("scripts/venv", "requirements.txt", folder=checkout, PYTHON=str(checkout / "python3"))

    assert done.returncode == 1 and not (checkout / ".venv").exists()
    assert "apt-get install python3-venv" in done.stderr


# --- the programs that the tests drive

PROGRAMS = (
    "chromium chromedriver curl espeak-ng ffmpeg mariadbd my_print_defaults openssl redis-server node npm".split()
)


def lay_programs(folder: Path, *, without: str = "", fonts: str = "wqy-microhei.ttc") -> None:
    """Make a folder of programs that is all that a machine has."""
    for name in PROGRAMS:
        if name != without:
            stub(folder, name)
    stub(folder, "fc-list", f"echo -n {fonts}")


def lay_apt(folder: Path) -> None:
    """Let the machine's user install packages."""
    stub(folder, "apt-get")
    stub(folder, "sudo", 'shift; exec "$@"')
    shutil.copy("/usr/bin/env", folder / "env")


def install_packages(folder: Path) -> subprocess.CompletedProcess[str]:
    return run("/bin/bash", ROOT / "scripts" / "debian-packages", PATH=str(folder))


def test_on_a_machine_that_has_the_programs_nothing_is_installed(tmp_path: Path) -> None:
    lay_programs(tmp_path)
    lay_apt(tmp_path)

    done = install_packages(tmp_path)

    assert done.returncode == 0 and calls(tmp_path) == ["fc-list :lang=zh"]


@pytest.mark.parametrize(
    ("lack", "package"),
    [
        ({"without": "espeak-ng"}, "espeak-ng"),
        ({"without": "openssl"}, "openssl"),
        ({"fonts": ""}, "fonts-wqy-microhei"),
    ],
)
def test_what_is_missing_is_installed_where_that_is_allowed(lack: dict[str, str], package: str, tmp_path: Path) -> None:
    lay_programs(tmp_path, **lack)
    lay_apt(tmp_path)

    done = install_packages(tmp_path)

    installed = [call for call in calls(tmp_path) if call.startswith("apt-get install")]
    assert done.returncode == 0, done.stderr
    assert installed == [f"apt-get install -y -qq --no-install-recommends {package}"]


def test_missing_programs_are_named_in_one_sentence_where_it_is_not(tmp_path: Path) -> None:
    lay_programs(tmp_path, without="espeak-ng")

    done = install_packages(tmp_path)

    assert done.returncode == 1
    assert done.stderr == (
        "make test needs programs that this user may not install. As root: apt-get install espeak-ng\n"
    )


# --- requirements


def requirements(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return {m[1]: line for line in lines if (m := re.match(r"([A-Za-z0-9_-]+)", line)) and not line.startswith("-")}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_every_requirement_has_a_lower_and_an_upper_bound(name: str) -> None:
    unbounded = [line for line in requirements(name).values() if not re.search(r">=[\d.]+,<[\d.]+", line)]

    assert not unbounded


def test_every_dependency_is_explained_and_nothing_else() -> None:
    explained = re.findall(r"^\| `([\w-]+)` \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)

    assert explained == [*requirements("requirements.txt"), *requirements("requirements-test.txt")]


# --- what documents mention


@cache
def names_in(path: Path) -> set[str]:
    """Return what a module defines: functions, classes, constants, and methods as `Class.method`."""
    tree = ast.parse(path.read_text("utf-8"))
    names: set[str] = set()
    for prefix, body in [("", tree.body), *((f"{n.name}.", n.body) for n in tree.body if isinstance(n, ast.ClassDef))]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(prefix + node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names |= {prefix + n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return names


def is_there(mention: str) -> bool:
    path, _, name = mention.partition("::")
    return (ROOT / path).exists() and (not name or name in names_in(ROOT / path))


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_name_in_a_document_exists(document: Path) -> None:
    text = (ROOT / document).read_text("utf-8")
    mentions = re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|html|txt)(?:::[\w.]+)?)`", text)

    missing = [mention for mention in mentions if not is_there(mention)]

    assert not missing, f"{document} mentions {missing}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_in_a_document_leads_somewhere(document: Path) -> None:
    text = (ROOT / document).read_text("utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", text)]

    missing = [link for link in links if not (ROOT / document).parent.joinpath(link).exists()]

    assert not missing, f"{document} links to {missing}"


def test_a_name_that_does_not_exist_is_noticed() -> None:
    assert is_there("test/test_frame.py::is_there") and is_there("services/turn.py::Turn.run")
    assert not is_there("services/turn.py::Turn.walk") and not is_there("services/no_such_room.py")


def test_the_line_of_each_feature_is_shown_by_a_test_or_says_not_yet() -> None:
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| (.*?) ?\|$", (ROOT / "docs" / "seeds.md").read_text("utf-8"), re.MULTILINE
    )
    features = [row for row in rows if row[0] not in ("feature", "---")]

    unproven = [row for row in features if "test/" not in row[2] and "not yet" not in row[1] + row[2]]

    assert len(features) > 40 and not unproven
