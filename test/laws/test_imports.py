"""Imports go one way: routes → services → protocol; providers, storage → services.ports → protocol; app joins all."""

import ast
from graphlib import CycleError, TopologicalSorter

from test.laws.house import Module, house, is_stdlib, products, rooms, sample

MAY_IMPORT: dict[str, set[str]] = {
    "protocol": set(),
    "services": {"protocol"},
    "providers": {"protocol", "services.ports", "services.video_ports"},
    "storage": {"protocol", "services.limit_ports", "services.ports", "services.storage_ports", "services.video_ports"},
    "routes": {"protocol", "services"},
    "config": {"config_rules", "protocol.keys"},  # secrets are `ApiKey` from the moment they are read
    "config_rules": {"protocol.keys"},
    "deploy": {"config", "protocol.errors", "storage.tokens"},  # tells why a start failed; makes tokens
    "emulator": set(),  # a double of the vendor that knew us would agree with our mistakes
    "client": {"protocol"},
    "doors": {"config", "protocol", "providers", "routes", "services", "storage"},
    "app": {"config", "deploy", "doors", "emulator", "protocol", "providers", "routes", "services", "storage"},
}
"""What each room may import of the others. Tests and benchmarks may import all."""

IMPURE = {
    *(
        "asyncio",
        "concurrent",
        "contextvars",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "secrets",
        "select",
    ),
    *("shutil", "signal", "socket", "subprocess", "tempfile", "threading", "time", "urllib.request", "uuid", "flask"),
}
"""What the pure floor does without: sockets, threads, clock, environment, files, chance."""
CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")


def forbidden_imports(module: Module, all_rooms: set[str]) -> list[str]:
    """Return the imports of a module that the table does not allow."""
    allowed = MAY_IMPORT.get(module.package, all_rooms) | {module.package}
    return [
        module.at(node, f"{module.package} may not import {name}")
        for node, name in module.imports()
        if name.partition(".")[0] in all_rooms and not _is_under(name, allowed)
    ]


def impurities(module: Module) -> list[str]:
    """Return what makes a module of the pure floor depend on more than its arguments."""
    foreign = [
        module.at(node, f"protocol may not import {name}")
        for node, name in module.imports()
        if _is_under(name, IMPURE) or not (is_stdlib(name) or _is_under(name, {"msgspec", "protocol"}))
    ]
    return foreign + [module.at(node, f"{name} reads the clock") for node, name in module.calls() if _is_clock(name)]


def cycle(modules: list[Module]) -> list[str]:
    """Return one circle of imports as a chain of names, or nothing."""
    known = {module.name for module in modules}
    graph = {module.name: {_target(name, known) for _, name in module.imports()} for module in modules}
    try:
        TopologicalSorter({name: targets - {name, ""} for name, targets in graph.items()}).prepare()
    except CycleError as error:
        return [str(name) for name in reversed(error.args[1])]
    return []


def _is_under(name: str, roots: set[str]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def _is_clock(name: str) -> bool:
    return any(name == clock or name.endswith(f".{clock}") for clock in CLOCKS)


def _target(name: str, known: set[str]) -> str:
    """Return the module that an imported name is, or is in."""
    return name if name in known else name.rpartition(".")[0] if name.rpartition(".")[0] in known else ""


def test_imports_keep_to_the_table() -> None:
    broken = [line for module in house() for line in forbidden_imports(module, rooms())]

    assert not broken, "\n".join(broken)


def test_every_room_has_a_line_in_the_table() -> None:
    assert rooms() - {"test", "bench"} == set(MAY_IMPORT)


def test_the_protocol_floor_is_pure() -> None:
    broken = [line for module in house() if module.package == "protocol" for line in impurities(module)]

    assert not broken, "\n".join(broken)


def test_no_imports_run_in_a_circle() -> None:
    circle = cycle(products())

    assert not circle, " → ".join(circle)


def test_the_table_catches_a_service_that_knows_a_vendor() -> None:
    bad = sample("def f():\n    from providers.dashscope import chat")

    assert forbidden_imports(bad, {"services", "providers"}) == [
        "services/sample.py:2: services may not import providers.dashscope.chat"
    ]


def test_the_table_catches_a_provider_that_knows_more_than_the_ports() -> None:
    bad = sample("from services import flow\nfrom services.ports import Cancel", name="providers.sample")

    assert len(forbidden_imports(bad, {"services", "providers"})) == 1


def test_relative_imports_are_read_too() -> None:
    bad = sample("from ..providers import dashscope")

    assert [name for _, name in bad.imports()] == ["providers.dashscope"]


def test_purity_catches_sockets_clocks_and_foreign_packages() -> None:
    bad = sample(
        "import socket\nimport flask\nfrom os import path\nimport datetime\nnow = datetime.datetime.now()",
        name="protocol.sample",
    )

    assert len(impurities(bad)) == 4


def test_the_circle_finder_finds_a_circle() -> None:
    modules = [sample("import services.b", name="services.a"), sample("from services.a import x", name="services.b")]

    assert set(cycle(modules)) == {"services.a", "services.b"}


def test_every_module_parses() -> None:
    assert all(isinstance(module.tree, ast.Module) for module in house())
