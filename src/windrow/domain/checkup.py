"""What ``windrow fsck`` finds in a data directory.

Owns the kinds of findings; knows nothing of how they are found.
"""

from dataclasses import dataclass
from typing import Literal

# Damage: something that was saved is not as it was, or cannot be reached. Garbage: something that nobody will ever
# read. Notice: something that is as somebody wanted it, and that a person should know all the same.
Severity = Literal["damage", "garbage", "notice"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a data directory that should not be there, or not like this.

    Args:
        severity: Whether something is lost, only in the way, or only worth knowing.
        code: Stable, for programs (``blob_altered``).
        place: Where: a path below the data directory.
        detail: What it is, and what to do, for a person.
        is_repaired: Whether it was put right just now.
    """

    severity: Severity
    code: str
    place: str
    detail: str
    is_repaired: bool = False


@dataclass(frozen=True, slots=True)
class Checkup:
    """A data directory, looked at to its last byte.

    Args:
        classifiers: Names that were looked at, deleted ones too.
        records: Numbered files that were read, those of aliases too.
        blobs: Blobs whose digest was computed.
        size_bytes: Bytes that were read.
        findings: What was found, by place.
    """

    classifiers: int
    records: int
    blobs: int
    size_bytes: int
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is damaged; garbage does no harm."""
        return all(finding.severity != "damage" for finding in self.findings)
