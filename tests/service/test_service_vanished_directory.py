"""On this machine, too, a data directory that is gone is an error, and what is loaded goes on answering."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.http.asking import wait_until
from tests.service.examples import REQUEST, ROWS, Open, ask, fit, listed, show
from windrow.domain.alias import PromoteRequest
from windrow.domain.base_models import BaseModelRequest
from windrow.domain.classifier import DeleteRequest, DescribeRequest
from windrow.domain.errors import DataDirectoryUnavailable
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import JobListRequest, JobRequest
from windrow.domain.report import EvaluateRequest
from windrow.domain.threshold import SetThresholdRequest
from windrow.service import training
from windrow.service.service import Service
from windrow.storage.catalog import NewRevision
from windrow.storage.retention import LAST_PURGE_CHECK
from windrow.storage.revision import ClassifierState


@pytest.fixture
def root(service: Service) -> Path:
    return service.dependencies.settings.local_dir


REFUSED: list[Callable[[Service], object]] = [
    listed,
    show,
    fit,
    lambda service: service.promote(PromoteRequest("live", "tickets_v1")),
    lambda service: service.delete(DeleteRequest("tickets_v1", purge=True)),
    lambda service: service.usage(),
    lambda service: service.fsck(FsckRequest(repair=True)),
    lambda service: service.base_models(),
    lambda service: service.remove_base_model(BaseModelRequest("not/there")),
    lambda service: service.list_jobs(JobListRequest()),
    lambda service: ask(service, "nobody", "error"),
]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_only_what_is_loaded_answers_until_the_directory_is_back(
    service: Service, root: Path, is_replaced: bool
) -> None:
    fit(service)
    answer = ask(service, "tickets_v1", "error")
    root.rename(root.with_name("aside"))
    if is_replaced:
        root.mkdir()
    for act in REFUSED:
        with pytest.raises(DataDirectoryUnavailable):
            act(service)
    assert ask(service, "tickets_v1", "error") == answer
    assert not root.exists() or not list(root.iterdir())
    if is_replaced:
        root.rmdir()
    root.with_name("aside").rename(root)
    assert [each.name for each in listed(service)] == ["tickets_v1"]
    assert fit(service) == 2


CHANGES: dict[str, Callable[[Service], object]] = {
    "describe": lambda service: service.describe(DescribeRequest("tickets_v1", description="Tickets of the shop")),
    "set_threshold": lambda service: service.set_threshold(SetThresholdRequest("tickets_v1", 0.2)),
    "evaluate": lambda service: service.evaluate(EvaluateRequest("tickets_v1", test_data=ROWS)),
    "promote": lambda service: service.promote(PromoteRequest("live", "tickets_v1", reason="again")),
    "fit": fit,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_last_goes_on_answering_though_nobody_has_asked_since(
    service: Service, root: Path, change: str
) -> None:
    fit(service)
    service.promote(PromoteRequest("live", "tickets_v1"))
    for name in ("tickets_v1", "live"):
        ask(service, name, "error")
    CHANGES[change](service)
    root.rename(root.with_name("aside"))
    revision = 2 if change == "fit" else 1
    assert [ask(service, name, "error").revision for name in ("tickets_v1", "live")] == [revision] * 2


def test_a_training_whose_directory_stays_away_fails_and_says_why(
    service: Service, root: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(service)
    catalog, aside = service.dependencies.store.catalog, root.with_name("aside")
    publish = catalog.publish

    def vanish_and_publish(new_revision: NewRevision) -> ClassifierState:
        root.rename(aside)
        return publish(new_revision)

    monkeypatch.setattr(training, "RETURN_TIMEOUT_S", 0)
    monkeypatch.setattr(training, "_RETURN_POLL_S", 0.001)
    monkeypatch.setattr(catalog, "publish", vanish_and_publish)
    job, result = service.begin_fit(replace(REQUEST, model_name="tickets_v1"))
    assert isinstance(result.exception(30), DataDirectoryUnavailable)
    service.wait_for_jobs(30)
    ended = service.job(JobRequest(job.id))
    assert ended.state == "failed"
    assert ended.problem is not None
    assert ended.problem.code == "data_directory_unavailable"
    assert not root.exists()
    aside.rename(root)
    assert service.job(JobRequest(job.id)) == ended
    service.dependencies.jobs.save_ended()
    assert opened().job(JobRequest(job.id)) == ended
    assert ask(service, "tickets_v1", "error").revision == 1


def test_what_was_deleted_long_ago_is_looked_for_only_in_the_directory_itself(
    service: Service, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fit(service)
    root.rename(root.with_name("aside"))
    root.mkdir()
    service.dependencies.purge_task.start()
    wait_until(lambda: "The task purge failed" in caplog.text)
    service.dependencies.purge_task.stop()
    assert not (root / LAST_PURGE_CHECK).exists()
