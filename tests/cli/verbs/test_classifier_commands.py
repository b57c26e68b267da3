"""list, show, describe, delete and restore, in a terminal and as JSON."""

import re
import sys
from datetime import timedelta

import pytest

from tests.cli.asking import Run, timeless
from tests.toy import Toy
from windrow.cli.formats import estimate_text
from windrow.display.tables import between
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import FitRequest, ModelRequest
from windrow.domain.dataset import Row
from windrow.domain.figures import percent
from windrow.domain.listing import ListRequest
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.prediction import PredictRequest
from windrow.service import classifiers

pytestmark = pytest.mark.usefixtures("trained")


def test_list_shows_a_line_for_each_classifier(ask: Run, toy: Toy) -> None:
    heading, _, first, second = ask("list").lines
    assert heading.split() == ["name", "rev", "labels", "rows", "accuracy", "trained", "(UTC)", "tags"]
    estimate = toy.show(ModelRequest("tickets_v1")).report.estimate
    assert estimate is not None
    estimated = f"~{percent(estimate.accuracy)} ({between(estimate.interval)})"
    assert timeless(first) == f"tickets_v1 1 invoice, refund 4 {estimated} AT live"
    assert second.startswith("tickets_v2 ")


def test_list_and_show_say_which_classifier_gives_any_number_of_labels(ask: Run, toy: Toy) -> None:
    rows = (MultiLabelRow("charged twice", ("billing", "urgent")), MultiLabelRow("thank you", ()))
    toy.fit(FitRequest("mails_v1", rows, num_iterations=0))
    heading, _, first, second, _ = ask("list").lines
    assert heading.split()[:3] == ["name", "kind", "rev"]
    assert first.startswith("mails_v1 multi-label 1 billing, urgent 2 ")
    assert second.startswith("tickets_v1 single-label 1 ")
    assert [one["kind"] for one in ask("list", "--json").document["models"]] == ["multi_label", *["single_label"] * 2]
    assert "kind multi-label" in ask("show", "mails_v1").lines
    assert "kind single-label" in ask("show", "tickets_v1").lines


def test_list_prints_the_document_of_the_http_api(ask: Run) -> None:
    assert [one["name"] for one in ask("list", "--json").document["models"]] == ["tickets_v1", "tickets_v2"]


def test_list_sorts_limits_and_says_that_there_is_more(ask: Run) -> None:
    listed = ask("list", "--sort", "-version", "--limit", "1")
    assert [line.split()[0] for line in listed.lines[2:]] == ["tickets_v2"]
    assert "There are more" in listed.err
    assert ask("list", "--limit", "1", "--json").document["next_cursor"]


def test_a_list_of_nothing_prints_nothing_but_a_remark(ask: Run) -> None:
    nothing = ask("list", "--tag", "dead")
    assert (nothing.code, nothing.out) == (0, "")
    assert nothing.err == "There is no classifier of that kind.\n"


def test_list_shows_when_classifiers_were_used_and_finds_those_that_were_not(ask: Run, toy: Toy) -> None:
    assert ask("list", "--unused", "1d").err == "There is no classifier of that kind.\n"
    toy.predict(PredictRequest(model_name="tickets_v2", text="refund"))
    heading, _, *lines = ask("list").lines
    assert "used (UTC)" in heading
    assert [len(re.findall(r"\d\d:\d\d", line)) for line in lines] == [1, 2]
    for wrong in ("a month", "0d", "91"):
        refused = ask("list", "--unused", wrong)
        assert (refused.code, "--unused" in refused.refusal) == (2, True)


def test_a_list_of_the_unused_says_in_a_narrow_terminal_when_they_were_used(
    ask: Run, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.predict(PredictRequest(model_name="tickets_v2", text="refund"))
    later = toy.show(ModelRequest("tickets_v2")).created_at + timedelta(days=40)
    monkeypatch.setattr(classifiers, "utc_now", lambda: later)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    heading, _, first, second, *_ = ask("list", "--unused", "30d").lines
    assert "used (UTC)" in heading
    assert first.endswith(" -")
    assert re.search(r":\d\d$", second)


def test_list_refuses_an_unknown_order_and_an_empty_selection(ask: Run) -> None:
    unknown = ask("list", "--sort", "colour")
    assert unknown.code == 2
    assert unknown.refusal.startswith("--sort is 'colour', which is no order. Pass one of name, version, ")
    empty = ask("list", "--tag", "")
    assert empty.code == 2
    assert empty.refusal.startswith("--tag is empty.")


def test_list_shows_what_is_deleted(ask: Run) -> None:
    ask("delete", "tickets_v1")
    assert [line.split()[0] for line in ask("list", "--deleted").lines[2:]] == ["tickets_v1"]


def test_show_tells_what_a_person_must_note(ask: Run, toy: Toy) -> None:
    lines = ask("show", "tickets_v1@1").lines
    assert "name tickets_v1" in lines
    assert "description Of the shop." in lines
    estimate = toy.show(ModelRequest("tickets_v1")).report.estimate
    assert estimate is not None
    assert f"estimate {estimate_text(estimate)}, by cross-validation in {estimate.folds} folds" in lines
    assert any(line.startswith("rows 4, kept, SHA-256 ") for line in lines)
    assert "invoice 2 -" in lines


def test_show_prints_the_document_of_the_http_api(ask: Run) -> None:
    assert ask("show", "tickets_v2", "--json").document["revisions"] == [1]


def test_an_unknown_classifier_ends_with_exit_code_3_and_a_hint(ask: Run) -> None:
    missing = ask("show", "tickets_v3")
    assert (missing.code, missing.out) == (3, "")
    assert "tickets_v3" in missing.refusal
    assert "tickets_v2" in missing.refusal


def test_describe_changes_what_is_given_and_nothing_else(ask: Run) -> None:
    assert ask("describe", "tickets_v1", "--tag", "b", "--tag", "a").lines == ["tickets_v1: Of the shop.; tags: a, b"]
    changed = ask("describe", "tickets_v1", "--description", "Old.", "--no-tags", "--json").document
    assert (changed["description"], changed["tags"]) == ("Old.", [])


def test_describe_refuses_to_change_nothing_and_two_things_at_once(ask: Run) -> None:
    assert "Nothing says what to change" in ask("describe", "tickets_v1").refusal
    assert "contradict" in ask("describe", "tickets_v1", "--tag", "a", "--no-tags").refusal


def test_delete_and_restore(ask: Run) -> None:
    deleted = ask("delete", "tickets_v1")
    assert deleted.lines == ["Deleted tickets_v1"]
    assert "`windrow restore tickets_v1`" in deleted.err
    assert ask("restore", "tickets_v1").lines == ["tickets_v1 answers again, by revision 1."]
    assert ask("restore", "tickets_v1").code == 3


def test_delete_and_restore_print_the_documents_of_the_http_api(ask: Run) -> None:
    assert ask("delete", "tickets_v1", "--json").document["status"] == "deleted"
    assert ask("restore", "tickets_v1", "--json").document["status"] == "restored"
    assert ask("delete", "--prefix", "tickets", "--dry-run", "--json").document["status"] == "dry_run"


def test_delete_purges_when_asked_to(ask: Run) -> None:
    purged = ask("delete", "tickets_v1", "--purge")
    assert purged.lines == ["Purged tickets_v1"]
    assert re.fullmatch(r"That freed \d\.\d kB\.\n", purged.err)
    assert ask("restore", "tickets_v1").code == 3


def test_a_selection_is_deleted_only_if_somebody_confirms_it(ask: Run, toy: Toy) -> None:
    asked = ask("delete", "--tag", "live")
    assert asked.code == 2
    assert "Delete 2 classifiers: tickets_v1, tickets_v2? Say --yes" in asked.refusal
    assert len(toy.list_classifiers(ListRequest()).models) == 2
    assert ask("delete", "--tag", "live", "--dry-run").lines == ["Would delete tickets_v1", "Would delete tickets_v2"]
    assert ask("delete", "--tag", "live", "--yes").lines == ["Deleted tickets_v1", "Deleted tickets_v2"]
    assert toy.list_classifiers(ListRequest()).models == ()


def test_delete_needs_either_a_name_or_a_selection(ask: Run) -> None:
    assert ask("delete").refusal.startswith("Name one classifier")
    assert ask("delete", "tickets_v1", "--prefix", "tickets").refusal.startswith("Name one classifier")
    assert "--dry-run is for selections" in ask("delete", "tickets_v1", "--dry-run").refusal


def test_what_an_alias_points_to_is_deleted_by_force_alone(ask: Run, toy: Toy) -> None:
    toy.promote(PromoteRequest("tickets", "tickets_v1"))
    refused = ask("delete", "tickets_v1")
    assert refused.code == 3
    assert "add --force" in refused.refusal
    assert ask("delete", "tickets_v1", "--force").code == 0


@pytest.mark.parametrize("width", [60, 80])
def test_the_list_keeps_names_whole_and_cuts_labels_in_a_narrow_terminal(
    ask: Run, toy: Toy, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    labels = [f"label {number}" for number in range(30)]
    toy.fit(FitRequest("shop_mails_v1", tuple(Row(f"{label} {n}", label) for label in labels for n in "ab")))
    assert "… (30 in all)" in ask("list").out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    lines = ask("list").lines
    assert [line.split()[0] for line in lines[2:5]] == ["shop_mails_v1", "tickets_v1", "tickets_v2"]
    assert len(lines) <= 6
