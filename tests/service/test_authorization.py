"""What a key sees: by its names as if the others were not there, and by its scopes without rows of others."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_type_hints

import pytest

from tests.service.examples import REQUEST, ROWS, SHOUTING, Open, ask, fake_service, fit, show
from tests.storage.job_folders import open_jobs
from tests.toy import Toy
from windrow.domain.access import CreateKeyRequest, KeyRequest
from windrow.domain.alias import AliasChangeRequest, AliasRequest, PromoteRequest
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.base_models import BaseModelRequest
from windrow.domain.binding import BindRequest
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import CopyRequest, DeleteRequest, DescribeRequest, ModelRequest, RestoreRequest
from windrow.domain.comparison import CompareRequest
from windrow.domain.cross_validation import CrossValidateRequest
from windrow.domain.dataset import Row
from windrow.domain.decision import DecideRequest, Question
from windrow.domain.errors import (
    AliasNotFound,
    ClassifierInUse,
    ClassifierNotFound,
    InsufficientScope,
    InvalidName,
    JobNotFound,
    NameNotAllowed,
    NameTaken,
    PromotionRefused,
    WindrowError,
)
from windrow.domain.file_prediction import StartPredictFilesRequest
from windrow.domain.gate import Requirement
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import Job, JobList, JobListRequest, JobRequest, Problem
from windrow.domain.listing import DeleteAllRequest, ListRequest
from windrow.domain.prediction import PredictRequest, always_connected
from windrow.domain.report import EvaluateRequest
from windrow.domain.report_page import ReportRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.domain.threshold import SetThresholdRequest
from windrow.service.authorization import FREE, RULES, authorized
from windrow.service.service import Service

SCOPES = frozenset({"predict", "read", "rows", "train", "promote"})
KEY = Caller("shop", SCOPES, only=("tickets_v?", "live"))
WITHOUT_ROWS = replace(KEY, scopes=SCOPES - {"rows"}, only=())
# Names that the key does not know; the second one differs from one that it knows by a letter.
SECRET, NEAR = "secret_v1", "tickets_v12"
TEST_ROWS = ROWS[:2]


def fill(service: Service) -> Service:
    """Have two classifiers of the key, two of others, and an alias of each that leads to the other's."""
    fill_barely(service)
    fit(service, SECRET)
    fit(service, NEAR, rows=SHOUTING)
    service.promote(PromoteRequest("live", SECRET))
    service.promote(PromoteRequest("hidden", "tickets_v1"))
    return service


def fill_barely(service: Service) -> Service:
    """Have what the key knows alone."""
    fit(service, "tickets_v1")
    fit(service, "tickets_v2", rows=SHOUTING)
    return service


@pytest.fixture
def service(opened: Open) -> Service:
    return fill(opened())


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service like the other one that no test changes."""
    service = fill(fake_service(tmp_path_factory.mktemp("full")))
    yield service
    service.close()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same without anything that the key does not know."""
    service = fill_barely(fake_service(tmp_path_factory.mktemp("bare")))
    yield service
    service.close()


@pytest.fixture
def as_key() -> Iterator[None]:
    with calling(KEY):
        yield


def told(act: Callable[[], object]) -> tuple[type[WindrowError], str, dict[str, object]]:
    """Return everything that an error says."""
    with pytest.raises(WindrowError) as caught:
        act()
    return type(caught.value), caught.value.template, caught.value.facts


QUESTION = Question(kind="predicate", instructions="a")
# Each verb that asks for or changes what has a name.
ASKING: Mapping[str, Callable[[Service, str], object]] = {
    "predict": lambda service, name: service.predict(PredictRequest(model_name=name, text="a")),
    "start_predict": lambda service, name: service.start_predict(
        PredictRequest(model_names=("tickets_v1", name), text="a"), always_connected
    ),
    "start_predict_in_memory": lambda service, name: service.start_predict_in_memory(
        PredictRequest(model_name=name, texts=("a", "b")), always_connected
    ),
    "start_predict_files": lambda service, name: service.start_predict_files(
        StartPredictFilesRequest(model_name=name, input="/a", output="/b")
    ),
    "start_decide": lambda service, name: service.start_decide(
        DecideRequest(text="a", questions=(QUESTION,), model_name=name), always_connected
    ),
    "start_decide_in_memory": lambda service, name: service.start_decide_in_memory(
        DecideRequest(text="a", questions=(QUESTION,), model_name=name), always_connected
    ),
    "bind": lambda service, name: service.bind(BindRequest("live", name)),
    "reproduce": lambda service, name: service.reproduce(ModelRequest(name)),
    "evaluate": lambda service, name: service.evaluate(EvaluateRequest(name, TEST_ROWS)),
    "report": lambda service, name: service.report(ReportRequest(name, TEST_ROWS)),
    "compare": lambda service, name: service.compare(CompareRequest(("tickets_v1", name), TEST_ROWS)),
    "suggest": lambda service, name: service.suggest(SuggestRequest(name, ("a", "b"))),
    "show": lambda service, name: service.show(ModelRequest(name)),
    "export": lambda service, name: service.export(ExportRequest(name)),
    "describe": lambda service, name: service.describe(DescribeRequest(name, description="new")),
    "set_threshold": lambda service, name: service.set_threshold(SetThresholdRequest(name, 0.5)),
    "delete": lambda service, name: service.delete(DeleteRequest(name)),
    "restore": lambda service, name: service.restore(RestoreRequest(name)),
    "copy": lambda service, name: service.copy(CopyRequest(name, "tickets_v9")),
    "promote": lambda service, name: service.promote(PromoteRequest("live", name)),
}
ASKING_ALIASES: Mapping[str, Callable[[Service, str], object]] = {
    "rollback": lambda service, name: service.rollback(AliasChangeRequest(name)),
    "remove_alias": lambda service, name: service.remove_alias(AliasChangeRequest(name)),
    "alias_history": lambda service, name: service.alias_history(AliasRequest(name)),
}
GIVING: Mapping[str, Callable[[Service, str], object]] = {
    "fit": lambda service, name: service.fit(replace(REQUEST, model_name=name)),
    "start_fit": lambda service, name: service.start_fit(replace(REQUEST, model_name=name)),
    "begin_fit": lambda service, name: service.begin_fit(replace(REQUEST, model_name=name)),
    "estimate_fit": lambda service, name: service.estimate_fit(replace(REQUEST, model_name=name)),
    "copy": lambda service, name: service.copy(CopyRequest("tickets_v1", name, overwrite=True)),
    "promote": lambda service, name: service.promote(PromoteRequest(name, "tickets_v1")),
    "import_classifier": lambda service, name: service.import_classifier(io.BytesIO(), ImportRequest(name)),
}
ASKING_JOBS: Mapping[str, Callable[[Service, str], object]] = {
    "job": lambda service, job_id: service.job(JobRequest(job_id)),
    "follow_job": lambda service, job_id: list(service.follow_job(JobRequest(job_id))),
    "cancel_job": lambda service, job_id: service.cancel_job(JobRequest(job_id)),
}


def verbs() -> dict[str, Any]:
    return {name: verb for name, verb in vars(Service).items() if hasattr(verb, "__wrapped__")}


def test_every_verb_has_a_rule() -> None:
    assert set(verbs()) == set(RULES)


@pytest.mark.parametrize("verb", RULES)
def test_what_names_something_is_checked_and_so_is_each_such_field_here(verb: str) -> None:
    hints = get_type_hints(verbs()[verb].__wrapped__)
    request = hints.get("request")
    names = {each.name for each in fields(request)} if is_dataclass(request) else set()
    naming = names & {"model_name", "model_names", "new_name", "alias", "job_id"}
    assert len(RULES[verb].checks) >= len(naming)
    asked = [table for table in (ASKING, ASKING_ALIASES, GIVING, ASKING_JOBS) if verb in table]
    assert bool(asked) == bool(naming)
    assert not (naming and RULES[verb] is FREE)


@pytest.mark.parametrize("name", [SECRET, f"{SECRET}@1", NEAR, "hidden", "ticket_v1"])
@pytest.mark.parametrize("verb", ASKING)
def test_what_a_key_does_not_know_is_not_found_in_the_very_words_for_what_is_not_there(
    verb: str, name: str, full: Service, bare: Service
) -> None:
    with calling(KEY):
        error, template, facts = told(lambda: ASKING[verb](full, name))
        assert (error, template, facts) == told(lambda: ASKING[verb](bare, name))
    assert error is ClassifierNotFound
    if not verb.endswith("_in_memory") and not (verb == "describe" and "@" in name):
        assert (error, template, facts) == told(lambda: ASKING[verb](bare, name))


def test_a_hint_holds_names_alone_that_the_key_knows(full: Service) -> None:
    asked: Mapping[str, list[str]] = {
        "tickets_v12": ["tickets_v2", "tickets_v1"],
        "tickets_v": ["tickets_v2", "tickets_v1"],
        "lives": ["live"],
        "secret": [],
        "hiden": [],
    }
    for name, near in asked.items():
        with calling(KEY):
            assert told(lambda name=name: show(full, name))[2] == {"model_name": name, "near_names": near}  # type: ignore[misc]
    assert told(lambda: show(full, "secret"))[2]["near_names"] == [SECRET]
    assert told(lambda: show(full, "hiden"))[2]["near_names"] == ["hidden"]


@pytest.mark.parametrize("name", ["hidden", "lives", "nothing"])
@pytest.mark.parametrize("verb", ASKING_ALIASES)
def test_an_alias_that_a_key_does_not_know_is_not_found(verb: str, name: str, full: Service) -> None:
    with calling(KEY):
        error, template, facts = told(lambda: ASKING_ALIASES[verb](full, name))
        assert error is AliasNotFound
        assert facts == {"alias": name, "near_names": ["live"] if name == "lives" else []}
        missing = "livid" if name == "lives" else "nobody"
        assert (error, template) == told(lambda: ASKING_ALIASES[verb](full, missing))[:2]


@pytest.mark.parametrize("name", [SECRET, "secret_v2", "hidden", "nothing"])
@pytest.mark.parametrize("verb", GIVING)
def test_a_name_that_a_key_does_not_know_is_given_to_nothing_be_it_there_or_not(
    verb: str, name: str, full: Service, as_key: None
) -> None:
    error, _, facts = told(lambda: GIVING[verb](full, name))
    assert error is NameNotAllowed
    assert facts == {"key": "shop", "name": name, "only": ["tickets_v?", "live"]}
    assert told(lambda: GIVING[verb](full, f"{name}!"))[0] is InvalidName


@pytest.mark.parametrize("verb", ["fit", "start_fit", "begin_fit", "estimate_fit", "copy"])
def test_a_name_that_a_key_knows_is_given(verb: str, service: Service, as_key: None) -> None:
    GIVING[verb](service, "tickets_v7")


def test_a_file_brings_no_name_along_that_the_key_may_not_give(service: Service) -> None:
    files = {name: b"".join(service.export(ExportRequest(name)).chunks) for name in ("tickets_v1", SECRET)}
    with calling(KEY):
        for dry_run in (True, False):
            request = ImportRequest(overwrite=True, dry_run=dry_run)
            with pytest.raises(NameNotAllowed, match=SECRET):
                service.import_classifier(io.BytesIO(files[SECRET]), request)
            assert service.import_classifier(io.BytesIO(files["tickets_v1"]), request).name == "tickets_v1"
        taken_in = service.import_classifier(io.BytesIO(files[SECRET]), ImportRequest("tickets_v8"))
    assert taken_in.origin is None
    assert show(service, "tickets_v8").origin is not None


def test_an_alias_that_a_key_knows_leads_where_it_points_and_says_where(service: Service, as_key: None) -> None:
    answer = ask(service, "live", "error")
    assert (answer.model_name, answer.alias) == (SECRET, "live")
    assert show(service, "live").name == SECRET
    (alias,) = service.list_aliases()
    assert (alias.alias, alias.points_to) == ("live", SECRET)
    assert [change.points_to for change in service.alias_history(AliasRequest("live"))] == [SECRET]
    error, _, facts = told(lambda: service.delete(DeleteRequest("live")))
    assert (error, facts) == (
        ClassifierNotFound,
        {"model_name": "live", "points_to": SECRET, "near_names": []},
    )


def test_an_alias_lets_nobody_change_what_it_leads_to_nor_point_another_one_there(service: Service) -> None:
    request = EvaluateRequest("live", TEST_ROWS, save=True)
    with calling(replace(KEY, only=("t*", "live"))):
        report = service.evaluate(request)
        assert not report.saved
        assert "by its alias alone" in report.warnings[-1].message
        with pytest.raises(ClassifierNotFound, match="live is an alias"):
            service.promote(PromoteRequest("two", "live"))
    assert show(service, SECRET).test is None
    assert service.evaluate(request).saved


def test_a_promotion_needs_to_know_both_and_a_rollback_the_alias(service: Service) -> None:
    with calling(KEY):
        assert service.promote(PromoteRequest("live", "tickets_v2")).points_to == "tickets_v2"
        assert service.rollback(AliasChangeRequest("live")).points_to == SECRET
        service.remove_alias(AliasChangeRequest("live"))
    assert [alias.alias for alias in service.list_aliases()] == ["hidden"]


def test_of_a_task_the_versions_count_that_a_key_knows(service: Service, bare: Service) -> None:
    named = PredictRequest(model_names=("tickets@latest", "tickets_v1"), text="error")
    assert ask(service, "tickets@latest", "error").model_name == NEAR
    with calling(KEY):
        assert [each.model_name for each in service.predict(named)] == ["tickets_v2", "tickets_v1"]
        assert service.start_predict_in_memory(named, always_connected) is None
        assert show(service, "tickets@latest").name == "tickets_v2"
        compared = service.compare(CompareRequest(("tickets@latest", "tickets_v2"), SHOUTING[:2]))
        assert [(each.reference, each.model_name) for each in compared.models] == [
            ("tickets@latest", "tickets_v2"),
            ("tickets_v2", "tickets_v2"),
        ]
        assert service.promote(PromoteRequest("live", "tickets@latest")).points_to == "tickets_v2"
        assert told(lambda: ask(service, "secret@latest", "a")) == told(lambda: ask(bare, "secret@latest", "a"))
    assert ask(service, "tickets@latest", "error").model_name == NEAR


def test_lists_and_counts_have_what_a_key_knows(service: Service, bare: Service) -> None:
    service.delete(DeleteRequest(NEAR))
    with calling(KEY):
        for request in (ListRequest(), ListRequest(sort="-size_bytes"), ListRequest(prefix="secret")):
            ours, theirs = service.list_classifiers(request), bare.list_classifiers(request)
            assert sorted(each.name for each in ours) == sorted(each.name for each in theirs)
        assert len(service.list_classifiers(ListRequest(deleted=True))) == 0
        page = service.list_classifiers(ListRequest(limit=1, sort="-name"))
        assert ([each.name for each in page], page.next_cursor is not None) == (["tickets_v2"], True)
        last = service.list_classifiers(ListRequest(limit=1, sort="-name", cursor=page.next_cursor))
        assert ([each.name for each in last], last.next_cursor) == (["tickets_v1"], None)
        assert {job.model_name for job in service.list_jobs(JobListRequest())} == {"tickets_v1", "tickets_v2"}
        assert [job.model_name for job in service.list_jobs(JobListRequest(1))] == ["tickets_v2"]
        assert [each.classifiers for each in service.base_models()] == [2]
    assert [each.classifiers for each in service.base_models()] == [4]


def test_the_room_that_names_take_is_told_of_what_a_key_knows() -> None:
    toy = fill(Toy())
    toy.delete(DeleteRequest(NEAR))
    everything = toy.usage()
    with calling(KEY):
        usage = toy.usage()
    assert [each.name for each in usage.classifiers] == ["tickets_v1", "tickets_v2"]
    assert usage.classifier_bytes == sum(each.size_bytes for each in usage.classifiers)
    assert usage.deleted_bytes == 0
    assert len(everything.classifiers) == 4
    assert everything.deleted_bytes > 0
    toy.close()


def test_deleting_many_deletes_what_a_key_knows(service: Service) -> None:
    with calling(KEY):
        with pytest.raises(ClassifierInUse):
            service.delete_all(DeleteAllRequest(prefix="t"))
        asked = DeleteAllRequest(prefix="t", dry_run=True)
        assert service.delete_all(asked).model_names == ("tickets_v1", "tickets_v2")
        assert service.delete_all(DeleteAllRequest(task="secret")).model_names == ()
        deleted = service.delete_all(replace(asked, dry_run=False, force=True))
    assert (deleted.model_names, deleted.skipped, deleted.aliases) == (("tickets_v1", "tickets_v2"), (), ())
    assert {each.name for each in service.list_classifiers(ListRequest())} == {SECRET, NEAR}


def test_what_an_unknown_alias_points_to_is_in_use_and_the_alias_is_not_named(service: Service) -> None:
    with calling(KEY):
        for act in (
            lambda: service.delete(DeleteRequest("tickets_v1")),
            lambda: service.delete_all(DeleteAllRequest(task="tickets")),
        ):
            error, template, facts = told(act)
            assert error is ClassifierInUse
            assert facts == {
                "aliases": [],
                "used": ["tickets_v1 (1 alias that this API key does not know)"],
                "more": 0,
            }
            assert "hidden" not in template
        assert show(service, "tickets_v1").aliases == ()
        changed = service.set_threshold(SetThresholdRequest("tickets_v1", 0.5))
        assert (changed.aliases, changed.warnings) == ((), ())
    assert show(service, "tickets_v1").aliases == ("hidden",)
    service.promote(PromoteRequest("tickets_vx", "tickets_v1"))
    service.promote(PromoteRequest("other", "tickets_v1"))
    with calling(KEY), pytest.raises(ClassifierInUse) as caught:
        service.delete(DeleteRequest("tickets_v1"))
    assert caught.value.facts["used"] == ["tickets_v1 (tickets_vx, 2 aliases that it does not know)"]
    assert caught.value.facts["aliases"] == ["tickets_vx"]


@pytest.mark.parametrize("verb", ["fit", "estimate_fit", "copy"])
def test_a_name_that_differs_in_case_from_an_unknown_one_is_taken_and_that_one_is_not_named(
    verb: str, service: Service
) -> None:
    fit(service, "Tickets_v3")
    error, _, facts = told(lambda: GIVING[verb](service, "tickets_v3"))
    assert (error, facts["existing_name"]) == (NameTaken, "Tickets_v3")
    with calling(KEY):
        error, template, facts = told(lambda: GIVING[verb](service, "tickets_v3"))
    assert (error, facts) == (NameTaken, {"name": "tickets_v3"})
    assert "Tickets" not in template


def test_a_copy_does_not_say_where_it_comes_from_if_the_key_does_not_know_that(service: Service) -> None:
    service.copy(CopyRequest(SECRET, "tickets_v5"))
    with calling(KEY):
        assert service.copy(CopyRequest("live", "tickets_v6")).origin is None
        own = service.copy(CopyRequest("tickets_v1", "tickets_v7")).origin
        assert own is not None
        assert own.name == "tickets_v1"
        assert show(service, "tickets_v5").origin is None
        listed = {each.name: each.origin for each in service.list_classifiers(ListRequest())}
        assert listed["tickets_v5"] is None
        assert service.describe(DescribeRequest("tickets_v5", description="ours")).origin is None
        service.delete(DeleteRequest("tickets_v5"))
        assert [each.origin for each in service.list_classifiers(ListRequest(deleted=True))] == [None]
        assert service.restore(RestoreRequest("tickets_v5")).origin is None
        file = b"".join(service.export(ExportRequest("tickets_v5")).chunks)
        assert SECRET.encode() not in file
    assert SECRET.encode() in b"".join(service.export(ExportRequest("tickets_v5")).chunks)


def test_a_fit_proposes_no_name_that_the_key_may_not_give(service: Service) -> None:
    with calling(KEY):
        assert service.fit(replace(REQUEST, model_name="tickets_v3")).next_name is None
        (job,) = service.list_jobs(JobListRequest(1))
        assert job.next_name is None
    fit(service, "tickets_v4")
    (job,) = service.list_jobs(JobListRequest(1))
    assert job.next_name == "tickets_v13"
    with calling(KEY):
        assert service.job(JobRequest(job.id)).next_name is None


@pytest.mark.parametrize("verb", ASKING_JOBS)
def test_a_job_of_a_name_that_a_key_does_not_know_is_not_found(verb: str, service: Service, as_key: None) -> None:
    with calling(Caller()):
        ids = {job.model_name: job.id for job in service.list_jobs(JobListRequest())}
    error, template, facts = told(lambda: ASKING_JOBS[verb](service, ids[SECRET]))
    missing = told(lambda: ASKING_JOBS[verb](service, "000000000000-000000"))
    assert error is JobNotFound
    assert (error, template, facts) == (*missing[:2], {**missing[2], "job_id": ids[SECRET]})


def test_a_job_does_not_tell_what_name_was_in_its_way(service: Service) -> None:
    facts = {"name": "tickets_v3", "existing_name": "Tickets_v3", "kind": "classifier"}
    problem = Problem("name_taken", "The name {name} differs from {existing_name}.", facts)
    (made,) = service.list_jobs(JobListRequest(1))
    job = replace(made, id="ffffffffffff-ffffff", model_name="tickets_v3", state="failed", problem=problem)
    settings, store = service.dependencies.settings, service.dependencies.store
    open_jobs(settings.local_dir, store.names.files).put(job, 1)
    assert service.job(JobRequest(job.id)).problem == problem
    with calling(KEY):
        seen = [service.job(JobRequest(job.id)), *service.follow_job(JobRequest(job.id))]
        seen += service.list_jobs(JobListRequest(1))
    cancelled = RULES["cancel_job"].shown
    assert cancelled is not None
    seen.append(cancelled(KEY, job))
    for each in seen:
        assert "Tickets" not in str(each.to_dict())
        assert each.problem is not None
        assert each.problem.as_error().facts == {"name": "tickets_v3"}


@pytest.mark.parametrize("only", [("tickets_*",), ()])
def test_who_trains_cancels_its_own_trainings_alone_and_an_admin_any(opened: Open, only: tuple[str, ...]) -> None:
    service = opened(max_concurrent_fits=1)
    mine = Caller("mine", frozenset({"train"}), only)
    theirs, admin = replace(mine, key_name="theirs"), Caller("root", frozenset({"admin"}))
    with service.dependencies.slots.enqueue().acquire():
        with calling(mine):
            job = service.start_fit(replace(REQUEST, model_name="tickets_v1"))
        for other in (theirs, replace(mine, key_name=None)):
            with calling(other), pytest.raises(JobNotFound):
                service.cancel_job(JobRequest(job.id))
            with calling(replace(other, scopes=frozenset({"train", "read"}))):
                with pytest.raises(InsufficientScope) as caught:
                    service.cancel_job(JobRequest(job.id))
                assert caught.value.facts["scope"] == "admin"
        with calling(mine):
            assert service.cancel_job(JobRequest(job.id)).state == "cancelled"
        for other in (admin, Caller()):
            with calling(mine):
                job = service.start_fit(replace(REQUEST, model_name="tickets_v1"))
            with calling(other):
                assert service.cancel_job(JobRequest(job.id)).state == "cancelled"


def test_without_read_a_key_sees_the_jobs_alone_that_it_started(opened: Open) -> None:
    service = opened()
    jobs: list[Job] = []
    for name in ("one", "two"):
        with calling(Caller(name, frozenset({"train"}))):
            job, result = service.begin_fit(replace(REQUEST, model_name=f"tickets_{name}"))
            result.result(30)
            jobs.append(job)
    for own, hidden in (jobs, jobs[::-1]):
        mine = Caller(own.key_name, frozenset({"train"}))
        with calling(mine):
            assert service.job(JobRequest(own.id)) in list(service.follow_job(JobRequest(own.id)))
            assert [job.id for job in service.list_jobs(JobListRequest(1))] == [own.id]
            verbs: tuple[Callable[[JobRequest], object], ...] = (service.job, service.follow_job, service.cancel_job)
            for verb in verbs:
                with pytest.raises(JobNotFound) as caught:
                    verb(JobRequest(hidden.id))
                assert caught.value.facts.keys() == {"job_id", "kept"}
        with calling(replace(mine, scopes=frozenset({"read"}))):
            assert len(service.list_jobs(JobListRequest())) == 2
            assert service.job(JobRequest(hidden.id)).key_name == hidden.key_name
        with calling(replace(mine, only=("others_*",))):
            assert service.list_jobs(JobListRequest()) == JobList(())
            with pytest.raises(JobNotFound):
                service.job(JobRequest(own.id))


def test_an_equal_training_of_another_key_is_not_joined_since_that_key_may_cancel_it(opened: Open) -> None:
    service = opened(max_concurrent_fits=1)
    with service.dependencies.slots.enqueue().acquire():
        jobs: list[Job] = []
        for name in ("one", "one", "two"):
            with calling(Caller(name)):
                jobs.append(service.start_fit(REQUEST))
        assert jobs[0].id == jobs[1].id != jobs[2].id
        for job in jobs[1:]:
            service.cancel_job(JobRequest(job.id))


def test_a_name_that_breaks_the_grammar_is_told_so_whatever_the_key_knows(service: Service, as_key: None) -> None:
    for ask_for in (*ASKING.values(), *ASKING_ALIASES.values()):
        assert told(lambda ask_for=ask_for: ask_for(service, "no name"))[0] is InvalidName  # type: ignore[misc]


def test_a_verb_without_a_rule_and_those_of_an_admin_are_for_keys_alone_that_know_every_name(
    service: Service, as_key: None
) -> None:
    for act in (
        lambda: service.fsck(FsckRequest()),
        service.list_keys,
        lambda: service.create_key(CreateKeyRequest(name="a", scopes=("read",))),
        lambda: service.revoke_key(KeyRequest("a")),
        lambda: service.remove_base_model(BaseModelRequest("a/b")),
        lambda: authorized(lambda _: None)(service.dependencies),
    ):
        with pytest.raises(InsufficientScope, match="admin"):
            act()


def test_without_the_scope_rows_an_explanation_shows_none(service: Service) -> None:
    explained = ask(service, "tickets_v1", "error on screen", explain=True).explanation
    assert explained is not None
    assert explained.nearest_rows
    with calling(WITHOUT_ROWS):
        without = ask(service, "tickets_v1", "error on screen", explain=True).explanation
    assert without == replace(explained, nearest_rows=None)


def test_without_the_scope_rows_an_alias_shows_none_that_it_keeps(service: Service) -> None:
    kept, sent = Row("crash error screen 1", "bug"), Row("charged twice invoice 1", "billing")
    service.promote(PromoteRequest("rowed", "tickets_v1", must_pass=(kept,)))
    assert [alias.must_pass for alias in service.list_aliases() if alias.alias == "rowed"] == [(kept,)]
    with calling(WITHOUT_ROWS):
        assert all(alias.must_pass == () for alias in service.list_aliases())
        assert [alias.alias for alias in service.list_aliases() if alias.protected] == ["rowed"]
        assert service.promote(PromoteRequest("rowed", "tickets_v1@1", reason="same")).must_pass == ()
        assert service.rollback(AliasChangeRequest("rowed")).must_pass == ()
        # The classifier shouts its labels, so that it places neither row right.
        request = PromoteRequest("rowed", "tickets_v2", require=Requirement(must_pass=(sent,)))
        error, _, facts = told(lambda: service.promote(request))
        assert error is PromotionRefused
        failed = facts["failed_rows"]
        assert isinstance(failed, list)
        assert [(row["text"], row["label"]) for row in failed] == [(sent.text, sent.label), ("", "bug")]
        assert kept.text not in str(facts)
    assert kept.text in str(told(lambda: service.promote(request))[2])
    assert [alias.must_pass for alias in service.list_aliases() if alias.alias == "rowed"] == [(kept,)]


def test_nothing_changes_for_whoever_needs_no_key(service: Service) -> None:
    assert len(service.list_classifiers(ListRequest())) == 4
    assert [alias.alias for alias in service.list_aliases()] == ["hidden", "live"]
    assert service.cross_validate(CrossValidateRequest(ROWS, folds=2, num_iterations=0)) is not None
