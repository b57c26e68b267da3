"""Write the golden folder of the present format: ``python -m tests.storage.make_golden tests/storage/golden/format-1``.

Run it once for each new format number (docs/format.md, "When the format changes"), and never over an existing folder.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.storage.examples import ROW_EXAMPLES, TEST_SCORE, THRESHOLD, artifact, open_names, record
from windrow.domain.alias import Said
from windrow.domain.classifier import NotesChange, Origin, ScoreReport
from windrow.domain.dataset import data_sha256
from windrow.domain.names import Reference
from windrow.storage.aliases import Aliases, Terms
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact, artifact_to_bytes, rows_to_blob
from windrow.storage.catalog import Catalog, Draft
from windrow.storage.files import ASIDE, LocalFiles
from windrow.storage.namespace import Namespace
from windrow.storage.revision import Purged, Revision, revision_to_json

START = datetime(2025, 9, 16, 8, 0, tzinfo=UTC)
# Of the three revisions of ``tickets``; only the second one has an adapter, and the first one no scope either.
ARTIFACTS = (Artifact(artifact().head), artifact(1), replace(artifact(2), adapter=None))
# Rows that an alias keeps.
MUST_PASS = ROW_EXAMPLES[2:]


def golden_draft(name: str, revision: int, *, keeps_rows: bool = True) -> Draft:
    """Return a training that is kept in the golden folder."""
    one = ARTIFACTS[revision - 1]
    golden = replace(record(name, revision=revision), data_sha256=data_sha256(ROW_EXAMPLES))
    if one.adapter is None:
        golden = replace(golden, summary=replace(golden.summary, adapter=None))
    else:
        golden = replace(golden, recipe=replace(golden.recipe, max_seconds=30.0))
    if one.scope is None:
        summary = replace(golden.summary, estimate=None, scores=ScoreReport(1.25, "prior", None, None))
        golden = replace(golden, summary=summary, recipe=replace(golden.recipe, cross_validate=False))
    rows = {ROWS: rows_to_blob(ROW_EXAMPLES)} if keeps_rows else {}
    return Draft(golden, {ARTIFACT: artifact_to_bytes(one), **rows})


def make_golden(folder: Path) -> None:
    """Let happen, once a minute, everything that can happen to a classifier and to an alias."""
    minutes = _minutes()
    files = LocalFiles(folder)
    names = open_names(files, lambda: next(minutes))
    catalog, aliases = Catalog(names), Aliases(names)
    _make_tickets(names, catalog)
    origin = Origin("theirs", 7, next(minutes))
    taken_in = golden_draft("taken_in", 1, keeps_rows=False)
    catalog.publish(replace(taken_in, origin=origin, test=TEST_SCORE, threshold=THRESHOLD))
    catalog.publish(golden_draft("gone", 1))
    catalog.delete("gone")
    for revision in (1, 3):
        catalog.publish(golden_draft("anew", revision))
        if revision == 1:
            catalog.delete("anew")
    catalog.publish(golden_draft("half_gone", 1))
    _append(names, "half_gone", 2, Purged("purged", next(minutes)))
    aliases.promote("live", Reference("tickets", 3), Said("the first", "Ada"))
    terms = Terms(MUST_PASS, aliases.standing("live").number)
    aliases.promote("live", Reference("tickets"), Said("two points better", "Ada"), terms)
    aliases.roll_back("live", aliases.way_back("live"), Said("worse on long texts", "Bob"))
    aliases.promote("former", Reference("taken_in"), Said())
    aliases.remove("former", Said("nobody asks for it"))
    (folder / ASIDE).rmdir()


def _make_tickets(names: Namespace, catalog: Catalog) -> None:
    for revision in (1, 2, 3):
        catalog.publish(golden_draft("tickets", revision))
    catalog.restore("tickets", 2)
    described = catalog.describe("tickets", NotesChange("For the help desk, caf\u00e9 too", ("best", "small")))
    catalog.measured(described, TEST_SCORE, THRESHOLD)
    catalog.purge_revision("tickets", 1)


def _append(names: Namespace, name: str, number: int, revision: Revision) -> None:
    names.classifiers.append(name, number, revision_to_json(name, number, revision))


def _minutes() -> Iterator[datetime]:
    at = START
    while True:
        yield at
        at += timedelta(minutes=1)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if target.exists():
        sys.exit(f"{target} exists. A golden folder is never written again.")
    make_golden(target)
