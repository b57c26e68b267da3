"""What a copy of a data directory to another place has done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from windrow.domain.values import Value, computed

# Conflict: the target holds something else of this name. Damage: the source cannot be read. Target not copied: an alias
# points to a classifier that was left out.
ProblemKind = Literal["conflict", "damage", "target_not_copied"]


@dataclass(frozen=True, slots=True)
class CopyProblem(Value):
    """Something that a copy has left out, or in part."""

    kind: ProblemKind
    """Why: the target holds something else (``conflict``), the source is damaged (``damage``), or an alias points to a
    classifier that was left out (``target_not_copied``).
    """
    path: str
    """What: a path below the data directory."""
    detail: str
    """What it is, and what to do, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport(Value):
    """The result of copying a data directory."""

    dry_run: bool
    """Whether nothing was changed, so that this is what a copy would do."""
    copied_files: int
    """Files that were put into the target."""
    copied_bytes: int
    """What they take."""
    skipped_files: int
    """Files that the target had already, with the same bytes."""
    removed_files: int
    """Files that were removed from the target, since the source has them no more."""
    names: tuple[str, ...]
    """Classifiers and aliases of which something was copied, sorted."""
    unfinished_jobs: int
    """Jobs that were left out since they wait or run."""
    only_in_target: tuple[str, ...]
    """Classifiers and aliases that the target has and the source has not; they were left as they are."""
    still_changing: tuple[str, ...]
    """Paths that changed in the source until the copy gave up; copy again to have the rest."""
    problems: tuple[CopyProblem, ...]
    """What was left out, by path."""
    complete: bool = computed(lambda self: not self.problems and not self.still_changing, True)
    """Whether nothing was left out but unfinished jobs."""


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """How far a copy is."""

    done: int
    """Folders of classifiers, aliases, jobs and days that were looked at."""
    total: int
    """Folders that there are."""
    copied_files: int
    """Files that were copied up to now."""
    copied_bytes: int
    """What they take."""


OnCopied = Callable[[CopyProgress], object]
