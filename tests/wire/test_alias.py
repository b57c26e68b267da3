"""The JSON shapes of aliases, to and from the domain."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.strategies import any_alias, any_change, there_and_back
from windrow.domain.alias import Alias, AliasChange, PromoteRequest, Said
from windrow.domain.names import Reference
from windrow.wire.alias import (
    AliasEntry,
    AliasHistory,
    AliasList,
    PromoteBody,
    PromoteReply,
    RollbackReply,
    SaidBody,
    read_said,
)

NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)


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
    }
    following = AliasEntry.of(Alias("tickets", Reference("tickets_v2"), NOW, Said(), answers=False))
    assert (following.revision, following.points_to, following.answers) == (None, "tickets_v2", False)


@settings(deadline=None)
@given(st.lists(any_alias, max_size=3))
def test_aliases_survive_the_way_out_and_back(aliases: list[Alias]) -> None:
    assert there_and_back(AliasList, tuple(aliases)) == tuple(aliases)


@settings(deadline=None)
@given(any_alias)
def test_a_promotion_and_a_rollback_say_what_they_did_and_where_the_alias_points_now(alias: Alias) -> None:
    assert (PromoteReply.of(alias).status, RollbackReply.of(alias).status) == ("promoted", "rolled_back")
    assert there_and_back(PromoteReply, alias) == there_and_back(RollbackReply, alias) == alias


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
