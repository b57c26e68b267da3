import pandas as pd
import pytest

from tests.fakes.operations import FakeOperations
from windrow.domain.errors import ClassifierExists, InvalidTrainingData, JobNotFound
from windrow.domain.job import Progress
from windrow.domain.recipe import Recipe
from windrow.session.session import Session

TEXTS = ["money back", "my money please", "cannot sign in", "sign in fails"]
LABELS = ["refund", "refund", "login", "login"]


def test_a_fit_takes_its_rows_recipe_and_notes(session: Session) -> None:
    result = session.fit(
        "tickets_v2",
        pd.DataFrame({"text": TEXTS, "label": LABELS}),
        num_iterations=0,
        seed=7,
        description="by hand",
        tags=["b", "a"],
    )
    record = result.classifier.record
    assert (record.num_examples, record.recipe) == (4, Recipe(num_iterations=0, seed=7))
    assert (result.classifier.notes.description, result.classifier.notes.tags) == ("by hand", ("a", "b"))
    assert result.next_name == "tickets_v3"


def test_a_name_is_kept_from_being_overwritten(session: Session) -> None:
    with pytest.raises(ClassifierExists):
        session.fit("tickets_v1", TEXTS, LABELS, overwrite=False)


def test_a_fit_tells_how_far_it_is(session: Session) -> None:
    seen: list[Progress] = []
    session.fit("tickets_v2", TEXTS, LABELS, on_progress=seen.append, num_iterations=1)
    assert any(progress.stage == "training" for progress in seen)


def test_a_bad_row_is_named(session: Session) -> None:
    with pytest.raises(InvalidTrainingData, match=r"training_data\[1\].label is missing"):
        session.start_fit("tickets_v2", TEXTS, ["refund", None, "login", "login"])


def test_a_started_fit_is_followed_to_its_end_and_listed(session: Session) -> None:
    job = session.start_fit("tickets_v2", TEXTS, LABELS, num_iterations=0)
    *_, last = session.follow_job(job.id)
    assert (last.state, last.model_name) == ("succeeded", "tickets_v2")
    assert session.job(job.id) == last
    assert session.jobs(limit=1)[0].id == job.id


def test_a_job_that_does_not_exist_is_not_found(session: Session) -> None:
    with pytest.raises(JobNotFound):
        session.cancel_job("nonsense")


def test_a_forecast_begins_nothing(session: Session, operations: FakeOperations) -> None:
    assert session.forecast("tickets_v2", TEXTS, LABELS).num_examples == 4
    assert [each.record.name for each in session.models().classifiers] == ["tickets_v1"]


def test_a_training_is_judged_and_repeated(session: Session) -> None:
    assert session.cross_validate(TEXTS, LABELS, folds=2, num_iterations=0).folds == 2
    assert session.reproduce("tickets_v1").verdict == "identical weights"
    with pytest.raises(TypeError, match="overwrite"):
        session.cross_validate(TEXTS, LABELS, overwrite=True)  # type: ignore[call-arg]
