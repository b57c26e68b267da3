"""Exit codes, the same for every command, and the families of errors that they stand for."""

from typing import Final

from windrow.domain.errors import (
    AccessDenied,
    Conflict,
    InvalidInput,
    NotFound,
    PromotionRefused,
    TrainingCancelled,
    Unavailable,
    WindrowError,
)

OK: Final = 0
"""Done."""
CHECK_FAILED: Final = 1
"""The check failed: ``fsck`` found damage, ``forget`` texts that are kept; ``copy-store`` left something out, or a
condition of ``promote`` is not met; ``doctor`` found something that does not work.
"""
WRONG_INPUT: Final = 2
"""Wrong input: the command, a file, a row, a name, a setting."""
NOT_POSSIBLE: Final = 3
"""Not possible: what was named does not exist, something stands in its way, or the API key does not allow it."""
UNAVAILABLE: Final = 4
"""Not available: the server cannot be reached or is overloaded, a base model is not on this machine."""
FAILED: Final = 5
"""Failed: the disk, standard output, a damaged file, a training (also where others cancelled it), or Windrow itself."""
INTERRUPTED: Final = 130
"""Interrupted by Ctrl-C or by SIGTERM (``kill``, ``timeout``): 128 and the number of the signal, as shells have it."""
SIGPIPE: Final = 141
"""The reader of the output closed it (``| head``): 128 and the number of that signal; nothing is wrong."""

_FAMILIES: tuple[tuple[type[WindrowError], int], ...] = (
    (PromotionRefused, CHECK_FAILED),
    # Before ``Conflict``, its base class: the training was possible, but was cancelled.
    (TrainingCancelled, FAILED),
    (InvalidInput, WRONG_INPUT),
    (NotFound, NOT_POSSIBLE),
    (AccessDenied, NOT_POSSIBLE),
    (Conflict, NOT_POSSIBLE),
    (Unavailable, UNAVAILABLE),
)


class Interrupted(Exception):  # noqa: N818 - not an error: the user pressed Ctrl-C
    """The user pressed Ctrl-C.

    Args:
        detail: What became of what was going on, in a sentence.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def exit_code_of(error: WindrowError) -> int:
    """Return the exit code with which an error ends the command line."""
    return next((code for family, code in _FAMILIES if isinstance(error, family)), FAILED)
