"""All checks are made, whatever becomes of one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.object_stores.servers import moto
from windrow.diagnosis import run
from windrow.diagnosis.run import diagnose
from windrow.domain.diagnosis import Check, Diagnosis
from windrow.domain.errors import StorageFailed
from windrow.domain.store_url import read_store_url
from windrow.settings import Settings


@pytest.fixture(autouse=True)
def _no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "check_trial", lambda _: iter((Check("trial", "ok", "Made."),)))


def test_each_check_is_made_in_an_empty_folder_which_stays_empty(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    checks = list(diagnose(Settings(data_dir=tmp_path)))
    assert list(dict.fromkeys(each.name for each in checks)) == [
        "settings",
        "memory",
        "open files",
        "data directory",
        "disk room",
        "disk writes",
        "clock",
        "data",
        "keys",
        "base models",
        "trial",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (StorageFailed("It failed. Look at it."), "It failed. Look at it."),
        (ValueError("a defect"), "This check ended unexpectedly (ValueError: a defect)."),
    ],
)
def test_a_check_that_fails_is_told_and_ends_no_other(
    error: Exception, detail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Iterator[Check]:
        raise error

    monkeypatch.setattr(run, "check_room", fail)
    checks = {each.name: each for each in diagnose(Settings(data_dir=tmp_path))}
    assert checks["disk room"] == Check("disk room", "failed", detail)
    assert checks["trial"].state == "ok"


def test_a_diagnosis_is_healthy_unless_a_check_failed() -> None:
    warned = Check("disk", "warning", "It is.")
    assert Diagnosis("1", (warned,)).healthy
    assert not Diagnosis("1", (warned, Check("disk", "failed", "It is."))).healthy


@pytest.mark.slow
def test_an_object_store_is_checked_in_the_place_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto() as store:
        store.set_environment(monkeypatch)
        settings = Settings(data_dir=read_store_url(store.new_data_dir()), cache_dir=tmp_path)
        checks = {each.name: each for each in diagnose(settings)}
        assert checks["data"] == Check(
            "data", "ok", "The newest file of 0 classifiers can be read. `windrow fsck` reads everything."
        )
        assert all(each.state != "failed" for each in checks.values())
    checks = {each.name: each for each in diagnose(settings)}
    assert checks["data"].state == "failed"
    assert "No connection to the object store" in checks["data"].detail
