"""A classifier named ``tickets`` that is trained again and again, and what can be seen of it from outside."""

from datetime import UTC, datetime

from tests.storage.examples import new_revision, open_names
from windrow.domain.listing import ListRequest
from windrow.storage.artifact import ARTIFACT, ROWS
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files
from windrow.storage.revision import Purged, entry_to_json

AT = datetime(2025, 9, 16, 8, 0, tzinfo=UTC)
FOLDER = "classifiers/tickets"


def contents(artifact: int, rows: int) -> dict[str, bytes]:
    return {ARTIFACT: b"artifact %d" % artifact, ROWS: b"rows %d" % rows}


def publish(catalog: Catalog, *trainings: tuple[int, int]) -> None:
    """Train ``tickets`` once for each artifact and rows."""
    for number, each in enumerate(trainings):
        catalog.publish(new_revision(mark="abcdef"[number], contents=contents(*each)))


def names(catalog: Catalog) -> list[str]:
    return [classifier.name for classifier in catalog.listing(ListRequest()).models]


def kept_contents(files: Files) -> set[bytes]:
    return {files.get(f"{FOLDER}/blobs/{name}") for name in files.list(f"{FOLDER}/blobs")}


def begin_purge(files: Files, number: int) -> None:
    """Leave what a crash after the first step of a purge leaves."""
    purged = entry_to_json("tickets", number, Purged("purged", AT))
    open_names(files).classifiers.append("tickets", number, purged)
