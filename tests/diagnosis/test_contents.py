"""A quick look at what a data directory holds finds what cannot be read, and base models that are missing."""

import pytest

from tests.service.conftest import opened, service
from tests.service.examples import fit
from tests.toy import DIGEST, DOWNLOADED, INSTALLED
from windrow.diagnosis import contents
from windrow.diagnosis.contents import check_base_models, check_contents
from windrow.domain.base_models import StoredBaseModel
from windrow.encoders.inventory import Inventory
from windrow.service.service import Service

__all__ = ["opened", "service"]


class Models(Inventory):
    """An inventory of given base models."""

    def __init__(self, *models: StoredBaseModel) -> None:
        self.models = models

    def stored_base_models(self) -> tuple[StoredBaseModel, ...]:
        return self.models


def test_what_can_be_read_is_counted_and_the_base_model_is_named(service: Service) -> None:
    fit(service, "tickets_v1")
    data, keys, models = check_contents(service.dependencies.store)
    assert (data.state, data.detail[:38]) == ("ok", "The newest file of 1 classifier can be")
    assert (keys.state, keys.detail) == ("ok", "There is none, so requests need none.")
    assert (models.state, DIGEST[:12] in models.detail) == ("ok", True)


def test_classifiers_whose_newest_file_is_damaged_are_named(service: Service) -> None:
    for number in range(5):
        fit(service, f"tickets_v{number}")
    for number in range(4):
        (service.local_dir / "classifiers" / f"tickets_v{number}" / "000001.json").write_text("{}")
    data = next(iter(check_contents(service.dependencies.store)))
    assert data.state == "failed"
    assert "tickets_v0, tickets_v1, tickets_v2 and 1 more cannot be read" in data.detail


def test_of_many_classifiers_only_some_are_read(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MAX_READ", 2)
    for number in range(3):
        fit(service, f"tickets_v{number}")
    assert "2 classifiers of 3 can be read" in next(iter(check_contents(service.dependencies.store))).detail


def test_a_base_model_that_is_missing_or_another_one_is_told_with_who_needs_it() -> None:
    needed = {(INSTALLED.id, DIGEST): "a", (INSTALLED.id, "0" * 64): "b", ("acme/gone", "1" * 64): "c"}
    other, gone = check_base_models(Models(INSTALLED), needed)
    assert (other.state, gone.state) == ("failed", "failed")
    assert f"{INSTALLED.id} with digest 000000000000…, on which b was trained, has other files here" in other.detail
    assert "acme/gone with digest 111111111111…, on which c was trained, is not on this machine" in gone.detail


def test_a_base_model_that_cannot_be_used_is_a_warning_where_nothing_needs_it() -> None:
    broken = StoredBaseModel(
        "acme/broken", "", location="data_directory", size_bytes=1, graph_bytes=0, problem="It is."
    )
    warning, ok = check_base_models(Models(INSTALLED, DOWNLOADED, broken), {(INSTALLED.id, DIGEST): "a"})
    assert (warning.state, warning.detail) == ("warning", "acme/broken cannot be used: It is.")
    assert (ok.state, "acme/broken" in ok.detail) == ("ok", False)
