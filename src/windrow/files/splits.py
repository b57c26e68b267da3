"""What tools call the parts of the data: train, validation and test."""

from typing import Final

from windrow.files.formats.form import Split

# A row that the tool itself is to put into one of them.
UNASSIGNED: Final = "unassigned"
_NAMES: Final[dict[str, Split]] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "validate": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "eval": "validation",
    "test": "test",
    "testing": "test",
    "holdout": "test",
}


def find_split(value: object) -> Split | None:
    """Return the part of the data that a value names in any spelling; ``None`` where it names none."""
    return _NAMES.get(value.strip().casefold()) if isinstance(value, str) else None
