"""An interval: where a figure lies that was measured on a few rows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure lies with 95 % confidence."""

    low: float
    """Its lower end."""
    high: float
    """Its upper end."""
