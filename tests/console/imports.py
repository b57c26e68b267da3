"""Which modules a JavaScript module imports, as its text says it."""

import re
from pathlib import Path
from typing import Final

# A comment, whose text may speak of imports; or what stands in quotes behind an import or an export of names.
_IMPORT: Final = re.compile(
    r"/\*.*?\*/|(?<!\S)//[^\n]*|"
    r"(?<![\w$.\"'])(?:(?:import|export)\b[\w\s{},*$]*\bfrom\s*|import\s*(?P<call>\()?\s*)"
    r"(?P<quote>[\"'])(?P<name>[^\"'\n]+)(?P=quote)",
    re.DOTALL,
)
_COMMENT: Final = re.compile(r"/\*.*?\*/|(?<!\S)//[^\n]*", re.DOTALL)
_COMPONENT: Final = re.compile(r"<\$\{(\w+)\}")
_DEFINED: Final = re.compile(r"\b(?:function|class|const|let)\s+(\w+)")
_IMPORTED: Final = re.compile(r"\bimport\s*\{([^}]*)\}")


def imports(source: str, *, later: bool = True) -> list[str]:
    """Return what a module's text imports, as it is written there; with ``later`` also what it imports by a call."""
    found = (match for match in _IMPORT.finditer(source) if match["name"])
    return [match["name"] for match in found if later or not match["call"]]


def reachable(first: Path, *, later: bool = True) -> set[Path]:
    """Return a module and all that it imports, itself or through others; with ``later`` also by a call."""
    found, left = {first}, [first]
    while left:
        module = left.pop()
        names = imports(module.read_text(encoding="utf-8"), later=later)
        new = {(module.parent / name).resolve() for name in names} - found
        found |= new
        left += new
    return found


def unknown_components(source: str) -> set[str]:
    """Return the components that a module's text uses, and neither imports nor defines."""
    code = _COMMENT.sub("", source)
    names = [each.split()[-1] for found in _IMPORTED.findall(code) for each in found.split(",") if each.strip()]
    return set(_COMPONENT.findall(code)) - {*names, *_DEFINED.findall(code)}
