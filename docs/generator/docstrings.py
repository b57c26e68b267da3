"""The sections of a docstring in Google's style."""

import inspect
import re
from collections.abc import Mapping

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


def _split(documented: object) -> list[str]:
    doc = documented.__doc__ or ""
    return re.split(rf"^({'|'.join(_SECTIONS)}):$", inspect.cleandoc(doc), flags=re.MULTILINE)
