"""The source of the project as modules, and what the laws ask of them."""

import ast
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {"artifacts", "data", "__pycache__"}


@dataclass(frozen=True)
class Module:
    """One file. `name` is what an import calls it: `services.turn`, `emulator` for a package's `__init__`."""

    name: str
    text: str
    path: str = ""

    @cached_property
    def tree(self) -> ast.Module:
        with warnings.catch_warnings(action="ignore"):  # what the compiler advises is ruff's affair
            return ast.parse(self.text, filename=self.path)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def package(self) -> str:
        """The top-level name: a room of the house."""
        return self.name.partition(".")[0]

    @property
    def is_cli(self) -> bool:
        """Whether people start it by name, so that it may speak to a terminal."""
        return self.name.endswith(("__main__", ".cli"))

    def at(self, node: ast.AST, words: str) -> str:
        """Say where something stands and what is wrong with it."""
        return f"{self.path or self.name}:{getattr(node, 'lineno', 1)}: {words}"

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Yield every call with the dotted name of what is called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, dotted(node.func)

    def imports(self) -> Iterator[tuple[ast.AST, str]]:
        """Yield everything imported, wherever it stands, as dotted names: `from a import b` is `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node, f"{self._origin(node)}.{alias.name}") for alias in node.names)

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".") if self.path.endswith("__init__.py") else self.name.split(".")[:-1]
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for a chain of names, an empty text for anything else."""
    if isinstance(node, ast.Attribute):
        return f"{origin}.{node.attr}" if (origin := dotted(node.value)) else node.attr
    return node.id if isinstance(node, ast.Name) else ""


@cache
def house() -> list[Module]:
    """Return every module of the project, tests included; read and parsed once."""
    paths = (path.relative_to(ROOT) for path in sorted(ROOT.rglob("*.py")))
    return [_read(path) for path in paths if not _is_foreign(path)]


def products() -> list[Module]:
    """Return the modules that people run: all but tests and benchmarks."""
    return [module for module in house() if module.package not in ("test", "bench")]


def suites() -> list[Module]:
    """Return the modules of the tests and their support."""
    return [module for module in house() if module.package == "test"]


def rooms() -> set[str]:
    """Return the top-level names."""
    return {module.package for module in house()}


def is_stdlib(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def sample(text: str, *, name: str = "services.sample") -> Module:
    """Return a made-up module: each law proves with one that it can fail."""
    return Module(name=name, text=text, path=f"{name.replace('.', '/')}.py")


def _is_foreign(path: Path) -> bool:
    return any(part in _NOT_OURS or part.startswith(".") for part in path.parts)


def _read(path: Path) -> Module:
    parts = path.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name=name, text=(ROOT / path).read_text("utf-8"), path=str(path))
