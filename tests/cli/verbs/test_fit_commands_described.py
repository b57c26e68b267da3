"""Fits that describe their labels, in a terminal: without a file of rows, with few rows, and what is shown of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.cli.verbs.scripted import Scripted

BILLING, BUG = "billing=Money: invoices, refunds", "bug=Something is broken"


@pytest.fixture
def toy() -> Iterator[Scripted]:
    toy = Scripted()
    yield toy
    toy.close()


def test_a_fit_without_a_file_needs_two_described_labels(ask: Run, toy: Scripted) -> None:
    toy.start_fit = super(Scripted, toy).start_fit  # type: ignore[method-assign]
    refused = ask("fit", "tickets_v1")
    assert refused.code == 2
    assert "Pass FILE with labelled rows, or --label-description with what each label means" in refused.refusal
    refused = ask("fit", "tickets_v1", "--label-description", BUG)
    assert "There is no labelled row, and --label-description has 1 label;" in refused.refusal
    assert refused.refusal.endswith("Describe another label, or pass FILE.")


def test_a_fit_without_a_file_answers_and_warns(ask: Run, toy: Scripted) -> None:
    fitted = ask("fit", "tickets_v1", "--label-description", BILLING, "--label-description", BUG)
    assert fitted.code == 0, fitted.err
    assert re.match(r"tickets_v1, revision 1, answers: 2 labels, 0 rows, in ", fitted.lines[0])
    assert "It has seen no labelled row" in fitted.err
    shown = ask("show", "tickets_v1")
    assert re.search(r"^source +names and descriptions of its labels alone *$", shown.out, re.MULTILINE)
    assert "Money: invoices, refunds" in shown.out
    assert "recipe" not in shown.out
    record = json.loads(ask("show", "tickets_v1", "--json").out)
    assert (record["source"], record["label_descriptions"]["bug"]) == ("zero_shot", "Something is broken")


def test_a_fit_without_a_file_gives_any_number_of_labels_by_an_option(ask: Run, toy: Scripted, rows_file: Path) -> None:
    described = ("--label-description", BILLING, "--label-description", BUG)
    fitted = ask("fit", "tickets_v1", *described, "--multi-label", "--json")
    assert fitted.code == 0, fitted.err
    assert json.loads(fitted.out)["kind"] == "multi_label"
    refused = ask("fit", "tickets_v1", rows_file, "--multi-label")
    assert refused.refusal.startswith("--multi-label says that a text has any number of labels")


def test_a_fit_with_few_rows_takes_descriptions_from_a_file(ask: Run, toy: Scripted, tmp_path: Path) -> None:
    rows, described = tmp_path / "rows.csv", tmp_path / "labels.json"
    rows.write_text("text,label\ncharged twice,billing\nit crashed,bug\n")
    described.write_text('{"billing": "Money"}')
    fitted = ask("fit", "tickets_v1", rows, "--label-descriptions", described, "--num-iterations", "0", "--json")
    assert fitted.code == 0, fitted.err
    made = json.loads(fitted.out)
    assert (made["source"], made["label_descriptions"]) == ("examples", {"billing": "Money"})


def test_a_label_without_a_row_is_refused_by_the_name_of_the_option(ask: Run, toy: Scripted, rows_file: Path) -> None:
    toy.start_fit = super(Scripted, toy).start_fit  # type: ignore[method-assign]
    refused = ask("fit", "tickets_v1", rows_file, "--label-description", "none=of them")
    assert (refused.code, refused.refusal.startswith("--label-description describes 1 label")) == (2, True)
