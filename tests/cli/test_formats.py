"""Figures as people read them."""

from datetime import UTC, datetime

import pytest

from windrow.cli.formats import duration, estimate_text, listed, recipe_text, size, when
from windrow.domain.interval import Interval
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import Estimate


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (688_128, "688 kB"),
        (999_700, "1.0 MB"),
        (182_658_956, "183 MB"),
        (5_000_000_000_000, "5000 GB"),
    ],
)
def test_a_size_is_shown_in_the_unit_that_fits(size_bytes: int, shown: str) -> None:
    assert size(size_bytes) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.412, "0.4 s"), (9.97, "10 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min")],
)
def test_a_time_span_is_shown_in_the_unit_that_fits(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_what_is_not_there_is_a_dash() -> None:
    assert (when(None), listed(())) == ("-", "-")


def test_times_and_lists() -> None:
    assert when(datetime(2025, 9, 15, 10, 30, tzinfo=UTC)) == "2025-09-15 10:30:00"
    assert listed(["a", "b"]) == "a, b"


def test_an_estimate_and_a_recipe_in_a_few_words() -> None:
    assert estimate_text(Estimate(5, 6, 3, Interval(0.25, 1.0))) == "about 83.3 %, between 25.0 % and 100.0 %"
    assert estimate_text(Estimate(0, 1, 2, Interval(0.0, 1.0))) == (
        "not known yet: so few rows say next to nothing (0.0 %, between 0.0 % and 100.0 %)"
    )
    assert recipe_text(Recipe(seed=7)) == "20 iterations, batch size 16, seed 7"
