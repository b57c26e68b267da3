"""What a class says of each of its fields: the strings that stand below them in its source.

Schemas, options of the command line, arguments in Python and reference pages all quote these.
"""

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any


def field_docs(kind: Any) -> Mapping[str, str]:
    """Return what a dataclass, or a class that it inherits from, says of each of its fields, on one line each."""
    docs: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if dataclasses.is_dataclass(each):
            own: Any = each
            docs |= _own_docs(own)
    return docs


@cache
def _own_docs(kind: Any) -> Mapping[str, str]:
    (definition,) = ast.parse(textwrap.dedent(_source_of(kind))).body
    assert isinstance(definition, ast.ClassDef)
    docs = {}
    for statement, below in zip(definition.body, definition.body[1:], strict=False):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            docs[statement.target.id] = " ".join(below.value.value.split())
    return docs


def _source_of(kind: Any) -> str:
    # Of a class, ``inspect.getsource`` parses the whole module, which takes ten times as long; a help must be fast.
    module = inspect.getsource(sys.modules[kind.__module__]) if kind.__module__ in sys.modules else ""
    match = re.search(rf"^class {kind.__qualname__}\b.*:\n((    .*)?\n)+", module, re.MULTILINE)
    return inspect.getsource(kind) if match is None else match[0]


def summary_of(kind: Any) -> str:
    """Return the first paragraph of a class's or function's docstring, on one line."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())
