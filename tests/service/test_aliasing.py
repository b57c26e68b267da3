"""Promoting, rolling back and taking away on this machine; what is told about it, and what stays where it points."""

from dataclasses import replace

import pytest

from tests.fakes.encoder import FakeEncoder
from tests.service.examples import ROWS, SHOUTING, Open, alter, ask, blob_of, fit
from windrow.domain.alias import Alias, PromoteRequest, Said
from windrow.domain.errors import (
    AliasNotFound,
    ArtifactInvalid,
    BaseModelUnavailable,
    ClassifierNotFound,
    InvalidName,
    InvalidParameter,
    NameTaken,
    NothingToRollBack,
    RevisionNotFound,
    WindrowError,
)
from windrow.domain.names import Reference
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.session import TextEncoder
from windrow.execution.predictor import Predictor
from windrow.service.service import Service
from windrow.storage.aliases import Aliases, WayBack
from windrow.storage.namespace import Namespace

LONG = Said("x" * 501)


def promote(service: Service, model_name: str, alias: str = "tickets", reason: str = "") -> Alias:
    return service.promote(PromoteRequest(alias, model_name, Said(reason, "ada")))


def fit_two(service: Service) -> None:
    fit(service, "tickets_v1")
    fit(service, "tickets_v2", rows=SHOUTING)


def test_a_promotion_and_two_steps_back_are_all_in_the_history(service: Service) -> None:
    fit_two(service)
    fit(service, "tickets_v3", rows=ROWS[1:])
    first = promote(service, "tickets_v1", reason="the first one")
    assert (first.name, first.points_to, first.answers) == ("tickets", Reference("tickets_v1"), True)
    assert first.said == Said("the first one", "ada")
    promote(service, "tickets_v2", reason="3 points better")
    promote(service, "tickets_v3@1")
    back = service.rollback("tickets", Said("it was worse", "bob"))
    assert back.points_to == Reference("tickets_v2")
    assert ask(service, "tickets", "error").model_name == "tickets_v2"
    assert service.rollback("tickets").points_to == Reference("tickets_v1")
    with pytest.raises(NothingToRollBack):
        service.rollback("tickets")
    changes = service.alias_history("tickets")
    assert [(change.number, change.event, str(change.points_to)) for change in changes] == [
        (1, "promoted", "tickets_v1"),
        (2, "promoted", "tickets_v2"),
        (3, "promoted", "tickets_v3@1"),
        (4, "rolled_back", "tickets_v2"),
        (5, "rolled_back", "tickets_v1"),
    ]
    assert [change.points_from for change in changes][1:] == [change.points_to for change in changes][:-1]
    assert changes[3].said == Said("it was worse", "bob")


def test_what_a_promotion_names_is_pinned_down(service: Service) -> None:
    fit_two(service)
    assert promote(service, "tickets@latest").points_to == Reference("tickets_v2")
    assert promote(service, "tickets", alias="copy").points_to == Reference("tickets_v2")
    fit(service, "tickets_v3")
    assert [alias.points_to for alias in service.list_aliases()] == [Reference("tickets_v2")] * 2


def test_a_promotion_to_where_it_points_changes_nothing(service: Service) -> None:
    fit_two(service)
    first = promote(service, "tickets_v1", reason="first")
    assert promote(service, "tickets_v1", reason="second") == first
    assert len(service.alias_history("tickets")) == 1


def test_a_removed_alias_answers_no_more_and_keeps_its_history(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v1")
    service.remove_alias("tickets", Said("no longer used"))
    assert service.list_aliases() == ()
    with pytest.raises(ClassifierNotFound):
        ask(service, "tickets", "error")
    promote(service, "tickets_v2")
    assert [change.event for change in service.alias_history("tickets")] == ["promoted", "removed", "promoted"]
    with pytest.raises(NothingToRollBack):
        service.rollback("tickets")
    service.delete("tickets_v1")


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (PromoteRequest("!", "tickets_v1"), InvalidName),
        (PromoteRequest("tickets@1", "tickets_v1"), InvalidName),
        (PromoteRequest("tickets", "!"), InvalidName),
        (PromoteRequest("tickets", "tickets_v1", LONG), InvalidParameter),
        (PromoteRequest("tickets", "tickets_v1", Said(by="\ud800")), InvalidParameter),
        (PromoteRequest("tickets", "elsewhere"), ClassifierNotFound),
        (PromoteRequest("tickets", "tickets_v1@9"), RevisionNotFound),
        (PromoteRequest("tickets", "mail@latest"), ClassifierNotFound),
        (PromoteRequest("tickets_v1", "tickets_v2"), NameTaken),
        (PromoteRequest("TICKETS_v1", "tickets_v2"), NameTaken),
        (PromoteRequest("Known", "tickets_v2"), NameTaken),
    ],
)
def test_a_promotion_that_cannot_be_is_refused_and_makes_no_alias(
    service: Service, request_: PromoteRequest, error: type[WindrowError]
) -> None:
    fit_two(service)
    promote(service, "tickets_v1", alias="known")
    with pytest.raises(error):
        service.promote(request_)
    assert [alias.name for alias in service.list_aliases()] == ["known"]


def test_a_step_back_that_cannot_be_is_refused_and_the_alias_stays(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v1")
    promote(service, "tickets_v2")
    service.delete("tickets_v1")
    for alias, said, error in (
        ("!", Said(), InvalidName),
        ("tickets", LONG, InvalidParameter),
        ("elsewhere", Said(), AliasNotFound),
        ("tickets_v2", Said(), AliasNotFound),
        ("tickets", Said(), NothingToRollBack),
    ):
        with pytest.raises(error):
            service.rollback(alias, said)
    assert ask(service, "tickets", "error").model_name == "tickets_v2"
    service.restore("tickets_v1")
    assert service.rollback("tickets").points_to == Reference("tickets_v1")


def test_what_is_no_alias_cannot_be_taken_away_and_has_no_history(service: Service) -> None:
    fit_two(service)
    promote(service, "tickets_v1")
    for alias, said, error in (
        ("!", Said(), InvalidName),
        ("tickets", LONG, InvalidParameter),
        ("tickets_v1", Said(), AliasNotFound),
        ("ticket", Said(), AliasNotFound),
    ):
        with pytest.raises(error):
            service.remove_alias(alias, said)
    for alias, error in (("!", InvalidName), ("tickets_v1", AliasNotFound)):
        with pytest.raises(error):
            service.alias_history(alias)
    with pytest.raises(AliasNotFound) as caught:
        service.alias_history("ticket")
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
    with pytest.raises(ArtifactInvalid):
        promote(service, "tickets_v2")
    with pytest.raises(ArtifactInvalid):
        service.rollback("other")
    for alias in ("tickets", "other"):
        assert ask(service, alias, "error").model_name == "tickets_v1"
        assert len(service.alias_history(alias)) == (1 if alias == "tickets" else 2)


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
        service.rollback("other")
    assert ask(service, "other", "error").model_name == "tickets_v1"


class WatchedAliases(Aliases):
    """Notes, at the moment when an alias is pointed elsewhere, whether what it will point to is loaded."""

    def __init__(self, names: Namespace, service: Service) -> None:
        super().__init__(names)
        self.loaded: list[tuple[str, bool]] = []
        self._catalog, self._predictor = service.store.catalog, service.predictor

    def promote(self, alias: str, target: Reference, said: Said) -> Alias:
        """Note, and promote."""
        self._note(target)
        return super().promote(alias, target, said)

    def roll_back(self, alias: str, way: WayBack, said: Said) -> Alias:
        """Note, and roll back."""
        self._note(way.target)
        return super().roll_back(alias, way, said)

    def _note(self, target: Reference) -> None:
        self.loaded.append((str(target), self._predictor.is_loaded(self._catalog.find(target).entry)))


def loads(predictor: Predictor) -> int:
    """Return how often a classifier was read from the disk."""
    return predictor.vitals(0, 0).classifiers.misses


def test_what_an_alias_will_point_to_is_loaded_before_the_switch_and_only_once(opened: Open) -> None:
    fit_two(opened())
    fit(opened(), "tickets_v3", rows=ROWS[1:])
    fresh = opened()
    aliases = WatchedAliases(fresh.store.names, fresh)
    service = replace(fresh, store=replace(fresh.store, aliases=aliases))
    promote(service, "tickets_v1")
    promote(service, "tickets_v3")
    assert loads(service.predictor) == 2
    ask(service, "tickets", "error")
    service.rollback("tickets")
    ask(service, "tickets", "error")
    assert aliases.loaded == [("tickets_v1", True), ("tickets_v3", True), ("tickets_v1", True)]
    assert loads(service.predictor) == 2


def test_an_alias_that_is_to_be_kept_loaded_keeps_what_it_points_to(opened: Open) -> None:
    first = opened()
    fit(first, "tickets_v1")
    fit(first, "tickets_v2", rows=ROWS[1:])
    promote(first, "tickets_v1")
    service = opened(keep_loaded=("tickets",), max_loaded_bytes=0)
    service.start()
    assert loads(service.predictor) == 1
    ask(service, "tickets", "error")
    assert loads(service.predictor) == 1
    first.promote(PromoteRequest("tickets", "tickets_v2"))
    for _ in range(3):
        assert ask(service, "tickets", "error").model_name == "tickets_v2"
    assert loads(service.predictor) == 2
    service.remove_alias("tickets")
    assert not service.predictor.is_loaded(service.store.catalog.current("tickets_v2"))
