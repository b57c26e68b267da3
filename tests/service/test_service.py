"""Starting and stopping a service, and what it tells of what goes on."""

import os
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.service.examples import SHOUTING, Open, altered, ask, blob_of, fit, listed
from windrow.domain.classifier import DeleteRequest, RestoreRequest
from windrow.domain.clock import utc_now
from windrow.domain.errors import ClassifierNotFound, InsufficientScope, KeysUnavailable, RevisionNotFound, ShuttingDown
from windrow.domain.integrity import FsckRequest
from windrow.domain.listing import ListRequest
from windrow.domain.prediction import PredictRequest
from windrow.execution.periodic_task import PeriodicTask
from windrow.service.service import Service
from windrow.storage.retention import LAST_PURGE_CHECK
from windrow.storage.use_store import KEPT_DAYS, DayUse, UseStore, file_name


def test_what_is_to_be_kept_loaded_is_loaded_at_the_start_and_what_is_not_there_is_only_a_warning(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    fit(opened())
    service = opened(pinned_classifiers=("missing", "!", "tickets_v1"), classifier_cache_bytes=0)
    service.start()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "'missing'" in told[0]
    assert "'!'" in told[1]
    blob_of(service, "tickets_v1").unlink()
    assert ask(service, "tickets_v1", "error on screen").label == "bug"


def test_a_classifier_that_was_kept_loaded_is_let_go_when_it_is_deleted(opened: Open) -> None:
    fit(opened())
    service = opened(pinned_classifiers=("tickets_v1",), classifier_cache_bytes=0)
    service.start()
    entry = service.dependencies.store.catalog.current("tickets_v1")
    assert service.dependencies.predictor.is_loaded(entry)
    service.delete(DeleteRequest("tickets_v1"))
    assert not service.dependencies.predictor.is_loaded(entry)


def test_a_closed_service_predicts_and_trains_no_more(service: Service) -> None:
    fit(service)
    service.close()
    with pytest.raises(ShuttingDown):
        service.predict(PredictRequest(model_name="tickets_v1", text="a text that is new"))
    with pytest.raises(ShuttingDown):
        fit(service, "another")
    assert ask_names(service) == ["tickets_v1"]


def ask_names(service: Service) -> list[str]:
    return [found.name for found in listed(service)]


def test_the_stats_say_how_many_trainings_run_and_wait(service: Service) -> None:
    with service.dependencies.slots.enqueue().acquire():
        assert (service.server_stats().running_fits, service.server_stats().queued_fits) == (1, 0)
    assert service.server_stats().running_fits == 0


def delete_days_ago(service: Service, name: str, days: float) -> None:
    names = service.dependencies.store.names
    now = names.now
    names.now = lambda: now() - timedelta(days=days)
    service.delete(DeleteRequest(name))
    names.now = now


@pytest.mark.parametrize("retention_days", [0, 7])
def test_what_was_deleted_longer_ago_than_the_retention_is_swept_from_the_start_on(
    opened: Open, retention_days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = opened()
    for name, days in (("long_ago", retention_days + 1), ("just_now", retention_days - 0.9)):
        fit(before, name)
        delete_days_ago(before, name, days)
    fit(before, "alive")
    service = opened(retention_days=retention_days)
    swept = threading.Event()
    purging = service.dependencies.store.catalog.purging
    purge = purging.purge_expired

    def purge_and_tell(deleted_before: datetime) -> list[str]:
        try:
            return purge(deleted_before)
        finally:
            swept.set()

    monkeypatch.setattr(purging, "purge_expired", purge_and_tell)
    service.start()
    assert swept.wait(30)
    assert ask_names(service) == ["alive"]
    assert [found.name for found in service.list_classifiers(ListRequest(deleted=True)).models] == ["just_now"]
    assert not (service.dependencies.settings.local_dir / "classifiers" / "long_ago").exists()
    with pytest.raises(ClassifierNotFound):
        service.restore(RestoreRequest("long_ago"))
    assert service.restore(RestoreRequest("just_now")).name == "just_now"


def test_counts_of_use_go_when_they_are_old_unless_the_clock_may_be_wrong(opened: Open) -> None:
    service = opened()
    deps = service.dependencies
    uses = UseStore(deps.store.names.files)
    old = utc_now().date() - timedelta(days=KEPT_DAYS + 1)
    uses.put(old, file_name("0a1b2c3d4e5f", 1), DayUse())
    deps.purge_task._action()
    assert uses.days() == []
    uses.put(old, file_name("0a1b2c3d4e5f", 1), DayUse())
    last_look = deps.settings.local_dir / LAST_PURGE_CHECK
    for ago, left in ((timedelta(days=3), [old]), (timedelta(hours=1), [])):
        at_s = (utc_now() - ago).timestamp()
        os.utime(last_look, (at_s, at_s))
        deps.purge_task._action()
        assert uses.days() == left


def test_what_was_deleted_before_a_name_was_trained_anew_is_swept_too(opened: Open) -> None:
    service = opened()
    fit(service)
    delete_days_ago(service, "tickets_v1", 8)
    assert fit(service, rows=SHOUTING) == 3
    assert ask(service, "tickets_v1@1", "error").label == "bug"
    opened().dependencies.purge_task._action()
    with pytest.raises(RevisionNotFound):
        ask(service, "tickets_v1@1", "error")
    assert ask(service, "tickets_v1", "error").label == "BUG"
    assert service.fsck(FsckRequest()).findings == ()


def test_it_is_swept_now_and_then_and_no_more_once_the_service_is_closed(opened: Open) -> None:
    sweeps = threading.Semaphore(0)
    service = altered(opened(), purge_task=PeriodicTask(sweeps.release, 0.0, "sweep"))
    service.start()
    for _ in range(3):
        assert sweeps.acquire(timeout=30)
    service.close()
    service.dependencies.purge_task._thread.join(30)
    assert not service.dependencies.purge_task._thread.is_alive()


@pytest.mark.parametrize(("mode", "is_told"), [(0o700, False), (0o750, True), (0o701, True)])
def test_a_data_directory_that_is_open_to_others_is_told_at_the_start(
    opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, is_told: bool
) -> None:
    data_dir = tmp_path / "theirs"
    data_dir.mkdir(mode)
    data_dir.chmod(mode)
    opened(data_dir).start()
    assert ("chmod go-rwx" in caplog.text) is is_told


def test_where_the_keys_cannot_be_read_it_is_not_ready_and_says_why(service: Service) -> None:
    service.check_ready()
    assert service.server_stats().is_ready
    folder = service.local_dir / "access" / "keys"
    folder.mkdir(parents=True)
    (folder / "000001.json").write_text("damaged")
    service.keys.update()
    with pytest.raises(KeysUnavailable, match="every key is refused"):
        service.check_ready()
    assert not service.server_stats().is_ready


def test_the_stats_say_what_was_refused_used_and_encoded(service: Service) -> None:
    fit(service, "tickets_v1")
    service.predict(PredictRequest(model_name="tickets_v1", text="I was charged twice"))
    service.keys.note_refusal(InsufficientScope("No."), "delete")
    stats = service.server_stats()
    assert stats.refused_keys == {"insufficient_scope": 1}
    assert stats.min_free_bytes == service.dependencies.settings.min_free_bytes
    assert stats.encoders == 1
    assert stats.classifier_texts == {"tickets_v1": 1}
    assert stats.waits.count > 0
    assert stats.encode_seconds > 0
