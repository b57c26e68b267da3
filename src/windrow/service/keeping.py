"""Keeping: listing, showing, describing, deleting and restoring classifiers on this machine.

Owns which of several classifiers a bulk deletion takes; knows nothing of files.
"""

import logging

from windrow.domain.classifier import Classifier, ClassifierDetails, Deletion, NotesChange
from windrow.domain.errors import ClassifierInUse, InvalidParameter, NotFound, WindrowError
from windrow.domain.listing import Listing, Page, Selection, check_page
from windrow.domain.names import check_name
from windrow.service.parts import Parts, read_fixed
from windrow.storage.namespace import in_use
from windrow.storage.purging import IsMeant

_log = logging.getLogger("windrow.service")


class Keeping(Parts):
    """The verbs for what is kept."""

    __slots__ = ()

    def list_classifiers(self, page: Page = Page()) -> Listing:
        """Return classifiers. See ``Operations.list_classifiers``."""
        return self.store.catalog.listing(check_page(page))

    def show(self, model_name: str) -> ClassifierDetails:
        """Return everything about a classifier. See ``Operations.show``."""
        found = self.find(model_name)
        name, revision = found.entry.record.name, found.entry.record.revision
        return ClassifierDetails(
            classifier=found.entry.shown(),
            answers=self.store.catalog.current(name).record.revision == revision,
            revisions=self.store.names.revisions(name),
            aliases=tuple(
                alias for alias, target in self.store.names.targets_in(name) if target.revision in (None, revision)
            ),
        )

    def describe(self, model_name: str, change: NotesChange) -> Classifier:
        """Change what is said about a classifier. See ``Operations.describe``."""
        return self.store.catalog.describe(check_name(model_name), change).shown()

    def delete(self, model_name: str, *, purge: bool = False, force: bool = False) -> Deletion:
        """Delete a classifier, or purge one revision. See ``Operations.delete``."""
        reference = read_fixed(model_name)
        catalog, name = self.store.catalog, reference.name
        if reference.revision is not None and not purge:
            catalog.find(reference)  # what does not exist is not found, whatever is to be done with it
            raise InvalidParameter(
                f"{model_name} is a single revision, which can only be purged. Send purge=true to remove it for good, "
                f"or delete {name} as a whole.",
                {"parameter": "purge"},
            )
        if reference.revision is not None:
            freed_bytes = catalog.purge_revision(name, reference.revision, force=force)
            self.predictor.forget(name)
        else:
            freed_bytes = self._delete(name, None, purge=purge, force=force)
        return Deletion((model_name,), freed_bytes, purge)

    def delete_all(
        self, selection: Selection, *, purge: bool = False, force: bool = False, dry_run: bool = False
    ) -> Deletion:
        """Delete a selection of classifiers. See ``Operations.delete_all``."""
        if selection.is_everything:
            raise InvalidParameter(
                "Nothing says which classifiers to delete. Send prefix, tag, task or base_model; dry_run=true shows "
                "which they are.",
                {"parameter": "prefix"},
            )
        names = [each.record.name for each in self.list_classifiers(Page(selection=selection)).classifiers]
        pointed_at = self.store.catalog.pointed_at(names)
        aliases = tuple(sorted({alias for own in pointed_at.values() for alias in own}))
        if dry_run:
            freed_bytes = sum(map(self.store.catalog.blob_bytes, names)) if purge else 0
            return Deletion(tuple(names), freed_bytes, purge, aliases=aliases)
        if pointed_at and not force:
            raise in_use(pointed_at)
        freed: dict[str, int] = {}
        for name in names:
            try:
                freed[name] = self._delete(name, selection.has, purge=purge, force=force)
            except (NotFound, ClassifierInUse):  # somebody changed it meanwhile
                continue
            except WindrowError as error:
                if not freed:
                    raise
                _log.error("Deleting ended before %s, after %d of %d. %s", name, len(freed), len(names), error.detail)
                break
        skipped = tuple(name for name in names if name not in freed)
        return Deletion(tuple(freed), sum(freed.values()), purge, skipped, aliases)

    def restore(self, model_name: str) -> Classifier:
        """Bring a classifier or a revision back. See ``Operations.restore``."""
        reference = read_fixed(model_name)
        return self.store.catalog.restore(reference.name, reference.revision).shown()

    def _delete(self, name: str, is_meant: IsMeant | None, *, purge: bool, force: bool) -> int:
        """Delete or purge a classifier, if it is still meant, and return what that freed."""
        freed_bytes = 0
        if purge:
            freed_bytes = self.store.catalog.purge(name, force=force, is_meant=is_meant)
        else:
            self.store.catalog.delete(name, force=force, is_meant=is_meant)
        self.predictor.forget(name)
        return freed_bytes
