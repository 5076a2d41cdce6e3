"""What the code may not do anywhere: each law is a function from a module to its breaches."""

import ast
from collections.abc import Callable

import pytest

from test.laws.house import Module, dotted, house, products, sample, suites

_BOUNDED = {"Queue", "LifoQueue", "PriorityQueue", "JoinableQueue"}


def environment_reads(module: Module) -> list[str]:
    """Only config.py reads the environment and `.env`."""
    named = ("environ", "environb", "getenv", "getenvb")
    reads = [
        module.at(n, f"reads {n.attr}")
        for n in module.nodes(ast.Attribute)
        if n.attr in named and dotted(n.value) == "os"
    ]
    imports = [
        module.at(node, f"imports {name}")
        for node, name in module.imports()
        if name.startswith("dotenv") or name in {f"os.{word}" for word in named}
    ]
    return [] if module.name == "config" else reads + imports


def unbounded_queues(module: Module) -> list[str]:
    """Every queue has a bound."""
    return [
        module.at(node, f"{name} has no bound")
        for node, name in module.calls()
        if (kind := name.rpartition(".")[2]) == "SimpleQueue" or (kind in _BOUNDED and not _has_bound(node))
    ]


def _has_bound(call: ast.Call) -> bool:
    sizes = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "maxsize")]
    return any(not (isinstance(size, ast.Constant) and size.value <= 0) for size in sizes)


def prints(module: Module) -> list[str]:
    """Only what people start by name speaks to the terminal; all else logs."""
    return [] if module.is_cli else [module.at(node, "prints") for node, name in module.calls() if name == "print"]


def silent_handlers(module: Module) -> list[str]:
    """Whoever catches everything says why, on the same line; one that raises again catches nothing."""
    return [
        module.at(node, "catches everything without saying why")
        for node in module.nodes(ast.ExceptHandler)
        if _is_broad(node) and not _raises_again(node) and "#" not in module.lines[node.lineno - 1]
    ]


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or dotted(kind) in ("Exception", "BaseException") for kind in caught)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def global_keys(module: Module) -> list[str]:
    """The vendor's library has one key for the whole process; here every call brings its own."""
    targets = [
        target
        for node in module.nodes(ast.Assign, ast.AugAssign, ast.AnnAssign)
        for target in getattr(node, "targets", [getattr(node, "target", None)])
    ]
    return [module.at(t, "assigns the process's key") for t in targets if dotted(t) == "dashscope.api_key"]


def skips(module: Module) -> list[str]:
    """No test is skipped or expected to fail: what cannot run is installed, what does not hold is mended."""
    words = {"skip", "skipif", "xfail", "importorskip", "skipTest"}
    return [
        module.at(node, f"uses {name}")
        for node in module.nodes(ast.Attribute)
        if (name := dotted(node)).startswith(("pytest.", "unittest.", "self.")) and name.rpartition(".")[2] in words
    ]


def sleeps(module: Module) -> list[str]:
    """Tests wait for conditions. A pause may stand between two looks at one, in a loop that knows its deadline."""
    polling = {id(n) for loop in module.nodes(ast.While) if _has_deadline(loop) for n in ast.walk(loop)}
    return [
        module.at(node, "sleeps")
        for node, name in module.calls()
        if name in ("time.sleep", "sleep") and id(node) not in polling
    ]


def _has_deadline(loop: ast.While) -> bool:
    return any(isinstance(node, ast.Call) and dotted(node.func).endswith("monotonic") for node in ast.walk(loop))


def empty_tests(module: Module) -> list[str]:
    """A test that cannot fail is a defect."""
    return [
        module.at(node, f"{node.name} asserts nothing")
        for node in module.nodes(ast.FunctionDef)
        if node.name.startswith("test_") and not any(map(_can_fail, ast.walk(node)))
    ]


def _can_fail(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    if not isinstance(node, ast.Call):
        return False
    name = dotted(node.func)
    is_assertion = name == "eventually" or name.rpartition(".")[2].startswith("assert_")
    return is_assertion or name in ("pytest.raises", "pytest.warns", "pytest.fail")


Law = Callable[[Module], list[str]]

LAWS: list[tuple[Law, Callable[[], list[Module]], str]] = [
    (environment_reads, products, "import os\nos.environ.get('HOME')"),
    (environment_reads, products, "from os import getenv"),
    (unbounded_queues, house, "import queue\nqueue.Queue()"),
    (unbounded_queues, house, "from queue import Queue\nQueue(maxsize=0)"),
    (unbounded_queues, house, "from queue import SimpleQueue\nSimpleQueue()"),
    (prints, house, "print('hello')"),
    (silent_handlers, house, "try:\n    f()\nexcept Exception:\n    pass"),
    (silent_handlers, house, "try:\n    f()\nexcept (OSError, BaseException) as error:\n    g(error)"),
    (silent_handlers, house, "try:\n    f()\nexcept:\n    pass"),
    (global_keys, products, "import dashscope\ndashscope.api_key = 'k'"),
    (skips, suites, "import pytest\n@pytest.mark.skipif(True)\ndef test_x(): assert f()"),
    (skips, suites, "import pytest\nnumpy = pytest.importorskip('numpy')"),
    (sleeps, suites, "import time\ntime.sleep(1)"),
    (sleeps, suites, "import time\nwhile not f():\n    time.sleep(1)"),
    (empty_tests, suites, "def test_x():\n    f()"),
    (empty_tests, suites, "def test_x():\n    f()\n    assert True"),
]
"""Each law, the modules that it binds, and a sample that breaks it."""

ALLOWED = """
import queue, time, pytest
queue.Queue(maxsize=8)
queue.Queue(size)
try: f()
except Exception:  # the outermost frame of a thread
    pass
try: f()
except BaseException:
    g()
    raise
while not f():
    assert time.monotonic() < deadline
    time.sleep(0.01)
def test_x():
    with pytest.raises(ValueError): f()
"""


@pytest.mark.parametrize(("law", "bound"), dict.fromkeys((law, bound) for law, bound, _ in LAWS))
def test_the_house_keeps_the_law(law: Law, bound: Callable[[], list[Module]]) -> None:
    broken = [line for module in bound() for line in law(module)]

    assert not broken, f"{law.__doc__}\n" + "\n".join(broken)


@pytest.mark.parametrize(("law", "bad"), [(law, bad) for law, _, bad in LAWS])
def test_the_law_catches_its_breach(law: Law, bad: str) -> None:
    assert len(law(sample(bad))) == 1


@pytest.mark.parametrize("law", dict.fromkeys(law for law, _, _ in LAWS))
def test_the_law_lets_honest_code_pass(law: Law) -> None:
    assert law(sample(ALLOWED)) == []
