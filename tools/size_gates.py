"""Fail when a file, a class or a function of the package is larger than its gate."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

GATES = {"file": 400, "class": 250, "function": 60}


def too_large(path: Path) -> list[str]:
    """One line for every part of a file that is over its gate.

    A function counts its code: the docstring is documentation, not something to be split.
    """
    text = path.read_text()
    found = [(path.name, "file", len(text.splitlines()))]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            found.append((node.name, "class", _lines(node)))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((node.name, "function", _lines(node) - _docstring_lines(node)))
    return [
        f"{path}: {kind} {name} has {lines} lines, the gate is {GATES[kind]}"
        for name, kind, lines in found
        if lines > GATES[kind]
    ]


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return 0
    return _lines(first)


def main() -> int:
    """Check the package; the exit code is 1 when something is too large."""
    root = Path(__file__).parent.parent / "src"
    problems = [line for path in sorted(root.rglob("*.py")) for line in too_large(path)]
    print("\n".join(problems) or "size gates: all files, classes and functions are within")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
