"""The JSON shapes of an import, and the parameters that exports and imports take.

Owns their fields; knows nothing of HTTP or of the form of an exported file.
"""

from typing import Literal, Self

from pydantic import Field

from windrow.domain.archive import Imported, ImportRequest
from windrow.wire.classifier import RecordFields, record_fields
from windrow.wire.queries import Query, flag, read_flag, text
from windrow.wire.reports import WarningEntry

EXPORT = (flag("training_rows", "Whether the training texts go along; otherwise none of them is in the file."),)
IMPORT = (
    text("model_name", "Its name here; left out, it keeps the one that it had."),
    flag("overwrite", "Whether it may become the next revision of an existing name."),
    flag("dry_run", "Whether to check everything and save nothing."),
)


class ImportReply(RecordFields):
    """A classifier that was taken in, or would have been."""

    status: Literal["imported", "dry_run"] = Field(
        description="imported, or dry_run where nothing was saved.", examples=["imported"]
    )
    import_warnings: list[WarningEntry] = Field(
        description="What a person should know, such as a base model that is not on this machine.", examples=[[]]
    )

    @classmethod
    def of(cls, imported: Imported) -> Self:
        """Show an import."""
        return cls.model_construct(
            **record_fields(imported.classifier),
            status="imported" if imported.is_saved else "dry_run",
            import_warnings=[WarningEntry.of(warning) for warning in imported.warnings],
        )

    def to_domain(self) -> Imported:
        """Return the import that was shown."""
        warnings = tuple(warning.to_domain() for warning in self.import_warnings)
        return Imported(self.to_classifier(), warnings, self.status == "imported")


def read_import(query: Query) -> ImportRequest:
    """Return what a query asks of an import; the name is not checked yet.

    Args:
        query: The parameters of :data:`IMPORT`.

    Raises:
        InvalidParameter: A flag is neither true nor false.
    """
    return ImportRequest(query.get("model_name"), read_flag(query, "overwrite"), read_flag(query, "dry_run"))
