"""What Windrow takes on the disk, by what it is for: shared, one classifier's own, or only in the way."""

from dataclasses import dataclass

from windrow.domain.base_models import StoredBaseModel
from windrow.domain.values import Value, computed


@dataclass(frozen=True, slots=True)
class ClassifierUsage(Value):
    """What one name takes beside its base model."""

    name: str
    """The classifier's name."""
    size_bytes: int
    """Records, artifacts and kept training rows of all its revisions; what a copy shares counts for each name."""
    revisions: int
    """Trainings that are still on the disk."""
    deleted: bool
    """Whether it is deleted and waits to be restored or purged."""


@dataclass(frozen=True, slots=True)
class Usage(Value):
    """What everything takes."""

    base_models: tuple[StoredBaseModel, ...]
    """Those on this machine, sorted by id."""
    classifiers: tuple[ClassifierUsage, ...]
    """Those on the disk, deleted ones too, sorted by name."""
    other_bytes: int
    """The rest of the data directory: aliases, and what unfinished work left behind."""
    free_bytes: int | None
    """Room that is left on the data directory's disk; nothing for an object store, which has no limit that it tells."""
    min_free_bytes: int
    """Room below which trainings and imports are refused; 0 refuses none."""
    shared_bytes: int = computed(lambda self: sum(each.size_bytes + each.graph_bytes for each in self.base_models), 0)
    """What all classifiers share: base models, wherever they lie, and their graphs."""
    classifier_bytes: int = computed(
        lambda self: sum(each.size_bytes for each in self.classifiers if not each.deleted), 0
    )
    """What belongs to classifiers that answer."""
    deleted_bytes: int = computed(lambda self: sum(each.size_bytes for each in self.classifiers if each.deleted), 0)
    """What belongs to deleted classifiers; purging frees it."""
    total_bytes: int = computed(
        lambda self: self.shared_bytes + self.classifier_bytes + self.deleted_bytes + self.other_bytes, 0
    )
    """All of it."""
