import pytest

from windrow.domain.errors import AliasNotFound, ClassifierInUse, ClassifierNotFound, InvalidName, PromotionRefused
from windrow.session.session import Session


def names(session: Session, **options: object) -> list[str]:
    return [each.record.name for each in session.models(**options).classifiers]  # type: ignore[arg-type]


def test_classifiers_are_listed_shown_and_described(session: Session) -> None:
    session.fit("other", [("a", "x"), ("b", "y")], num_iterations=0, tags=["new"])
    assert names(session) == ["other", "tickets_v1"]
    assert names(session, tag="new") == ["other"]
    assert names(session, limit=1, sort="-name") == ["tickets_v1"]
    assert session.describe("other", tags=["old"]).notes.tags == ("old",)
    assert session.show("other").answers


def test_what_is_deleted_can_be_restored_until_it_is_purged(session: Session) -> None:
    assert session.delete("tickets_v1").model_names == ("tickets_v1",)
    assert names(session) == [] and names(session, deleted=True) == ["tickets_v1"]
    session.restore("tickets_v1")
    assert session.delete_all(prefix="tickets", dry_run=True).model_names == ("tickets_v1",)
    assert session.delete_all(prefix="tickets", purge=True).is_purged
    with pytest.raises(ClassifierNotFound):
        session.restore("tickets_v1")


def test_an_unknown_way_to_select_deletes_nothing(session: Session) -> None:
    with pytest.raises(TypeError, match="Did you mean 'prefix'"):
        session.delete_all(prefx="tickets")  # type: ignore[call-arg]
    assert names(session) == ["tickets_v1"]


def test_an_alias_is_promoted_rolled_back_and_removed_and_its_history_stays(session: Session) -> None:
    session.fit("tickets_v2", [("money", "refund"), ("sign in", "login")], num_iterations=0)
    assert session.promote("tickets", "tickets_v1", reason="first", by="Ada").alias.said.by == "Ada"
    session.promote("tickets", "tickets_v2", not_worse=True, test_rows=[("money", "refund")])
    with pytest.raises(ClassifierInUse):
        session.delete("tickets_v2")
    assert str(session.rollback("tickets", reason="worse").points_to) == "tickets_v1"
    assert [each.name for each in session.aliases()] == ["tickets"]
    session.remove_alias("tickets")
    assert session.aliases() == ()
    assert [change.event for change in session.history("tickets")] == ["promoted", "promoted", "rolled_back", "removed"]
    with pytest.raises(AliasNotFound):
        session.history("nothing")


def test_a_promotion_is_refused_where_a_row_must_pass_and_does_not(session: Session) -> None:
    with pytest.raises(PromotionRefused):
        session.promote("tickets", "tickets_v1", must_pass_now=[("money", "login")])


def test_a_name_that_is_no_string_is_refused(session: Session) -> None:
    with pytest.raises(InvalidName, match="must be a string"):
        session.show(session.show("tickets_v1"))  # type: ignore[arg-type]
