"""Listing, showing, describing, deleting and restoring on this machine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.encoder import FakeEncoder
from tests.service.examples import ROWS, SHOUTING, Open, alter, altered, ask, blob_of, fit, notes_of, revisions, show
from windrow.domain.alias import PromoteRequest
from windrow.domain.archive import ExportRequest
from windrow.domain.classifier import (
    BulkDeletion,
    DeleteRequest,
    Deletion,
    DescribeRequest,
    ModelRequest,
    Restored,
    RestoreRequest,
)
from windrow.domain.errors import (
    ClassifierInUse,
    ClassifierNotFound,
    InvalidArtifact,
    InvalidName,
    InvalidParameter,
    NameTaken,
    NotDeleted,
    NotFound,
    RevisionNotFound,
    StorageFailed,
    WindrowError,
)
from windrow.domain.listing import DeleteAllRequest, Listing, ListRequest, to_cursor
from windrow.domain.prediction import PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.values import recast
from windrow.service import classifiers
from windrow.service.service import Service
from windrow.storage.catalog import Catalog
from windrow.storage.purging import IsMeant


def names_on(listing: Listing) -> list[str]:
    return [classifier.name for classifier in listing.models]


def test_the_list_comes_whole_or_in_pages(service: Service) -> None:
    for name in ("c", "a", "b"):
        fit(service, name)
    assert revisions(service) == [("a", 1), ("b", 1), ("c", 1)]
    for page, names, next_name in (
        (ListRequest(limit=2), ["a", "b"], "b"),
        (ListRequest(limit=2, cursor=to_cursor("b")), ["c"], None),
        (ListRequest(cursor=to_cursor("a")), ["b", "c"], None),
    ):
        listing = service.list_classifiers(page)
        assert (names_on(listing), listing.next_cursor) == (names, next_name and to_cursor(next_name))


def test_the_list_takes_a_task_a_prefix_a_tag_a_base_model_and_an_order(opened: Open) -> None:
    encoders = {DEFAULT_BASE_MODEL: FakeEncoder(), "other/one": FakeEncoder("other/one")}
    service = opened(encoders=encoders)
    fit(service, "tickets_v2", tags=("nightly",))
    fit(service, "tickets_v10", rows=ROWS * 2)
    fit(service, "tickets")
    fit(service, "mail_v1", base_model="other/one")
    fit(service, "deleted")
    service.delete(DeleteRequest("deleted"))
    for page, names in (
        (ListRequest(task="tickets"), ["tickets_v2", "tickets_v10"]),
        (ListRequest(prefix="tickets"), ["tickets", "tickets_v10", "tickets_v2"]),
        (ListRequest(tag="nightly"), ["tickets_v2"]),
        (ListRequest(base_model="other/one"), ["mail_v1"]),
        (ListRequest(task="tickets", tag="weekly"), []),
        (ListRequest(sort="-num_examples", limit=2), ["tickets_v10", "mail_v1"]),
        (ListRequest(deleted=True), ["deleted"]),
    ):
        assert names_on(service.list_classifiers(page)) == names


@pytest.mark.parametrize(
    ("page", "error"),
    [
        (ListRequest(limit=0), InvalidParameter),
        (ListRequest(sort="age"), InvalidParameter),
        (ListRequest(cursor=to_cursor("!")), InvalidParameter),
    ],
)
def test_a_page_that_breaks_a_rule_is_refused(service: Service, page: ListRequest, error: type[WindrowError]) -> None:
    with pytest.raises(error):
        service.list_classifiers(page)


def test_what_is_shown_says_what_answers_which_revisions_there_are_and_who_points_there(service: Service) -> None:
    fit(service)
    fit(service, rows=SHOUTING)
    service.promote(PromoteRequest("tickets", "tickets_v1"))
    service.promote(PromoteRequest("pinned", "tickets_v1@1"))
    newest = show(service, "tickets_v1")
    assert (newest.answers, newest.revisions, newest.aliases) == (True, (1, 2), ("tickets",))
    assert newest.labels == ("BILLING", "BUG")
    assert show(service, "tickets") == show(service, "tickets@latest") == show(service, "tickets_v1@2") == newest
    older = show(service, "tickets_v1@1")
    assert (older.answers, older.revisions, older.aliases) == (False, (1, 2), ("pinned", "tickets"))
    assert older.labels == ("billing", "bug")


def test_what_cannot_be_shown_says_why(service: Service) -> None:
    fit(service)
    for name, error in (("!", InvalidName), ("elsewhere", ClassifierNotFound), ("tickets_v1@7", RevisionNotFound)):
        with pytest.raises(error):
            show(service, name)
    (service.dependencies.settings.local_dir / "classifiers" / "tickets_v1" / "000002.json").write_text("{")
    with pytest.raises(InvalidArtifact):
        show(service, "tickets_v1")


def test_a_description_and_tags_can_be_changed_later_one_without_the_other(service: Service) -> None:
    fit(service, description="first", tags=("eu",))
    assert notes_of(service.describe(DescribeRequest("tickets_v1", description="second"))) == ("second", ("eu",))
    assert notes_of(service.describe(DescribeRequest("tickets_v1", tags=()))) == ("second", ())
    assert notes_of(show(service, "tickets_v1")) == ("second", ())
    assert revisions(service) == [("tickets_v1", 1)]
    assert ask(service, "tickets_v1", "error").revision == 1


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (DescribeRequest("!"), InvalidName),
        (DescribeRequest("tickets_v1@1"), InvalidName),
        (DescribeRequest("tickets_v1", tags=("a" * 65,)), InvalidParameter),
        (DescribeRequest("tickets_v1", "x" * 2_001), InvalidParameter),
        (DescribeRequest("elsewhere", "x"), ClassifierNotFound),
        (DescribeRequest("tickets", "x"), ClassifierNotFound),
    ],
)
def test_notes_that_break_a_rule_or_belong_to_nothing_are_refused(
    service: Service, request_: DescribeRequest, error: type[WindrowError]
) -> None:
    fit(service)
    service.promote(PromoteRequest("tickets", "tickets_v1"))
    with pytest.raises(error):
        service.describe(request_)
    assert notes_of(show(service, "tickets_v1")) == ("", ())


def test_a_deleted_classifier_is_gone_from_every_verb_and_comes_back_as_it_was(service: Service) -> None:
    fit(service)
    fit(service, rows=SHOUTING)
    answer, before = ask(service, "tickets_v1", "error"), show(service, "tickets_v1")
    assert service.delete(DeleteRequest("tickets_v1")) == Deletion("tickets_v1")
    assert revisions(service) == []
    verbs: tuple[Callable[[str], object], ...] = (
        lambda name: ask(service, name, "x"),
        lambda name: show(service, name),
        lambda name: service.delete(DeleteRequest(name)),
        lambda name: service.export(ExportRequest(name)),
        lambda name: service.reproduce(ModelRequest(name)),
        lambda name: service.describe(DescribeRequest(name, description="x")),
        lambda name: service.promote(PromoteRequest("alias", name)),
    )
    for verb in verbs:
        with pytest.raises(NotFound):
            verb("tickets_v1")
    with pytest.raises(NotFound):
        ask(service, "tickets_v1@1", "x")
    assert service.restore(RestoreRequest("tickets_v1")) == recast(Restored, before)
    assert show(service, "tickets_v1") == before
    assert ask(service, "tickets_v1", "error") == answer


def test_an_older_revision_is_restored_and_answers_again_also_from_the_dead(service: Service) -> None:
    fit(service)
    fit(service, rows=SHOUTING)
    assert service.restore(RestoreRequest("tickets_v1@1")).revision == 1
    assert ask(service, "tickets_v1", "error").label == "bug"
    service.delete(DeleteRequest("tickets_v1"))
    service.restore(RestoreRequest("tickets_v1@2"))
    assert ask(service, "tickets_v1", "error").label == "BUG"
    assert show(service, "tickets_v1").revisions == (1, 2)


def test_what_cannot_be_restored_says_why(service: Service) -> None:
    fit(service)
    fit(service)
    for name, error in (
        ("!", InvalidName),
        ("tickets@latest", InvalidName),
        ("elsewhere", ClassifierNotFound),
        ("tickets_v1@9", RevisionNotFound),
        ("tickets_v1", NotDeleted),
        ("tickets_v1@2", NotDeleted),
    ):
        with pytest.raises(error):
            service.restore(RestoreRequest(name))


@pytest.mark.parametrize("taker", ["alias", "case"])
def test_a_name_that_was_given_away_meanwhile_is_not_restored(service: Service, taker: str) -> None:
    fit(service)
    fit(service, "other")
    service.delete(DeleteRequest("tickets_v1"))
    if taker == "alias":
        service.promote(PromoteRequest("tickets_v1", "other"))
    else:
        fit(service, "Tickets_v1")
    with pytest.raises(NameTaken):
        service.restore(RestoreRequest("tickets_v1"))


def test_a_damaged_classifier_is_not_restored_and_stays_deleted(service: Service) -> None:
    fit(service)
    path = blob_of(service, "tickets_v1")
    service.delete(DeleteRequest("tickets_v1"))
    alter(path)
    with pytest.raises(InvalidArtifact):
        service.restore(RestoreRequest("tickets_v1"))
    assert revisions(service) == []


def folder_bytes(service: Service) -> int:
    root = service.dependencies.settings.local_dir / "classifiers"
    return sum(path.stat().st_size for path in root.rglob("*.*") if path.is_file())


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_purge_frees_the_disk_for_good(service: Service, is_deleted: bool) -> None:
    fit(service)
    fit(service, rows=SHOUTING)
    blobs = sum(path.stat().st_size for path in service.dependencies.settings.local_dir.glob("classifiers/*/blobs/*"))
    if is_deleted:
        service.delete(DeleteRequest("tickets_v1"))
    assert service.delete(DeleteRequest("tickets_v1", purge=True)) == Deletion("tickets_v1", True, blobs)
    assert folder_bytes(service) == 0
    with pytest.raises(ClassifierNotFound):
        service.restore(RestoreRequest("tickets_v1"))
    with pytest.raises(ClassifierNotFound):
        service.delete(DeleteRequest("tickets_v1", purge=True))
    assert fit(service) == 1


def test_a_single_older_revision_is_purged_and_the_others_stay(service: Service) -> None:
    fit(service)
    fit(service, rows=SHOUTING)
    before = folder_bytes(service)
    deletion = service.delete(DeleteRequest("tickets_v1@1", purge=True))
    assert (deletion.model_name, deletion.purged) == ("tickets_v1@1", True)
    assert deletion.freed_bytes > 0
    assert folder_bytes(service) < before
    assert show(service, "tickets_v1").revisions == (2,)
    assert ask(service, "tickets_v1", "error").label == "BUG"
    with pytest.raises(RevisionNotFound):
        ask(service, "tickets_v1@1", "error")


@pytest.mark.parametrize(
    ("name", "purge", "error"),
    [
        ("!", False, InvalidName),
        ("tickets@latest", False, InvalidName),
        ("tickets_v1@1", False, InvalidParameter),
        ("unheard-of@1", False, ClassifierNotFound),
        ("elsewhere", False, ClassifierNotFound),
        ("elsewhere", True, ClassifierNotFound),
        ("pinned", True, ClassifierNotFound),
        ("tickets_v1@9", True, RevisionNotFound),
        ("tickets_v1@2", True, ClassifierInUse),
        ("tickets_v1@1", True, ClassifierInUse),
        ("tickets_v1", True, ClassifierInUse),
        ("tickets_v1", False, ClassifierInUse),
    ],
)
def test_what_cannot_be_deleted_says_why_and_stays(
    service: Service, name: str, purge: bool, error: type[WindrowError]
) -> None:
    fit(service)
    fit(service)
    service.promote(PromoteRequest("pinned", "tickets_v1@1"))
    with pytest.raises(error):
        service.delete(DeleteRequest(name, purge=purge))
    assert show(service, "tickets_v1").revisions == (1, 2)
    assert ask(service, "pinned", "error").revision == 1


@pytest.mark.parametrize("name", ["tickets_v1", "tickets_v1@1"])
def test_force_takes_away_what_an_alias_points_to_and_the_alias_answers_no_more(service: Service, name: str) -> None:
    fit(service)
    fit(service)
    service.promote(PromoteRequest("pinned", "tickets_v1@1"))
    service.delete(DeleteRequest(name, purge=True, force=True))
    with pytest.raises(NotFound):
        ask(service, "pinned", "error")
    (alias,) = service.list_aliases().aliases
    assert not alias.answers


def fit_folds(service: Service) -> None:
    for name in ("fold_1", "fold_2", "fold_3"):
        fit(service, name, tags=("cv",))
    fit(service, "tickets_v1")


@pytest.mark.parametrize("selection", [DeleteAllRequest(prefix="fold_"), DeleteAllRequest(tag="cv")])
@pytest.mark.parametrize("purge", [True, False])
def test_a_selection_is_deleted_after_a_dry_run_that_says_the_same_and_does_nothing(
    service: Service, selection: DeleteAllRequest, purge: bool
) -> None:
    fit_folds(service)
    fit(service, "fold_1", rows=SHOUTING)
    planned = service.delete_all(replace(selection, purge=purge, dry_run=True))
    assert len(revisions(service)) == 4
    done = service.delete_all(replace(selection, purge=purge))
    assert planned == replace(done, status="dry_run")
    assert done.model_names == ("fold_1", "fold_2", "fold_3")
    assert (done.freed_bytes > 0) is done.purged is purge
    assert revisions(service) == [("tickets_v1", 1)]
    assert len(service.list_classifiers(ListRequest(deleted=True)).models) == (0 if purge else 3)


def test_a_purge_of_a_selection_leaves_the_deleted_ones_to_be_restored(service: Service) -> None:
    fit_folds(service)
    service.delete(DeleteRequest("fold_2"))
    purged = service.delete_all(DeleteAllRequest(prefix="fold_", purge=True))
    assert purged.model_names == ("fold_1", "fold_3")
    assert service.restore(RestoreRequest("fold_2")).name == "fold_2"


@pytest.mark.parametrize(
    ("selection", "why"),
    [(DeleteAllRequest(), "prefix, tag, task or base_model"), (DeleteAllRequest(prefix=""), "prefix is empty")],
)
def test_everything_is_not_deleted_at_once(service: Service, selection: DeleteAllRequest, why: str) -> None:
    fit_folds(service)
    with pytest.raises(InvalidParameter, match=why):
        service.delete_all(selection)
    assert len(revisions(service)) == 4


def test_a_selection_that_an_alias_points_into_is_left_whole_unless_forced_as_the_dry_run_says(
    service: Service,
) -> None:
    fit_folds(service)
    service.promote(PromoteRequest("best", "fold_2"))
    planned = service.delete_all(DeleteAllRequest(tag="cv", dry_run=True))
    assert planned == BulkDeletion("dry_run", ("fold_1", "fold_2", "fold_3"), aliases=("best",))
    with pytest.raises(ClassifierInUse) as caught:
        service.delete_all(DeleteAllRequest(tag="cv"))
    assert caught.value.facts["aliases"] == ["best"]
    assert len(revisions(service)) == 4
    assert service.delete_all(DeleteAllRequest(tag="cv", force=True)) == replace(planned, status="deleted")


@pytest.mark.parametrize("purge", [True, False])
def test_what_others_changed_in_the_midst_of_a_selection_is_skipped_and_named(
    opened: Open, purge: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = opened()
    fit_folds(other)
    fit(other, "fold_4", tags=("cv",))

    def late(verb: Callable[..., object]) -> Callable[..., object]:
        """Let others be faster than the first deletion."""

        def do(name: str, **how: object) -> object:
            if name == "fold_1":
                other.delete(DeleteRequest("fold_2"))
                other.promote(PromoteRequest("best", "fold_3"))
                other.describe(DescribeRequest("fold_4", tags=()))
            return verb(name, **how)

        return do

    slow = opened()
    catalog = slow.dependencies.store.catalog
    monkeypatch.setattr(catalog, "delete", late(catalog.delete))
    monkeypatch.setattr(catalog.purging, "purge", late(catalog.purging.purge))
    deletion = slow.delete_all(DeleteAllRequest(tag="cv", purge=purge))
    assert (deletion.model_names, deletion.skipped) == (("fold_1",), ("fold_2", "fold_3", "fold_4"))
    assert other.restore(RestoreRequest("fold_2")).name == "fold_2"
    assert revisions(other) == [("fold_2", 1), ("fold_3", 1), ("fold_4", 1), ("tickets_v1", 1)]


def test_a_disk_that_fails_in_the_midst_of_a_selection_leaves_the_rest_and_what_was_done_is_told(
    opened: Open,
) -> None:
    fit_folds(opened())

    class FailingCatalog(Catalog):
        """Fails from a certain classifier on."""

        fails_at = ("fold_2", "fold_3")

        def delete(self, name: str, *, force: bool = False, is_meant: IsMeant | None = None) -> None:
            if name in self.fails_at:
                raise StorageFailed("The disk failed. Look at it.")
            super().delete(name, force=force, is_meant=is_meant)

    service = opened()
    failing = altered(service, catalog=FailingCatalog(service.dependencies.store.names))
    assert failing.delete_all(DeleteAllRequest(tag="cv")) == BulkDeletion(
        "deleted", ("fold_1",), skipped=("fold_2", "fold_3")
    )
    with pytest.raises(StorageFailed):
        failing.delete_all(DeleteAllRequest(tag="cv"))
    assert revisions(service) == [("fold_2", 1), ("fold_3", 1), ("tickets_v1", 1)]


def test_a_classifier_says_when_it_was_last_used_and_how_much_lately(service: Service) -> None:
    fit(service, "used_v1")
    fit(service, "unused_v1")
    service.promote(PromoteRequest("live", "used_v1"))
    assert (show(service, "used_v1").last_used_at, show(service, "used_v1").recent_predictions) == (None, 0)
    ask(service, "live", "error")
    service.predict(PredictRequest(model_names=("used_v1", "used_v1@1"), text="error"))
    with pytest.raises(InvalidParameter):
        service.predict(PredictRequest(model_name="unused_v1", text="error", top_k=99))
    listed = {each.name: each for each in service.list_classifiers(ListRequest())}
    used, described = listed["used_v1"], service.describe(DescribeRequest("used_v1", "Tickets."))
    assert used.last_used_at is not None
    assert (used.recent_predictions, described.recent_predictions, show(service, "live").recent_predictions) == (
        3,
        3,
        3,
    )
    assert used.last_used_at == described.last_used_at == show(service, "live").last_used_at
    assert (listed["unused_v1"].last_used_at, listed["unused_v1"].recent_predictions) == (None, 0)


def test_the_unused_ones_are_those_that_are_old_enough_and_gave_no_prediction_since(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = opened()
    fit(service, "old_v1")
    fit(service, "asked_v1")
    later = show(service, "old_v1").created_at + timedelta(days=30)

    def unused(days: int) -> list[str]:
        return [each.name for each in service.list_classifiers(ListRequest(unused_days=days))]

    assert unused(30) == []
    monkeypatch.setattr(classifiers, "utc_now", lambda: later - timedelta(seconds=60))
    assert unused(30) == []
    monkeypatch.setattr(classifiers, "utc_now", lambda: later + timedelta(seconds=60))
    assert unused(30) == ["asked_v1", "old_v1"]
    monkeypatch.setattr(service.dependencies.counters, "_now_s", (later - timedelta(days=2)).timestamp)
    ask(service, "asked_v1", "error")
    assert (unused(1), unused(30)) == (["asked_v1", "old_v1"], ["old_v1"])
    page = service.list_classifiers(ListRequest(unused_days=1, limit=1))
    assert ([each.name for each in page], page.next_cursor) == (["asked_v1"], to_cursor("asked_v1"))
    for wrong in (0, 91):
        with pytest.raises(InvalidParameter):
            unused(wrong)


def test_what_was_used_is_still_known_after_a_restart(opened: Open) -> None:
    service = opened()
    fit(service, "used_v1")
    ask(service, "used_v1", "error")
    before = show(service, "used_v1")
    service.close()
    assert show(opened(), "used_v1") == before
