"""A file is inspected in Python by its path, its bytes or as it is, with options that say how to read it."""

import asyncio
import gzip
import io
import json
import pydoc
from pathlib import Path

import pytest

import windrow
from tests.client.serving import serving
from tests.files.formats import azure_samples
from tests.toy import Toy
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.inspection import Inspection
from windrow.session.async_client import AsyncClient
from windrow.session.inspecting import AnyFile
from windrow.session.reply_warnings import WindrowWarning
from windrow.session.session import Session

PROJECT = azure_samples.project(
    "CustomSingleLabelClassification",
    [
        azure_samples.document("ticket1.txt", "Train", **{"class": {"category": "billing"}}),
        azure_samples.document("more/ticket3.txt", "Test", **{"class": {"category": "technical"}}),
    ],
)
CSV = b"Subject,Body,Team\n" + b"Hi,I was charged,billing\nHo,It crashes,technical\n" * 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mails.csv"
    path.write_bytes(CSV)
    return path


@pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")
def test_a_file_is_given_by_its_path_its_bytes_or_open(session: Session, path: Path) -> None:
    found = session.inspect(path)
    assert isinstance(found, windrow.Inspection)
    assert (found.text_columns, found.label_column, len(found)) == (("Body",), "Team", 8)
    with path.open("rb") as opened:
        others: list[AnyFile] = [str(path), CSV, io.BytesIO(CSV), opened]
        assert [session.inspect(each, filename="mails.csv") for each in others] == [found] * 4
    packed = path.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(CSV))
    assert session.inspect(packed) == found


@pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")
def test_options_say_how_to_read_it(session: Session, path: Path) -> None:
    found = session.inspect(path, text_column=["Subject", "Body"], label_column="Team", include_values=True)
    assert (found[0].text, found[0].values) == (
        "Hi\n\nI was charged",
        {"Subject": "Hi", "Body": "I was charged", "Team": "billing"},
    )
    assert session.inspect(path, text_column="Subject,Body").text_columns == ("Subject", "Body")
    assert session.inspect(path, header=False).questions[0].parameter == "text_column"
    assert session.inspect(path, format="txt").num_rows == 9


def test_its_rows_can_be_trained_on(session: Session, path: Path) -> None:
    with pytest.warns(WindrowWarning, match="repeat an earlier row"):
        found = session.inspect(path)
    with pytest.warns(WindrowWarning):
        session.fit("mails_v1", [row.text for row in found], [row.label for row in found], num_iterations=0)
    assert session.show("mails_v1").training_data_sha256 == found.sha256


def test_what_cannot_be_read_is_refused_in_the_words_of_python(session: Session, path: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match=r"There is no file .*\. Check its name"):
        session.inspect(tmp_path / "none.csv")
    with pytest.raises(InvalidFile, match=r"format=tsv"):
        session.inspect(b"a\tb\n", filename="a.txt")
    with pytest.raises(InvalidParameter, match="format is none of csv"):
        session.inspect(path, format="xls")  # type: ignore[arg-type]
    with pytest.raises(InvalidParameter, match="format is 5; it must be a string"):
        session.inspect(path, format=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="text_columns"):
        session.inspect(path, text_columns="Body")  # type: ignore[call-arg]


def test_help_shows_each_option(session: Session) -> None:
    shown = pydoc.plain(pydoc.render_doc(session.inspect))
    flags = ("header: bool | None = None", "include_values: bool = False", "labelled: bool = True")
    for option in ("text_column: str | ", *flags):
        assert option in shown


@pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")
def test_an_asynchronous_client_finds_the_same(session: Session, toy: Toy, path: Path) -> None:
    async def inspect(url: str) -> list[Inspection]:
        async with AsyncClient(url) as client:
            files: list[AnyFile] = [path, CSV, io.BytesIO(CSV)]
            return [await client.inspect(file, filename="mails.csv") for file in files]

    with serving(toy, toy.settings) as url:
        assert asyncio.run(inspect(url)) == [session.inspect(path)] * 3


@pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")
def test_a_project_of_azure_is_inspected_with_the_texts_beside_its_file(session: Session, tmp_path: Path) -> None:
    project = tmp_path / "tickets.json"
    project.write_text(json.dumps(PROJECT), encoding="utf-8")
    with pytest.raises(InvalidFile, match="put them beside its JSON file"):
        session.inspect(project)
    (tmp_path / "more").mkdir()
    for name, text in azure_samples.TEXTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "unrelated.json").write_text("no JSON", encoding="utf-8")
    found = session.inspect(project)
    assert (found.format, [row.text for row in found]) == ("azure", ["The invoice is wrong", "I was charged twice"])
    assert found.rows_per_split == {"train": 1, "test": 1}
