"""Tells whether an object store answers, as ``DataDirectory`` does of a folder."""

from windrow.domain.errors import DataDirectoryUnavailable
from windrow.storage.object_store.object_files import ObjectFiles


class StoreDirectory:
    """Tells whether an object store answers, from the last look at it.

    Args:
        files: The files in it.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        self._problem: DataDirectoryUnavailable | None = None

    def look(self) -> None:
        """Take over what others have committed, and note whether the store answers."""
        try:
            self._files.follow()
        except DataDirectoryUnavailable as error:
            self._problem = error
        else:
            self._problem = None

    def check(self) -> None:
        """Check that the store answered at the last look.

        Raises:
            DataDirectoryUnavailable: It did not.
        """
        if (problem := self._problem) is not None:
            raise DataDirectoryUnavailable(problem.template, problem.facts) from problem

    def prepare(self) -> None:
        """Check as :meth:`check` does: what a change takes, the store itself says.

        Raises:
            DataDirectoryUnavailable: It did not answer.
        """
        self.check()
