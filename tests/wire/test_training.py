"""The JSON shapes of a training, to and from the domain."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.fakes.operations import FakeOperations
from tests.wire.strategies import any_fit, there_and_back
from windrow.domain.classifier import FitRequest, NotesChange
from windrow.domain.dataset import DataLimits, Row
from windrow.domain.errors import LimitExceeded
from windrow.domain.recipe import Recipe
from windrow.wire.shapes import EXAMPLE_ROWS
from windrow.wire.training import FitBody, FitReply

ROWS = [{"text": text, "label": label} for text, label in EXAMPLE_ROWS]
LIMITS = DataLimits()


def test_a_fit_body_that_says_nothing_else_gets_the_defaults_of_the_contract() -> None:
    request = FitBody.read({"model_name": "a", "training_data": ROWS}, LIMITS).to_domain()
    assert (request.base_model, request.recipe) == ("sentence-transformers/all-MiniLM-L6-v2", Recipe(20, 16, 0, None))
    assert (request.notes, request.overwrite) == (NotesChange(), True)


@settings(deadline=None)
@given(
    st.builds(
        FitRequest, recipe=st.builds(Recipe, max_seconds=st.none() | st.floats(allow_nan=False, allow_infinity=False))
    )
)
def test_a_fit_body_keeps_every_value_on_its_way_to_the_domain(request: FitRequest) -> None:
    sent = {
        "model_name": request.model_name,
        "training_data": [asdict(row) for row in request.rows],
        "base_model": request.base_model,
        **asdict(request.recipe),
        **asdict(request.notes),
        "overwrite": request.overwrite,
    }
    assert FitBody.read(json.loads(json.dumps(sent)), LIMITS).to_domain() == request


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": None},
        {"seed": 1.5},
        {"seed": True},
        {"max_seconds": "60"},
        {"max_seconds": True},
        {"tags": "a"},
        {"tags": [1]},
        {"description": 1},
        {"overwrite": "false"},
        {"overwrite": None},
    ],
)
def test_no_other_value_is_converted(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FitBody.read({"model_name": "a", "training_data": ROWS, **fields}, LIMITS)


def test_rows_over_the_limit_are_refused_before_one_of_them_is_read() -> None:
    with pytest.raises(LimitExceeded):
        FitBody.read({"model_name": "a", "training_data": [None] * 3}, DataLimits(max_rows=2))


def test_a_result_is_shown_with_rounded_time_sorted_labels_and_the_next_free_name() -> None:
    rows = tuple(Row(text, label) for text, label in reversed(EXAMPLE_ROWS))
    reply = FitReply.of(FakeOperations().fit(FitRequest("a", rows, notes=NotesChange("Tickets.", ("b", "a")))))
    assert (reply.training_time_seconds, reply.labels) == (0.412, ["account", "billing", "technical"])
    assert (reply.next_name, reply.created_at) == ("a_v2", "2025-09-15T10:30:00Z")
    assert (reply.description, reply.tags) == ("Tickets.", ["a", "b"])
    assert [warning.code for warning in reply.warnings] == ["small_classes"]


def test_without_contrastive_training_the_adapter_is_null() -> None:
    rows = tuple(Row(*row) for row in EXAMPLE_ROWS)
    assert FitReply.of(FakeOperations().fit(FitRequest("a", rows, recipe=Recipe(num_iterations=0)))).adapter is None


@settings(deadline=None)
@given(any_fit)
def test_a_request_survives_the_way_there(request: FitRequest) -> None:
    assert there_and_back(FitBody, request) == request
