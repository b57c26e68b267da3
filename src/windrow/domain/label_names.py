"""What labels are called that a file only numbers: read from a reader's option."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from windrow.domain.errors import InvalidParameter

_PARAMETER: Final = "label_names"
_SHOWN_CHARS: Final = 200
# A parser of more of them may get to Python's limit of recursion.
_MAX_OPENINGS: Final = 100
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_OPENING: Final = re.compile(r"[\[{]")


def parse_label_names(given: Iterable[str]) -> dict[str, str]:
    """Return the name of each label in a file.

    Args:
        given: ``0=negative``, or several of them with commas between; or JSON, an object from labels to names, or a
            list of the names of 0, 1 and so on.

    Raises:
        InvalidParameter: One has no equals sign or no name, a label is named twice, or it is no such JSON.
    """
    names: dict[str, str] = {}
    for each in given:
        for label, name in _pairs(each):
            if not label or not name or label in names:
                problem = "names a label twice" if label in names else "is no label and its name"
                raise _wrong(each, problem)
            names[label] = name
    return names


def _pairs(given: str) -> Iterator[tuple[str, str]]:
    if given.lstrip().startswith(("{", "[")):
        yield from _pairs_of_json(given)
        return
    parts: list[str] = []
    for part in given.split(","):
        # A name may hold a comma; what stands before an equals sign is a label.
        if "=" in part or not parts:
            parts.append(part)
        else:
            parts[-1] += f",{part}"
    for part in parts:
        label, _, name = part.partition("=")
        yield label.strip(), name.strip()


def _pairs_of_json(given: str) -> Iterator[tuple[str, str]]:
    if len(_OPENING.findall(_STRING.sub("", given))) > _MAX_OPENINGS:
        raise _wrong(given, "has a name that is no text")
    try:
        names = json.loads(given)
    except ValueError as error:
        raise _wrong(given, "is no JSON") from error
    pairs = names.items() if isinstance(names, Mapping) else enumerate(names)
    for label, name in pairs:
        if not isinstance(name, str):
            raise _wrong(given, "has a name that is no text")
        yield str(label).strip(), name.strip()


def _wrong(given: str, problem: str) -> InvalidParameter:
    return InvalidParameter(
        f"{{arg:{{parameter}}}} {{value!r}} {problem}. {{Send}} each label once, as 0=negative,1=positive, or as a "
        "JSON object from labels to names.",
        {"parameter": _PARAMETER, "value": given[:_SHOWN_CHARS]},
    )
