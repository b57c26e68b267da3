"""What Windrow takes on the disk, by what it is for: shared, one classifier's own, or only in the way.

Owns the values and their sums; knows nothing of files.
"""

from dataclasses import dataclass

from windrow.domain.base_models import StoredBaseModel


@dataclass(frozen=True, slots=True)
class ClassifierUsage:
    """What one name takes beside its base model.

    Args:
        name: The classifier's name.
        size_bytes: Records, artifacts and kept training rows of all its revisions.
        revisions: Trainings that are still on the disk.
        is_deleted: Whether it is deleted and waits to be restored or purged.
    """

    name: str
    size_bytes: int
    revisions: int
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """What everything takes.

    Args:
        base_models: Those on this machine, sorted by id.
        classifiers: Those on the disk, deleted ones too, sorted by name.
        other_bytes: The rest of the data directory: aliases, and what unfinished work left behind.
        free_bytes: Room that is left on the data directory's disk.
    """

    base_models: tuple[StoredBaseModel, ...]
    classifiers: tuple[ClassifierUsage, ...]
    other_bytes: int
    free_bytes: int

    @property
    def shared_bytes(self) -> int:
        """What all classifiers share: base models, wherever they lie, and their graphs."""
        return sum(model.size_bytes + model.graph_bytes for model in self.base_models)

    @property
    def classifier_bytes(self) -> int:
        """What belongs to classifiers that answer."""
        return sum(each.size_bytes for each in self.classifiers if not each.is_deleted)

    @property
    def deleted_bytes(self) -> int:
        """What belongs to deleted classifiers; purging frees it."""
        return sum(each.size_bytes for each in self.classifiers if each.is_deleted)

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.shared_bytes + self.classifier_bytes + self.deleted_bytes + self.other_bytes
