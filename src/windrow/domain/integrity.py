"""What ``windrow fsck`` finds in a data directory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from windrow.domain.values import Value, computed

# Damage: saved data has changed or cannot be read. Garbage: data that will never be read. Notice: an intended state
# that the operator should know about.
Severity = Literal["damage", "garbage", "notice"]
# Every code of a finding: its severity, and what was found.
FINDINGS: Final[Mapping[str, tuple[Severity, str]]] = {
    "record_unreadable": (
        "damage",
        "A numbered file cannot be read, or breaks a rule of the format (docs/explanation/format.md).",
    ),
    "record_altered": ("damage", "A numbered file is not as it was written: its digest is another one."),
    "record_newer_format": ("damage", "A numbered file is of a newer Windrow."),
    "record_misplaced": ("damage", "A numbered file belongs into another folder or has another number."),
    "number_missing": (
        "damage",
        "A number is missing: a higher one, a job or an alias says that it was there, and nothing that it was purged.",
    ),
    "blob_missing": ("damage", "A blob that a numbered file names is not there."),
    "blob_altered": ("damage", "A blob's size or digest is not the recorded one."),
    "blob_unreadable": ("damage", "A blob cannot be opened."),
    "artifact_missing": ("damage", "A revision names no artifact."),
    "artifact_unusable": ("damage", "An artifact's tensors do not fit its record."),
    "rows_unusable": ("damage", "The training rows do not unpack to what the record's digest says."),
    "graphs_altered": (
        "damage",
        "A base model's built graphs are not as they were built; the next start of a server builds them anew.",
    ),
    "commit_missing": ("damage", "In an object store: a commit is missing, and commits are never removed."),
    "commit_unreadable": ("damage", "In an object store: a commit cannot be read, or is another one."),
    "checkpoint_unreadable": (
        "damage",
        "In an object store: a checkpoint cannot be read, or is missing and commits count from it.",
    ),
    "content_missing": ("damage", "In an object store: the object is not there that has the content of a file."),
    "content_altered": (
        "damage",
        "In an object store: the size or digest of a file's content is not the one that its commit says.",
    ),
    "bindings_unreadable": (
        "damage",
        "A file of the bindings of questions cannot be read. While it is the newest one, no question finds its "
        "classifier by its name.",
    ),
    "keys_unreadable": (
        "damage",
        "A file of the API keys cannot be read. While it is the newest one, every key is refused.",
    ),
    "audit_unreadable": ("damage", "A file of the audit trail cannot be read, so that lines of it are missing."),
    "names_alike": ("damage", "Two names differ only in case."),
    "name_shared": ("damage", "A classifier and an alias have one name."),
    "name_invalid": ("damage", "A folder's name breaks the grammar of names."),
    "link": ("damage", "A link stands where a file or a folder belongs; it is not followed."),
    "special_file": ("damage", "A pipe, socket, device or folder stands where a file belongs."),
    "folder_unreadable": ("damage", "A folder cannot be read."),
    "aside_file": (
        "garbage",
        "A process began to write a file and did not end. It stays for an hour, since it may still be written.",
    ),
    "erasure_unfinished": ("garbage", "Rows in this file were to be erased. Repairing removes it."),
    "blob_unreferenced": ("garbage", "No numbered file names this blob. Repairing moves it to lost+found."),
    "purge_unfinished": ("garbage", "A purge was begun and not finished."),
    "folder_without_record": (
        "garbage",
        "A classifier's folder has blobs, but no numbered file. Repairing moves them to lost+found.",
    ),
    "empty_folder": ("garbage", "A folder is empty."),
    "content_unreferenced": (
        "garbage",
        "In an object store: a content that no commit names. Repairing removes it; an attempt that is still being made "
        "loses, and is made again.",
    ),
    "job_unreadable": ("garbage", "What became of a training cannot be read; what it made is not affected."),
    "use_unreadable": ("garbage", "How much was used on a day cannot be read; no classifier is affected."),
    "base_model_leftover": ("garbage", "A base model was being removed, or its graph built, when the process died."),
    "job_newer_format": ("notice", "A newer Windrow wrote what became of a training; this one does not read it."),
    "use_newer_format": ("notice", "A newer Windrow wrote how much was used on a day; this one does not count it."),
    "alias_dangling": ("notice", "An alias points to what is deleted; it does not answer until it is promoted."),
    "number_not_copied": (
        "notice",
        "A copy was made while a server made this number: a job or an alias in it knows of it already.",
    ),
    "foreign_file": ("notice", "A file that is not Windrow's."),
}


@dataclass(frozen=True, slots=True)
class FsckRequest:
    """How to check a data directory."""

    repair: bool = field(default=False, kw_only=True)
    """Whether garbage is removed and what a crash left half done is finished; what is damaged is never touched, and
    garbage that could be rows is moved to ``lost+found`` in the data directory.
    """


@dataclass(frozen=True, slots=True)
class Finding(Value):
    """Something in a data directory that should not be there, or not like this."""

    severity: Severity
    """Whether something is lost, only in the way, or only worth knowing."""
    code: str
    """Stable, for programs (``blob_altered``)."""
    path: str
    """Where: a path below the data directory."""
    detail: str
    """What it is, and what to do, for a person."""
    repaired: bool = False
    """Whether it was put right just now."""


@dataclass(frozen=True, slots=True)
class IntegrityReport(Value):
    """The result of checking every byte of a data directory."""

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
