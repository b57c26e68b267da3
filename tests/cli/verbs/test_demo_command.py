"""The demo: its tickets, its steps, and that it says what comes of them."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.asking import Run, run
from tests.cli.conftest import Client
from tests.toy import Toy
from windrow.cli.verbs.demo_command import ALIAS, FIRST, SECOND, demo_rows
from windrow.domain.alias import AliasRequest
from windrow.domain.classifier import ModelRequest
from windrow.domain.comparison import CompareRequest, Comparison, Recommendation
from windrow.domain.data_warnings import find_data_warnings, find_test_warnings
from windrow.domain.dataset import Dataset
from windrow.domain.multi_label_comparison import MultiLabelComparison
from windrow.domain.overlap import find_overlap
from windrow.files.reading import read_rows
from windrow.settings import Settings


def test_the_tickets_have_four_labels_with_as_many_rows_each() -> None:
    rows = demo_rows()
    for part, count in ((rows.first, 6), (rows.second, 12), (rows.test, 10)):
        assert set(Counter(row.label for row in part).values()) == {count}
        assert len({row.label for row in part}) == 4
    assert rows.second[: len(rows.first)] == rows.first
    assert len(rows.new) == 2


def test_nothing_is_odd_about_the_tickets_and_none_is_tested_by_what_was_learnt() -> None:
    rows = demo_rows()
    assert find_data_warnings(Dataset(rows.first)) == find_data_warnings(Dataset(rows.second)) == ()
    assert find_test_warnings(Dataset(rows.test)) == ()
    tests = [*(row.text for row in rows.test), *rows.new]
    assert find_overlap(tests, [row.text for row in rows.second]) == ([], [])


def test_each_step_is_told_with_the_command_that_does_it(ask: Run, toy: Toy) -> None:
    commands = [line.removeprefix("$ ") for line in ask("demo").lines if line.startswith("$ ")]
    where = "--url http://shop.example"
    best = toy.list_aliases().aliases[0].model_name
    assert commands[:5] == [
        f"windrow fit {FIRST} demo_first.csv {where}",
        f"windrow fit {SECOND} demo_second.csv {where}",
        f"windrow evaluate {FIRST} --test-data demo_test.csv {where}",
        f"windrow compare {FIRST} {SECOND} --test-data demo_test.csv {where}",
        f"windrow promote {ALIAS} {best} {where}",
    ]
    assert [command.split(" '")[0] for command in commands[5:]] == [f"windrow predict {ALIAS} --text"] * 2


def test_the_password_of_a_server_is_not_shown(
    ask: Run, toy: Toy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("windrow.cli.connect.open_server", lambda url, api_key: Client(toy, []))
    ended = run(monkeypatch, capsys, "demo", "--url", "http://ana:p@ss@shop.example:8/x/")
    assert ended.code == 0
    assert "ana:" not in ended.out + ended.err
    assert "ss@" not in ended.out + ended.err
    assert "--url http://shop.example:8/x" in ended.out


def test_it_works_twice_in_a_row(ask: Run, toy: Toy) -> None:
    assert ask("demo").code == ask("demo").code == 0
    assert toy.show(ModelRequest(SECOND)).revisions == (1, 2)


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_it_promotes_what_the_comparison_recommends_whichever_that_is(
    ask: Run, toy: Toy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    compare = toy.compare

    def recommend(request: CompareRequest) -> Comparison | MultiLabelComparison:
        return replace(compare(request), recommendation=Recommendation(name, f"It is {name}."))

    monkeypatch.setattr(toy, "compare", recommend)
    lines = ask("demo").lines
    assert f"It is {name}." in lines
    assert f"{ALIAS} points to {name}." in lines
    assert toy.alias_history(AliasRequest(ALIAS)).changes[0].reason == f"It is {name}."


@pytest.mark.parametrize(("p_value", "is_told"), [(0.0005, True), (0.5, False)])
def test_that_few_rows_show_a_large_difference_is_no_contradiction(
    ask: Run, toy: Toy, monkeypatch: pytest.MonkeyPatch, p_value: float, is_told: bool
) -> None:
    compare = toy.compare

    def differ(request: CompareRequest) -> Comparison:
        comparison = compare(request)
        assert isinstance(comparison, Comparison)
        return replace(comparison, pairs=(replace(comparison.pairs[0], p_value=p_value),))

    monkeypatch.setattr(toy, "compare", differ)
    out = " ".join(ask("demo").out.split())
    assert "Warning: 40 rows say little" in out
    told = "where the difference is as large as here. How good it is, they show only roughly: Warning: 40 rows"
    assert (told in out) is is_told


def test_as_json_it_prints_the_comparison_and_tells_the_rest_beside_it(ask: Run) -> None:
    ended = ask("demo", "--json")
    assert [each["reference"] for each in ended.document["models"]] == [FIRST, SECOND]
    assert "$ windrow promote" in ended.err


def test_without_a_place_it_leaves_nothing_behind_and_says_how_to_keep_it(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folders: list[Path] = []

    def open_directory(settings: Settings) -> Toy:
        folders.append(settings.local_dir)
        (settings.local_dir / "classifiers").mkdir()
        return toy

    monkeypatch.setenv("WINDROW_URL", "http://shop.example")
    monkeypatch.setattr("windrow.cli.connect.open_directory", open_directory)
    monkeypatch.chdir(tmp_path)
    ended = run(monkeypatch, capsys, "demo")
    assert ended.code == 0
    assert ended.lines[-1] == "$ windrow demo --data-dir windrow-data --rows-to ."
    assert "--data-dir" not in " ".join(ended.lines[:-1])
    assert [folder.exists() for folder in folders] == [False]
    assert list(tmp_path.iterdir()) == []


def test_the_tickets_can_be_had_as_files_for_the_commands(ask: Run, tmp_path: Path) -> None:
    for _ in range(2):
        assert ask("demo", "--rows-to", tmp_path / "rows").code == 0
    read = {path.name: len(list(read_rows(path))) for path in (tmp_path / "rows").iterdir()}
    assert read == {"demo_first.csv": 24, "demo_second.csv": 48, "demo_test.csv": 40}


def test_a_file_of_somebody_else_is_left_as_it_is(ask: Run, tmp_path: Path) -> None:
    mine = tmp_path / "demo_test.csv"
    with mine.open("w", newline="") as file:
        csv.writer(file).writerow(["mine"])
    refused = ask("demo", "--rows-to", tmp_path)
    assert refused.code == 2
    assert "holds something else already" in refused.refusal
    assert mine.read_text().strip() == "mine"
