import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import DeleteRequest, FitRequest
from windrow.domain.comparison import CompareRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidInput, InvalidName, InvalidParameter, InvalidTestData, InvalidText
from windrow.domain.gate import Requirement
from windrow.domain.job import JobRequest
from windrow.domain.prediction import PredictRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.session.arguments import check_known, request_of

ROWS = [("money", "refund"), {"text": "sign in", "label": "login"}]
READ = (Row("money", "refund"), Row("sign in", "login"))


def test_what_is_left_out_has_the_requests_defaults() -> None:
    assert request_of(FitRequest, {"model_name": "a"}, training_data=READ) == FitRequest("a", READ)


def test_numbers_strings_and_truths_of_numpy_become_pythons_own() -> None:
    request = request_of(
        FitRequest,
        {
            "model_name": np.str_("a"),
            "num_iterations": np.int64(3),
            "max_seconds": np.float32(2),
            "cross_validate": np.bool_(False),
            "tags": np.array(["b", "a"]),
        },
        training_data=READ,
    )
    assert request == FitRequest("a", READ, num_iterations=3, max_seconds=2.0, cross_validate=False, tags=("b", "a"))
    kinds = [type(each) for each in (request.model_name, request.num_iterations, request.max_seconds)]
    assert kinds == [str, int, float]
    assert request.cross_validate is False


def test_a_whole_number_is_a_number_and_none_leaves_out() -> None:
    request = request_of(PredictRequest, {"model_name": "a", "abstain_below": 1, "top_k": None})
    assert request == PredictRequest(model_name="a", abstain_below=1.0)
    assert type(request.abstain_below) is float


@pytest.mark.parametrize(
    ("kind", "given", "refusal", "message"),
    [
        (FitRequest, {"num_iterations": "3"}, InvalidParameter, "num_iterations is '3'; it must be a whole number."),
        (FitRequest, {"batch_size": 1.5}, InvalidParameter, "batch_size is 1.5; it must be a whole number."),
        (FitRequest, {"seed": True}, InvalidParameter, "seed is True; it must be a whole number."),
        (FitRequest, {"seed": None}, InvalidParameter, "seed is None; it must be a whole number."),
        (FitRequest, {"max_seconds": "60"}, InvalidParameter, "max_seconds is '60'; it must be a number."),
        (FitRequest, {"max_seconds": True}, InvalidParameter, "max_seconds is True; it must be a number."),
        (FitRequest, {"cross_validate": "no"}, InvalidParameter, "cross_validate is 'no'; it must be True or False."),
        (FitRequest, {"overwrite": 0}, InvalidParameter, "overwrite is 0; it must be True or False."),
        (FitRequest, {"description": 5}, InvalidParameter, "description is 5; it must be a string."),
        (FitRequest, {"tags": "urgent"}, InvalidParameter, "tags is one string. Pass a list of strings."),
        (FitRequest, {"tags": ["a", 5]}, InvalidParameter, "tags[1] is 5; it must be a string."),
        (FitRequest, {"tags": 5}, InvalidParameter, "tags is of type int."),
        (DeleteRequest, {"model_name": 5}, InvalidName, "A name must be a string, not int."),
        (DeleteRequest, {"model_name": None}, InvalidName, "A name must be a string, not NoneType."),
        (CompareRequest, {"model_names": "a"}, InvalidParameter, "model_names is one string."),
        (CompareRequest, {"model_names": ["a", 5]}, InvalidName, "A name must be a string, not int."),
        (JobRequest, {"job_id": 5}, InvalidParameter, "job_id is 5; it must be a string."),
        (SuggestRequest, {"texts": ["a", None]}, InvalidText, "texts[1] is missing."),
        (PromoteRequest, {"must_pass": [("a", None)]}, InvalidTestData, "must_pass[0].label is missing."),
        (PromoteRequest, {"require": [1]}, InvalidParameter, "require is [1]; it must be a mapping."),
        (PromoteRequest, {"require": {"min_recall": 5}}, InvalidParameter, "require.min_recall is 5; it must be a map"),
        (
            PromoteRequest,
            {"require": {"min_recall": {"{x}": "1"}}},
            InvalidParameter,
            "require.min_recall['{x}'] is '1'; it must be a number.",
        ),
        (PromoteRequest, {"require": {"test_data": "a"}}, InvalidTestData, "require.test_data is one string."),
        (PromoteRequest, {"require": {"must_pass": [5]}}, InvalidTestData, "require.must_pass[0] is neither a pair"),
    ],
)
def test_an_argument_of_the_wrong_type_is_refused_by_name(
    kind: Any, given: dict[str, object], refusal: type[InvalidInput], message: str
) -> None:
    with pytest.raises(refusal, match=f"^{re.escape(message)}"):
        request_of(kind, given)


def test_rows_come_in_any_form_also_within_conditions() -> None:
    request = request_of(
        PromoteRequest,
        {
            "alias": "tickets",
            "model_name": "a",
            "require": {"test_data": pd.DataFrame({"text": ["money"], "label": ["refund"]}), "not_worse": True},
            "must_pass": ROWS,
        },
    )
    assert request.must_pass == READ
    assert request.require == Requirement(READ[:1], not_worse=True)
    again = request_of(PromoteRequest, {"alias": "tickets", "model_name": "a", "require": request.require})
    assert again.require == request.require


def test_an_unknown_condition_is_refused_and_the_nearest_one_named() -> None:
    with pytest.raises(TypeError, match=r"^require has no 'must_pas'\. Did you mean 'must_pass'\?"):
        request_of(PromoteRequest, {"require": {"must_pas": ROWS}})


def test_an_unknown_name_is_refused_as_python_does() -> None:
    check_known("fit", ["seed"], ["seed", "tags"])
    with pytest.raises(TypeError, match=r"^fit\(\) got an unexpected keyword argument 'sed'\. Did you mean 'seed'\?$"):
        check_known("fit", ["tags", "sed"], ["seed", "tags"])
    with pytest.raises(TypeError, match=r"^fit\(\) .* 'sed'\. It takes: seed, tags\.$"):
        check_known("fit", ["seed", "sed"], ["seed", "tags"])
    with pytest.raises(TypeError, match=r"^fit\(\) .* 'zzz'\. It takes: seed, tags\.$"):
        check_known("fit", ["zzz"], ["seed", "tags"])
