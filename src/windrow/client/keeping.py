"""Keeping over HTTP: listing, showing, deleting and exchanging classifiers, and looking after the disk.

Owns which request each verb is; knows nothing of where classifiers are kept.
"""

import re
from typing import BinaryIO, Final

from windrow.client.asking import CHANGE, LONG_CHANGE, LONG_LOOK
from windrow.client.paths import MODELS, ROOT, base_model_path, model_path, page_parameters, selection_parameters
from windrow.client.paths import with_query as to
from windrow.client.transport import Call
from windrow.client.verbs import Verbs
from windrow.domain.archive import Export, Imported, ImportRequest
from windrow.domain.base_models import BaseModelUse
from windrow.domain.checkup import Checkup
from windrow.domain.classifier import Classifier, ClassifierDetails, Deletion, NotesChange
from windrow.domain.listing import Listing, Page, Selection
from windrow.domain.usage import Usage
from windrow.wire.archive import ImportReply
from windrow.wire.base_models import BaseModelDeleted, BaseModelList
from windrow.wire.checkup import CheckBody, CheckReply
from windrow.wire.classifier import DescribeBody, ModelDetails, ModelRecord, RestoreReply
from windrow.wire.deletion import Deleted, DeletedMany
from windrow.wire.listing import RecordPage
from windrow.wire.usage import UsageReply

_FILE_TYPE: Final = "application/octet-stream"
_FILE_NAME = re.compile(r'filename="([^"/\\]+)"')


class Keeping(Verbs):
    """The verbs for what is kept."""

    __slots__ = ()

    def list_classifiers(self, page: Page = Page()) -> Listing:
        """Return every classifier, or a part of them. See ``Operations.list_classifiers``."""
        return self.asking.get(to(MODELS, **page_parameters(page)), RecordPage).to_domain()

    def show(self, model_name: str) -> ClassifierDetails:
        """Return everything that is known about a classifier. See ``Operations.show``."""
        return self.asking.get(model_path(model_name), ModelDetails).to_domain()

    def describe(self, model_name: str, change: NotesChange) -> Classifier:
        """Change what is said about a classifier. See ``Operations.describe``."""
        path, body = model_path(model_name), DescribeBody.of(change)
        return self.asking.send("PATCH", path, body, ModelRecord, CHANGE).to_domain()

    def delete(self, model_name: str, *, purge: bool = False, force: bool = False) -> Deletion:
        """Delete a classifier. See ``Operations.delete``."""
        path = to(model_path(model_name), purge=purge, force=force)
        return self.asking.send("DELETE", path, None, Deleted, CHANGE).to_domain()

    def delete_all(
        self, selection: Selection, *, purge: bool = False, force: bool = False, dry_run: bool = False
    ) -> Deletion:
        """Delete every classifier of a selection. See ``Operations.delete_all``."""
        path = to(MODELS, **selection_parameters(selection), purge=purge, force=force, dry_run=dry_run)
        return self.asking.send("DELETE", path, None, DeletedMany, LONG_CHANGE).to_domain()

    def restore(self, model_name: str) -> Classifier:
        """Bring a deleted classifier back. See ``Operations.restore``."""
        return self.asking.post(f"{model_path(model_name)}/restore", None, RestoreReply, CHANGE).to_domain()

    def export(self, model_name: str, *, training_rows: bool = False) -> Export:
        """Return a classifier as one file. See ``Operations.export``.

        Its chunks come from the connection as they are taken.
        """
        transport = self.asking.transport
        path = to(f"{model_path(model_name)}/export", training_rows=training_rows)
        response = transport.open(self.asking.call("GET", path, LONG_LOOK))
        named = _FILE_NAME.search(response.headers.get("Content-Disposition", ""))
        file_name = f"{model_name.partition('@')[0]}.windrow" if named is None else named[1]
        return Export(file_name, int(response.headers.get("Content-Length", "0")), transport.pieces(response))

    def import_classifier(self, file: BinaryIO, request: ImportRequest = ImportRequest()) -> Imported:
        """Take in a classifier that was exported. See ``Operations.import_classifier``."""
        path = to(
            f"{MODELS}/import",
            model_name=request.model_name,
            overwrite=request.overwrite,
            dry_run=request.dry_run,
        )
        content = self.asking.transport.ask(Call("POST", path, file, _FILE_TYPE))
        return self.asking.read(content, ImportReply).to_domain()

    def base_models(self) -> tuple[BaseModelUse, ...]:
        """Return the base models on the server's machine. See ``Operations.base_models``."""
        return self.asking.get(f"{ROOT}/base-models", BaseModelList, LONG_LOOK).to_domain()

    def remove_base_model(self, base_model: str) -> int:
        """Remove a base model that no classifier uses. See ``Operations.remove_base_model``."""
        path = base_model_path(base_model)
        return self.asking.send("DELETE", path, None, BaseModelDeleted, LONG_CHANGE).freed_bytes

    def usage(self) -> Usage:
        """Return what the data directory holds. See ``Operations.usage``."""
        return self.asking.get(f"{ROOT}/usage", UsageReply, LONG_LOOK).to_domain()

    def fsck(self, *, repair: bool = False) -> Checkup:
        """Read the whole data directory and check every digest. See ``Operations.fsck``."""
        return self.asking.post(f"{ROOT}/fsck", CheckBody(repair=repair), CheckReply, LONG_CHANGE).to_domain()
