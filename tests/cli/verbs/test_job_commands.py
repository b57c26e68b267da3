"""jobs: list, show, watch and cancel, in a terminal and as JSON."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.cli.verbs.scripted import ID, PROBLEM, Scripted
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row


@pytest.fixture
def toy() -> Iterator[Scripted]:
    toy = Scripted()
    yield toy
    toy.close()


@pytest.fixture
def begun(toy: Scripted) -> Scripted:
    """A fake with a job that waits."""
    toy.start_fit(FitRequest("tickets_v1", (Row("money back", "refund"), Row("the bill", "invoice")), num_iterations=0))
    return toy


def test_jobs_alone_lists_them_and_so_does_list(ask: Run, begun: Scripted) -> None:
    listed = ask("jobs").lines
    assert listed[-1] == f"{ID} queued tickets_v1 2 2025-09-15 10:30:00 1 training before it"
    assert ask("jobs", "list").lines == listed
    assert ask("jobs", "--json").document == ask("jobs", "list", "--json").document
    assert ask("jobs", "list", "--json").document["jobs"][0]["state"] == "queued"


def test_an_id_alone_shows_the_job(ask: Run, begun: Scripted) -> None:
    assert ask("jobs", ID, "--json").document == ask("jobs", "show", ID, "--json").document
    assert ask("jobs", "wacth").refusal.startswith("No such command 'wacth'.")


def test_the_list_says_how_a_job_failed_in_few_words_and_show_in_a_sentence(ask: Run, begun: Scripted) -> None:
    begun.problem = PROBLEM
    ask("jobs", "watch", ID)
    assert ask("jobs").lines[-1].endswith(" training failed")
    assert PROBLEM.detail in ask("jobs", "show", ID).out


@pytest.mark.parametrize("width", [60, 80])
def test_a_job_takes_one_line_in_a_narrow_terminal(
    ask: Run, begun: Scripted, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    ask("jobs", "cancel", ID)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    lines = ask("jobs").lines
    assert lines[2].startswith(f"{ID} cancelled tickets_v1")
    assert len(lines) <= 4


def test_no_jobs_are_a_remark(ask: Run) -> None:
    nothing = ask("jobs", "list")
    assert (nothing.code, nothing.out) == (0, "")
    assert nothing.err.startswith("There is no job yet.")


def test_options_before_a_verb_of_jobs_are_refused_rather_than_ignored(
    begun: Scripted, ask: Run, tmp_path: Path
) -> None:
    refused = ask("jobs", "--data-dir", tmp_path, "list")
    assert refused.code == 2
    assert "`windrow jobs list --url …`" in refused.refusal


def test_show_tells_everything_about_one(ask: Run, begun: Scripted) -> None:
    lines = ask("jobs", "show", ID).lines
    assert {f"job {ID}", "state queued", "classifier tickets_v1"} <= set(lines)
    assert ask("jobs", "show", ID, "--json").document["model_name"] == "tickets_v1"
    assert ask("jobs", "show", "none").code == 3


def test_watch_ends_with_the_job(ask: Run, begun: Scripted) -> None:
    watched = ask("jobs", "watch", ID)
    assert watched.code == 0
    assert "state succeeded" in watched.lines
    assert "revision 1" in watched.lines


def test_watch_of_a_failure_ends_as_the_fit_would(ask: Run, begun: Scripted) -> None:
    begun.problem = PROBLEM
    watched = ask("jobs", "watch", ID)
    assert watched.code == 5
    assert PROBLEM.detail in watched.out


def test_ctrl_c_ends_the_watching_and_not_the_training(ask: Run, begun: Scripted) -> None:
    begun.interrupted = True
    stopped = ask("jobs", "watch", ID)
    assert stopped.code == 130
    assert stopped.refusal == "stopped; the training goes on."
    assert begun.cancelled == []


def test_cancel_stops_one(ask: Run, begun: Scripted) -> None:
    assert "state cancelled" in ask("jobs", "cancel", ID).lines
    assert ask("jobs", "cancel", ID, "--json").document["state"] == "cancelled"
    begun.is_over = True
    assert ask("jobs", "cancel", ID).code == 3
