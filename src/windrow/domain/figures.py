"""How figures look in sentences and in tables: shares in percent, numbers with their noun, the first of many names."""

from collections.abc import Iterable


def percent(share: float | None) -> str:
    """Return a share in [0, 1] in percent, with one decimal, and a dash where there is none."""
    return "-" if share is None else f"{share * 100:.1f} %"


def counted(count: int, one: str, several: str = "") -> str:
    """Return a number and its noun: ``1 row``, ``2,000 rows``.

    Args:
        count: The number.
        one: The noun for one.
        several: The noun for any other number; empty for ``one`` with an s.
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def listed(names: Iterable[str], most: int = 5, between: str = ", ") -> str:
    """Return the first of some names, and how many more there are: ``a, b and 3 more``.

    Args:
        names: The names as they are shown, such as quoted.
        most: How many are shown.
        between: What stands between two.
    """
    every = tuple(names)
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return between.join(every[:most]) + more
