"""Give the modules that read and write Parquet and Arrow the package that does it, and JSON of its values.

This is the one module that imports pyarrow (``windrow[parquet]``).
"""

import datetime
import math
from typing import Any

from windrow.domain.errors import InvalidParameter


def import_pyarrow(name: str) -> tuple[Any, Any]:
    """Return the modules ``pyarrow`` and ``pyarrow.parquet``.

    Args:
        name: The file that they are needed for.

    Raises:
        InvalidParameter: They are not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InvalidParameter(
            "Parquet and Arrow are read and written by pyarrow, which is not installed, so {file} cannot be. Install "
            'it with: pip install "windrow[parquet]".',
            {"parameter": "file", "file": name},
        ) from error
    return pyarrow, pyarrow.parquet


def plain_value(value: object) -> object:
    """Return a value of Parquet or Arrow as JSON has it: times as text, bytes as digits, and no number as null."""
    if isinstance(value, dict):
        return {str(key): plain_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return _told(value)


def _told(value: object) -> str:
    """Return as text what JSON has no kind for."""
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)
