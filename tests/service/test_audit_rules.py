"""What the audit trail says of each verb: who, what, before and after, and how it ended; none is left out."""

import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.files import Killed
from tests.service.examples import REQUEST, ROWS, Open, fit
from tests.service.test_import_export import exported, take_in
from tests.service.test_service import delete_days_ago
from tests.storage.audit_lines import audit_line
from windrow.domain.access import CreateKeyRequest, KeyRequest
from windrow.domain.alias import AliasChangeRequest, PromoteRequest
from windrow.domain.archive import ImportRequest
from windrow.domain.audit import AuditLine, AuditRequest
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import CopyRequest, DeleteRequest, DescribeRequest, ModelRequest, RestoreRequest
from windrow.domain.clock import utc_now
from windrow.domain.dataset import Row
from windrow.domain.erasure import ForgetRequest
from windrow.domain.errors import (
    ClassifierNotFound,
    InsufficientScope,
    StorageFailed,
    StorageFull,
    Unauthorized,
    WindrowError,
)
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import JobRequest
from windrow.domain.key_limits import LimitKeyRequest
from windrow.domain.listing import DeleteAllRequest
from windrow.domain.report import EvaluateRequest
from windrow.domain.threshold import SetThresholdRequest
from windrow.local_operations import LocalOperations
from windrow.operations import Operations
from windrow.service.audit_rules import CHANGES, READS
from windrow.service.service import Service
from windrow.storage.audit_log import AUDIT

NAME = REQUEST.model_name
CALLER = Caller("shop", address="10.0.0.1", request_id="abc")
Told = tuple[str, str, int | None, int | None]


@pytest.fixture
def trained(service: Service) -> Service:
    """A service with two revisions of a classifier, and no line but those of later changes."""
    fit(service)
    fit(service)
    return service


def lines(service: Service, count: int | None = None) -> list[AuditLine]:
    """Return the lines of the trail, the oldest first; of the last ones, so many."""
    found = list(reversed(service.audit(AuditRequest(limit=1_000)).lines))
    return found if count is None else found[-count:]


def told(service: Service, count: int) -> list[Told]:
    return [(line.verb, line.target, line.revision_before, line.revision_after) for line in lines(service, count)]


def test_each_verb_is_either_a_change_or_a_read() -> None:
    verbs = {name for name, _ in inspect.getmembers(Operations, inspect.isfunction) if not name.startswith("_")}
    begun = {"begin_fit", "start_predict", "start_predict_in_memory", "start_classify", "start_classify_in_memory"}
    begun |= {"start_decide", "start_decide_in_memory"}
    assert begun <= {name for name, _ in inspect.getmembers(LocalOperations, inspect.isfunction)}
    assert CHANGES.keys() | READS == verbs | begun
    assert CHANGES.keys() & READS == set()


CHANGES_OF_CLASSIFIERS: dict[str, tuple[Callable[[Service], object], list[Told]]] = {
    "describe": (lambda it: it.describe(DescribeRequest(NAME, "x")), [("describe", NAME, 2, 2)]),
    "describe as before": (lambda it: it.describe(DescribeRequest(NAME, "")), []),
    "threshold": (lambda it: it.set_threshold(SetThresholdRequest(NAME, 0.5)), [("set_threshold", NAME, 2, 2)]),
    "threshold as before": (lambda it: it.set_threshold(SetThresholdRequest(NAME, None)), []),
    "delete": (lambda it: it.delete(DeleteRequest(NAME)), [("delete", NAME, 2, None)]),
    "purge": (lambda it: it.delete(DeleteRequest(NAME, purge=True)), [("delete", NAME, 2, None)]),
    "purge a revision": (
        lambda it: it.delete(DeleteRequest(f"{NAME}@1", purge=True)),
        [("delete", f"{NAME}@1", 2, 2)],
    ),
    "delete a selection": (lambda it: it.delete_all(DeleteAllRequest(prefix="t")), [("delete_all", NAME, 2, None)]),
    "purge a selection": (
        lambda it: it.delete_all(DeleteAllRequest(prefix="t", purge=True)),
        [("delete_all", NAME, 2, None)],
    ),
    "look at a selection": (lambda it: it.delete_all(DeleteAllRequest(prefix="t", dry_run=True)), []),
    "restore": (lambda it: it.restore(RestoreRequest(f"{NAME}@1")), [("restore", f"{NAME}@1", 2, 1)]),
    "copy": (lambda it: it.copy(CopyRequest(NAME, "twin")), [("copy", "twin", None, 1)]),
    "copy over": (
        lambda it: [it.copy(CopyRequest(NAME, "twin", overwrite=True)) for _ in range(2)],
        [("copy", "twin", None, 1), ("copy", "twin", 1, 2)],
    ),
    "import": (
        lambda it: take_in(it, exported(it), ImportRequest(overwrite=True)),
        [("import_classifier", NAME, 2, 3)],
    ),
    "look at an import": (lambda it: take_in(it, exported(it), ImportRequest(dry_run=True, overwrite=True)), []),
    "evaluate": (
        lambda it: it.evaluate(EvaluateRequest(NAME, (Row("a charge", "billing"),))),
        [("evaluate", NAME, 2, 2)],
    ),
    "evaluate only": (lambda it: it.evaluate(EvaluateRequest(NAME, (Row("a", "billing"),), save=False)), []),
    "repair": (lambda it: it.fsck(FsckRequest(repair=True)), [("fsck", "", None, None)]),
    "check": (lambda it: it.fsck(FsckRequest()), []),
    "find a text": (lambda it: it.forget(ForgetRequest(texts=(REQUEST.training_data[0].text,))), []),
    "forget a text": (
        lambda it: it.forget(ForgetRequest(texts=(REQUEST.training_data[0].text,), action="remove_rows")),
        [("forget", f"{NAME}@1", None, None), ("forget", f"{NAME}@2", None, None)],
    ),
}


@pytest.mark.parametrize("change", CHANGES_OF_CLASSIFIERS)
def test_a_change_of_a_classifier_says_what_was_before_and_after(trained: Service, change: str) -> None:
    act, expected = CHANGES_OF_CLASSIFIERS[change]
    before = len(lines(trained))
    with calling(CALLER):
        act(trained)
    assert told(trained, len(lines(trained)) - before) == expected if expected else len(lines(trained)) == before
    for line in lines(trained)[before:]:
        assert (line.key_name, line.address, line.request_id, line.user) == ("shop", "10.0.0.1", "abc", None)
        assert (line.outcome, line.count) == ("ok", 1)


def test_a_training_has_a_line_for_its_begin_and_one_for_its_end(service: Service) -> None:
    with calling(CALLER):
        job, result = service.begin_fit(REQUEST)
    result.result(30)
    fit(service)
    found = lines(service)
    assert [(line.verb, line.revision_before, line.revision_after) for line in found] == [
        ("start_fit", None, None),
        ("fit", None, 1),
        ("start_fit", None, None),
        ("fit", 1, 2),
    ]
    assert [(line.job_id, line.key_name, line.request_id) for line in found[:2]] == [(job.id, "shop", "abc")] * 2
    assert {line.target for line in found} == {NAME}


def test_changes_of_an_alias_say_where_it_pointed(trained: Service) -> None:
    with calling(CALLER):
        trained.promote(PromoteRequest("live", NAME))
        trained.promote(PromoteRequest("live", f"{NAME}@1"))
        trained.promote(PromoteRequest("live", f"{NAME}@1"))  # as before
        trained.rollback(AliasChangeRequest("live"))
        trained.remove_alias(AliasChangeRequest("live"))
    assert [(line.verb, line.points_from, line.points_to) for line in lines(trained) if line.target == "live"] == [
        ("promote", None, NAME),
        ("promote", NAME, f"{NAME}@1"),
        ("rollback", f"{NAME}@1", NAME),
        ("remove_alias", NAME, None),
    ]


def test_changes_of_keys_name_them_and_hold_no_key(service: Service, tmp_path: Path) -> None:
    created = service.create_key(CreateKeyRequest(name="nightly", scopes=("train",)))
    service.revoke_key(KeyRequest("nightly"))
    assert told(service, 2) == [("create_key", "nightly", None, None), ("revoke_key", "nightly", None, None)]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert created.key.encode() not in written


def test_a_key_that_stays_as_it_is_leaves_no_line(service: Service) -> None:
    service.create_key(CreateKeyRequest(name="nightly", scopes=("read",)))
    for _ in range(2):
        service.limit_key(LimitKeyRequest(name="nightly", requests_per_second=5))
    for _ in range(2):
        service.revoke_key(KeyRequest("nightly"))
    assert [each.verb for each in lines(service)] == ["create_key", "limit_key", "revoke_key"]


def test_a_cancelled_training_names_who_did_it_and_how_it_ended(opened: Open) -> None:
    from tests.service.test_training_jobs import PausingRunner

    runner = PausingRunner()
    service = opened(runner=runner)
    job, _ = service.begin_fit(REQUEST)
    assert runner.has_begun.wait(30)
    with calling(CALLER):
        service.cancel_job(JobRequest(job.id))
    begun, *ends = lines(service)
    assert begun.verb == "start_fit"
    assert {(line.verb, line.target, line.job_id, line.key_name, line.outcome) for line in ends} == {
        ("fit", NAME, job.id, None, "training_cancelled"),
        ("cancel_job", NAME, job.id, "shop", "ok"),
    }


def test_failures_are_counted_together_with_what_they_were_about(trained: Service) -> None:
    before = len(lines(trained))
    with calling(CALLER):
        for name in ("nothing", "nothing", "wdr_0123456789", "I was charged twice", f"{NAME}@9"):
            with pytest.raises(WindrowError):
                trained.describe(DescribeRequest(name, "x"))
        with pytest.raises(WindrowError):
            trained.rollback(AliasChangeRequest("live"))
        with pytest.raises(WindrowError):
            trained.begin_fit(REQUEST.__class__("no name", REQUEST.training_data))
        with pytest.raises(WindrowError):
            trained.evaluate(EvaluateRequest("nothing", (Row("a", "b"),), save=False))
    found = sorted((line.verb, line.target, line.outcome, line.count) for line in lines(trained)[before:])
    assert found == [
        ("describe", "", "invalid_name", 1),
        ("describe", "nothing", "classifier_not_found", 2),
        ("describe", f"{NAME}@9", "invalid_name", 1),
        ("describe", "wdr_…", "classifier_not_found", 1),
        ("rollback", "live", "alias_not_found", 1),
        ("start_fit", "", "invalid_name", 1),
    ]


def test_refused_keys_are_counted_for_each_address_and_verb(service: Service) -> None:
    for _ in range(3):
        with calling(Caller(address="10.0.0.9", request_id="r")):
            service.keys.note_refusal(Unauthorized("No."), "")
    with calling(CALLER):
        service.keys.note_refusal(InsufficientScope("No."), "delete")
    assert [(line.key_name, line.address, line.verb, line.outcome, line.count) for line in lines(service)] == [
        (None, "10.0.0.9", "", "unauthorized", 3),
        ("shop", "10.0.0.1", "delete", "insufficient_scope", 1),
    ]


def test_no_text_label_or_note_is_in_the_trail(service: Service, tmp_path: Path) -> None:
    fit(service, description="A description")
    service.set_threshold(SetThresholdRequest(NAME, 0.5, reason="A reason", author="An author"))
    service.evaluate(EvaluateRequest(NAME, REQUEST.training_data))
    service.promote(PromoteRequest("live", NAME, must_pass=ROWS[:1], reason="A reason"))
    said = {each for row in ROWS for each in (row.text, row.label)}
    written = b"".join(path.read_bytes() for path in (tmp_path / "data" / AUDIT).rglob("*.jsonl"))
    assert written
    for text in (*said, "A description", "A reason", "An author"):
        assert json.dumps(text).encode() not in written


def test_what_is_purged_since_nobody_has_restored_it_has_a_line(opened: Open) -> None:
    service = opened()
    fit(service)
    delete_days_ago(service, NAME, 8)
    opened().dependencies.purge_task._action()
    assert told(service, 1) == [("purge_expired", NAME, None, None)]
    assert lines(service, 1)[0].user


def test_the_hourly_look_joins_and_removes_days(opened: Open, tmp_path: Path) -> None:
    service = opened(audit_days=2)
    log, now = service.dependencies.store.audit, utc_now()
    for days in range(1, 5):
        log.put([replace(audit_line(), at=now - timedelta(days=days), id=f"{days:014x}-0a1b2c")])
    service.dependencies.purge_task._action()
    assert len(log.days()) == 2
    off = opened(tmp_path / "off", audit_days=0)
    off.dependencies.store.audit.put([audit_line()])
    fit(off)
    off.dependencies.purge_task._action()
    assert [line.verb for line in lines(off)] == ["describe"]


def test_a_death_between_the_change_and_its_line_leaves_the_change(trained: Service) -> None:
    audit, before = trained.dependencies.audit, len(lines(trained))

    def die(*_: object) -> None:
        raise Killed

    audit.record = die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        trained.delete(DeleteRequest(NAME))
    del audit.record
    assert len(lines(trained)) == before
    with pytest.raises(ClassifierNotFound):
        trained.show(ModelRequest(NAME))


def test_a_trail_that_cannot_be_written_fails_no_change(
    trained: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFull("There is no room.")

    monkeypatch.setattr(trained.dependencies.store.audit, "put", full)
    trained.describe(DescribeRequest(NAME, "x"))
    assert trained.show(ModelRequest(NAME)).description == "x"
    (logged,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert f'"verb":"describe","target":"{NAME}"' in logged.getMessage()


@pytest.mark.parametrize("purge", [False, True])
def test_where_what_was_before_cannot_be_looked_up_the_line_says_less(
    trained: Service, monkeypatch: pytest.MonkeyPatch, purge: bool
) -> None:
    logs = trained.dependencies.store.names.classifiers
    newest, looks = logs.newest, list[str]()

    def failing(name: str) -> object:
        looks.append(name)
        if len(looks) == 1:
            raise StorageFailed("The disk failed.")
        return newest(name)

    monkeypatch.setattr(logs, "newest", failing)
    trained.delete(DeleteRequest(NAME, purge=purge))
    monkeypatch.undo()
    assert told(trained, 1) == [("delete", NAME, None if purge else 2, None)]
