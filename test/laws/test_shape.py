"""The shape of the code people run: short functions, short files."""

import ast
import statistics
from collections.abc import Iterator

from test.laws.house import Module, products, sample

MEDIAN_LINES, P95_LINES, MOST_LINES, MOST_FILE_LINES = 8, 35, 60, 400


def lengths(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the lines of every function's body, its docstring not counted, and where it stands."""
    for node in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
        yield (node.end_lineno or 0) - body[0].lineno + 1, module.at(node, node.name)


def all_lengths() -> list[tuple[int, str]]:
    return sorted(line for module in products() for line in lengths(module))


def test_half_of_all_functions_are_short() -> None:
    assert statistics.median(length for length, _ in all_lengths()) <= MEDIAN_LINES


def test_nineteen_of_twenty_functions_fit_a_screen() -> None:
    found = all_lengths()

    length, where = found[int(0.95 * (len(found) - 1))]

    assert length <= P95_LINES, where


def test_no_function_is_long() -> None:
    broken = [f"{where} has {length} lines" for length, where in all_lengths() if length > MOST_LINES]

    assert not broken, "\n".join(broken)


def test_no_file_is_long() -> None:
    broken = [f"{m.path} has {len(m.lines)} lines" for m in products() if len(m.lines) > MOST_FILE_LINES]

    assert not broken, "\n".join(broken)


def test_length_is_counted_without_the_docstring() -> None:
    module = sample('def f():\n    """Return one.\n\n    Not two.\n    """\n    x = 1\n    return x\n')

    assert [length for length, _ in lengths(module)] == [2]
