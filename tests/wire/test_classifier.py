"""The JSON shapes of a classifier, short and whole, to and from the domain."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.records import record
from tests.wire.strategies import any_classifier, any_notes_change, sent, there_and_back
from windrow.domain import classifier as domain
from windrow.domain.classifier import Classifier, ClassifierDetails, Notes, NotesChange, Origin
from windrow.wire.classifier import DescribeBody, ModelDetails, ModelEntry, ModelRecord, RestoreReply

MEASURED = domain.TestScore(
    correct=9,
    total=12,
    data_sha256="e" * 64,
    measured_at=datetime(2025, 10, 1, 8, 0, tzinfo=UTC),
    macro_f1=0.7,
    ece=0.1,
    correct_per_label={"billing": 4, "bug": 5},
    rows_per_label={"billing": 6, "bug": 6},
)
THRESHOLD = domain.Threshold(0.625, 0.95, 8, 8, 12, "e" * 64, datetime(2025, 10, 1, 8, 0, tzinfo=UTC))
CLASSIFIER = Classifier(record(), Notes("Tickets.", ("shop",)), None, None, None, 1_234, keeps_rows=True)


def test_an_entry_begins_with_the_fields_of_the_contract() -> None:
    shown = ModelEntry.of(CLASSIFIER).model_dump()
    assert list(shown)[:5] == ["name", "labels", "base_model", "num_examples", "created_at"]
    assert shown == {
        "name": "tickets_v1",
        "labels": ["billing", "bug"],
        "base_model": "fake/encoder",
        "num_examples": 8,
        "created_at": "2025-09-15T10:30:00Z",
        "revision": 1,
        "description": "Tickets.",
        "tags": ["shop"],
        "test_accuracy": None,
        "size_bytes": 1_234,
        "deleted_at": None,
    }


def test_a_record_holds_everything_that_a_person_must_note_to_train_it_again() -> None:
    shown = ModelRecord.of(CLASSIFIER).model_dump()
    assert {name: shown[name] for name in ("base_model", "base_model_digest", "base_model_revision")} == {
        "base_model": "fake/encoder",
        "base_model_digest": "f" * 64,
        "base_model_revision": None,
    }
    recipe = {name: shown[name] for name in ("num_iterations", "batch_size", "seed", "max_seconds", "cross_validate")}
    assert recipe == {
        "num_iterations": 20,
        "batch_size": 16,
        "seed": 0,
        "max_seconds": None,
        "cross_validate": True,
    }
    assert (shown["training_data_sha256"], shown["rows_per_label"]) == ("d" * 64, {"billing": 4, "bug": 4})
    assert (shown["versions"], shown["training_time_seconds"]) == ({"numpy": "2"}, 0.5)
    assert shown["head"] == {"strength": 4.0, "cv_accuracy": 0.9, "cv_folds": 4}


def test_a_record_says_how_the_classifier_should_do_and_what_its_scores_rest_on() -> None:
    shown = ModelRecord.of(CLASSIFIER).model_dump()
    assert shown["report"] == {
        "duplicate_rows": 1,
        "contradicting_rows": 2,
        "truncated_rows": 3,
        "small_classes": ["bug"],
        "majority_accuracy": 0.5,
        "estimate": {
            "accuracy": 0.875,
            "interval": {"low": 0.38, "high": 1.0},
            "correct": 7,
            "total": 8,
            "folds": 4,
        },
    }
    assert shown["scores"] == {
        "temperature": 1.25,
        "source": "out_of_fold",
        "likeness": 0.62,
        "likeness_deviation": 0.11,
    }


def test_what_could_not_be_estimated_is_null() -> None:
    summary = replace(CLASSIFIER.record.summary, estimate=None, scores=domain.ScoreReport(1.16, "prior", None, None))
    shown = ModelRecord.of(replace(CLASSIFIER, record=replace(CLASSIFIER.record, summary=summary))).model_dump()
    assert shown["report"]["estimate"] is None
    assert shown["scores"] == {
        "temperature": 1.16,
        "source": "prior",
        "likeness": None,
        "likeness_deviation": None,
    }


def test_what_was_never_measured_is_null_and_what_was_is_flat() -> None:
    fields = (
        *("test_accuracy", "test_correct", "test_total", "test_data_sha256", "tested_at", "test_macro_f1", "test_ece"),
        *("test_correct_per_label", "test_rows_per_label", "threshold"),
    )
    unmeasured = ModelRecord.of(CLASSIFIER).model_dump()
    measured = ModelRecord.of(replace(CLASSIFIER, test=MEASURED, threshold=THRESHOLD)).model_dump()
    assert [unmeasured[name] for name in fields] == [None] * 10
    assert [measured[name] for name in fields] == [
        *(0.75, 9, 12, "e" * 64, "2025-10-01T08:00:00Z", 0.7, 0.1),
        *({"billing": 4, "bug": 5}, {"billing": 6, "bug": 6}),
        {
            "abstain_below": 0.625,
            "target_precision": 0.95,
            "precision": 1.0,
            "coverage": 8 / 12,
            "correct": 8,
            "answered": 8,
            "total": 12,
            "test_data_sha256": "e" * 64,
            "measured_at": "2025-10-01T08:00:00Z",
        },
    ]


def test_an_imported_classifier_shows_where_it_was_trained() -> None:
    origin = Origin("other", 3, datetime(2025, 10, 1, 8, 0, tzinfo=UTC))
    shown = ModelRecord.of(replace(CLASSIFIER, origin=origin)).model_dump()
    assert shown["origin"] == {"name": "other", "revision": 3, "imported_at": "2025-10-01T08:00:00Z"}


@settings(deadline=None)
@given(any_classifier)
def test_a_classifier_survives_the_way_out_and_back(classifier: Classifier) -> None:
    assert there_and_back(ModelRecord, classifier) == classifier
    ModelEntry.model_validate_json(sent(ModelEntry.of(classifier)))


@settings(deadline=None)
@given(st.builds(ClassifierDetails, classifier=any_classifier))
def test_details_survive_the_way_out_and_back(details: ClassifierDetails) -> None:
    assert there_and_back(ModelDetails, details) == details


def test_what_is_restored_is_shown_whole() -> None:
    reply = RestoreReply.of(CLASSIFIER)
    assert reply.status == "restored"
    assert there_and_back(RestoreReply, CLASSIFIER) == CLASSIFIER


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ({}, NotesChange()),
        ({"description": None, "tags": None}, NotesChange()),
        ({"description": ""}, NotesChange(description="")),
        ({"tags": []}, NotesChange(tags=())),
        ({"description": "a", "tags": ["b", "a"]}, NotesChange("a", ("b", "a"))),
    ],
)
def test_a_description_changes_only_what_it_names(body: dict[str, object], change: NotesChange) -> None:
    assert DescribeBody.model_validate(body).to_domain() == change


@pytest.mark.parametrize("wrong", [{"tags": "a"}, {"tags": [1]}, {"description": 1}, {"tag": []}])
def test_no_value_is_converted(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DescribeBody.model_validate(wrong)


@settings(deadline=None)
@given(any_notes_change)
def test_a_change_of_notes_survives_the_way_there(change: NotesChange) -> None:
    assert there_and_back(DescribeBody, change) == change
