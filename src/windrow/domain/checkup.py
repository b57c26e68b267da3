"""What ``windrow fsck`` finds in a data directory.

Owns the kinds of findings; knows nothing of how they are found.
"""

from dataclasses import dataclass, field
from typing import Literal

from windrow.domain.values import Value, computed

# Damage: something that was saved is not as it was, or cannot be reached. Garbage: something that nobody will ever
# read. Notice: something that is as somebody wanted it, and that a person should know all the same.
Severity = Literal["damage", "garbage", "notice"]


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """How to check a data directory."""

    repair: bool = field(default=False, kw_only=True)
    """Whether garbage is removed and what a crash left half done is finished; what is damaged is never touched."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a data directory that should not be there, or not like this."""

    severity: Severity
    """Whether something is lost, only in the way, or only worth knowing."""
    code: str
    """Stable, for programs (``blob_altered``)."""
    place: str
    """Where: a path below the data directory."""
    detail: str
    """What it is, and what to do, for a person."""
    repaired: bool = False
    """Whether it was put right just now."""


@dataclass(frozen=True, slots=True)
class Checkup(Value):
    """A data directory, looked at to its last byte."""

    classifiers: int
    """Names that were looked at, deleted ones too."""
    records: int
    """Numbered files that were read, those of aliases too."""
    blobs: int
    """Blobs whose digest was computed."""
    size_bytes: int
    """Bytes that were read."""
    findings: tuple[Finding, ...]
    """What was found, by place."""
    sound: bool = computed(lambda self: all(finding.severity != "damage" for finding in self.findings), True)
    """Whether nothing is damaged; garbage does no harm."""
