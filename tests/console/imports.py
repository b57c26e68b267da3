"""Which modules a JavaScript module imports, as its text says it."""

import re
from pathlib import Path
from typing import Final

# A comment, whose text may speak of imports; or what stands in quotes behind an import or an export of names.
_IMPORT: Final = re.compile(
    r"/\*.*?\*/|(?<!\S)//[^\n]*|"
    r"(?<![\w$.\"'])(?:(?:import|export)\b[\w\s{},*$]*\bfrom\s*|import\s*\(?\s*)"
    r"(?P<quote>[\"'])(?P<name>[^\"'\n]+)(?P=quote)",
    re.DOTALL,
)


def imports(source: str) -> list[str]:
    """Return what a module's text imports, as it is written there."""
    return [found["name"] for found in _IMPORT.finditer(source) if found["name"]]


def reachable(first: Path) -> set[Path]:
    """Return a module and all that it imports, itself or through others."""
    found, left = {first}, [first]
    while left:
        module = left.pop()
        names = imports(module.read_text(encoding="utf-8"))
        new = {(module.parent / name).resolve() for name in names} - found
        found |= new
        left += new
    return found
