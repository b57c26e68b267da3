"""Exit codes, the same for every verb, so that scripts can tell what happened.

Owns which family of errors ends with which code; knows nothing of the verbs.
"""

from typing import Final

from windrow.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    PromotionRefused,
    TrainingCancelled,
    Unavailable,
    WindrowError,
)

OK: Final = 0
NO: Final = 1  # It was looked at, and the answer is no: damage found, a promotion refused.
WRONG_INPUT: Final = 2
NOT_POSSIBLE: Final = 3  # What was named does not exist, or something else stands in its way.
UNAVAILABLE: Final = 4
FAILED: Final = 5
INTERRUPTED: Final = 130  # What shells make of Ctrl-C: 128 and the number of the signal. SIGTERM ends alike.
READER_GONE: Final = 141  # And of a closed pipe (`| head`), likewise: nothing is wrong.

_FAMILIES: tuple[tuple[type[WindrowError], int], ...] = (
    (PromotionRefused, NO),
    # Nothing stands in the way of it: somebody else ended what was asked for.
    (TrainingCancelled, FAILED),
    (InvalidInput, WRONG_INPUT),
    (NotFound, NOT_POSSIBLE),
    (Conflict, NOT_POSSIBLE),
    (Unavailable, UNAVAILABLE),
)


class Stopped(Exception):  # noqa: N818 - it is no error: somebody pressed Ctrl-C
    """Somebody pressed Ctrl-C.

    Args:
        detail: What became of what was going on, in a sentence.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def exit_code_of(error: WindrowError) -> int:
    """Return the exit code with which an error ends the command line."""
    return next((code for family, code in _FAMILIES if isinstance(error, family)), FAILED)
