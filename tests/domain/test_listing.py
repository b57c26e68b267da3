"""Which classifiers may be asked for, in which order, and which part of the list."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records import record
from windrow.domain.classifier import Classifier
from windrow.domain.classifier import TestScore as Score
from windrow.domain.errors import InvalidParameter
from windrow.domain.listing import (
    SORTS,
    ListRequest,
    Selection,
    check_list_request,
    from_cursor,
    in_order,
    to_cursor,
)
from windrow.domain.names import NAME_GRAMMAR
from windrow.domain.values import recast

DAY = datetime(2025, 9, 15, tzinfo=UTC)


def classifier(
    name: str,
    *,
    day: int = 1,
    rows: int = 4,
    size_bytes: int = 1_000,
    accuracy: float | None = None,
    **changes: Any,
) -> Classifier:
    test = None if accuracy is None else Score(round(100 * accuracy), 100, "e" * 64, DAY, 0.5, 0.1, {}, {})
    made = {"created_at": DAY.replace(day=day), "rows_per_label": {"billing": rows, "bug": 4}, "test": test}
    own = record(name, **{"tags": ("fold",)} | made | changes)
    return recast(Classifier, own, size_bytes=size_bytes, keeps_training_data=True)


class TestListRequest:
    @pytest.mark.parametrize(
        "request_",
        [
            ListRequest(),
            ListRequest(limit=1),
            ListRequest(limit=1_000),
            ListRequest(cursor=to_cursor("a")),
            ListRequest(limit=3, cursor=to_cursor("a")),
            *(ListRequest(sort=sort) for sort in SORTS),
        ],
    )
    def test_within_the_rules_is_allowed(self, request_: ListRequest) -> None:
        check_list_request(request_)
        check_list_request(replace(request_, sort=f"-{request_.order}"))

    @pytest.mark.parametrize("limit", [-1, 0, 1_001])
    def test_with_a_limit_outside_its_range_is_refused_with_the_range(self, limit: int) -> None:
        with pytest.raises(InvalidParameter) as caught:
            check_list_request(ListRequest(limit=limit))
        assert caught.value.facts.items() >= {"parameter": "limit", "minimum": 1, "maximum": 1_000}.items()

    @pytest.mark.parametrize("sort", ["-", "--name", "Name", "name ", " ", "labels"])
    def test_in_an_unknown_order_is_refused_with_the_known_ones(self, sort: str) -> None:
        with pytest.raises(InvalidParameter) as caught:
            check_list_request(ListRequest(sort=sort))
        assert caught.value.facts == {"parameter": "sort", "value": sort, "allowed": list(SORTS)}

    @pytest.mark.parametrize("parameter", ["task", "prefix", "tag", "base_model", "sort"])
    def test_with_a_wish_that_says_nothing_is_refused_by_its_name(self, parameter: str) -> None:
        with pytest.raises(InvalidParameter, match=f"^{parameter} is empty") as caught:
            check_list_request(ListRequest(**{parameter: ""}))  # type: ignore[arg-type]
        assert caught.value.facts == {"parameter": parameter}

    @pytest.mark.parametrize("cursor", ["!", "a", "Li4vZXRj", "\u0663", "dGlja2V0cw\n"])
    def test_starts_after_something_that_can_be_a_name(self, cursor: str) -> None:
        with pytest.raises(InvalidParameter, match=r"^cursor is none that this server gave") as caught:
            check_list_request(ListRequest(cursor=cursor))
        assert caught.value.facts == {"parameter": "cursor"}

    @given(st.from_regex(NAME_GRAMMAR, fullmatch=True))
    def test_starts_after_the_name_that_its_cursor_was_made_of(self, name: str) -> None:
        assert ListRequest(cursor=to_cursor(name)).after == from_cursor(to_cursor(name)) == name

    def test_without_limit_and_cursor_alone_is_the_whole_list(self) -> None:
        cursor = to_cursor("a")
        requests = [
            ListRequest(),
            ListRequest(limit=1),
            ListRequest(cursor=cursor),
            ListRequest(limit=7, cursor=cursor),
        ]
        assert [request.is_whole_list for request in requests] == [True, False, False, False]
        assert [request.size for request in requests] == [None, 1, 100, 7]

    def test_sorts_the_versions_of_a_task_by_version_and_all_else_by_name(self) -> None:
        requests = [ListRequest(), ListRequest(task="tickets"), ListRequest(task="tickets", sort="-size_bytes")]
        assert [request.order for request in requests] == ["name", "version", "-size_bytes"]


class TestSelection:
    @pytest.mark.parametrize(
        ("selection", "expected"),
        [
            (Selection(), ["Tickets_v1", "moods_v1", "tickets", "tickets_v02", "tickets_v1", "tickets_v1_v2"]),
            (Selection(prefix=""), ["Tickets_v1", "moods_v1", "tickets", "tickets_v02", "tickets_v1", "tickets_v1_v2"]),
            (Selection(task="tickets"), ["tickets_v1"]),
            (Selection(task="tickets_v1"), ["tickets_v1_v2"]),
            (Selection(prefix="tickets_"), ["tickets_v02", "tickets_v1", "tickets_v1_v2"]),
            (Selection(task="tickets", prefix="tickets_v1"), ["tickets_v1"]),
            (Selection(task="tickets", prefix="moods"), []),
            (Selection(prefix="zzz"), []),
            (Selection(task="../"), []),
        ],
    )
    def test_by_name_takes_what_has_the_task_and_the_prefix(self, selection: Selection, expected: list[str]) -> None:
        names = ["Tickets_v1", "moods_v1", "tickets", "tickets_v02", "tickets_v1", "tickets_v1_v2"]
        assert selection.names_among(names) == expected
        assert [name for name in names if selection.has(classifier(name))] == expected

    def test_takes_a_classifier_to_which_everything_applies(self) -> None:
        ours, other = classifier("a"), classifier("b", tags=("best",), base_model="other/encoder")
        selections = [Selection(tag="fold"), Selection(base_model="fake/encoder"), Selection(tag="fold", prefix="a")]
        assert all(selection.has(ours) for selection in selections)
        assert not any(selection.has(other) for selection in selections)
        assert not Selection(tag="fold", base_model="other/encoder").has(ours)
        assert not Selection(tag="fol").has(ours)

    def test_without_any_wish_is_everything(self) -> None:
        assert Selection().is_everything
        assert Selection(prefix="").is_everything
        wishes = [Selection(task="a"), Selection(prefix="a"), Selection(tag="a"), Selection(base_model="a")]
        assert not any(wish.is_everything for wish in wishes)


class TestOrder:
    @pytest.mark.parametrize(
        ("sort", "vary"),
        [
            ("created_at", lambda name, rank: classifier(name, day=rank)),
            ("num_examples", lambda name, rank: classifier(name, rows=rank)),
            ("size_bytes", lambda name, rank: classifier(name, size_bytes=rank)),
            ("test_accuracy", lambda name, rank: classifier(name, accuracy=rank / 10)),
        ],
    )
    def test_is_by_what_it_says_and_equals_by_name(self, sort: str, vary: Callable[[str, int], Classifier]) -> None:
        shuffled = [vary("b", 2), vary("d", 1), vary("a", 3), vary("c", 2)]
        assert [one.name for one in in_order(shuffled, sort)] == ["d", "b", "c", "a"]
        assert [one.name for one in in_order(shuffled, f"-{sort}")] == ["a", "b", "c", "d"]

    def test_by_name_is_by_code_point(self) -> None:
        shuffled = [classifier(name) for name in ("b", "B", "a10", "a2")]
        assert [one.name for one in in_order(shuffled, "name")] == ["B", "a10", "a2", "b"]
        assert [one.name for one in in_order(shuffled, "-name")] == ["b", "a2", "a10", "B"]

    def test_by_version_counts_and_puts_a_task_before_its_versions(self) -> None:
        shuffled = [classifier(name) for name in ("a_v10", "b_v1", "a_v2", "a_v0", "a", "a_v02")]
        expected = ["a", "a_v0", "a_v2", "a_v10", "a_v02", "b_v1"]
        assert [one.name for one in in_order(shuffled, "version")] == expected

    def test_by_accuracy_puts_what_was_never_measured_below_what_is_always_wrong(self) -> None:
        shuffled = [classifier("wrong", accuracy=0.0), classifier("unknown"), classifier("right", accuracy=1.0)]
        assert [one.name for one in in_order(shuffled, "-test_accuracy")] == ["right", "wrong", "unknown"]
