"""The JSON shapes of what everything takes on the disk.

Owns their fields; knows nothing of HTTP or of files.
"""

from typing import Self

from pydantic import Field

from windrow.domain.usage import ClassifierUsage, Usage
from windrow.wire.base_models import StoredEntry
from windrow.wire.shapes import Name, Wire


class ClassifierUsageEntry(Wire):
    """What one name takes beside its base model."""

    name: Name
    size_bytes: int = Field(
        description="Records, artifacts and kept training rows of all its revisions.", examples=[688_128]
    )
    revisions: int = Field(description="Trainings that are still on the disk.", examples=[1])
    deleted: bool = Field(description="Whether it is deleted and waits to be restored or purged.", examples=[False])

    @classmethod
    def of(cls, usage: ClassifierUsage) -> Self:
        """Show what a name takes."""
        return cls.model_construct(
            name=usage.name, size_bytes=usage.size_bytes, revisions=usage.revisions, deleted=usage.is_deleted
        )

    def to_domain(self) -> ClassifierUsage:
        """Return what was shown."""
        return ClassifierUsage(self.name, self.size_bytes, self.revisions, self.deleted)


class UsageReply(Wire):
    """What everything takes on the disk, in bytes."""

    total_bytes: int = Field(description="All of it.", examples=[182_658_956])
    shared_bytes: int = Field(
        description="What all classifiers share: base models, wherever they lie, and their graphs.",
        examples=[181_966_732],
    )
    classifier_bytes: int = Field(description="What belongs to classifiers that answer.", examples=[688_128])
    deleted_bytes: int = Field(description="What belongs to deleted classifiers; purging frees it.", examples=[0])
    other_bytes: int = Field(
        description="The rest of the data directory: aliases, and what unfinished work left behind.", examples=[4_096]
    )
    free_bytes: int = Field(description="Room that is left on the data directory's disk.", examples=[50_000_000_000])
    base_models: list[StoredEntry] = Field(description="Sorted by id.")
    classifiers: list[ClassifierUsageEntry] = Field(description="Sorted by name, deleted ones too.")

    @classmethod
    def of(cls, usage: Usage) -> Self:
        """Show what everything takes."""
        return cls.model_construct(
            total_bytes=usage.total_bytes,
            shared_bytes=usage.shared_bytes,
            classifier_bytes=usage.classifier_bytes,
            deleted_bytes=usage.deleted_bytes,
            other_bytes=usage.other_bytes,
            free_bytes=usage.free_bytes,
            base_models=[StoredEntry.of(model) for model in usage.base_models],
            classifiers=[ClassifierUsageEntry.of(each) for each in usage.classifiers],
        )

    def to_domain(self) -> Usage:
        """Return what was shown."""
        base_models = tuple(entry.to_stored() for entry in self.base_models)
        classifiers = tuple(entry.to_domain() for entry in self.classifiers)
        return Usage(base_models, classifiers, self.other_bytes, self.free_bytes)
