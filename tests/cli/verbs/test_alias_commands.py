"""promote, rollback, aliases and history, in a terminal and as JSON."""

import json
from pathlib import Path

import pytest

from tests.cli.asking import Run, timeless
from tests.toy import Toy
from windrow.domain.alias import PromoteRequest
from windrow.domain.caller import Caller, calling

pytestmark = pytest.mark.usefixtures("trained")


def test_promote_points_an_alias_at_a_classifier(ask: Run, toy: Toy) -> None:
    assert ask("promote", "tickets", "tickets_v1").lines == ["tickets now points to tickets_v1."]
    promoted = ask("promote", "tickets", "tickets_v2", "--reason", "Better.", "--author", "ana", "--json").document
    assert (promoted["points_to"], promoted["reason"], promoted["author"]) == ("tickets_v2", "Better.", "ana")


def test_promote_says_which_conditions_are_met(ask: Run, rows_file: Path) -> None:
    ask("promote", "tickets", "tickets_v1")
    promoted = ask(
        "promote", "tickets", "tickets_v2", "--test-data", rows_file, "--not-worse", "--min-recall", "refund=0.9"
    )
    *met, last = promoted.lines
    assert len(met) == 2
    assert all(line.startswith("met: ") for line in met)
    assert last == "tickets now points to tickets_v2."


def test_a_refused_promotion_shows_each_check_and_the_failed_rows_and_ends_with_1(ask: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "must.csv"
    wrong.write_text("text,label\nI want my money back,invoice\n")
    refused = ask("promote", "tickets", "tickets_v1", "--must-pass", wrong)
    assert refused.code == 1
    assert refused.out.startswith("NOT MET: ")
    assert "I want my money back" in refused.out
    assert refused.refusal.startswith(
        "tickets_v1 was not promoted, and the alias tickets stays as it is. Train another"
    )
    assert f"{refused.out}{refused.err}".count("rows that must be placed right") == 1
    as_json = ask("promote", "tickets", "tickets_v1", "--must-pass", wrong, "--json")
    assert as_json.code == 1
    assert json.loads(as_json.out)["failed_rows"][0]["label"] == "invoice"
    assert ask("aliases").out == ""


def test_rows_that_an_alias_keeps_are_named_with_it_until_a_file_without_any(
    ask: Run, rows_file: Path, tmp_path: Path
) -> None:
    ask("promote", "tickets", "tickets_v1", "--keep-must-pass", rows_file)
    assert "4 rows must pass" in ask("aliases").out
    none = tmp_path / "none.json"
    none.write_text("[]")
    assert ask("promote", "tickets", "tickets_v1", "--keep-must-pass", none).code == 0
    assert "must pass" not in ask("aliases").out


@pytest.mark.parametrize("said", ["refund", "refund=often", "refund=1.5", "=0.5", "refund=nan"])
def test_a_recall_that_is_no_label_and_share_is_refused(ask: Run, said: str) -> None:
    refused = ask("promote", "tickets", "tickets_v1", "--min-recall", said)
    assert refused.code == 2
    assert "--min-recall refund=0.9" in refused.refusal


def test_rollback_points_back(ask: Run) -> None:
    ask("promote", "tickets", "tickets_v1")
    assert ask("rollback", "tickets").code == 3
    ask("promote", "tickets", "tickets_v2")
    assert ask("rollback", "tickets", "--reason", "Worse.").lines == ["tickets points to tickets_v1 again."]
    ask("promote", "tickets", "tickets_v2")
    assert ask("rollback", "tickets", "--json").document["status"] == "rolled_back"


def test_aliases_lists_and_takes_away(ask: Run) -> None:
    ask("promote", "tickets", "tickets_v1", "--author", "ana", "--reason", "First.")
    assert timeless(ask("aliases").lines[-1]) == "tickets tickets_v1 AT ana First."
    assert ask("aliases", "--json").document["aliases"][0]["alias"] == "tickets"
    assert ask("aliases", "--remove", "tickets").lines == ["Took tickets away. What it pointed to stays."]
    nothing = ask("aliases")
    assert (nothing.code, nothing.out) == (0, "")
    assert ask("aliases", "--remove", "tickets").code == 3
    ask("promote", "tickets", "tickets_v1")
    assert ask("aliases", "--remove", "tickets", "--json").document == {"status": "deleted", "alias": "tickets"}


def test_a_reason_without_a_change_is_refused(ask: Run) -> None:
    assert ask("aliases", "--reason", "Why not").code == 2


def test_history_shows_every_change(ask: Run) -> None:
    ask("promote", "tickets", "tickets_v1")
    ask("promote", "tickets", "tickets_v2", "--author", "ana")
    ask("rollback", "tickets")
    changes = ask("history", "tickets").lines[2:]
    assert [line.split(" ", 4)[3] for line in changes] == ["promoted", "promoted", "rolled"]
    assert timeless(changes[1]) == "2 AT promoted tickets_v1 tickets_v2 ana"
    assert [one["points_to"] for one in ask("history", "tickets", "--json").document["changes"]] == [
        "tickets_v1",
        "tickets_v2",
        "tickets_v1",
    ]
    assert ask("history", "nothing").code == 3


def test_the_key_that_acted_has_a_column_where_there_was_one(ask: Run, toy: Toy) -> None:
    ask("promote", "tickets", "tickets_v1")
    assert "key" not in ask("history", "tickets").lines[0].split()
    with calling(Caller("deploy")):
        toy.promote(PromoteRequest("tickets", "tickets_v2"))
    assert [line.split()[-1] for line in ask("history", "tickets").lines[2:]] == ["-", "deploy"]
    assert timeless(ask("aliases").lines[2]) == "tickets tickets_v2 AT deploy"
