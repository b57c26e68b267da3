import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from windrow.domain.errors import InvalidParameter, InvalidTestData
from windrow.domain.listing import Page, Selection
from windrow.domain.recipe import DEFAULT_BASE_MODEL, Recipe
from windrow.session.options import (
    ListOptions,
    TrainingOptions,
    fit_request,
    page_of,
    predict_request,
    promote_request,
    recipe_of,
)


def test_what_is_left_out_has_the_defaults_of_the_domain() -> None:
    assert recipe_of({}) == Recipe()
    assert fit_request("tickets", (), {}) == fit_request(
        "tickets", (), {"base_model": DEFAULT_BASE_MODEL, "overwrite": True, "tags": None}
    )
    assert page_of({}) == Page()


def test_each_field_of_a_recipe_and_of_a_page_can_be_said() -> None:
    assert set(TrainingOptions.__annotations__) == {f.name for f in dataclasses.fields(Recipe)} | {"base_model"}
    paged = {f.name for f in dataclasses.fields(Page)} - {"selection"}
    assert set(ListOptions.__annotations__) == paged | {f.name for f in dataclasses.fields(Selection)}


def test_numbers_of_numpy_are_taken() -> None:
    recipe = recipe_of({"num_iterations": np.int64(3), "max_seconds": np.float32(2)})  # type: ignore[typeddict-item]
    assert recipe == Recipe(num_iterations=3, max_seconds=2.0)
    assert type(recipe.num_iterations) is int


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_iterations": "3"}, "num_iterations is '3'; it must be a whole number"),
        ({"batch_size": 1.5}, "batch_size is 1.5; it must be a whole number"),
        ({"max_seconds": "60"}, "max_seconds is '60'; it must be a number"),
        ({"tags": "urgent"}, "tags is one string"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused_by_name(given: Any, message: str) -> None:
    with pytest.raises(InvalidParameter, match=re.escape(message)):
        fit_request("tickets", (), given)


def test_an_unknown_option_is_refused_as_python_does_and_the_nearest_one_named() -> None:
    with pytest.raises(
        TypeError, match=r"fit\(\) got an unexpected keyword argument 'num_iteration'. Did you mean 'num"
    ):
        fit_request("tickets", (), {"num_iteration": 3})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(TypeError, match=r"predict\(\) .* 'zzz'. It takes: top_k, abstain_below, min_in_scope"):
        predict_request(("tickets",), (), {"zzz": 1})  # type: ignore[typeddict-unknown-key]


def test_the_rows_of_a_promotion_come_in_any_form_and_are_named_by_what_they_are_for() -> None:
    request = promote_request("tickets", "tickets_v1", {"must_pass": [("money", "refund")], "by": "Ada"})
    assert request.must_pass is not None and request.must_pass[0].label == "refund"
    assert request.said.by == "Ada"
    with pytest.raises(InvalidTestData, match=r"^must_pass_now\[0\].label is missing"):
        promote_request("tickets", "tickets_v1", {"must_pass_now": [("money", None)]})
