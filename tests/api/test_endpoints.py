"""The table of endpoints: every verb of Operations has its place, and no two are alike."""

import inspect
from dataclasses import fields
from typing import Any

import pytest

from windrow.api.endpoints import (
    BY_VERB,
    ENDPOINTS,
    EXPORT,
    FIT,
    FOLLOW_JOB,
    IMPORT,
    PREDICT,
    TAGS,
    USAGE,
    Endpoint,
    NoRequest,
)
from windrow.domain.archive import Export, ImportRequest
from windrow.domain.classifier import FitRequest, FitResult
from windrow.domain.job import Job
from windrow.domain.prediction import Prediction
from windrow.domain.values import has_default
from windrow.operations import Operations

VERBS = {name for name, _ in inspect.getmembers(Operations, inspect.isfunction) if not name.startswith("_")}


def test_every_verb_has_an_endpoint_and_every_endpoint_a_verb() -> None:
    assert set(BY_VERB) == VERBS
    assert len(ENDPOINTS) == len(BY_VERB)


def test_what_has_the_same_method_and_path_is_told_apart_by_the_query() -> None:
    places = [(each.method, each.path, tuple(each.chosen_by.items())) for each in ENDPOINTS]
    assert len(set(places)) == len(places)


def test_what_a_verb_takes_and_returns_is_read_from_its_annotations() -> None:
    taken = {each.verb: each.request for each in (FIT, USAGE, IMPORT)}
    returned = {each.verb: (each.reply, each.reply_form) for each in (FIT, PREDICT, FOLLOW_JOB, EXPORT)}
    assert taken == {"fit": FitRequest, "usage": NoRequest, "import_classifier": ImportRequest}
    assert returned == {
        "fit": (FitResult, "json"),
        "predict": (Prediction, "json"),
        "follow_job": (Job, "events"),
        "export": (Export, "file"),
    }
    assert [each.verb for each in ENDPOINTS if each.body == "file"] == ["inspect", "import_classifier"]
    assert {each.verb for each in ENDPOINTS if each.cancellable} == {
        "predict",
        "classify",
        "cross_validate",
        "reproduce",
    }


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.optional_body], ids=lambda each: each.verb)
def test_a_request_that_may_come_without_a_body_needs_nothing_besides_its_path(endpoint: Endpoint[Any]) -> None:
    needed = {each.name for each in fields(endpoint.request) if not has_default(each)}
    assert endpoint.body == "optional"
    assert needed <= set(endpoint.path_fields)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.verb)
def test_what_stands_in_the_path_is_a_field_and_what_stands_in_a_body_may_have_one(
    endpoint: Endpoint[Any],
) -> None:
    kind: Any = endpoint.request
    assert set(endpoint.path_fields) <= {each.name for each in fields(kind)}
    assert endpoint.tag in TAGS
    assert endpoint.body == "none" or endpoint.method in ("POST", "PUT", "PATCH")


def test_large_bodies_are_taken_where_rows_or_texts_may_stand_in_them_alone() -> None:
    assert {each.verb for each in ENDPOINTS if each.takes_many} == {
        "fit",
        "start_fit",
        "estimate_fit",
        "predict",
        "classify",
        "evaluate",
        "report",
        "compare",
        "cross_validate",
        "suggest",
        "promote",
        "forget",
    }
