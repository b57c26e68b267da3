"""The sections of a docstring in Google's style."""

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Mapping
from types import ModuleType

_SECTIONS = ("Args", "Returns", "Yields", "Raises")


def text_of(documented: object) -> str:
    """Return what stands before the sections."""
    return _split(documented)[0].strip()


def section(documented: object, name: str) -> str:
    """Return the text of a section, empty if there is none."""
    parts = _split(documented)
    return inspect.cleandoc(parts[parts.index(name) + 1]) if name in parts[1::2] else ""


def entries(documented: object, name: str) -> Mapping[str, str]:
    """Return the entries of a section, each on one line, by their names."""
    found = re.findall(r"^(\*{0,2}\w+)(?: \([^)]*\))?:(.*(?:\n {4,}.*)*)", section(documented, name), re.MULTILINE)
    return {entry: " ".join(text.split()) for entry, text in found}


def described(owner: ModuleType | type) -> Mapping[str, str]:
    """Return the docstrings that stand below annotated names of a module or of a class, on one line each."""
    body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    if isinstance(owner, type):
        (definition,) = body
        assert isinstance(definition, ast.ClassDef)
        body = definition.body
    found = {}
    for statement, below in itertools.pairwise(body):
        is_docstring = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if is_docstring and isinstance(statement, ast.AnnAssign):
            found[ast.unparse(statement.target)] = " ".join(ast.literal_eval(ast.unparse(below)).split())
    return found


def _split(documented: object) -> list[str]:
    doc = documented.__doc__ or ""
    return re.split(rf"^({'|'.join(_SECTIONS)}):$", inspect.cleandoc(doc), flags=re.MULTILINE)
