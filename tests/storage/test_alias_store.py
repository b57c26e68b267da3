"""Aliases: promoting, rolling back, taking away, and what is remembered of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from tests.fakes.system_calls import Forbid, each_call
from tests.storage.examples import blobs, new_revision, open_aliases, open_catalog
from windrow.domain.alias import Alias, ChangeNote
from windrow.domain.caller import Caller, calling
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    AliasNotFound,
    ClassifierInUse,
    ClassifierNotFound,
    ConcurrentChange,
    InvalidArtifact,
    InvalidName,
    NameTaken,
    NotFound,
    NothingToRollBack,
    RevisionNotFound,
    StorageFailed,
)
from windrow.domain.names import Reference, read_reference
from windrow.domain.values import recast
from windrow.storage.alias_store import Aliases, AliasState, PromotionPreconditions, RollbackTarget
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files, LocalFiles

AT = datetime(2025, 9, 16, 8, 0, tzinfo=UTC)
WHY = ChangeNote(reason="it is better", author="Ada")
ROWS = (Row("I was charged twice", "billing"), Row("Caf\u00e9 \U0001f375 page", "bug"))


@pytest.fixture(params=["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return LocalFiles(tmp_path) if request.param == "local" else MemoryFiles()


@pytest.fixture
def catalog(files: Files) -> Catalog:
    """The classifiers ``v1``, ``v2`` of two revisions, and ``v3``."""
    catalog = open_catalog(files)
    for name in ("v1", "v2", "v2", "v3"):
        catalog.publish(new_revision(name))
    return catalog


@pytest.fixture
def aliases(files: Files, catalog: Catalog) -> Aliases:
    return open_aliases(files, lambda: AT)


def promote(aliases: Aliases, target: str, alias: str = "live", said: ChangeNote = WHY) -> Alias:
    return aliases.promote(alias, read_reference(target), said)


def promote_with(aliases: Aliases, target: str, must_pass: tuple[Row, ...] | None, alias: str = "live") -> Alias:
    """Promote what was judged just now."""
    preconditions = PromotionPreconditions(must_pass, checked_number=aliases.state(alias).number)
    return aliases.promote(alias, read_reference(target), WHY, preconditions)


def roll_back(aliases: Aliases, alias: str = "live") -> str:
    return aliases.roll_back(alias, aliases.rollback_target(alias), WHY).points_to


def points_to(aliases: Aliases) -> dict[str, str]:
    return {alias.alias: alias.points_to for alias in aliases.list()}


class TestPromote:
    def test_points_an_alias_at_a_classifier(self, aliases: Aliases) -> None:
        alias = recast(Alias, WHY, alias="live", points_to="v1", changed_at=AT, answers=True)
        assert promote(aliases, "v1") == alias
        assert aliases.list() == (alias,)

    def test_points_it_elsewhere(self, files: Files, aliases: Aliases) -> None:
        for target in ("v1", "v2@1", "v2"):
            promote(aliases, target)
            assert points_to(open_aliases(files)) == {"live": target}

    def test_where_it_points_already_changes_nothing(self, files: Files, aliases: Aliases) -> None:
        first = promote(aliases, "v1")
        assert promote(aliases, "v1", said=ChangeNote(reason="again")) == first
        assert files.list("aliases/live") == ["000001.json"]
        assert [(change.reason, change.author) for change in aliases.history("live")] == [(WHY.reason, WHY.author)]

    @pytest.mark.parametrize(
        ("target", "error"),
        [
            ("v9", ClassifierNotFound),
            ("v9@1", ClassifierNotFound),
            ("v1@2", RevisionNotFound),
            ("other", ClassifierNotFound),
            ("v3", ClassifierNotFound),
            ("V1", ClassifierNotFound),
        ],
    )
    def test_at_what_does_not_answer_is_refused(
        self, files: Files, catalog: Catalog, aliases: Aliases, target: str, error: type[NotFound]
    ) -> None:
        promote(aliases, "v1", "other")  # no alias of an alias
        catalog.delete("v3")
        with pytest.raises(error):
            promote(aliases, target)
        assert files.list("aliases") == ["other"]

    def test_at_what_is_damaged_is_refused(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path)
        open_catalog(files).publish(new_revision("v1"))
        (tmp_path / "classifiers/v1/000001.json").write_bytes(b"{")
        with pytest.raises(InvalidArtifact):
            promote(open_aliases(files), "v1")

    @pytest.mark.parametrize("alias", ["v1", "V1", "LIVE"])
    def test_of_a_name_that_is_taken_in_any_case_is_refused(self, aliases: Aliases, alias: str) -> None:
        promote(aliases, "v1")
        with pytest.raises(NameTaken):
            promote(aliases, "v2", alias)
        assert points_to(aliases) == {"live": "v1"}

    def test_of_a_bad_name_is_refused(self, aliases: Aliases) -> None:
        with pytest.raises(InvalidName):
            promote(aliases, "v1", "../live")

    def test_at_what_means_something_else_tomorrow_is_never_written(self, files: Files, aliases: Aliases) -> None:
        with pytest.raises(InvalidArtifact):
            aliases.promote("live", Reference("v1", is_latest=True), WHY)
        assert files.list("aliases") == []

    def test_of_a_damaged_alias_mends_it(self, files: Files, aliases: Aliases) -> None:
        promote(aliases, "v1")
        files.put_new("aliases/live/000002.json", b"{")
        assert aliases.list() == ()
        promote(aliases, "v2")
        assert points_to(aliases) == {"live": "v2"}
        with pytest.raises(NothingToRollBack):
            aliases.rollback_target("live")

    def test_follows_a_classifier_but_not_beyond_a_revision(self, catalog: Catalog, aliases: Aliases) -> None:
        promote(aliases, "v1")
        promote(aliases, "v1@1", "pinned")
        catalog.publish(new_revision("v1"))
        revisions = [catalog.find(Reference(alias)).entry.record.revision for alias in ("live", "pinned")]
        assert revisions == [2, 1]

    def test_that_somebody_else_did_at_the_same_moment_without_the_lock_is_refused(self) -> None:
        files = MemoryFiles()
        open_catalog(files).publish(new_revision("v1"))
        aliases = open_aliases(files)
        promote(aliases, "v1")
        assert points_to(aliases) == {"live": "v1"}
        files.kept["aliases/live/000002.json"] = b"{}"  # put by hand, so that no look tells
        with pytest.raises(ConcurrentChange):
            promote(aliases, "v1@1")


class TestMustPass:
    def test_is_kept_with_an_alias_and_shown(self, files: Files, aliases: Aliases) -> None:
        alias = recast(
            Alias, WHY, alias="live", points_to="v1", changed_at=AT, answers=True, protected=True, must_pass=ROWS
        )
        assert promote_with(aliases, "v1", ROWS) == alias
        assert open_aliases(files).list() == (alias,)

    def test_goes_along_with_promotions_and_rollbacks_that_do_not_speak_of_it(self, aliases: Aliases) -> None:
        promote_with(aliases, "v1", ROWS)
        assert promote_with(aliases, "v2", None).must_pass == ROWS
        assert roll_back(aliases) == "v1"
        assert [alias.must_pass for alias in aliases.list()] == [ROWS]

    def test_of_today_stays_when_an_alias_is_rolled_back(self, aliases: Aliases) -> None:
        promote_with(aliases, "v1", ROWS)
        promote_with(aliases, "v2", ROWS[:1])
        roll_back(aliases)
        assert [alias.must_pass for alias in aliases.list()] == [ROWS[:1]]

    @pytest.mark.parametrize("rows", [(), ROWS[1:]])
    def test_is_replaced_or_removed_where_the_alias_points_already_which_is_a_change(
        self, files: Files, aliases: Aliases, rows: tuple[Row, ...]
    ) -> None:
        promote_with(aliases, "v1", ROWS)
        assert promote_with(aliases, "v1", rows).must_pass == rows
        assert promote_with(aliases, "v1", rows).must_pass == rows
        assert promote_with(aliases, "v1", None).must_pass == rows
        assert files.list("aliases/live") == ["000001.json", "000002.json"]
        assert [(change.event, change.points_to) for change in aliases.history("live")] == [("promoted", "v1")] * 2

    def test_alone_is_no_step_that_a_rollback_takes_back(self, aliases: Aliases) -> None:
        for target, rows in (("v1", ()), ("v1", ROWS), ("v2", None), ("v2", ()), ("v2", ROWS)):
            promote_with(aliases, target, rows)
        assert roll_back(aliases) == "v1"
        with pytest.raises(NothingToRollBack):
            aliases.rollback_target("live")

    def test_ends_with_the_alias(self, aliases: Aliases) -> None:
        promote_with(aliases, "v1", ROWS)
        aliases.remove("live", WHY)
        assert aliases.state("live") == AliasState(2, None, ())
        assert promote(aliases, "v2").must_pass == ()

    def test_outlives_damage_to_the_newest_file(self, files: Files, aliases: Aliases) -> None:
        promote_with(aliases, "v1", ROWS)
        files.put_new("aliases/live/000002.json", b"{")
        files.put_new("aliases/live/000003.json", b"{")
        assert aliases.state("live") == AliasState(3, None, ROWS)
        with pytest.raises(ConcurrentChange):
            promote(aliases, "v2")
        assert promote_with(aliases, "v2", None).must_pass == ROWS

    def test_before_a_removal_does_not_come_back_by_damage(self, files: Files, aliases: Aliases) -> None:
        promote_with(aliases, "v1", ROWS)
        aliases.remove("live", WHY)
        files.put_new("aliases/live/000003.json", b"{")
        assert aliases.state("live") == AliasState(3, None, ())


class TestStanding:
    def test_says_number_target_and_rows(self, aliases: Aliases) -> None:
        assert aliases.state("live") == AliasState(0, None, ())
        promote_with(aliases, "v2@1", ROWS)
        assert aliases.state("live") == AliasState(1, Reference("v2", 1), ROWS)

    def test_of_a_name_that_cannot_be_an_alias_is_refused(self, aliases: Aliases) -> None:
        with pytest.raises(NameTaken):
            aliases.state("V1")
        with pytest.raises(InvalidName):
            aliases.state("../live")

    @pytest.mark.parametrize(
        "meanwhile",
        [
            lambda aliases: promote(aliases, "v3"),
            lambda aliases: promote_with(aliases, "v1", ROWS),
            roll_back,
            lambda aliases: aliases.remove("live", WHY),
        ],
        ids=["promoted", "other rows", "rolled back", "removed"],
    )
    def test_that_has_changed_since_somebody_judged_by_it_refuses_the_promotion(
        self, files: Files, aliases: Aliases, meanwhile: Callable[[Aliases], object]
    ) -> None:
        for target in ("v3", "v1"):
            promote(aliases, target)
        checked_number = aliases.state("live").number
        meanwhile(open_aliases(files))
        before = aliases.list()
        for must_pass in (None, (), ROWS):
            with pytest.raises(ConcurrentChange, match="changed the alias live at the same moment, so it was not prom"):
                aliases.promote("live", Reference("v2"), WHY, PromotionPreconditions(must_pass, checked_number))
        assert aliases.list() == before

    def test_does_not_matter_to_a_promotion_without_conditions(self, files: Files, aliases: Aliases) -> None:
        aliases.state("live")
        promote(open_aliases(files), "v1")
        assert promote(aliases, "v2").points_to == "v2"

    def test_with_rows_lets_nothing_pass_that_was_not_judged_unless_it_removes_them(self, aliases: Aliases) -> None:
        promote_with(aliases, "v1", ROWS)
        for must_pass in (None, ROWS, ROWS[:1]):
            with pytest.raises(ConcurrentChange):
                aliases.promote("live", Reference("v2"), WHY, PromotionPreconditions(must_pass))
        assert points_to(aliases) == {"live": "v1"}
        aliases.promote("live", Reference("v2"), WHY, PromotionPreconditions(()))
        assert points_to(aliases) == {"live": "v2"}


class TestList:
    def test_leaves_out_what_may_not_be_read_and_says_that_what_points_there_does_not_answer(
        self, tmp_path: Path
    ) -> None:
        files = LocalFiles(tmp_path)
        for name in ("v1", "v2"):
            open_catalog(files).publish(new_revision(name, contents=blobs()))
        for alias, target in (("a", "v1"), ("b", "v1"), ("c", "v2")):
            promote(open_aliases(files), target, alias)
        with each_call(tmp_path, Forbid(tmp_path / "aliases/b", tmp_path / "classifiers/v2")):
            listed = open_aliases(files).list()
        assert [(each.alias, each.answers) for each in listed] == [("a", True), ("c", False)]

    def test_lets_nothing_be_deleted_that_an_alias_may_point_to_which_may_not_be_read(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path)
        open_catalog(files).publish(new_revision("v1", contents=blobs()))
        promote(open_aliases(files), "v1", "a")
        with each_call(tmp_path, Forbid(tmp_path / "aliases/a")), pytest.raises(StorageFailed):
            open_catalog(files).delete("v1")
        with pytest.raises(ClassifierInUse):
            open_catalog(files).delete("v1")

    def test_is_sorted_and_says_what_answers(self, catalog: Catalog, aliases: Aliases) -> None:
        assert aliases.list() == ()
        for alias, target in (("b", "v1"), ("c", "v2@1"), ("a", "v3"), ("d", "v3")):
            promote(aliases, target, alias)
        catalog.delete("v1", force=True)
        catalog.purging.purge_revision("v2", 1, force=True)
        aliases.remove("d", WHY)
        assert [(alias.alias, alias.answers) for alias in aliases.list()] == [("a", True), ("b", False), ("c", False)]
        catalog.restore("v1")
        assert [alias.answers for alias in aliases.list()] == [True, True, False]

    def test_says_that_what_points_at_damage_does_not_answer(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path)
        catalog, aliases = open_catalog(files), open_aliases(files)
        catalog.publish(new_revision("v1"))
        promote(aliases, "v1")
        (tmp_path / "classifiers/v1/000001.json").write_bytes(b"{")
        assert [alias.answers for alias in open_aliases(files).list()] == [False]


class TestRollBack:
    def test_goes_back_one_change_after_the_other(self, aliases: Aliases) -> None:
        for target in ("v1", "v2@1", "v2"):
            promote(aliases, target)
        assert [roll_back(aliases), roll_back(aliases)] == ["v2@1", "v1"]
        with pytest.raises(NothingToRollBack, match="v1 is what it was pointed to first") as caught:
            aliases.rollback_target("live")
        assert caught.value.facts == {"alias": "live", "points_to": "v1"}

    def test_goes_back_to_where_it_was_rolled_back_to(self, aliases: Aliases) -> None:
        for target in ("v1", "v2"):
            promote(aliases, target)
        roll_back(aliases)
        promote(aliases, "v3")
        assert roll_back(aliases) == "v1"

    def test_does_not_go_back_beyond_a_removal(self, aliases: Aliases) -> None:
        promote(aliases, "v1")
        aliases.remove("live", WHY)
        promote(aliases, "v2")
        with pytest.raises(NothingToRollBack):
            aliases.rollback_target("live")

    @pytest.mark.parametrize("target", ["v1", "v2@1"])
    def test_to_what_is_deleted_is_refused(self, catalog: Catalog, aliases: Aliases, target: str) -> None:
        for each in (target, "v3"):
            promote(aliases, each)
        catalog.delete(target.split("@", maxsplit=1)[0])
        detail = rf"pointed to {target} before, which does not answer\. v\d was deleted .* Or promote another"
        with pytest.raises(NothingToRollBack, match=detail) as caught:
            aliases.rollback_target("live")
        facts = caught.value.facts
        assert (facts["alias"], facts["pointed_to"]) == ("live", target)

    def test_to_what_was_deleted_meanwhile_is_refused(self, catalog: Catalog, aliases: Aliases) -> None:
        for target in ("v1", "v2"):
            promote(aliases, target)
        way = aliases.rollback_target("live")
        catalog.delete("v1")
        with pytest.raises(NothingToRollBack):
            aliases.roll_back("live", way, WHY)
        assert points_to(aliases) == {"live": "v2"}

    @pytest.mark.parametrize(
        "meanwhile", [lambda aliases: promote(aliases, "v3"), roll_back], ids=["promoted", "rolled back"]
    )
    def test_that_meets_another_change_leaves_it_as_it_is(
        self, files: Files, aliases: Aliases, meanwhile: Callable[[Aliases], object]
    ) -> None:
        for target in ("v1", "v2", "v1", "v2"):
            promote(aliases, target)
        way = aliases.rollback_target("live")
        meanwhile(open_aliases(files))
        before = points_to(aliases)
        with pytest.raises(ConcurrentChange, match="changed the alias live at the same moment"):
            aliases.roll_back("live", way, WHY)
        assert points_to(aliases) == before

    def test_of_an_alias_that_was_removed_meanwhile_is_refused(self, aliases: Aliases) -> None:
        for target in ("v1", "v2"):
            promote(aliases, target)
        way = aliases.rollback_target("live")
        aliases.remove("live", WHY)
        with pytest.raises(AliasNotFound):
            aliases.roll_back("live", way, WHY)

    def test_knows_its_way_by_number_and_target(self, aliases: Aliases) -> None:
        for target in ("v1", "v2"):
            promote(aliases, target)
        assert aliases.rollback_target("live") == RollbackTarget(2, Reference("v1"))

    def test_of_what_is_no_alias_is_refused(self, aliases: Aliases) -> None:
        for name in ("live", "v1"):
            with pytest.raises(AliasNotFound):
                aliases.rollback_target(name)
        with pytest.raises(InvalidName):
            aliases.rollback_target("../live")

    def test_of_a_damaged_alias_or_to_a_damaged_classifier_says_so(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path)
        catalog, aliases = open_catalog(files), open_aliases(files)
        for name in ("v1", "v2"):
            catalog.publish(new_revision(name))
            promote(aliases, name)
        (tmp_path / "classifiers/v1/000001.json").write_bytes(b"{")
        with pytest.raises(InvalidArtifact, match="classifiers/v1"):
            open_aliases(files).rollback_target("live")
        (tmp_path / "aliases/live/000002.json").write_bytes(b"{")
        with pytest.raises(InvalidArtifact, match="aliases/live"):
            open_aliases(files).rollback_target("live")

    def test_past_a_damaged_change_finds_nothing(self, files: Files, aliases: Aliases) -> None:
        for target in ("v1", "v2"):
            promote(aliases, target)
        files.remove("aliases/live/000001.json")
        with pytest.raises(NothingToRollBack):
            aliases.rollback_target("live")


class TestRemove:
    def test_takes_an_alias_away_and_gives_its_name_back(self, catalog: Catalog, aliases: Aliases) -> None:
        promote(aliases, "v1")
        aliases.remove("live", ChangeNote(reason="no longer needed"))
        assert aliases.list() == ()
        with pytest.raises(ClassifierNotFound):
            catalog.find(Reference("live"))
        catalog.publish(new_revision("live"))
        catalog.delete("v1")

    def test_of_what_is_no_alias_is_refused(self, files: Files, aliases: Aliases) -> None:
        promote(aliases, "v1", "gone")
        aliases.remove("gone", WHY)
        for name in ("live", "v1", "gone"):
            with pytest.raises(AliasNotFound):
                aliases.remove(name, WHY)
        with pytest.raises(InvalidName):
            aliases.remove("../live", WHY)
        assert files.list("aliases") == ["gone"]
        assert files.list("aliases/gone") == ["000001.json", "000002.json"]

    def test_lists_near_aliases(self, aliases: Aliases) -> None:
        promote(aliases, "v1", "tickets_live")
        with pytest.raises(AliasNotFound, match="Did you mean tickets_live") as caught:
            aliases.remove("ticket_live", WHY)
        assert caught.value.facts == {"alias": "ticket_live", "near_names": ["tickets_live"]}

    def test_takes_away_a_damaged_alias(self, files: Files, aliases: Aliases) -> None:
        files.put_new("aliases/live/000001.json", b"{")
        aliases.remove("live", WHY)
        promote(aliases, "v1")
        assert points_to(aliases) == {"live": "v1"}


class TestHistory:
    def test_says_who_did_what_when_from_where_to_where_and_why(self, files: Files, catalog: Catalog) -> None:
        times = iter([AT.replace(day=day) for day in range(1, 6)])
        aliases = open_aliases(files, lambda: next(times))
        promote(aliases, "v1", said=ChangeNote(reason="first", author="Ada"))
        promote(aliases, "v2@1", said=ChangeNote(reason="better", author="Bob"))
        aliases.roll_back("live", aliases.rollback_target("live"), ChangeNote(reason="worse", author="Eve"))
        aliases.remove("live", ChangeNote(reason="no use"))
        promote(aliases, "v3")
        v1, v2, v3 = "v1", "v2@1", "v3"
        assert [
            (
                change.number,
                change.event,
                change.points_from,
                change.points_to,
                change.at.day,
                recast(ChangeNote, change),
            )
            for change in open_aliases(files).history("live")
        ] == [
            (1, "promoted", None, v1, 1, ChangeNote(reason="first", author="Ada")),
            (2, "promoted", v1, v2, 2, ChangeNote(reason="better", author="Bob")),
            (3, "rolled_back", v2, v1, 3, ChangeNote(reason="worse", author="Eve")),
            (4, "removed", v1, None, 4, ChangeNote(reason="no use")),
            (5, "promoted", None, v3, 5, WHY),
        ]

    def test_names_the_key_that_acted_and_not_who_only_says_so(self, aliases: Aliases) -> None:
        with calling(Caller("deploy")):
            assert promote(aliases, "v1").key_name == "deploy"
            promote(aliases, "v2")
        assert promote(aliases, "v3").key_name is None
        with calling(Caller("night")):
            roll_back(aliases)
            aliases.remove("live", WHY)
        changes = [(change.author, change.key_name) for change in aliases.history("live")]
        assert changes == [("Ada", key) for key in ("deploy", "deploy", None, "night", "night")]

    def test_outlives_the_alias_and_what_it_pointed_to(self, catalog: Catalog, aliases: Aliases) -> None:
        promote(aliases, "v1")
        aliases.remove("live", WHY)
        catalog.purging.purge("v1")
        assert [change.event for change in aliases.history("live")] == ["promoted", "removed"]

    def test_of_what_never_was_an_alias_is_refused(self, aliases: Aliases) -> None:
        for name in ("live", "v1"):
            with pytest.raises(AliasNotFound):
                aliases.history(name)
        with pytest.raises(InvalidName):
            aliases.history("../live")

    def test_with_a_damaged_change_is_an_error_that_names_it(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path)
        open_catalog(files).publish(new_revision("v1"))
        aliases = open_aliases(files)
        promote(aliases, "v1")
        aliases.remove("live", WHY)
        (tmp_path / "aliases/live/000001.json").write_bytes(b"{")
        with pytest.raises(InvalidArtifact, match=r"aliases/live/000001\.json"):
            open_aliases(files).history("live")


def test_a_change_costs_other_servers_one_look_until_it_is_made() -> None:
    files = MemoryFiles()
    ours, theirs = open_aliases(files), open_aliases(files)
    open_catalog(files).publish(new_revision("v1"))
    promote(theirs, "v1")
    ours.list()
    files.calls.clear()
    ours.list()
    assert files.calls == {"version_token": 3}  # of all aliases, of this one, and of what it points to
    theirs.remove("live", WHY)
    assert ours.list() == ()
