"""Every released format stays readable, and the format does not change by accident."""

import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.storage.examples import (
    ROW_EXAMPLES,
    ROWS_SHA256,
    TEST_SCORE,
    THRESHOLD_CHANGE,
    open_aliases,
    open_catalog,
    open_names,
)
from tests.storage.job_folders import open_jobs
from tests.storage.make_golden import (
    ARTIFACTS,
    BINDINGS,
    CLASSIFIED,
    EXTENDED,
    JOBS_MADE,
    KEY,
    KEYS_MADE,
    MUST_PASS,
    START,
    USE,
    golden_entry,
    golden_revision,
    make_golden,
    several_labels,
)
from tests.storage.model import Server
from windrow.domain.classifier import Origin, Record
from windrow.domain.errors import ClassifierNotFound
from windrow.domain.listing import ListRequest
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.names import Reference
from windrow.domain.values import recast
from windrow.storage.archive_format import unpack
from windrow.storage.artifact import ARTIFACT, ROWS, artifact_from_bytes, rows_from_blob
from windrow.storage.binding_store import BindingStore, KnownBindings
from windrow.storage.catalog import Catalog
from windrow.storage.files import LocalFiles
from windrow.storage.format import FORMAT
from windrow.storage.job_files import JOBS, stored_job_from_json
from windrow.storage.key_store import KeyStore, KnownKeys
from windrow.storage.revision import DeletedPredecessors, alias_from_json, entry_from_json
from windrow.storage.use_store import DayUse, UseStore

GOLDEN = Path(__file__).parent / "golden"
NEWEST = GOLDEN / f"format-{FORMAT}"
CLASSIFIERS, ALIASES = (sorted((NEWEST / kind).rglob("*.json")) for kind in ("classifiers", "aliases"))
SPEC = Path(__file__).parents[2] / "docs" / "explanation" / "format.md"


@pytest.fixture(params=range(1, FORMAT + 1))
def files(request: pytest.FixtureRequest) -> LocalFiles:
    return LocalFiles(GOLDEN / f"format-{request.param}")


@pytest.fixture
def catalog(files: LocalFiles) -> Catalog:
    return open_catalog(files)


@pytest.fixture
def key_name(files: LocalFiles) -> str | None:
    """Return the API key that acted, as far as the format tells."""
    return KEY if int(files.root.name.removeprefix("format-")) >= 4 else None


@pytest.fixture
def extended(files: LocalFiles) -> dict[str, Any]:
    """Return what a training took over, as far as the format tells."""
    return extended_in(int(files.root.name.removeprefix("format-")))


def extended_in(number: int) -> dict[str, Any]:
    return EXTENDED if number >= 5 else {"extends": None, "taken_over_rows": 0, "replaced_rows": 0}


def test_the_classifiers_of_a_released_format_stay_readable(
    catalog: Catalog, key_name: str | None, extended: dict[str, Any]
) -> None:
    # There were no multi-label classifiers before format 7.
    models = {each.name: each for each in catalog.listing(ListRequest()).models if each.kind == "single_label"}
    anew, taken_in, tickets, *twin = models.values()
    measured: dict[str, Any] = {"test": TEST_SCORE, "threshold_changes": (THRESHOLD_CHANGE,)}
    said: dict[str, Any] = {"description": "For the help desk, café too", "tags": ("best", "small")}
    assert recast(Record, anew) == golden_revision("anew", 3).record
    assert tickets.threshold_changes == (replace(THRESHOLD_CHANGE, key_name=key_name),)
    shown = replace(recast(Record, tickets), threshold_changes=(THRESHOLD_CHANGE,))
    assert shown == replace(golden_revision("tickets", 2).record, **measured, **said)
    origin = Origin("theirs", 7, START.replace(minute=7))
    assert recast(Record, taken_in) == replace(golden_revision("taken_in", 1).record, **measured, origin=origin)
    assert (tickets.keeps_training_data, taken_in.keeps_training_data) == (True, False)
    for copied in twin:  # there was no such kind in format 1
        origin = Origin("tickets", 3, START.replace(minute=21))
        twins = replace(golden_revision("twin", 3).record, revision=1, origin=origin, key_name=key_name, **extended)
        assert recast(Record, copied) == twins


def test_a_multi_label_classifier_of_a_released_format_stays_readable(files: LocalFiles, catalog: Catalog) -> None:
    found = [each for each in catalog.listing(ListRequest()).models if each.kind == "multi_label"]
    made = several_labels()
    expected = [replace(made.record, key_name=KEY)] if int(files.root.name.removeprefix("format-")) >= 7 else []
    assert [recast(Record, each) for each in found] == expected
    for each in found:
        entry = catalog.current(each.name)
        assert rows_from_blob(catalog.blobs.read(each.name, entry.blobs[ROWS])) == (
            MultiLabelRow("I was charged twice, and it is urgent", ("billing", "urgent")),
            MultiLabelRow("Where is my invoice?", ("billing",)),
            MultiLabelRow("Thank you, caf\u00e9 friends", ()),
        )


@pytest.mark.parametrize("revision", [2, 3])
def test_the_blobs_of_a_released_format_stay_readable(catalog: Catalog, revision: int) -> None:
    entry = catalog.find(Reference("tickets", revision)).entry
    assert rows_from_blob(catalog.blobs.read("tickets", entry.blobs[ROWS])) == ROW_EXAMPLES
    read, made = artifact_from_bytes(catalog.blobs.read("tickets", entry.blobs[ARTIFACT])), ARTIFACTS[revision - 1]
    np.testing.assert_array_equal(read.head.weights, made.head.weights, strict=True)
    np.testing.assert_array_equal(read.head.bias, made.head.bias, strict=True)
    assert read.scope is not None
    assert made.scope is not None
    np.testing.assert_array_equal(read.scope.centroids, made.scope.centroids, strict=True)
    assert (read.scope.similarities, read.scope.deviation) == (made.scope.similarities, made.scope.deviation)
    assert (read.adapter or {}).keys() == (made.adapter or {}).keys()
    for name, tensor in (made.adapter or {}).items():
        np.testing.assert_array_equal((read.adapter or {})[name], tensor, strict=True)


def test_what_was_purged_in_a_released_format_stays_purged(files: LocalFiles, catalog: Catalog) -> None:
    assert open_names(files).revisions("tickets") == (2, 3)
    with pytest.raises(ClassifierNotFound):
        catalog.current("half_gone")


def test_a_deletion_of_a_released_format_stays_one(catalog: Catalog) -> None:
    (gone,) = catalog.listing(ListRequest(deleted=True)).models
    assert (recast(Record, gone), gone.deleted_at) == (golden_revision("gone", 1).record, START.replace(minute=10))
    with pytest.raises(ClassifierNotFound):
        catalog.current("gone")


def test_what_was_deleted_before_a_training_of_a_released_format_waits_to_be_purged(catalog: Catalog) -> None:
    assert catalog.current("anew").buried == DeletedPredecessors(2, START.replace(minute=12))
    before = catalog.find(Reference("anew", 1)).entry
    assert before.record == golden_revision("anew", 1).record
    assert artifact_from_bytes(catalog.blobs.read("anew", before.blobs[ARTIFACT])).scope is None


def test_the_aliases_of_a_released_format_stay_readable(
    files: LocalFiles, catalog: Catalog, key_name: str | None
) -> None:
    aliases = open_aliases(files)
    shown = [(alias.alias, alias.points_to, alias.answers, alias.must_pass) for alias in aliases.list()]
    assert shown == [("live", "tickets@3", True, MUST_PASS)]
    assert catalog.find(Reference("live")).entry.record.revision == 3
    assert [change.event for change in aliases.history("live")] == ["promoted", "promoted", "rolled_back"]
    assert [(change.event, change.reason, change.key_name) for change in aliases.history("former")] == [
        ("promoted", "", key_name),
        ("removed", "nobody asks for it", key_name),
    ]
    assert {change.key_name for change in aliases.history("live")} == {None}


def test_the_jobs_of_a_released_format_stay_readable(
    files: LocalFiles, key_name: str | None, extended: dict[str, Any]
) -> None:
    *predictions, job_id = open_jobs(files.root, files).ids()
    assert [stored_job_from_json(each, 1, files.get(f"{JOBS}/{each}/000001.json")).job for each in predictions] == (
        [CLASSIFIED] if int(files.root.name.removeprefix("format-")) >= 6 else []
    )
    for number, made in enumerate((replace(job, key_name=key_name, **extended) for job in JOBS_MADE), 1):
        kept = stored_job_from_json(job_id, number, files.get(f"{JOBS}/{job_id}/{number:06d}.json"))
        assert kept.owner == "0123456789abcdef"
        if made.problem is None:
            assert kept.job == made
            continue
        assert kept.job.problem is not None
        # Format 1 kept the sentence, later ones what it is made from.
        assert kept.job.problem.detail == made.problem.detail == "It needs {more} memory. Free 1000 bytes."
        assert replace(kept.job, problem=None) == replace(made, problem=None)
        assert (kept.job.problem.code, kept.job.problem.facts) == (made.problem.code, made.problem.facts)


def test_bindings_keys_and_counts_of_a_released_format_stay_readable(files: LocalFiles) -> None:
    names, is_there = open_names(files), int(files.root.name.removeprefix("format-")) >= 7
    assert BindingStore(names).known() == (KnownBindings(4, BINDINGS) if is_there else KnownBindings(0, ()))
    assert KeyStore(names).known() == (KnownKeys(1, KEYS_MADE) if is_there else KnownKeys(0, ()))
    counted = UseStore(files).day(START.date())
    assert counted == (DayUse(USE.classifiers, USE.keys) if is_there else DayUse())


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_an_export_of_a_released_format_stays_readable(number: int) -> None:
    entry, blobs = golden_entry()
    entry = replace(entry, record=replace(entry.record, **extended_in(number)))
    unpacked = unpack(io.BytesIO((GOLDEN / f"format-{number}.windrow").read_bytes()), 2**20)
    assert (unpacked.entry, unpacked.blobs.keys()) == (entry, blobs.keys())
    assert rows_from_blob(unpacked.blobs[ROWS]) == ROW_EXAMPLES
    assert unpacked.blobs[ARTIFACT] == blobs[ARTIFACT]


def test_a_released_format_is_sound_but_for_the_purge_that_was_not_finished(files: LocalFiles) -> None:
    assert Server(files).finding_codes() == {"purge_unfinished"}


def test_the_golden_folder_has_every_kind_of_file() -> None:
    folders = {path.name for path in NEWEST.iterdir()}
    assert folders == {"classifiers", "aliases", "jobs", "access", "questions", "usage"}
    kinds = {json.loads(path.read_bytes())["kind"] for path in (*CLASSIFIERS, *ALIASES)}
    of_aliases = {"promoted", "rolled_back", "removed"}
    endings = {"deleted", "purged"}
    assert (
        kinds
        == {"imported", "copied", "trained", "described", "measured", "threshold_set", "restored", "trimmed"}
        | endings
        | of_aliases
    )


def test_what_is_written_today_has_the_golden_form(tmp_path: Path) -> None:
    make_golden(tmp_path)
    golden, written = (sorted(str(path.relative_to(root)) for path in root.rglob("*")) for root in (NEWEST, tmp_path))
    assert [path for path in written if not path.endswith(".gz")] == [p for p in golden if not p.endswith(".gz")]
    for path in NEWEST.rglob("*.json"):
        kept, new = (json.loads(one.read_bytes()) for one in (path, tmp_path / path.relative_to(NEWEST)))
        for plain in (kept, new):  # how well gzip packs differs from one zlib to the next, and the order does not count
            plain.get("blobs", {}).pop(ROWS, None)
            del plain["sha256"]
        assert new == kept, "the format changed: docs/explanation/format.md says what to do"


def test_the_same_is_written_byte_for_byte(tmp_path: Path) -> None:
    roots = tmp_path / "one", tmp_path / "other"
    for root in roots:
        make_golden(root)
    one, other = ({path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")} for root in roots)
    assert one == other


def test_the_examples_in_the_spec_can_be_read() -> None:
    blocks = re.findall(r"```json\n(.*?)```", SPEC.read_text("utf-8"), re.DOTALL)
    classifier, deleted, purged, alias, removed, job = map(str.encode, blocks)
    for document in (classifier, deleted, purged):
        entry_from_json("tickets", 2, document)
    for document in (alias, removed):
        alias_from_json("tickets", 2, document)
    assert stored_job_from_json("019a1c5e4b2f-7d0c41", 3, job).job.is_finished


def test_the_spec_names_every_field_and_every_kind() -> None:
    spec = SPEC.read_text("utf-8")
    files = [json.loads(path.read_bytes()) for path in NEWEST.rglob("*.json")]
    kinds = {file["kind"] for file in files if "kind" in file}
    words = kinds.union(*map(_fields, files)) - {"more", "bytes", "why"}  # the last ones are facts of an error
    assert {word for word in words if f"`{word}`" not in spec and f'"kind": "{word}"' not in spec} == set()


@pytest.mark.slow
@pytest.mark.parametrize("place", ["classifiers/tickets/000002.json", "aliases/live/000001.json"])
def test_the_command_in_the_spec_computes_the_digest_of_a_document(tmp_path: Path, place: str) -> None:
    commands = commands_of("The digest")
    assert len(commands) == 2
    (tmp_path / "000001.json").write_bytes((NEWEST / place).read_bytes())
    for command in commands:
        assert done(command, tmp_path) == json.loads((NEWEST / place).read_bytes())["sha256"]


BY_LABEL = {"rows_per_label", "correct_per_label", "label_thresholds", "label_descriptions"}
# Of counts, whose members are named by people.
BY_NAME = {"classifiers", "keys"}


def _fields(plain: object) -> set[str]:
    """Return the names of all fields, but not those that stand for something else: labels, libraries and digests."""
    if isinstance(plain, list):
        return set().union(*map(_fields, plain))
    if not isinstance(plain, dict):
        return set()
    inner = (
        list(value.values()) if name in BY_NAME and isinstance(value, dict) else value
        for name, value in plain.items()
        if name not in BY_LABEL | {"versions"}
    )
    return set(plain).union(*map(_fields, inner))


@pytest.mark.slow
def test_the_commands_in_the_spec_compute_the_digest_of_the_training_rows(tmp_path: Path) -> None:
    commands = commands_of("Training rows")
    assert len(commands) == 2
    (blob,) = (NEWEST / "classifiers/tickets/blobs").glob("*.jsonl.gz")
    (tmp_path / "rows.jsonl.gz").write_bytes(blob.read_bytes())
    rows = [{"text": row.text, "label": row.label} for row in ROW_EXAMPLES]
    (tmp_path / "fit.json").write_text(json.dumps({"model_name": "tickets", "training_data": rows}))
    for command in commands:
        assert done(command, tmp_path) == ROWS_SHA256


def commands_of(section: str) -> list[str]:
    """Return the commands in a section of the spec."""
    text = SPEC.read_text("utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def done(command: str, folder: Path) -> str:
    """Return the first word that a command prints in a folder."""
    runnable = command.replace("python3", sys.executable)
    run = subprocess.run(["sh", "-c", runnable], cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout.split()[0]
