"""The JSON shapes of a deletion, of one classifier or of many, and the parameters that it takes.

Owns their fields; knows nothing of HTTP or of what a deletion leaves on the disk.
"""

from typing import Literal, Self

from pydantic import Field

from windrow.domain.classifier import Deletion
from windrow.wire.listing import SELECTION
from windrow.wire.queries import Parameter, flag
from windrow.wire.shapes import EXAMPLE_NAME, Wire

_PURGE = flag("purge", "Whether the files are removed for good; otherwise restore brings them back for a while.")
_FORCE = flag("force", "Whether also what an alias points to is deleted; the alias answers no more then.")
DELETE = (_PURGE, _FORCE)
_EXAMPLES = {"prefix": "cv_fold_"}
DELETE_ALL = (
    *(Parameter(one.name, one.description, one.schema, _EXAMPLES.get(one.name)) for one in SELECTION),
    flag("dry_run", "Whether to say only which they are.", example=True),
    *DELETE,
)


class Deleted(Wire):
    """A classifier or a revision is gone."""

    status: Literal["deleted"] = Field(default="deleted", description="It answers no more.", examples=["deleted"])
    model_name: str = Field(description="The classifier, or the revision (name@3).", examples=[EXAMPLE_NAME])
    purged: bool = Field(description="Whether its files were removed for good.", examples=[False])
    freed_bytes: int = Field(description="What that freed on the disk; 0 where it can be restored.", examples=[0])

    @classmethod
    def of(cls, deletion: Deletion) -> Self:
        """Show the deletion of one classifier or revision."""
        [name] = deletion.model_names
        return cls(model_name=name, purged=deletion.is_purged, freed_bytes=deletion.freed_bytes)

    def to_domain(self) -> Deletion:
        """Return the deletion that was shown."""
        return Deletion((self.model_name,), self.freed_bytes, self.purged)


class DeletedMany(Wire):
    """A selection of classifiers is gone, or would be."""

    status: Literal["deleted", "dry_run"] = Field(
        description="deleted, or dry_run where nothing was done.", examples=["dry_run"]
    )
    model_names: list[str] = Field(description="The classifiers, sorted.", examples=[["cv_fold_1", "cv_fold_2"]])
    purged: bool = Field(description="Whether their files were removed for good.", examples=[False])
    freed_bytes: int = Field(description="What that freed on the disk; 0 where they can be restored.", examples=[0])
    skipped: list[str] = Field(
        description="Names that were left as they are: others changed them meanwhile, or the disk failed before them.",
        examples=[[]],
    )
    aliases: list[str] = Field(
        description="Aliases that point to them: without force they are in the way, with force they answer no more.",
        examples=[[]],
    )

    @classmethod
    def of(cls, deletion: Deletion, dry_run: bool) -> Self:
        """Show what was deleted or, in a dry run, what would be."""
        return cls(
            status="dry_run" if dry_run else "deleted",
            model_names=list(deletion.model_names),
            purged=deletion.is_purged,
            freed_bytes=deletion.freed_bytes,
            skipped=list(deletion.skipped),
            aliases=list(deletion.aliases),
        )

    def to_domain(self) -> Deletion:
        """Return the deletion that was shown."""
        return Deletion(
            tuple(self.model_names), self.freed_bytes, self.purged, tuple(self.skipped), tuple(self.aliases)
        )
