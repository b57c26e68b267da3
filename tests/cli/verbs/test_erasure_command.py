"""forget, in a terminal and as JSON."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.toy import Toy
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row

SECRET = "Ana of 5 Oak Street was charged"
ROWS = (Row("I was charged twice", "billing"), Row("The app crashes", "technical"), Row(SECRET, "billing"))


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A file with the text that is to be forgotten."""
    path = tmp_path / "forget.txt"
    path.write_text(f"{SECRET}\n")
    return path


@pytest.fixture(autouse=True)
def learned(trained: Toy) -> Toy:
    """The product, of which a classifier has learned the text."""
    trained.fit(FitRequest("mails_v1", ROWS))
    trained.promote(PromoteRequest("mails", "mails_v1", must_pass=ROWS[2:]))
    return trained


def test_what_is_found_is_told_and_stays(ask: Run, texts: Path) -> None:
    found = ask("forget", "--text-file", texts)
    assert found.code == 1
    assert found.out.splitlines() == [
        "mails_v1@1 (answers, alias mails) learned from 1 such row: nothing was removed.",
        "The alias mails keeps 1 such row: nothing was removed.",
    ]
    assert ask("forget", "--text-file", texts).out == found.out


def test_rows_are_removed(ask: Run, texts: Path) -> None:
    removed = ask("forget", "--text-file", texts, "--remove-rows")
    assert removed.code == 0
    assert "mails_v1@1 (answers, alias mails) learned from 1 such row: the rows are removed." in removed.lines
    assert ask("forget", "--text-file", texts).lines == ["No kept row has such a text."]
    assert ask("show", "mails_v1", "--json").document["training_data_erased"] is True
    assert any(" some erased, " in line for line in ask("show", "mails_v1").lines)


def test_what_is_in_use_is_purged_by_force_alone(ask: Run, texts: Path) -> None:
    kept = ask("forget", "--text-file", texts, "--purge")
    assert kept.code == 1
    assert "it is in use, so it stays" in kept.out
    purged = ask("forget", "--text-file", texts, "--purge", "--force", "--json")
    assert purged.code == 0
    assert [each["status"] for each in json.loads(purged.out)["revisions"]] == ["purged"]
    assert ask("show", "mails_v1").code == 3


def test_a_digest_stands_for_a_text_and_rows_that_are_not_kept_are_named(ask: Run, learned: Toy) -> None:
    learned.keeps_rows = False
    learned.fit(FitRequest("unkept_v1", ROWS))
    found = ask("forget", "--text-sha256", hashlib.sha256(SECRET.encode()).hexdigest())
    assert "The rows of these are not kept, so nobody knows: unkept_v1@1." in found.out
    assert found.out.startswith("mails_v1@1")


def test_nothing_to_look_for_is_told_with_the_options(ask: Run) -> None:
    assert "Add --text-file FILE or --text-sha256 HEX" in ask("forget").refusal


@pytest.mark.parametrize(
    "arguments", [("--text-sha256", "abc"), ("--text-sha256", "0" * 64, "--purge", "--remove-rows")]
)
def test_what_is_not_clear_is_refused(ask: Run, arguments: tuple[str, ...]) -> None:
    assert ask("forget", *arguments).code == 2


def test_trainings_that_may_still_keep_rows_are_named(
    ask: Run, texts: Path, learned: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, job_id = learned.forget, "01a22652875a-287a1e"
    monkeypatch.setattr(learned, "forget", lambda request: replace(real(request), unsearched_jobs=(job_id,)))
    removed = ask("forget", "--text-file", texts, "--remove-rows")
    assert removed.code == 1
    assert removed.out.splitlines()[-1] == (
        "1 training has such rows, or may have them, and would keep them at the end, whatever is removed now: "
        f"{job_id}. Look again then."
    )
