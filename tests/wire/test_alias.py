"""The JSON shapes of aliases, to and from the domain."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.wire.strategies import any_alias, any_change, any_promote, any_promotion, any_said, sent, there_and_back
from windrow.domain.alias import Alias, AliasChange, PromoteRequest, Promotion, Said
from windrow.domain.dataset import DataLimits, Row
from windrow.domain.errors import LimitExceeded
from windrow.domain.gate import Check, FailedRow, GateReport, Requirement, SideReport
from windrow.domain.names import Reference
from windrow.wire.alias import (
    AliasEntry,
    AliasHistory,
    AliasList,
    GateEntry,
    PromoteBody,
    PromoteReply,
    RollbackReply,
    SaidBody,
    read_said,
)

NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
ROW = {"text": "I was charged twice", "label": "billing"}
LIMITS = DataLimits(max_rows=20)
SIDE = SideReport(3, 4, {"billing": 0.75})
_rows = st.lists(st.builds(Row, st.text(), st.text()), max_size=3).map(tuple)
_aliases = st.builds(lambda alias, rows: replace(alias, must_pass=rows), any_alias, _rows)


def test_an_alias_shows_the_classifier_and_the_revision_apart_and_together() -> None:
    pinned = AliasEntry.of(Alias("tickets", Reference("tickets_v2", 3), NOW, Said("better", "ana"), answers=True))
    assert pinned.model_dump() == {
        "alias": "tickets",
        "model_name": "tickets_v2",
        "revision": 3,
        "points_to": "tickets_v2@3",
        "changed_at": "2025-09-15T10:30:00Z",
        "reason": "better",
        "by": "ana",
        "answers": True,
        "must_pass": [],
    }
    following = AliasEntry.of(Alias("tickets", Reference("tickets_v2"), NOW, Said(), answers=False))
    assert (following.revision, following.points_to, following.answers) == (None, "tickets_v2", False)


@settings(deadline=None)
@given(st.lists(_aliases, max_size=3))
def test_aliases_survive_the_way_out_and_back(aliases: list[Alias]) -> None:
    assert there_and_back(AliasList, tuple(aliases)) == tuple(aliases)


@settings(deadline=None)
@given(_aliases)
def test_a_promotion_and_a_rollback_say_what_they_did_and_where_the_alias_points_now(alias: Alias) -> None:
    promotion = Promotion(alias)
    assert (PromoteReply.of(promotion).status, RollbackReply.of(alias).status) == ("promoted", "rolled_back")
    assert there_and_back(PromoteReply, promotion) == promotion
    assert there_and_back(RollbackReply, alias) == alias


@settings(deadline=None)
@given(any_promotion)
def test_a_promotion_survives_the_way_out_and_back_with_what_came_of_its_conditions(promotion: Promotion) -> None:
    assert there_and_back(PromoteReply, promotion) == promotion


@settings(deadline=None)
@given(any_promote)
def test_a_request_to_promote_survives_the_way_there(request: PromoteRequest) -> None:
    body = PromoteBody.model_validate_json(sent(PromoteBody.of(request)))
    assert body.to_domain(request.alias) == request


@settings(deadline=None)
@given(any_said)
def test_what_people_say_survives_the_way_there(said: Said) -> None:
    assert there_and_back(SaidBody, said) == said


@settings(deadline=None)
@given(st.lists(any_change, max_size=3))
def test_a_history_survives_the_way_out_and_back(changes: list[AliasChange]) -> None:
    shown = AliasHistory.of("tickets", tuple(changes)).model_dump_json(by_alias=True)
    assert AliasHistory.model_validate_json(shown).to_domain() == tuple(changes)


def test_a_change_says_from_where_to_where() -> None:
    change = AliasChange(1, "promoted", None, Reference("tickets_v1"), NOW, Said("first", "ana"))
    [shown] = AliasHistory.of("tickets", (change,)).model_dump(by_alias=True)["changes"]
    assert shown == {
        "number": 1,
        "event": "promoted",
        "from": None,
        "to": "tickets_v1",
        "at": "2025-09-15T10:30:00Z",
        "reason": "first",
        "by": "ana",
    }


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_what_people_say_reaches_the_domain_from_a_body_and_from_a_query(name: str, reason: str, by: str) -> None:
    said = {"reason": reason, "by": by}
    body = PromoteBody.model_validate({"model_name": name, **said})
    assert body.to_domain("tickets") == PromoteRequest("tickets", name, Said(reason, by))
    assert SaidBody.model_validate(said).to_domain() == read_said(said) == Said(reason, by)


def test_nothing_need_be_said() -> None:
    assert SaidBody().to_domain() == read_said({}) == Said()
    assert PromoteBody(model_name="a").to_domain("b") == PromoteRequest("b", "a")
    assert read({"require": None, "must_pass": None}) == read({"require": {}}) == PromoteRequest("b", "a")


def read(fields: dict[str, Any]) -> PromoteRequest:
    """Return what a body with these fields asks for."""
    return PromoteBody.read({"model_name": "a", **fields}, LIMITS).to_domain("b")


def test_conditions_reach_the_domain() -> None:
    row = Row("I was charged twice", "billing")
    require = {"test_data": [ROW, ROW], "not_worse": True, "must_pass": [ROW], "min_recall": {"billing": 1, "bug": 0.5}}
    asked = read({"require": require, "must_pass": []})
    assert asked.require == Requirement((row, row), True, (row,), {"billing": 1.0, "bug": 0.5})
    assert asked.must_pass == ()
    assert read({"must_pass": [ROW]}) == PromoteRequest("b", "a", must_pass=(row,))


@pytest.mark.parametrize("field", ["require.test_data", "require.must_pass", "must_pass"])
def test_rows_are_counted_first_and_few_wrong_ones_are_described(field: str) -> None:
    def fields(rows: list[object]) -> dict[str, Any]:
        return {"must_pass": rows} if field == "must_pass" else {"require": {field.split(".")[1]: rows}}

    with pytest.raises(LimitExceeded, match=f"^{field} has 21 rows"):
        read(fields([1] * 21))
    with pytest.raises(ValidationError) as caught:
        read(fields([ROW, *[1] * 19]))
    assert caught.value.error_count() == 10
    assert caught.value.errors()[0]["loc"] == (*field.split("."), 1)


def test_few_wrong_recalls_are_described_and_none_is_taken_for_right() -> None:
    recalls = {"billing": 0.5, **{f"label {number}": "0.5" for number in range(1_000)}}
    with pytest.raises(ValidationError) as caught:
        read({"require": {"min_recall": recalls}})
    assert caught.value.error_count() == 10
    assert caught.value.errors()[0]["loc"] == ("require", "min_recall", "label 0")
    for wrong in (True, None, "1", [1]):
        with pytest.raises(ValidationError):
            read({"require": {"min_recall": {"billing": wrong}}})


@pytest.mark.parametrize("require", [[], 1, {"min_recall": [0.5]}, {"min_recalls": {}}, {"not_worse": 1}])
def test_conditions_of_another_shape_are_refused(require: object) -> None:
    with pytest.raises(ValidationError):
        read({"require": require})


def test_a_gate_shows_each_condition_and_how_both_classifiers_did() -> None:
    checks = (Check("not_worse", True, "As good."), Check("must_pass", False, "0 of 1."))
    report = GateReport(checks, (FailedRow("a", "bug", "billing"),), SIDE, replace(SIDE, correct=2))
    assert GateEntry.of(report).model_dump() == {
        "passed": False,
        "checks": [
            {"condition": "not_worse", "passed": True, "detail": "As good."},
            {"condition": "must_pass", "passed": False, "detail": "0 of 1."},
        ],
        "failed_rows": [{"text": "a", "label": "bug", "predicted": "billing"}],
        "candidate": {"accuracy": 0.75, "correct": 3, "total": 4, "recall": {"billing": 0.75}},
        "current": {"accuracy": 0.5, "correct": 2, "total": 4, "recall": {"billing": 0.75}},
    }


def test_a_promotion_without_conditions_has_an_empty_gate() -> None:
    alias = Alias("tickets", Reference("tickets_v2"), NOW, Said(), answers=True)
    assert PromoteReply.of(Promotion(alias)).model_dump()["gate"] == {
        "passed": True,
        "checks": [],
        "failed_rows": [],
        "candidate": None,
        "current": None,
    }
