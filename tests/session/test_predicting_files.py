"""Whole files from Python."""

import csv
from pathlib import Path

import pytest

from windrow.domain.errors import InvalidParameter
from windrow.domain.file_prediction import FileProgress
from windrow.session.session import Session


def test_files_are_predicted_by_plain_arguments(session: Session, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nmoney\nreceipt\nmoney\n")
    name, told = session.models()[0].name, list[FileProgress]()
    report = session.predict_files(
        model_name=name, input=f"{tmp_path}/*.csv", output=f"{tmp_path}/out", shard_rows=2, on_progress=told.append
    )
    assert (report.rows, report.shards, report.model_name) == (3, 2, name)
    assert {progress.stage for progress in told} == {"planning", "predicting"}
    found = [
        row["text"]
        for path in sorted((tmp_path / "out").glob("part-*"))
        for row in csv.DictReader(path.read_text().splitlines())
    ]
    assert found == ["money", "receipt", "money"]


def test_wrong_arguments_are_refused_in_the_words_of_python(session: Session, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="shard_rows is 0"):
        session.predict_files(model_name="a", input="a.csv", output=str(tmp_path), shard_rows=0)
    with pytest.raises(TypeError, match="shards"):
        session.predict_files(model_name="a", input="a.csv", output=str(tmp_path), shards=0)  # type: ignore[call-arg]
