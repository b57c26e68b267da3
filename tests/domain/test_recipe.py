"""The ranges of the training parameters."""

import pytest

from windrow.domain.errors import InvalidParameter
from windrow.domain.recipe import Recipe, check_recipe


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(num_iterations=0, batch_size=2, seed=0, max_seconds=0.1),
        Recipe(num_iterations=1_000, batch_size=1_024, seed=2**32 - 1, max_seconds=86_400.0),
    ],
)
def test_the_ends_of_each_range_are_allowed(recipe: Recipe) -> None:
    check_recipe(recipe)


@pytest.mark.parametrize(
    ("recipe", "parameter"),
    [
        (Recipe(num_iterations=-1), "num_iterations"),
        (Recipe(num_iterations=1_001), "num_iterations"),
        (Recipe(batch_size=1), "batch_size"),
        (Recipe(batch_size=1_025), "batch_size"),
        (Recipe(seed=-1), "seed"),
        (Recipe(seed=2**32), "seed"),
    ],
)
def test_a_value_beyond_its_range_is_refused_with_the_range(recipe: Recipe, parameter: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_recipe(recipe)
    assert caught.value.facts["parameter"] == parameter
    assert str(caught.value.facts["maximum"]) in caught.value.detail


def test_a_training_is_cross_validated_unless_it_is_told_not_to_be() -> None:
    assert Recipe().cross_validate is True
    check_recipe(Recipe(cross_validate=False))


@pytest.mark.parametrize("max_seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(max_seconds: float) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_recipe(Recipe(max_seconds=max_seconds))
    assert caught.value.facts["parameter"] == "max_seconds"
