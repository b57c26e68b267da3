"""An interval: where a figure lies that was measured on a few rows."""

from dataclasses import dataclass

from windrow.domain.values import Value


@dataclass(frozen=True, slots=True)
class Interval(Value):
    """Where a figure lies with 95 % confidence."""

    low: float
    """Its lower end."""
    high: float
    """Its upper end."""
