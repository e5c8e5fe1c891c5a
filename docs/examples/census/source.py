"""What one file of Python source holds, counted from its bytes alone."""

from __future__ import annotations

import ast
import warnings
from collections import Counter

import attrs

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTS = (ast.Import, ast.ImportFrom)
DECISIONS = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.comprehension, ast.ExceptHandler, ast.match_case)


@attrs.frozen
class Measure:
    """The counts of one file.

    Args:
        lines: of text, also those of a file that does not parse.
        functions: methods and nested ones as well.
        classes: nested ones as well.
        imports: import statements.
        complexity: cyclomatic: decisions + 1. Source: McCabe, "A Complexity Measure", 1976.
        fault: why the file does not parse; None if it does.
    """

    lines: int
    functions: int = 0
    classes: int = 0
    imports: int = 0
    complexity: int = 0
    fault: str | None = None


def measure(source: bytes) -> Measure:
    """Count what a file holds; one that does not parse is measured too, with its fault."""
    lines = len(source.splitlines())
    try:
        nodes = _nodes(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        # Part of the world: the standard library keeps such files to test its own parser.
        return Measure(lines, fault=f"{type(error).__name__}: {error}")
    count = Counter(map(type, nodes))
    return Measure(
        lines=lines,
        functions=sum(count[kind] for kind in FUNCTIONS),
        classes=count[ast.ClassDef],
        imports=sum(count[kind] for kind in IMPORTS),
        complexity=1 + sum(count[kind] for kind in DECISIONS) + _shortcuts(nodes),
    )


def _nodes(source: bytes) -> list[ast.AST]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "invalid escape sequence" is news for the author of the file, not for us
        return list(ast.walk(ast.parse(source)))


def _shortcuts(nodes: list[ast.AST]) -> int:
    # "a and b and c" is one node and two decisions.
    return sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp))
