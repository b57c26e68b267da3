"""Cases of the contract that list, delete, promote, export and look after the disk."""

import io
from dataclasses import replace

from tests.conformance.examples import (
    LONG,
    MULTI_LABEL_ROWS,
    REASON,
    ROWS,
    TEST_ROWS,
    TEXT,
    codes,
    request,
    trained,
)
from tests.conformance.observing import Refusal, refused
from windrow.domain.access import CreateKeyRequest, KeyRequest
from windrow.domain.alias import AliasChangeRequest, AliasRequest, PromoteRequest
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.audit import AuditRequest
from windrow.domain.base_models import BaseModelRequest
from windrow.domain.binding import BindRequest
from windrow.domain.classifier import CopyRequest, DeleteRequest, DescribeRequest, ModelRequest, RestoreRequest
from windrow.domain.dataset import Row
from windrow.domain.erasure import ForgetRequest
from windrow.domain.gate import Requirement
from windrow.domain.integrity import FsckRequest
from windrow.domain.key_limits import LimitKeyRequest
from windrow.domain.listing import DeleteAllRequest, ListRequest, to_cursor
from windrow.domain.prediction import PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.threshold import SetThresholdRequest, Threshold
from windrow.operations import Operations

MULTI_LABELS = ("billing", "technical", "urgent")


def listing(operations: Operations) -> object:
    trained(operations, "list_v1", "list_v2", "list_v10", "other_list")
    operations.describe(DescribeRequest("list_v2", "Second.", ("listed",)))
    pages = {
        ListRequest(prefix="list_"): ("list_v1", "list_v10", "list_v2"),
        ListRequest(task="list"): ("list_v1", "list_v2", "list_v10"),
        ListRequest(task="list", sort="-version"): ("list_v10", "list_v2", "list_v1"),
        ListRequest(tag="listed"): ("list_v2",),
        ListRequest(prefix="list_", limit=2): ("list_v1", "list_v10"),
        ListRequest(prefix="list_", limit=2, cursor=to_cursor("list_v10")): ("list_v2",),
        ListRequest(task="list", prefix="list_", base_model="nobody/nothing"): (),
    }
    found = [operations.list_classifiers(page) for page in pages]
    assert [tuple(each.name for each in page.models) for page in found] == list(pages.values())
    assert found[4].next_cursor == to_cursor("list_v10")
    whole = {each.name for each in operations.list_classifiers(ListRequest()).models}
    assert {"list_v1", "list_v2", "list_v10", "other_list"} <= whole
    described = operations.describe(DescribeRequest("list_v2", tags=("z", "a")))
    assert (described.description, described.tags) == ("Second.", ("a", "z"))
    bad = [
        *(
            refused(operations.list_classifiers, each)
            for each in (ListRequest(limit=0), ListRequest(sort="colour"), ListRequest(limit=3, cursor="no cursor"))
        ),
        *(refused(operations.show, ModelRequest(name)) for name in ("list_v3", "list_v1@7", "a/b", "")),
        *(refused(operations.describe, DescribeRequest(name, "x")) for name in ("list_v1@1", "list_v3")),
        refused(operations.describe, DescribeRequest("list_v1", "x" * 2_001)),
    ]
    assert codes(bad) == [
        *["invalid_parameter"] * 3,
        *["classifier_not_found", "revision_not_found", "invalid_name", "invalid_name"],
        *["invalid_name", "classifier_not_found", "invalid_parameter"],
    ]
    return found, described, bad


def setting_a_threshold(operations: Operations) -> object:
    trained(operations, "sure_v1")
    operations.promote(PromoteRequest("sure", "sure_v1"))
    set_once = operations.set_threshold(SetThresholdRequest("sure_v1@1", 1.0, reason=REASON, author="ana"))
    assert (set_once.status, set_once.threshold, set_once.before) == ("set", Threshold(1.0), None)
    assert (set_once.aliases, [each.code for each in set_once.warnings]) == (("sure",), ["aliases_affected"])
    silent = operations.predict(PredictRequest(model_name="sure", text=TEXT))
    assert (silent[0].label, silent[0].abstained) == (None, True)
    again = operations.set_threshold(SetThresholdRequest("sure_v1", 1.0))
    assert (again.status, again.warnings) == ("unchanged", ())
    cleared = operations.set_threshold(SetThresholdRequest("sure_v1", None))
    assert (cleared.status, cleared.threshold, cleared.before) == ("cleared", None, Threshold(1.0))
    answered = operations.predict(PredictRequest(model_name="sure", text=TEXT))
    assert answered[0].label == "billing"
    shown = operations.show(ModelRequest("sure_v1"))
    assert [(each.before, each.after, each.author) for each in shown.threshold_changes] == [
        (None, Threshold(1.0), "ana"),
        (Threshold(1.0), None, ""),
    ]
    trained(operations, "sure_v1")
    revisions = operations.show(ModelRequest("sure_v1")).revisions
    bad = [
        *(
            refused(operations.set_threshold, SetThresholdRequest(name, 0.5))
            for name in ("sure", "sure_v9", "sure_v1@99", "a/b", "sure@latest", "sure_v1@1")
        ),
        *(refused(operations.set_threshold, SetThresholdRequest("sure_v1", wrong)) for wrong in (-0.1, 1.1)),
        refused(operations.set_threshold, SetThresholdRequest("sure_v1", 0.5, reason="x" * 501)),
        *(
            refused(operations.set_threshold, SetThresholdRequest("sure_v1", None, label_thresholds={"billing": each}))
            for each in (0.5, 1.0)
        ),
    ]
    assert codes(bad) == [
        *("classifier_not_found", "classifier_not_found", "revision_not_found", "invalid_name", "invalid_name"),
        *("concurrent_change", *["invalid_parameter"] * 5),
    ]
    return set_once, silent, again, cleared, answered, shown, revisions, bad


def answering_with_labels_and_setting_their_thresholds(operations: Operations) -> object:
    operations.fit(request("labels_v1", MULTI_LABEL_ROWS))
    trained(operations, "label_v1")
    operations.promote(PromoteRequest("labels", "labels_v1"))
    always, never = dict.fromkeys(MULTI_LABELS, 1e-6), dict.fromkeys(MULTI_LABELS, 1 - 1e-6)
    asked = SetThresholdRequest("labels_v1", None, label_thresholds=always, reason=REASON)
    changed = operations.set_threshold(asked)
    assert (changed.threshold, changed.label_thresholds) == (Threshold(0.0, always), always)
    assert [each.code for each in changed.warnings] == ["aliases_affected"]
    texts = PredictRequest(model_name="labels", texts=(TEXT, "It crashes"), top_k=1)
    answers = operations.predict(texts)
    for each in answers:
        assert (each.kind, each.label, each.abstained, len(each.scores)) == ("multi_label", None, False, 1)
        assert each.labels is not None and sorted(each.labels) == list(MULTI_LABELS)
        assert each.labels[0] in each.scores
    assert all(each.abstained for each in operations.predict(replace(texts, abstain_below=1.0)))
    mixed = operations.predict(PredictRequest(model_names=("labels_v1", "label_v1"), text=TEXT))
    assert [(each.kind, each.labels is None, each.label) for each in mixed] == [
        ("multi_label", False, None),
        ("single_label", True, "billing"),
    ]
    explained = operations.predict(PredictRequest(model_name="labels_v1", text=TEXT, explain=True))[0]
    assert explained.explanation is not None and explained.labels is not None
    further = [each.label for each in explained.explanation.further_labels]
    assert (explained.explanation.label, *further) == explained.labels
    silent = operations.set_threshold(replace(asked, label_thresholds=never))
    none = operations.predict(PredictRequest(model_name="labels_v1", text=TEXT))[0]
    assert (none.labels, none.abstained) == ((), False)
    cut = operations.set_threshold(SetThresholdRequest("labels_v1", 0.5))
    assert [each.code for each in cut.warnings] == ["threshold_parts_cleared", "aliases_affected"]
    cleared = operations.set_threshold(SetThresholdRequest("labels_v1", None))
    shown = operations.show(ModelRequest("labels_v1"))
    assert (cleared.threshold, cleared.label_thresholds) == (None, shown.label_thresholds)
    assert len(shown.threshold_changes) == 4
    bad = [
        refused(operations.set_threshold, replace(asked, label_thresholds=each))
        for each in ({"x": 0.5}, {"urgent": 0.0})
    ]
    assert codes(bad) == ["invalid_parameter"] * 2
    return changed, answers, mixed, explained, silent, none, cut, cleared, shown.threshold_changes, bad


def deleting(operations: Operations) -> object:
    trained(operations, "delete_v1", "delete_v1", "delete_v2", "delete_v3", "delete_v4")
    operations.promote(PromoteRequest("delete_me", "delete_v2"))
    task = DeleteAllRequest(task="delete")
    purged = operations.delete(DeleteRequest("delete_v1@1", purge=True))
    assert (purged.model_name, purged.purged, purged.freed_bytes > 0) == ("delete_v1@1", True, True)
    deleted = operations.delete(DeleteRequest("delete_v1"))
    assert (deleted.model_name, deleted.purged, deleted.freed_bytes) == ("delete_v1", False, 0)
    (listed,) = operations.list_classifiers(ListRequest(task="delete", deleted=True)).models
    assert (listed.name, listed.deleted_at is not None) == ("delete_v1", True)
    restored = operations.restore(RestoreRequest("delete_v1"))
    assert (restored.status, restored.revision, restored.deleted_at) == ("restored", 2, None)
    operations.delete(DeleteRequest("delete_v4", purge=True))
    planned = operations.delete_all(replace(task, force=True, dry_run=True))
    assert (planned.status, planned.aliases) == ("dry_run", ("delete_me",))
    bad = [
        *(
            refused(operations.delete, DeleteRequest(name))
            for name in ("delete_v2", "delete_v9", "delete_v1@2", "delete@latest", "..")
        ),
        *(refused(operations.restore, RestoreRequest(name)) for name in ("delete_v1", "delete_v4")),
        *(refused(operations.delete_all, each) for each in (DeleteAllRequest(), DeleteAllRequest(prefix=""), task)),
    ]
    assert codes(bad) == [
        *["classifier_in_use", "classifier_not_found", "invalid_parameter", "invalid_name", "invalid_name"],
        *["not_deleted", "classifier_not_found"],
        *["invalid_parameter", "invalid_parameter", "classifier_in_use"],
    ]
    done = operations.delete_all(replace(task, force=True, purge=True))
    assert done.model_names == planned.model_names == ("delete_v1", "delete_v2", "delete_v3")
    assert operations.delete_all(task).model_names == ()
    return purged, deleted, listed, restored, planned, bad, done


def binding(operations: Operations) -> object:
    trained(operations, "bound_v1")
    first = operations.bind(BindRequest("Is it money?", "bound_v1", "billing"))
    assert (first.status, first.binding and first.binding.model_name) == ("bound", "bound_v1")
    assert operations.bind(BindRequest("Is it money?", "bound_v1", "billing")) == first
    second = operations.bind(BindRequest("how much", "bound@latest", levels=("billing", "technical")))
    listed = operations.list_bindings()
    assert [each.question for each in listed] == ["Is it money?", "how much"]
    bad = [
        refused(operations.bind, each)
        for each in (
            BindRequest(" ", "bound_v1"),
            BindRequest("a", "nothing_v9"),
            BindRequest("a", "bound_v1", "no label"),
            BindRequest("a", "bound_v1", levels=("billing", "billing")),
            BindRequest("a", None, "billing"),
            BindRequest("a", ".."),
        )
    ]
    assert codes(bad) == [
        *("invalid_parameter", "classifier_not_found", "invalid_parameter", "invalid_parameter"),
        *("invalid_parameter", "invalid_name"),
    ]
    gone = operations.bind(BindRequest("Is it money?"))
    assert (gone.status, gone.binding) == ("unbound", None)
    assert operations.bind(BindRequest("Is it money?")) == gone
    operations.bind(BindRequest("how much"))
    assert list(operations.list_bindings()) == []
    return first, second, listed, bad, gone


def promoting(operations: Operations) -> object:
    trained(operations, "alias_v1", "alias_v2")
    must = (Row(ROWS[0].text, "billing"),)
    required = Requirement(TEST_ROWS, not_worse=True, min_recall={"billing": 0.0})
    first = operations.promote(PromoteRequest("alias", "alias_v2", reason=REASON, author="ana"))
    assert (first.alias, first.points_to, first.reason, first.author) == ("alias", "alias_v2", REASON, "ana")
    second = operations.promote(PromoteRequest("alias", "alias_v1", required, must, reason=REASON, author="ana"))
    assert [check.condition for check in second.gate.checks] == ["must_pass", "not_worse", "min_recall"]
    assert (second.gate.passed, second.must_pass) == (True, must)
    shown = operations.show(ModelRequest("alias"))
    assert (shown.name, shown.answers, shown.aliases) == ("alias_v1", True, ("alias",))
    aliases = [each for each in operations.list_aliases().aliases if each.alias == "alias"]
    assert [(each.points_to, each.answers) for each in aliases] == [("alias_v1", True)]
    bad = promotions_that_are_refused(operations, required)
    back = operations.rollback(AliasChangeRequest("alias", reason="Back.", author="bob"))
    assert (back.points_to, back.status, back.must_pass) == ("alias_v2", "rolled_back", must)
    nothing = refused(operations.rollback, AliasChangeRequest("alias"))
    assert nothing.code == "nothing_to_roll_back"
    removed = operations.remove_alias(AliasChangeRequest("alias", reason=REASON, author="ana"))
    assert (removed.alias, removed.status) == ("alias", "deleted")
    history = operations.alias_history(AliasRequest("alias"))
    assert [(each.event, each.points_to) for each in history.changes] == [
        ("promoted", "alias_v2"),
        ("promoted", "alias_v1"),
        ("rolled_back", "alias_v2"),
        ("removed", None),
    ]
    return first, second, shown, aliases, bad, back, nothing, removed, history


def promotions_that_are_refused(operations: Operations, required: Requirement) -> list[Refusal]:
    to_worse = PromoteRequest("alias", "alias_v2")
    seen = {
        "promotion_refused": [to_worse, replace(to_worse, require=required, must_pass=())],
        "classifier_not_found": [PromoteRequest("alias", "alias_v3")],
        "name_taken": [PromoteRequest("alias_v1", "alias_v2")],
        "invalid_name": [PromoteRequest("no name", "alias_v2")],
        "invalid_parameter": [replace(to_worse, reason=LONG), replace(to_worse, require=Requirement(not_worse=True))],
    }
    bad = []
    for code, requests in seen.items():
        found = [refused(operations.promote, each) for each in requests]
        assert codes(found) == [code] * len(requests)
        bad += found
    changes = {
        "alias_not_found": [
            refused(operations.rollback, AliasChangeRequest("alias_v1")),
            refused(operations.remove_alias, AliasChangeRequest("nobody")),
            refused(operations.alias_history, AliasRequest("nobody")),
        ],
        "invalid_name": [refused(operations.rollback, AliasChangeRequest("no name"))],
        "invalid_parameter": [
            refused(operations.rollback, AliasChangeRequest("alias", author=LONG)),
            refused(operations.remove_alias, AliasChangeRequest("alias", reason=LONG)),
        ],
    }
    for code, found in changes.items():
        assert codes(found) == [code] * len(found)
        bad += found
    return bad


def exchanging(operations: Operations) -> object:
    trained(operations, "export_v1")
    files = []
    for include_training_data in (False, True):
        export = operations.export(ExportRequest("export_v1", include_training_data=include_training_data))
        files.append(b"".join(export.chunks))
        assert (export.file_name, export.size_bytes) == ("export_v1.windrow", len(files[-1]))

    def take_in(file: bytes, how: ImportRequest = ImportRequest()) -> object:
        return operations.import_classifier(io.BytesIO(file), how)

    dry, saved, again = (
        operations.import_classifier(io.BytesIO(file), how)
        for file, how in (
            (files[0], ImportRequest("export_v2", dry_run=True)),
            (files[1], ImportRequest("export_v2")),
            (files[0], ImportRequest(overwrite=True)),
        )
    )
    assert [(each.status, each.name, each.revision) for each in (dry, saved, again)] == [
        ("dry_run", "export_v2", 1),
        ("imported", "export_v2", 1),
        ("imported", "export_v1", 2),
    ]
    assert [each.keeps_training_data for each in (dry, saved, again)] == [False, True, False]
    assert saved.origin is not None
    assert (saved.origin.name, saved.origin.revision) == ("export_v1", 1)
    answers = operations.predict(PredictRequest(model_names=("export_v2", "export_v1"), text=TEXT))
    assert answers[0].label == answers[1].label == "billing"
    bad = [
        refused(take_in, files[0]),
        refused(take_in, files[0], ImportRequest("no name")),
        refused(take_in, b"no file at all"),
        refused(take_in, b""),
        refused(operations.export, ExportRequest("export_v9")),
        refused(operations.export, ExportRequest("no name")),
        refused(operations.export, ExportRequest("export_v1", include_training_data=True)),
        refused(operations.reproduce, ModelRequest("export_v1")),
    ]
    assert codes(bad) == [
        *["classifier_exists", "invalid_name", "invalid_archive", "invalid_archive"],
        *["classifier_not_found", "invalid_name", "training_data_not_kept", "training_data_not_kept"],
    ]
    return dry, saved, again, answers, bad


def copying(operations: Operations) -> object:
    trained(operations, "copy_v1")
    operations.describe(DescribeRequest("copy_v1", "Tickets.", ("shop",)))
    copied = operations.copy(CopyRequest("copy_v1", "copied"))
    again = operations.copy(CopyRequest("copied@1", "copied", overwrite=True))
    assert (copied.name, copied.status, copied.revision, copied.description) == ("copied", "copied", 1, "Tickets.")
    assert (again.revision, again.keeps_training_data) == (2, True)
    assert copied.origin is not None
    assert (copied.origin.name, copied.origin.revision) == ("copy_v1", 1)
    operations.promote(PromoteRequest("copy", "copied"))
    operations.delete(DeleteRequest("copy_v1", purge=True))
    answer = operations.predict(PredictRequest(model_name="copy", text=TEXT))
    assert (answer[0].label, answer[0].model_name) == ("billing", "copied")
    bad = [
        refused(operations.copy, each)
        for each in (
            CopyRequest("copied", "copied"),
            CopyRequest("copied", "copy"),
            CopyRequest("copied", "Copied"),
            CopyRequest("copied", "no name"),
            CopyRequest("copied", "copied@2"),
            CopyRequest("copied@7", "copy_v2"),
            CopyRequest("copy_v1", "copy_v2"),
        )
    ]
    return copied, again, answer, operations.show(ModelRequest("copied")), bad


def reproducing(operations: Operations) -> object:
    trained(operations, "again_v1")
    found = operations.reproduce(ModelRequest("again_v1"))
    assert (found.verdict, found.largest_weight_difference, found.num_texts) == ("identical weights", 0.0, 6)
    missing = refused(operations.reproduce, ModelRequest("again_v2"))
    assert missing.code == "classifier_not_found"
    return found, missing


def forgetting(operations: Operations) -> object:
    secret = Row("Ana of 5 Oak Street was charged", "billing")
    operations.fit(replace(request("forget_v1"), training_data=(*ROWS, secret)))
    operations.promote(PromoteRequest("forgetful", "forget_v1", must_pass=(ROWS[0], secret)))
    find = ForgetRequest(texts=("ana of  5 oak street was charged",))
    found = operations.forget(find)
    assert [(each.model_name, each.rows, each.status) for each in found.revisions] == [("forget_v1", (6,), "found")]
    assert [(each.alias, each.rows) for each in found.aliases] == [("forgetful", 1)]
    kept = operations.forget(replace(find, action="purge"))
    assert [each.status for each in kept.revisions] == ["in_use"]
    removed = operations.forget(replace(find, action="remove_rows"))
    assert removed.complete
    assert not operations.forget(find).revisions
    assert operations.show(ModelRequest("forget_v1")).training_data_erased
    bad = {
        ForgetRequest(): "invalid_parameter",
        replace(find, texts=(" ",)): "invalid_text",
        replace(find, text_sha256=("abc",)): "invalid_parameter",
        replace(find, action="burn"): "invalid_parameter",
    }
    seen = [refused(operations.forget, each) for each in bad]
    assert codes(seen) == list(bad.values())
    return found.revisions, found.aliases, kept.revisions, removed.revisions, removed.aliases, seen


def looking_after_the_disk(operations: Operations) -> object:
    trained(operations, "disk_v1")
    models = operations.base_models().base_models
    (default,) = (each for each in models if each.is_default)
    assert (default.id, default.location, default.classifiers >= 1) == (DEFAULT_BASE_MODEL, "installed", True)
    used = operations.usage()
    (own,) = (each for each in used.classifiers if each.name == "disk_v1")
    assert (own.revisions, own.deleted, own.size_bytes > 0) == (1, False, True)
    report = operations.fsck(FsckRequest(repair=True))
    assert report.sound
    findings = operations.fsck(FsckRequest()).findings
    # Of another case, an alias whose classifier was deleted by force.
    assert {finding.severity for finding in findings} <= {"notice"}
    bad = [
        refused(operations.remove_base_model, BaseModelRequest(base_model))
        for base_model in ("nobody/nothing", DEFAULT_BASE_MODEL, "../..")
    ]
    assert codes(bad) == ["base_model_not_found", "base_model_in_use", "invalid_parameter"]
    return [replace(each, classifiers=0) for each in models], used.base_models, own, findings, bad


def auditing(operations: Operations) -> object:
    trained(operations, "audited_v1", "audited_v1")
    operations.describe(DescribeRequest("audited_v1", "Seen."))
    operations.promote(PromoteRequest("audited", "audited_v1"))
    refusals = [refused(operations.delete, DeleteRequest("audited_v1")) for _ in range(3)]
    lines = [line for name in ("audited_v1", "audited") for line in operations.audit(AuditRequest(target=name))]
    told = [(line.verb, line.revision_before, line.revision_after, line.points_to, line.outcome) for line in lines]
    assert told == [
        ("delete", None, None, None, "classifier_in_use"),
        ("describe", 2, 2, None, "ok"),
        ("fit", 1, 2, None, "ok"),
        ("start_fit", None, None, None, "ok"),
        ("fit", None, 1, None, "ok"),
        ("start_fit", None, None, None, "ok"),
        ("promote", None, None, "audited_v1", "ok"),
    ]
    assert [line.count for line in lines] == [3, 1, 1, 1, 1, 1, 1]
    assert len(operations.audit(AuditRequest(target="audited_v1", verb="fit"))) == 2
    first = operations.audit(AuditRequest(target="audited_v1", limit=4))
    second = operations.audit(AuditRequest(target="audited_v1", limit=4, cursor=first.next_cursor))
    assert (*first, *second) == tuple(lines[:-1])
    assert (second.next_cursor, first.unreadable_files) == (None, 0)
    bad = [
        *(refused(operations.audit, AuditRequest(since=since)) for since in ("yesterday", "2025-02-30")),
        *(refused(operations.audit, AuditRequest(limit=limit)) for limit in (0, 10_001)),
        refused(operations.audit, AuditRequest(cursor="abc")),
        refused(operations.audit, AuditRequest(target="")),
    ]
    assert codes(bad) == ["invalid_parameter"] * 6
    assert operations.audit(AuditRequest(target="audited_v1", since="9999-01-01")).lines == ()
    return told, refusals, bad


def removing_a_base_model(operations: Operations) -> object:
    """Only where there is one that can be removed."""
    return [
        operations.remove_base_model(BaseModelRequest(each.id))
        for each in operations.base_models().base_models
        if each.location == "data_directory"
    ]


def creating_a_key(operations: Operations) -> object:
    """The last thing that whoever has no key can do over HTTP."""
    good = CreateKeyRequest(name="shop", scopes=("predict", "read"), only=("tickets_*",), expires_in_days=3)
    bad = {
        replace(good, name="no name"): "invalid_name",
        replace(good, scopes=()): "invalid_parameter",
        replace(good, scopes=("read", "read")): "invalid_parameter",
        replace(good, scopes=("admin",)): "invalid_parameter",
        replace(good, only=("a b",)): "invalid_parameter",
        replace(good, expires_in_days=0): "invalid_parameter",
        replace(good, requests_per_second=-1): "invalid_parameter",
    }
    seen = [refused(operations.create_key, each) for each in bad]
    assert codes(seen) == list(bad.values())
    unknown = [refused(operations.revoke_key, KeyRequest(name)) for name in ("shop", "no name")]
    assert codes(unknown) == ["key_not_found", "invalid_name"]
    limits = LimitKeyRequest(name="shop", requests_per_second=5)
    wrong = (limits, replace(limits, name="no name"), replace(limits, texts_per_day=-1))
    unlimited = [refused(operations.limit_key, each) for each in wrong]
    assert codes(unlimited) == ["key_not_found", "invalid_name", "invalid_parameter"]
    assert list(operations.list_keys()) == []
    created = operations.create_key(good)
    assert (created.name, created.scopes, created.only) == ("shop", ("predict", "read"), ("tickets_*",))
    assert created.expires_at is not None
    assert (created.expires_at - created.created_at).days == 3
    assert len(created.key) == len("wdr_") + 43
    return seen, unknown, unlimited, replace(created, key="", hint="")
