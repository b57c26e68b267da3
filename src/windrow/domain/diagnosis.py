"""What a diagnosis of an installation finds: a line for each check."""

from dataclasses import dataclass
from typing import Literal

from windrow.domain.values import Value, computed

CheckState = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Check(Value):
    """One thing that was checked."""

    name: str
    """What: ``settings``, ``data directory``, ``disk`` …"""
    state: CheckState
    """``ok``; ``warning``, where Windrow works and something is worth a look; ``failed``, where it does not work."""
    detail: str
    """What was found, and what to do about it, on one line."""


@dataclass(frozen=True, slots=True)
class Diagnosis(Value):
    """The checks of an installation."""

    version: str
    """The version of Windrow."""
    checks: tuple[Check, ...]
    """In the order in which they were made."""
    healthy: bool = computed(lambda self: all(each.state != "failed" for each in self.checks), True)
    """Whether none failed."""
