"""Promoting, rolling back and taking away on this machine; what is told about it, and what stays where it points."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest

from tests.fakes.encoder import FakeEncoder
from tests.service.examples import ROWS, SHOUTING, Open, alter, altered, ask, blob_of, fit
from windrow.domain.alias import Alias, AliasChangeRequest, AliasRequest, ChangeNote, PromoteRequest, Promotion
from windrow.domain.classifier import DeleteRequest, RestoreRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    AliasNotFound,
    BaseModelUnavailable,
    ClassifierNotFound,
    ConcurrentChange,
    InvalidArtifact,
    InvalidName,
    InvalidParameter,
    InvalidTestData,
    LimitExceeded,
    NameTaken,
    NothingToRollBack,
    PromotionRefused,
    RevisionNotFound,
    WindrowError,
)
from windrow.domain.gate import NOTHING_REQUIRED, Requirement
from windrow.domain.names import Reference
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.onnx_encoder import TextEncoder, Tokens
from windrow.execution.predictor import Predictor
from windrow.service.service import Service
from windrow.storage.alias_store import UNCONDITIONAL, Aliases, PromotionPreconditions, RollbackTarget
from windrow.storage.namespace import Namespace

LONG = "x" * 501
NOT_WORSE = Requirement(ROWS, not_worse=True)


def promote(service: Service, model_name: str, alias: str = "tickets", reason: str = "") -> Promotion:
    return service.promote(PromoteRequest(alias, model_name, reason=reason, author="ada"))


def promote_if(
    service: Service, model_name: str, require: Requirement = NOTHING_REQUIRED, must_pass: tuple[Row, ...] | None = None
) -> Promotion:
    return service.promote(PromoteRequest("tickets", model_name, require=require, must_pass=must_pass))


def points_to(service: Service, alias: str = "tickets") -> str | None:
    return next((each.points_to for each in service.list_aliases().aliases if each.alias == alias), None)


def fit_two(service: Service) -> None:
    fit(service, "tickets_v1")
    fit(service, "tickets_v2", rows=SHOUTING)


def test_a_promotion_and_two_steps_back_are_all_in_the_history(service: Service) -> None:
    fit_two(service)
    fit(service, "tickets_v3", rows=ROWS[1:])
    first = promote(service, "tickets_v1", reason="the first one")
    assert (first.alias, first.points_to, first.answers) == ("tickets", "tickets_v1", True)
    assert (first.reason, first.author) == ("the first one", "ada")
    promote(service, "tickets_v2", reason="3 points better")
    promote(service, "tickets_v3@1")
    back = service.rollback(AliasChangeRequest("tickets", reason="it was worse", author="bob"))
    assert back.points_to == "tickets_v2"
    assert ask(service, "tickets", "error").model_name == "tickets_v2"
    assert service.rollback(AliasChangeRequest("tickets")).points_to == "tickets_v1"
    with pytest.raises(NothingToRollBack):
        service.rollback(AliasChangeRequest("tickets"))
    changes = service.alias_history(AliasRequest("tickets")).changes
    assert [(change.number, change.event, change.points_to) for change in changes] == [
        (1, "promoted", "tickets_v1"),
        (2, "promoted", "tickets_v2"),
        (3, "promoted", "tickets_v3@1"),
        (4, "rolled_back", "tickets_v2"),
        (5, "rolled_back", "tickets_v1"),
    ]
    assert [change.points_from for change in changes][1:] == [change.points_to for change in changes][:-1]
    assert (changes[3].reason, changes[3].author) == ("it was worse", "bob")


def test_what_a_promotion_names_is_pinned_down(service: Service) -> None:
    fit_two(service)
    assert promote(service, "tickets@latest").points_to == "tickets_v2"
    assert promote(service, "tickets", alias="copy").points_to == "tickets_v2"
    fit(service, "tickets_v3")
    assert [alias.points_to for alias in service.list_aliases().aliases] == ["tickets_v2"] * 2


def test_a_promotion_to_where_it_points_changes_nothing(service: Service) -> None:
    fit_two(service)
    first = promote(service, "tickets_v1", reason="first")
    assert promote(service, "tickets_v1", reason="second") == first
    assert len(service.alias_history(AliasRequest("tickets")).changes) == 1


def test_a_removed_alias_answers_no_more_and_keeps_its_history(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v1")
    service.remove_alias(AliasChangeRequest("tickets", reason="no longer used"))
    assert service.list_aliases().aliases == ()
    with pytest.raises(ClassifierNotFound):
        ask(service, "tickets", "error")
    promote(service, "tickets_v2")
    assert [change.event for change in service.alias_history(AliasRequest("tickets")).changes] == [
        "promoted",
        "removed",
        "promoted",
    ]
    with pytest.raises(NothingToRollBack):
        service.rollback(AliasChangeRequest("tickets"))
    service.delete(DeleteRequest("tickets_v1"))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (PromoteRequest("!", "tickets_v1"), InvalidName),
        (PromoteRequest("tickets@1", "tickets_v1"), InvalidName),
        (PromoteRequest("tickets", "!"), InvalidName),
        (PromoteRequest("tickets", "tickets_v1", reason=LONG), InvalidParameter),
        (PromoteRequest("tickets", "tickets_v1", author="\ud800"), InvalidParameter),
        (PromoteRequest("tickets", "elsewhere"), ClassifierNotFound),
        (PromoteRequest("tickets", "tickets_v1@9"), RevisionNotFound),
        (PromoteRequest("tickets", "mail@latest"), ClassifierNotFound),
        (PromoteRequest("tickets_v1", "tickets_v2"), NameTaken),
        (PromoteRequest("TICKETS_v1", "tickets_v2"), NameTaken),
        (PromoteRequest("Known", "tickets_v2"), NameTaken),
        (PromoteRequest("tickets", "tickets_v1", require=Requirement(not_worse=True)), InvalidParameter),
        (
            PromoteRequest("tickets", "tickets_v1", require=Requirement(ROWS, min_recall={"bugs": 0.5})),
            InvalidParameter,
        ),
        (PromoteRequest("tickets", "tickets_v1", require=Requirement((Row("", "bug"),))), InvalidTestData),
        (PromoteRequest("tickets", "tickets_v1", must_pass=(Row("a", " "),)), InvalidTestData),
        (PromoteRequest("tickets", "tickets_v1", must_pass=ROWS[:1] * 1_001), LimitExceeded),
        (PromoteRequest("tickets_v1", "tickets_v2", require=NOT_WORSE), NameTaken),
        (PromoteRequest("tickets", "elsewhere", require=NOT_WORSE), ClassifierNotFound),
    ],
)
def test_a_promotion_that_cannot_be_is_refused_and_makes_no_alias(
    service: Service, request_: PromoteRequest, error: type[WindrowError]
) -> None:
    fit_two(service)
    promote(service, "tickets_v1", alias="known")
    with pytest.raises(error):
        service.promote(request_)
    assert [alias.alias for alias in service.list_aliases().aliases] == ["known"]


def test_a_step_back_that_cannot_be_is_refused_and_the_alias_stays(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v1")
    promote(service, "tickets_v2")
    service.delete(DeleteRequest("tickets_v1"))
    for alias, reason, error in (
        ("!", "", InvalidName),
        ("tickets", LONG, InvalidParameter),
        ("elsewhere", "", AliasNotFound),
        ("tickets_v2", "", AliasNotFound),
        ("tickets", "", NothingToRollBack),
    ):
        with pytest.raises(error):
            service.rollback(AliasChangeRequest(alias, reason=reason))
    assert ask(service, "tickets", "error").model_name == "tickets_v2"
    service.restore(RestoreRequest("tickets_v1"))
    assert service.rollback(AliasChangeRequest("tickets")).points_to == "tickets_v1"


def test_what_is_no_alias_cannot_be_taken_away_and_has_no_history(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v1")
    for alias, reason, error in (
        ("!", "", InvalidName),
        ("tickets", LONG, InvalidParameter),
        ("tickets_v1", "", AliasNotFound),
        ("ticket", "", AliasNotFound),
    ):
        with pytest.raises(error):
            service.remove_alias(AliasChangeRequest(alias, reason=reason))
    for alias, error in (("!", InvalidName), ("tickets_v1", AliasNotFound)):
        with pytest.raises(error):
            service.alias_history(AliasRequest(alias))
    with pytest.raises(AliasNotFound) as caught:
        service.alias_history(AliasRequest("ticket"))
    assert caught.value.facts["near_names"] == ["tickets"]


def test_a_damaged_classifier_is_not_promoted_and_not_rolled_back_to(opened: Open) -> None:
    before = opened()
    fit(before, "tickets_v1")
    fit(before, "tickets_v2", rows=ROWS[1:])
    promote(before, "tickets_v1")
    promote(before, "tickets_v2", alias="other")
    promote(before, "tickets_v1", alias="other")
    alter(blob_of(before, "tickets_v2"))
    service = opened()
    with pytest.raises(InvalidArtifact):
        promote(service, "tickets_v2")
    with pytest.raises(InvalidArtifact):
        service.rollback(AliasChangeRequest("other"))
    for alias in ("tickets", "other"):
        assert ask(service, alias, "error").model_name == "tickets_v1"
        assert len(service.alias_history(AliasRequest(alias)).changes) == (1 if alias == "tickets" else 2)


def test_a_classifier_without_its_base_model_is_not_promoted_and_not_rolled_back_to(opened: Open) -> None:
    encoders: dict[str, TextEncoder] = {DEFAULT_BASE_MODEL: FakeEncoder(), "other/one": FakeEncoder("other/one")}
    before = opened(encoders=encoders)
    fit(before, "tickets_v1")
    fit(before, "tickets_v2", base_model="other/one")
    promote(before, "tickets_v2", alias="other")
    promote(before, "tickets_v1", alias="other")
    del encoders["other/one"]
    service = opened(encoders=encoders)
    with pytest.raises(BaseModelUnavailable):
        promote(service, "tickets_v2")
    with pytest.raises(BaseModelUnavailable):
        service.rollback(AliasChangeRequest("other"))
    assert ask(service, "other", "error").model_name == "tickets_v1"


class WatchedAliases(Aliases):
    """Notes, at the moment when an alias is pointed elsewhere, whether what it will point to is loaded."""

    def __init__(self, names: Namespace, service: Service) -> None:
        super().__init__(names)
        self.loaded: list[tuple[str, bool]] = []
        self._catalog, self._predictor = service.dependencies.store.catalog, service.dependencies.predictor

    def promote(
        self, alias: str, target: Reference, said: ChangeNote, preconditions: PromotionPreconditions = UNCONDITIONAL
    ) -> Alias:
        """Note, and promote."""
        self._note(target)
        return super().promote(alias, target, said, preconditions)

    def roll_back(self, alias: str, way: RollbackTarget, said: ChangeNote) -> Alias:
        """Note, and roll back."""
        self._note(way.target)
        return super().roll_back(alias, way, said)

    def _note(self, target: Reference) -> None:
        self.loaded.append((str(target), self._predictor.is_loaded(self._catalog.find(target).entry)))


def loads(predictor: Predictor) -> int:
    """Return how often a classifier was read from the disk."""
    return predictor.server_stats(0, 0).classifiers.misses


def test_what_an_alias_will_point_to_is_loaded_before_the_switch_and_only_once(opened: Open) -> None:
    fit_two(opened())
    fit(opened(), "tickets_v3", rows=ROWS[1:])
    fresh = opened()
    aliases = WatchedAliases(fresh.dependencies.store.names, fresh)
    service = altered(fresh, aliases=aliases)
    promote(service, "tickets_v1")
    promote(service, "tickets_v3")
    assert loads(service.dependencies.predictor) == 2
    ask(service, "tickets", "error")
    service.rollback(AliasChangeRequest("tickets"))
    ask(service, "tickets", "error")
    assert aliases.loaded == [("tickets_v1", True), ("tickets_v3", True), ("tickets_v1", True)]
    assert loads(service.dependencies.predictor) == 2


def test_an_alias_that_is_to_be_kept_loaded_keeps_what_it_points_to(opened: Open) -> None:
    first = opened()
    fit(first, "tickets_v1")
    fit(first, "tickets_v2", rows=ROWS[1:])
    promote(first, "tickets_v1")
    service = opened(pinned_classifiers=("tickets",), classifier_cache_bytes=0)
    service.start()
    assert loads(service.dependencies.predictor) == 1
    ask(service, "tickets", "error")
    assert loads(service.dependencies.predictor) == 1
    promote(first, "tickets_v2")
    service.dependencies.models.update()  # else that is seen only at the next look
    for _ in range(3):
        assert ask(service, "tickets", "error").model_name == "tickets_v2"
    assert loads(service.dependencies.predictor) == 2
    service.remove_alias(AliasChangeRequest("tickets"))
    assert not service.dependencies.predictor.is_loaded(service.dependencies.store.catalog.current("tickets_v2"))


def test_a_worse_classifier_is_refused_with_the_report_and_nothing_changes(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v1")
    with pytest.raises(PromotionRefused, match="tickets_v2 places 0 of 8 test rows right, against 8 of 8") as caught:
        promote_if(service, "tickets_v2", replace(NOT_WORSE, min_recall={"bug": 0.5}), must_pass=ROWS[:1])
    facts = caught.value.facts
    assert (facts["alias"], facts["model_name"]) == ("tickets", "tickets_v2")
    assert [check["condition"] for check in facts["checks"]] == ["must_pass", "not_worse", "min_recall"]  # type: ignore[attr-defined]
    assert facts["failed_rows"] == [{"text": ROWS[0].text, "label": "billing", "predicted": "BILLING"}]
    of_each = {"billing": 1.0, "bug": 1.0}
    assert facts["current"] == {
        "accuracy": 1.0,
        "correct": 8,
        "total": 8,
        "recall": of_each,
        "f1": of_each,
        "micro_f1": None,
    }
    [alias] = service.list_aliases().aliases
    assert (alias.points_to, alias.must_pass) == ("tickets_v1", ())
    assert len(service.alias_history(AliasRequest("tickets")).changes) == 1


def test_a_classifier_that_is_as_good_or_better_is_promoted_and_the_report_comes_along(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v2")
    better = promote_if(service, "tickets_v1", NOT_WORSE)
    assert (better.points_to, better.gate.passed) == ("tickets_v1", True)
    assert better.gate.candidate is not None
    assert better.gate.current is not None
    assert (better.gate.candidate.correct, better.gate.current.correct) == (8, 0)
    same = promote_if(service, "tickets_v1@1", NOT_WORSE)
    assert [check.passed for check in same.gate.checks] == [True]
    assert points_to(service) == "tickets_v1@1"


def test_a_refused_promotion_makes_no_alias(service: Service) -> None:
    fit_two(service)
    with pytest.raises(PromotionRefused):
        promote_if(service, "tickets_v2", must_pass=ROWS)
    assert service.list_aliases().aliases == ()
    assert points_to(service) is None


def test_rows_that_must_pass_stay_with_the_alias_and_are_checked_at_each_promotion(service: Service) -> None:
    fit_two(service)
    kept = promote_if(service, "tickets_v1", must_pass=ROWS[:2])
    assert (kept.must_pass, kept.protected) == (ROWS[:2], True)
    with pytest.raises(PromotionRefused) as caught:
        promote(service, "tickets_v2")
    assert len(caught.value.facts["failed_rows"]) == 2  # type: ignore[arg-type]
    fit(service, "tickets_v3", rows=ROWS[1:])
    once = promote_if(service, "tickets_v3", Requirement(must_pass=ROWS[1:3]))
    assert [check.detail for check in once.gate.checks] == ["3 of 3 rows that must be placed right are."]
    assert once.must_pass == ROWS[:2]
    freed = promote_if(service, "tickets_v2", must_pass=())
    assert (freed.must_pass, freed.protected) == ((), False)


def test_rows_that_must_pass_are_replaced_and_added_to_the_history_where_the_alias_points_already(
    service: Service,
) -> None:
    fit_two(service)
    promote(service, "tickets_v1")
    for _ in range(2):
        assert promote_if(service, "tickets_v1", must_pass=ROWS[:1]).must_pass == ROWS[:1]
    assert [change.points_to for change in service.alias_history(AliasRequest("tickets")).changes] == ["tickets_v1"] * 2
    with pytest.raises(PromotionRefused):
        promote_if(service, "tickets_v1", must_pass=SHOUTING)
    assert [alias.must_pass for alias in service.list_aliases().aliases] == [ROWS[:1]]


def test_a_rollback_is_never_refused_and_keeps_the_rows_that_must_pass(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v2")
    promote_if(service, "tickets_v1", must_pass=ROWS)
    back = service.rollback(AliasChangeRequest("tickets"))
    assert (back.points_to, back.must_pass) == ("tickets_v2", ROWS)
    with pytest.raises(PromotionRefused):
        promote(service, "tickets_v2")


def test_a_label_that_the_classifier_does_not_know_fails_its_least_recall(service: Service) -> None:
    fit_two(service)
    with pytest.raises(PromotionRefused, match="tickets_v2 does not know the label 'bug'"):
        promote_if(service, "tickets_v2", Requirement(ROWS, min_recall={"bug": 0.0}))
    assert promote_if(service, "tickets_v1", Requirement(ROWS, min_recall={"bug": 1.0})).gate.passed


def test_where_the_alias_points_nowhere_there_is_nothing_to_be_worse_than(service: Service) -> None:
    fit_two(service)
    [check] = promote_if(service, "tickets_v2", NOT_WORSE).gate.checks
    assert check.passed
    assert check.detail == "The alias tickets points nowhere yet, so there is nothing to be worse than."


def without_base_model(service: Service, encoders: dict[str, TextEncoder]) -> None:
    """Take the base model away that tickets_v1 was trained on."""
    assert ask(service, "tickets_v1", "error").label == "bug"
    del encoders["other/one"]


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda service, _: service.delete(DeleteRequest("tickets_v1", force=True)), "tickets_v1 was deleted"),
        (lambda service, _: alter(blob_of(service, "tickets_v1")), "tickets_v1"),
        (
            lambda service, _: alter(service.dependencies.settings.data_dir / "classifiers/tickets_v1/000001.json"),
            "000001.json",
        ),
        (without_base_model, "other/one is not on this machine"),
    ],
    ids=["deleted", "damaged artifact", "damaged record", "no base model"],
)
def test_where_what_the_alias_points_to_does_not_answer_there_is_nothing_to_be_worse_than(
    opened: Open, happens: Callable[[Service, dict[str, TextEncoder]], object], why: str
) -> None:
    encoders: dict[str, TextEncoder] = {DEFAULT_BASE_MODEL: FakeEncoder(), "other/one": FakeEncoder("other/one")}
    before = opened(encoders=encoders)
    fit(before, "tickets_v1", base_model="other/one")
    fit(before, "tickets_v2", rows=SHOUTING)
    promote(before, "tickets_v1")
    happens(before, encoders)
    promotion = promote_if(opened(encoders=encoders), "tickets_v2", NOT_WORSE)
    [check] = promotion.gate.checks
    assert (check.passed, promotion.gate.current) == (True, None)
    assert check.detail.startswith("tickets_v1, to which the alias tickets points, does not answer, so there is")
    assert why in check.detail


class CountingEncoder(FakeEncoder):
    """Counts the texts that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts = 0

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Count, and tokenize."""
        self.texts += len(texts)
        return super().tokenize(texts)


def test_both_classifiers_share_one_encoding_of_each_text(opened: Open) -> None:
    encoder = CountingEncoder()
    service = opened(encoders={DEFAULT_BASE_MODEL: encoder})
    fit_two(service)
    promote(service, "tickets_v2")
    encoder.texts = 0
    promote_if(service, "tickets_v1", NOT_WORSE, must_pass=(*ROWS[:2], Row("charged twice", "billing")))
    assert encoder.texts == len(ROWS) + 1


def test_without_conditions_nothing_is_encoded(opened: Open) -> None:
    encoder = CountingEncoder()
    service = opened(encoders={DEFAULT_BASE_MODEL: encoder})
    fit_two(service)
    encoder.texts = 0
    promote(service, "tickets_v2")
    promote_if(service, "tickets_v1", must_pass=())
    assert encoder.texts == 0


class DisturbedAliases(Aliases):
    """Lets somebody else do something between each judgement and the promotion, as long as anything is left to do."""

    def __init__(self, names: Namespace, left: list[Callable[[], object]]) -> None:
        super().__init__(names)
        self._left = left

    def promote(
        self, alias: str, target: Reference, said: ChangeNote, preconditions: PromotionPreconditions = UNCONDITIONAL
    ) -> Alias:
        """Let somebody else do something first."""
        if self._left:
            self._left.pop()()
        return super().promote(alias, target, said, preconditions)


def disturbed(service: Service, left: list[Callable[[], object]]) -> Service:
    """Return a service before whose promotions somebody else does these things, the last one first."""
    return altered(service, aliases=DisturbedAliases(service.dependencies.store.names, left))


def test_who_promotes_while_the_rows_are_answered_is_what_must_not_be_beaten(service: Service) -> None:
    fit_two(service)
    swapped = {"billing": "bug", "bug": "billing"}
    fit(service, "tickets_v3", rows=tuple(replace(row, label=swapped[row.label]) for row in ROWS))
    promote(service, "tickets_v2")
    late = disturbed(service, [lambda: promote(service, "tickets_v1")])
    with pytest.raises(PromotionRefused, match="against 8 of 8 by tickets_v1"):
        promote_if(late, "tickets_v3", NOT_WORSE)
    assert points_to(service) == "tickets_v1"


def test_a_promotion_that_still_meets_its_conditions_is_done_at_the_next_try(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v2")
    late = disturbed(service, [lambda: promote(service, "tickets_v1")])
    promotion = promote_if(late, "tickets_v1@1", NOT_WORSE)
    assert promotion.gate.current is not None
    assert promotion.gate.current.correct == 8
    assert [change.points_to for change in service.alias_history(AliasRequest("tickets")).changes][1:] == [
        "tickets_v1",
        "tickets_v1@1",
    ]


def test_rows_that_somebody_adds_meanwhile_are_checked_too(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v1")
    late = disturbed(service, [lambda: promote_if(service, "tickets_v1", must_pass=ROWS)])
    with pytest.raises(PromotionRefused):
        promote(late, "tickets_v2")
    assert points_to(service) == "tickets_v1"


def test_a_promotion_with_conditions_gives_up_where_others_change_the_alias_again_and_again(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v2")
    left: list[Callable[[], object]] = [
        partial(promote, service, name) for _ in range(10) for name in ("tickets_v2", "tickets_v1")
    ]
    with pytest.raises(ConcurrentChange, match="changed the alias tickets at the same moment"):
        promote_if(disturbed(service, left), "tickets_v1@1", NOT_WORSE)
    assert "tickets_v1@1" not in {change.points_to for change in service.alias_history(AliasRequest("tickets")).changes}
    assert len(left) == 15


def test_a_promotion_without_conditions_does_not_mind_others(service: Service) -> None:
    fit_two(service)
    late = disturbed(service, [lambda: promote(service, "tickets_v1")])
    assert str(promote(late, "tickets_v2").points_to) == "tickets_v2"
    assert len(service.alias_history(AliasRequest("tickets")).changes) == 2


class BusyAliases(Aliases):
    """Never gets the lock."""

    asked = 0

    def promote(
        self, alias: str, target: Reference, said: ChangeNote, preconditions: PromotionPreconditions = UNCONDITIONAL
    ) -> Alias:
        """Refuse."""
        self.asked += 1
        raise ConcurrentChange("Others have been changing the data directory for too long. Try again.")


def test_who_waited_for_the_lock_in_vain_does_not_wait_again(service: Service) -> None:
    fit_two(service)
    busy = BusyAliases(service.dependencies.store.names)
    with pytest.raises(ConcurrentChange, match="for too long"):
        promote_if(altered(service, aliases=busy), "tickets_v1", NOT_WORSE)
    assert busy.asked == 1
