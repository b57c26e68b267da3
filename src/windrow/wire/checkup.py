"""The JSON shapes of a check of the data directory.

Owns their fields; knows nothing of HTTP or of how anything is found.
"""

from typing import Self

from pydantic import Field

from windrow.domain.checkup import Checkup, Finding, Severity
from windrow.wire.shapes import Wire


class CheckBody(Wire):
    """How to check; all of it may be left out."""

    repair: bool = Field(
        default=False,
        description="Whether garbage is removed and what a crash left half done is finished; what is damaged is never "
        "touched.",
        examples=[False],
    )


class FindingEntry(Wire):
    """Something in the data directory that should not be there, or not like this."""

    severity: Severity = Field(
        description="damage (something is lost), garbage (only in the way) or notice (worth knowing).",
        examples=["garbage"],
    )
    code: str = Field(description="Stable, for programs.", examples=["aside_file"])
    place: str = Field(description="A path below the data directory.", examples=[".aside/5f2b9c0de1a34b77"])
    detail: str = Field(
        description="What it is, and what to do.",
        examples=["It was being written when a process died. Repairing removes it."],
    )
    repaired: bool = Field(description="Whether it was put right just now.", examples=[False])

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Show a finding."""
        return cls(
            severity=finding.severity,
            code=finding.code,
            place=_as_unicode(finding.place),
            detail=_as_unicode(finding.detail),
            repaired=finding.is_repaired,
        )

    def to_domain(self) -> Finding:
        """Return the finding that was shown."""
        return Finding(self.severity, self.code, self.place, self.detail, self.repaired)


class CheckReply(Wire):
    """The data directory, looked at to its last byte."""

    sound: bool = Field(description="Whether nothing is damaged; garbage does no harm.", examples=[True])
    classifiers: int = Field(description="Names that were looked at, deleted ones too.", examples=[1])
    records: int = Field(description="Numbered files that were read.", examples=[1])
    blobs: int = Field(description="Blobs whose digest was computed.", examples=[2])
    size_bytes: int = Field(description="Bytes that were read.", examples=[688_128])
    findings: list[FindingEntry] = Field(description="What was found, by place.")

    @classmethod
    def of(cls, checkup: Checkup) -> Self:
        """Show a check."""
        return cls(
            sound=checkup.is_sound,
            classifiers=checkup.classifiers,
            records=checkup.records,
            blobs=checkup.blobs,
            size_bytes=checkup.size_bytes,
            findings=[FindingEntry.of(finding) for finding in checkup.findings],
        )

    def to_domain(self) -> Checkup:
        """Return the check that was shown."""
        findings = tuple(entry.to_domain() for entry in self.findings)
        return Checkup(self.classifiers, self.records, self.blobs, self.size_bytes, findings)


def _as_unicode(text: str) -> str:
    """Return a text with the bytes of a file's name that are no UTF-8 spelt out, since JSON cannot hold them."""
    return text.encode(errors="backslashreplace").decode()
