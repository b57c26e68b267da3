"""Warnings of replies as Python's own, which are shown at the line that called."""

import inspect
import warnings
from collections.abc import Sequence
from typing import Any, TypeVar

from windrow.domain.archive import Imported
from windrow.domain.classifier import Record
from windrow.domain.dataset import DataWarning

R = TypeVar("R")
_PACKAGE = __name__.partition(".")[0]


class WindrowWarning(UserWarning):
    """Something about rows or figures that a person should know; what was asked for is done all the same.

    Args:
        message: One sentence.
        code: Stable, for programs (``duplicate_rows``).
        rows: The rows concerned, counted from 0: up to five, or all where they should be left out.
    """

    code: str
    """Stable, for programs (``duplicate_rows``)."""
    rows: tuple[int, ...]
    """The rows concerned, counted from 0: up to five, or all where they should be left out."""

    def __init__(self, message: str, code: str = "", rows: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.rows = rows


def warn_of(reply: R) -> R:
    """Return a reply as it is, and show each of its warnings once, at the line outside this package that called."""
    for each in _warnings_in(reply):
        show_warning(each.message, each.code, each.rows)
    return reply


def show_warning(message: str, code: str, rows: tuple[int, ...] = ()) -> None:
    """Show a warning at the line outside this package that called.

    Args:
        message: One sentence.
        code: Stable, for programs.
        rows: The rows concerned, counted from 0.
    """
    warnings.warn(WindrowWarning(message, code, rows), stacklevel=_stack_level())


def _warnings_in(reply: Any) -> Sequence[DataWarning]:
    if isinstance(reply, Imported):
        return reply.import_warnings
    # The warnings of a record are those of its training, which has shown them: looking at it finds nothing new.
    return () if isinstance(reply, Record) else getattr(reply, "warnings", ())


def _stack_level() -> int:
    """Return the ``stacklevel`` of ``warnings.warn`` for the first frame outside the package, seen from the caller."""
    level, frame = 0, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame = frame.f_back
        level += 1
    return level
