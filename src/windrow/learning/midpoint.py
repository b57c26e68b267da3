"""Chooses a threshold between two scores."""

# Digits after the point with which any two scores are told apart.
_MOST_DIGITS = 16


def midpoint(lower: float, upper: float) -> float:
    """Return the middle of two scores, rounded to as few digits as leave it near there.

    The last bits of a score depend on the other texts of its batch, so a threshold keeps its distance from both.

    Args:
        lower: The lower score, from 0 on.
        upper: The higher one.

    Returns:
        A score that differs from the middle by at most an eighth of their distance; above 0 where one of them is.
    """
    middle, most = (lower + upper) / 2, (upper - lower) / 8
    rounded = (round(middle, digits) for digits in range(1, _MOST_DIGITS + 1))
    return next((each for each in rounded if abs(each - middle) <= most), middle)
