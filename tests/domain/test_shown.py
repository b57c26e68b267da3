import ast
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from docs.generator.kinds import values
from windrow.api.endpoints import ENDPOINTS
from windrow.api.examples import example_of
from windrow.codec.values import to_plain as to_json_members
from windrow.domain.dataset import DataWarning
from windrow.domain.prediction import Prediction
from windrow.domain.report import Report
from windrow.domain.shown import to_plain
from windrow.domain.values import Value

REQUESTS = {each.request for each in ENDPOINTS}
REPLIES = [each for each in values() if each not in REQUESTS and issubclass(each, Value)]
LONG = "<script>" * 1_000


@dataclass(frozen=True, slots=True)
class Part(Value):
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Whole(Value):
    parts: tuple[Part, ...]
    share: float
    missing: int | None
    kept: bool = True


def test_each_reply_is_a_value() -> None:
    files = {each.reply for each in ENDPOINTS if each.reply_form == "file"}
    assert {each.reply for each in ENDPOINTS if not issubclass(each.reply, Value)} == files


@pytest.mark.parametrize("kind", REPLIES)
def test_a_value_is_written_in_one_short_line(kind: Any) -> None:
    example = example_of(kind)
    texts = {
        each.name: LONG
        for each in fields(kind)
        # What an alias points to is read when a value is made.
        if each.init and isinstance(getattr(example, each.name), str) and each.name != "points_to"
    }
    many = {
        each.name: getattr(example, each.name) * 500
        for each in fields(kind)
        if each.init and isinstance(getattr(example, each.name), tuple)
    }
    for value in (example, replace(example, **texts), replace(example, **many)):
        assert repr(value).startswith(f"{kind.__name__}(") and repr(value).endswith(")")
        assert len(repr(value)) <= 260
        assert "\n" not in repr(value)


@pytest.mark.parametrize("kind", REPLIES)
def test_a_dict_has_the_members_of_the_json(kind: Any) -> None:
    example = example_of(kind)
    assert example.to_dict() == to_json_members(example)


def test_what_has_its_default_or_says_nothing_is_left_out() -> None:
    assert repr(Whole((), 0.25, None)) == "Whole(share=0.25)"
    assert repr(Whole((Part("a", "b"),), 1 / 3, 0, False)) == (
        "Whole(parts=[Part(name='a', note='b')], share=0.3333, missing=0, kept=False)"
    )


def test_long_parts_are_counted_and_not_written() -> None:
    assert repr(Whole(tuple(Part(str(n), "x" * 40) for n in range(9)), 1, None)) == "Whole(parts=<9 Part>, share=1)"
    shown = repr(example_of(Prediction))
    assert ast.literal_eval(shown.partition("scores=")[2].partition(", in_scope")[0]) == example_of(Prediction).scores
    many = replace(example_of(Prediction), scores={f"l{number}": 0.125 for number in range(8)})
    assert "'l3': 0.125, … 8 in all}" in repr(many)


def test_a_report_shows_its_warnings_by_code() -> None:
    found = (DataWarning("few_test_rows", "x" * 500), DataWarning("training_rows_in_test", "y" * 500))
    assert "warnings=['few_test_rows', 'training_rows_in_test']" in repr(replace(example_of(Report), warnings=found))


def test_a_time_is_written_in_utc_whatever_its_zone() -> None:
    noon = datetime(2025, 9, 15, 12, tzinfo=UTC)
    assert to_plain(noon) == to_plain(noon.astimezone(timezone(timedelta(hours=2)))) == "2025-09-15T12:00:00Z"
