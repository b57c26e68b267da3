"""The source tree as the ground-rule tests see it: every module."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "windrow"
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Module:
    """One source file. ``name`` is relative to the package: ``domain.errors``, or "" for the package itself."""

    path: Path
    name: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        """What it says, parsed when a test asks for it: collecting the tests takes the names alone."""
        return ast.parse(self.source)

    @property
    def num_lines(self) -> int:
        return len(self.source.splitlines())

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def public(self) -> Iterator[Definition]:
        """Yield what others may use: top-level functions and classes, and the methods of those classes."""
        for node in self.tree.body:
            if isinstance(node, Definition) and not node.name.startswith("_"):
                yield node
                members = node.body if isinstance(node, ast.ClassDef) else []
                yield from (m for m in members if isinstance(m, Function) and not m.name.startswith("_"))

    def imports(self) -> Iterator[str]:
        """Yield the dotted name of each imported module, wherever in the file the import stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module or ""


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the package, read once."""
    return tuple(_read(path) for path in sorted(PACKAGE.rglob("*.py")))


def parameters(function: Function) -> list[str]:
    """Return a function's parameter names without ``self`` and ``cls``."""
    args = function.args
    names = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    names += [arg.arg for arg in (args.vararg, args.kwarg) if arg is not None]
    return [name for name in names if name not in ("self", "cls")]


def num_lines(function: Function) -> int:
    """Return how many lines a function takes, from ``def`` to its end."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def _read(path: Path) -> Module:
    source = path.read_text(encoding="utf-8")
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    name = ".".join(part for part in parts if part != "__init__")
    return Module(path, name, source)
