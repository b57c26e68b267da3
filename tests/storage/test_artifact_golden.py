"""Every released format stays readable, and the format does not change by accident."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.storage.examples import ROW_EXAMPLES
from tests.storage.make_golden import ARTIFACTS, golden_record, make_golden
from windrow.domain.dataset import data_sha256
from windrow.domain.errors import ClassifierNotFound
from windrow.storage.artifact import ARTIFACT, FORMAT, ROWS, artifact_from_bytes, revision_from_json, rows_from_blob
from windrow.storage.catalog import Catalog
from windrow.storage.files import LocalFiles

GOLDEN = Path(__file__).parent / "golden"
SPEC = Path(__file__).parents[2] / "docs" / "format.md"
FORMATS = range(1, FORMAT + 1)


@pytest.mark.parametrize("number", FORMATS)
def test_a_released_format_stays_readable(number: int) -> None:
    catalog = Catalog(LocalFiles(GOLDEN / f"format-{number}"))
    (entry,) = catalog.live()
    assert entry.record == golden_record("tickets", 2)
    assert rows_from_blob(catalog.read_blob("tickets", entry.blobs[ROWS])) == ROW_EXAMPLES
    read = artifact_from_bytes(catalog.read_blob("tickets", entry.blobs[ARTIFACT]))
    np.testing.assert_array_equal(read.head.weights, ARTIFACTS[1].head.weights, strict=True)
    np.testing.assert_array_equal(read.head.bias, ARTIFACTS[1].head.bias, strict=True)
    assert (read.adapter or {}).keys() == (ARTIFACTS[1].adapter or {}).keys()
    for name, tensor in (ARTIFACTS[1].adapter or {}).items():
        np.testing.assert_array_equal((read.adapter or {})[name], tensor, strict=True)


@pytest.mark.parametrize("number", FORMATS)
def test_a_deletion_of_a_released_format_stays_one(number: int) -> None:
    with pytest.raises(ClassifierNotFound):
        Catalog(LocalFiles(GOLDEN / f"format-{number}")).current("gone")


@pytest.mark.parametrize("number", FORMATS)
def test_every_numbered_file_of_a_released_format_can_be_read(number: int) -> None:
    paths = sorted((GOLDEN / f"format-{number}").rglob("*.json"))
    assert len(paths) == 4
    for path in paths:
        revision_from_json(path.read_bytes())


def test_what_is_written_today_has_the_golden_form(tmp_path: Path) -> None:
    make_golden(tmp_path)
    for golden in (GOLDEN / f"format-{FORMAT}").rglob("*.json"):
        kept, written = (
            json.loads(path.read_bytes())
            for path in (golden, tmp_path / golden.relative_to(GOLDEN / f"format-{FORMAT}"))
        )
        for plain in (kept, written):  # how well gzip packs differs from one zlib to the next
            plain.get("blobs", {}).pop(ROWS, None)
        assert written == kept, "the format changed: docs/format.md says what to do"


def test_the_example_in_the_spec_is_a_revision() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", SPEC.read_text(), re.DOTALL)
    revision_from_json(example.encode())


def test_the_spec_names_every_field_of_a_record() -> None:
    spec = SPEC.read_text()
    golden = json.loads((GOLDEN / f"format-{FORMAT}/classifiers/tickets/000002.json").read_bytes())
    record, adapter = golden["record"], golden["record"]["summary"]["adapter"]
    parts = (golden, record, record["base_model"], record["recipe"], record["summary"], record["summary"]["head"])
    for part in (*parts, adapter, adapter["candidates"][0], golden["blobs"][ROWS]):
        for field in part:
            assert f"`{field}`" in spec, field


def test_the_commands_in_the_spec_compute_the_digest_of_the_training_rows(tmp_path: Path) -> None:
    commands = re.findall(
        r"```sh\n(.*?)```", SPEC.read_text().split("## Training rows")[1].split("\n## ")[0], re.DOTALL
    )
    assert len(commands) == 2
    (blob,) = (GOLDEN / f"format-{FORMAT}/classifiers/tickets/blobs").glob("*.jsonl.gz")
    (tmp_path / "rows.jsonl.gz").write_bytes(blob.read_bytes())
    rows = [{"text": row.text, "label": row.label} for row in ROW_EXAMPLES]
    (tmp_path / "fit.json").write_text(json.dumps({"model_name": "tickets", "training_data": rows}))
    for command in commands:
        runnable = command.replace("python3", sys.executable)
        done = subprocess.run(["sh", "-c", runnable], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.split()[0] == data_sha256(ROW_EXAMPLES)
