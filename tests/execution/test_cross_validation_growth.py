"""Cross-validating twice as many rows takes about twice as many steps of our own code, not four times as many."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from tests.execution.examples import context_for
from tests.fakes.encoder import FakeEncoder
from windrow.domain.cross_validation import CrossValidation
from windrow.domain.dataset import DataLimits, Row, check_rows
from windrow.domain.recipe import Recipe
from windrow.execution.cross_validation import cross_validate

pytestmark = pytest.mark.slow

ROWS = 200
# What grows with the rows alone doubles; what grows with the rows' square would take four times as many.
LINEAR_GROWTH = 2.6


def labelled(count: int) -> list[Row]:
    """Return rows of which some are doubtful: labels with many rows, with one row, and texts under two labels."""
    many = [
        Row(f"word{number % 5} text {number // 2}", f"label {(number + number // 7) % 5}") for number in range(count)
    ]
    return [*many, *(Row(f"alone {number}", f"single {number}") for number in range(5))]


def executed_steps(do: Callable[[], object]) -> int:
    """Return how many instructions of the product are executed; each turn of a comprehension counts."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if "windrow" not in frame.f_globals.get("__name__", ""):
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        do()
    finally:
        sys.settrace(before)
    return count


def cross_validated(rows: int) -> CrossValidation:
    dataset = check_rows(labelled(rows), DataLimits())
    return cross_validate(dataset, 5, Recipe(num_iterations=0), context_for(FakeEncoder()))


def test_the_steps_of_a_cross_validation_grow_with_the_rows_not_with_their_square() -> None:
    cross_validated(20)  # which loads what is loaded once
    few, many = (executed_steps(lambda count=count: cross_validated(count)) for count in (ROWS, 2 * ROWS))  # type: ignore[misc]
    assert few > 10 * ROWS
    assert many < LINEAR_GROWTH * few
