"""Upkeep from a notebook: exports and imports as files, base models, room on the disk, and a look at every byte.

Owns how an exported classifier becomes a file here, whole or not at all; knows nothing of what is in it.
"""

from pathlib import Path
from typing import BinaryIO

from windrow.domain.archive import Imported, ImportRequest
from windrow.domain.base_models import BaseModelUse
from windrow.domain.checkup import Checkup
from windrow.domain.errors import InvalidParameter, StorageFailed
from windrow.domain.usage import Usage
from windrow.session.columns import read_name
from windrow.session.parts import Parts
from windrow.session.whole_file import whole_file


class Upkeep(Parts):
    """The verbs that move classifiers and look after what is kept."""

    __slots__ = ()

    def export(self, model_name: str, path: str | Path = ".", *, training_rows: bool = False) -> Path:
        """Write a classifier into one file, for :meth:`import_file`.

        Args:
            model_name: The classifier, or one of its revisions (``tickets_v2@3``).
            path: The file, which is replaced if it exists, or a folder to put it in.
            training_rows: Whether the training texts go along; otherwise none of them is in the file.

        Returns:
            The file.

        Raises:
            NotFound: The name means nothing.
            RowsNotKept: The training rows were not kept.
            ArtifactInvalid: The classifier is damaged.
            StorageFailed: The file cannot be written; what stood there is untouched.
        """
        export = self._operations.export(read_name(model_name), training_rows=training_rows)
        target = Path(path)
        target = target / export.file_name if target.is_dir() else target
        try:
            with whole_file(target) as file:
                file.writelines(export.chunks)
        except OSError as error:
            raise StorageFailed(f"{target} cannot be written: {error.strerror}. Choose another place.") from error
        return target

    def import_file(
        self,
        file: str | Path | BinaryIO,
        model_name: str | None = None,
        *,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Imported:
        """Take in a classifier that was exported. Everything is checked before anything is saved.

        Args:
            file: Its path, or the file itself, open for reading bytes at any place.
            model_name: Its name here; ``None`` keeps the one that it had.
            overwrite: Whether it may become the next revision of an existing name.
            dry_run: Check everything, and save nothing.

        Raises:
            InvalidParameter: There is no such file to read.
            ArchiveInvalid: The file is no whole export, or holds something else.
            Conflict: The name is taken, or exists and is not to be overwritten.
        """
        request = ImportRequest(None if model_name is None else read_name(model_name), overwrite, dry_run)
        if not isinstance(file, str | Path):
            return self._operations.import_classifier(file, request)
        try:
            opened = Path(file).open("rb")  # noqa: SIM115 - so that the verb's own errors are not taken for the file's
        except OSError as error:
            raise InvalidParameter(
                f"{file} cannot be read: {error.strerror}. Pass the path of an exported classifier.",
                {"parameter": "file"},
            ) from error
        with opened:
            return self._operations.import_classifier(opened, request)

    def base_models(self) -> tuple[BaseModelUse, ...]:
        """Return the base models on that machine, and how many classifiers use each."""
        return self._operations.base_models()

    def remove_base_model(self, base_model: str) -> int:
        """Remove a base model that no classifier uses, and return how many bytes that freed.

        Args:
            base_model: Its id.

        Raises:
            InvalidParameter: The id is malformed.
            BaseModelNotFound: It is not on that machine.
            BaseModelInUse: A classifier uses it, or it came with Windrow.
        """
        return self._operations.remove_base_model(base_model)

    def usage(self) -> Usage:
        """Return what the data directory holds, in bytes."""
        return self._operations.usage()

    def fsck(self, *, repair: bool = False) -> Checkup:
        """Read the whole data directory and check every digest.

        Args:
            repair: Remove garbage, and finish what a crash left half done. What is damaged is never touched.
        """
        return self._operations.fsck(repair=repair)
