"""The contract: cases that use every verb, and return what they saw, whatever does the verbs.

Each case trains classifiers under names of its own, so that they can run in any order.
"""

import io
from collections.abc import Callable
from dataclasses import replace

from tests.conformance.observing import refused
from windrow.domain.alias import PromoteRequest, Said
from windrow.domain.archive import ImportRequest
from windrow.domain.classifier import FitRequest, NotesChange
from windrow.domain.comparison import CompareRequest
from windrow.domain.cross_validation import CrossValidateRequest
from windrow.domain.dataset import Row
from windrow.domain.gate import Requirement
from windrow.domain.listing import Page, Selection
from windrow.domain.prediction import PredictRequest
from windrow.domain.recipe import Recipe
from windrow.domain.report import EvaluateRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.operations import Operations

Case = Callable[[Operations], object]
HEAD_ONLY = Recipe(num_iterations=0)
ROWS = tuple(
    Row(text, label)
    for text, label in (
        ("I was charged twice this month", "billing"),
        ("Please refund my last invoice", "billing"),
        ("The bill has a wrong amount", "billing"),
        ("The app crashes when I log in", "technical"),
        ("I get error 500 on the upload page", "technical"),
        ("The page does not load at all", "technical"),
    )
)
TEST_ROWS = (
    Row("My invoice shows a fee twice", "billing"),
    Row("Refund the second charge please", "billing"),
    Row("An error page comes when I upload", "technical"),
    Row("It crashes on my phone", "technical"),
)
TEXT = "Why was I charged twice"
SECRET = "\ud800"


def request(name: str, rows: tuple[Row, ...] = ROWS, recipe: Recipe = HEAD_ONLY) -> FitRequest:
    """Return a training that takes no time."""
    return FitRequest(name, rows, recipe=recipe)


def trained(operations: Operations, *names: str) -> None:
    """Train classifiers, each one on the labels the other way round from the one before."""
    swapped = {"billing": "technical", "technical": "billing"}
    for number, name in enumerate(names):
        rows = ROWS if number % 2 == 0 else tuple(Row(row.text, swapped[row.label]) for row in ROWS)
        operations.fit(request(name, rows))


def fitting(operations: Operations) -> object:
    first = operations.fit(replace(request("fit_v1"), notes=NotesChange("Tickets.", ("shop", "a"))))
    told: list[object] = []
    second = operations.fit(request("fit_v1"), told.append)
    third = operations.fit(request("fit_v9"))
    return first, second, third, [type(each).__name__ for each in told] == ["Progress"] * len(told)


def fits_that_are_refused(operations: Operations) -> object:
    trained(operations, "refused_v1")
    operations.promote(PromoteRequest("refused", "refused_v1"))
    good = request("refused_v2")
    bad = [
        replace(good, model_name="no name"),
        replace(good, model_name="refused_v1@2"),
        replace(good, model_name="refused"),
        replace(good, model_name="REFUSED_v1"),
        replace(good, model_name="refused_v1", overwrite=False),
        replace(good, rows=()),
        replace(good, rows=ROWS[:2]),
        replace(good, rows=(*ROWS, Row(" ", "billing"))),
        replace(good, rows=(*ROWS, Row(SECRET, "billing"))),
        replace(good, rows=(*ROWS, Row("a", ""))),
        replace(good, recipe=Recipe(num_iterations=-1)),
        replace(good, recipe=Recipe(seed=-1)),
        replace(good, recipe=replace(HEAD_ONLY, max_seconds=0.0)),
        replace(good, notes=NotesChange("x" * 2_001)),
        replace(good, notes=NotesChange(None, ("",))),
    ]
    seen = [refused(lambda each=each: operations.fit(each)) for each in bad]  # type: ignore[misc]
    started = [refused(lambda each=each: operations.start_fit(each)) for each in bad]  # type: ignore[misc]
    forecast = [refused(lambda each=each: operations.forecast(each)) for each in bad]  # type: ignore[misc]
    watched = [refused(lambda each=each: operations.fit(each, lambda news: None)) for each in bad[:3]]  # type: ignore[misc]
    return seen, started, forecast, watched


def jobs(operations: Operations) -> object:
    forecast = operations.forecast(request("jobs_v1"))
    started = operations.start_fit(request("jobs_v1"))
    last = list(operations.follow_job(started.id))[-1]
    found = [job for job in operations.list_jobs(1_000) if job.model_name == "jobs_v1"]
    again = list(operations.follow_job(started.id))
    return {
        "forecast": (forecast.model_name, forecast.num_examples, forecast.labels, forecast.tokens),
        "stages": [part.stage for part in forecast.parts],
        "started": (started.model_name, started.num_examples, started.data_sha256, started.recipe),
        "jobs": (last, found, operations.job(started.id), again),
        "shown": operations.show("jobs_v1"),
        "refused": [
            refused(lambda: operations.cancel_job(started.id)),
            refused(lambda: operations.job("no-such-job")),
            refused(lambda: operations.cancel_job("no-such-job")),
            refused(lambda: operations.follow_job("no-such-job")),
            refused(lambda: operations.list_jobs(0)),
            refused(lambda: operations.list_jobs(1_001)),
        ],
    }


def cancelling(operations: Operations) -> object:
    # Labels of nonsense, so that there is much to learn, for longer than it takes to cancel.
    rows = tuple(Row(f"word {number} of {number % 7}", f"label {number % 2}") for number in range(20))
    started = operations.start_fit(request("cancel_v1", rows, Recipe(num_iterations=200)))
    cancelled = operations.cancel_job(started.id)
    return {
        "same": operations.job(started.id) == cancelled,
        "events": [job.state for job in operations.follow_job(started.id)],
        "again": (refused(lambda: operations.cancel_job(started.id)), cancelled),
        "nothing": refused(lambda: operations.show("cancel_v1")),
    }


def predicting(operations: Operations) -> object:
    trained(operations, "predict_v1", "predict_v1", "predict_v2")
    operations.promote(PromoteRequest("predict", "predict_v1"))
    one, text = ("predict_v1",), (TEXT,)
    bad = [
        PredictRequest((), text),
        PredictRequest(one, ()),
        PredictRequest((), ()),
        PredictRequest(("predict_v1", "predict_v2"), ("a", "b")),
        PredictRequest(("predict_v1", "predict_v2"), ()),
        PredictRequest(("no name",), text),
        PredictRequest(("predikt_v1",), text),
        PredictRequest(("predict_v1@99",), text),
        PredictRequest(("nothing@latest",), text),
        PredictRequest(one, ("",)),
        PredictRequest(one, ("a", SECRET)),
        PredictRequest(one, text, top_k=0),
        PredictRequest(one, text, top_k=3),
        PredictRequest(one, text, abstain_below=1.5),
        PredictRequest(one, ("a", "b"), explain=True),
    ]
    good = [
        PredictRequest(one, text),
        PredictRequest(one, text, explain=True),
        PredictRequest(one, (TEXT, "The page crashes", "größer 漢字")),
        PredictRequest(("predict_v1", "predict_v2", "predict"), text),
        PredictRequest(("predict_v1@1",), text),
        PredictRequest(("predict@latest",), text),
        PredictRequest(("predict",), text, top_k=1),
        PredictRequest(one, text, abstain_below=1.0, min_in_scope=0.0),
        PredictRequest(one, text, min_in_scope=1.0),
    ]
    unwanted = refused(lambda: operations.predict(PredictRequest(one, ("Never asked before",)), lambda: False))
    return {
        "answers": [operations.predict(each) for each in good],
        "refused": [refused(lambda each=each: operations.predict(each)) for each in bad],  # type: ignore[misc]
        # Only who computes can say how far it came.
        "unwanted": (unwanted.kind, unwanted.code),
    }


def judging(operations: Operations) -> object:
    trained(operations, "judge_v1", "judge_v2")
    return {
        "kept": operations.evaluate(EvaluateRequest("judge_v1", TEST_ROWS, target_precision=0.5)),
        "shown": operations.show("judge_v1"),
        "not_kept": operations.evaluate(EvaluateRequest("judge_v2", TEST_ROWS, is_saved=False)),
        "compared": operations.compare(CompareRequest(("judge_v2", "judge_v1"), TEST_ROWS)),
        "cross": operations.cross_validate(CrossValidateRequest(ROWS, 3, recipe=HEAD_ONLY)),
        "suggested": operations.suggest(SuggestRequest("judge_v1", (TEXT, "Do you ship to Norway?", "It crashes"), 2)),
        "refused": [
            refused(lambda: operations.evaluate(EvaluateRequest("judge_v1", ()))),
            refused(lambda: operations.evaluate(EvaluateRequest("judge_v1", (Row("a", "other"),)))),
            refused(lambda: operations.evaluate(EvaluateRequest("judge_v1", TEST_ROWS, target_precision=0.1))),
            refused(lambda: operations.evaluate(EvaluateRequest("judge_v3", TEST_ROWS))),
            refused(lambda: operations.compare(CompareRequest(("judge_v1",), TEST_ROWS))),
            refused(lambda: operations.compare(CompareRequest(("judge_v1", "nobody"), TEST_ROWS))),
            refused(lambda: operations.cross_validate(CrossValidateRequest(ROWS, 1))),
            refused(lambda: operations.cross_validate(CrossValidateRequest(ROWS[:1]))),
            refused(lambda: operations.suggest(SuggestRequest("judge_v1", ()))),
            refused(lambda: operations.suggest(SuggestRequest("judge_v1", ("a",), 0))),
            refused(lambda: operations.suggest(SuggestRequest("nobody", ("a",)))),
        ],
    }


def listing(operations: Operations) -> object:
    trained(operations, "list_v1", "list_v2", "list_v10", "other_list")
    operations.describe("list_v2", NotesChange("Second.", ("listed",)))
    prefix, task = Selection(prefix="list_"), Selection(task="list")
    pages = [
        Page(selection=prefix),
        Page(selection=task),
        Page(selection=task, sort="-version"),
        Page(selection=Selection(tag="listed")),
        Page(2, selection=prefix),
        Page(2, "list_v10", selection=prefix),
        Page(selection=Selection("list", "list_", None, "nobody/nothing")),
    ]
    whole = {each.record.name for each in operations.list_classifiers().classifiers}
    return {
        "pages": [operations.list_classifiers(page) for page in pages],
        "whole": {"list_v1", "list_v2", "list_v10", "other_list"} <= whole,
        "described": operations.describe("list_v2", NotesChange(tags=("z", "a"))),
        "refused": [
            refused(lambda: operations.list_classifiers(Page(0))),
            refused(lambda: operations.list_classifiers(Page(sort="colour"))),
            refused(lambda: operations.list_classifiers(Page(3, "no name"))),
            refused(lambda: operations.show("list_v3")),
            refused(lambda: operations.show("list_v1@7")),
            refused(lambda: operations.show("a/b")),
            refused(lambda: operations.show("")),
            refused(lambda: operations.describe("list_v1@1", NotesChange("x"))),
            refused(lambda: operations.describe("list_v3", NotesChange("x"))),
            refused(lambda: operations.describe("list_v1", NotesChange("x" * 2_001))),
        ],
    }


def deleting(operations: Operations) -> object:
    trained(operations, "delete_v1", "delete_v1", "delete_v2", "delete_v3", "delete_v4")
    operations.promote(PromoteRequest("delete_me", "delete_v2"))
    task = Selection(task="delete")
    seen = [
        operations.delete("delete_v1@1", purge=True),
        operations.delete("delete_v1"),
        operations.list_classifiers(Page(selection=task, deleted=True)),
        operations.restore("delete_v1"),
        operations.delete("delete_v4", purge=True),
        operations.delete_all(task, force=True, dry_run=True),
    ]
    bad = [
        refused(lambda: operations.delete("delete_v2")),
        refused(lambda: operations.delete("delete_v9")),
        refused(lambda: operations.delete("delete_v1@2")),
        refused(lambda: operations.delete("delete@latest")),
        refused(lambda: operations.delete("..")),
        refused(lambda: operations.restore("delete_v1")),
        refused(lambda: operations.restore("delete_v4")),
        refused(lambda: operations.delete_all(Selection())),
        refused(lambda: operations.delete_all(Selection(prefix=""))),
        refused(lambda: operations.delete_all(task)),
    ]
    return seen, bad, operations.delete_all(task, force=True, purge=True), operations.delete_all(task)


def promoting(operations: Operations) -> object:
    trained(operations, "alias_v1", "alias_v2")
    said = Said("It is better, größer & more.", "ana")
    must = (Row(ROWS[0].text, "billing"),)
    required = Requirement(TEST_ROWS, not_worse=True, min_recall={"billing": 0.0})
    seen = [
        operations.promote(PromoteRequest("alias", "alias_v2", said)),
        operations.promote(PromoteRequest("alias", "alias_v1", said, required, must)),
        operations.show("alias"),
        [alias for alias in operations.list_aliases() if alias.name == "alias"],
    ]
    bad = [
        refused(lambda: operations.promote(PromoteRequest("alias", "alias_v2"))),
        refused(lambda: operations.promote(PromoteRequest("alias", "alias_v2", require=required, must_pass=()))),
        refused(lambda: operations.promote(PromoteRequest("alias", "alias_v3"))),
        refused(lambda: operations.promote(PromoteRequest("alias_v1", "alias_v2"))),
        refused(lambda: operations.promote(PromoteRequest("no name", "alias_v2"))),
        refused(lambda: operations.promote(PromoteRequest("alias", "alias_v1", Said("x" * 501)))),
        refused(lambda: operations.promote(PromoteRequest("alias", "alias_v1", require=Requirement(not_worse=True)))),
        refused(lambda: operations.rollback("alias_v1")),
        refused(lambda: operations.rollback("no name")),
        refused(lambda: operations.rollback("alias", Said(by="x" * 501))),
        refused(lambda: operations.remove_alias("nobody")),
        refused(lambda: operations.remove_alias("alias", Said("x" * 501))),
        refused(lambda: operations.alias_history("nobody")),
    ]
    seen.append(operations.rollback("alias", Said("Back.", "bob")))
    bad.append(refused(lambda: operations.rollback("alias")))
    operations.remove_alias("alias", said)
    return seen, bad, operations.alias_history("alias")


def exchanging(operations: Operations) -> object:
    trained(operations, "export_v1")
    seen, files = [], []
    for training_rows in (False, True):
        export = operations.export("export_v1", training_rows=training_rows)
        files.append(b"".join(export.chunks))
        seen.append((export.file_name, export.size_bytes == len(files[-1])))
    dry = operations.import_classifier(io.BytesIO(files[0]), ImportRequest("export_v2", dry_run=True))
    saved = operations.import_classifier(io.BytesIO(files[1]), ImportRequest("export_v2"))
    again = operations.import_classifier(io.BytesIO(files[0]), ImportRequest(overwrite=True))
    return {
        "files": seen,
        "imported": (dry, saved, again),
        "answers": operations.predict(PredictRequest(("export_v2", "export_v1"), (TEXT,))),
        "refused": [
            refused(lambda: operations.import_classifier(io.BytesIO(files[0]))),
            refused(lambda: operations.import_classifier(io.BytesIO(files[0]), ImportRequest("no name"))),
            refused(lambda: operations.import_classifier(io.BytesIO(b"no file at all"))),
            refused(lambda: operations.import_classifier(io.BytesIO(b""))),
            refused(lambda: operations.export("export_v9")),
            refused(lambda: operations.export("no name")),
            refused(lambda: operations.reproduce("export_v1")),
        ],
    }


def reproducing(operations: Operations) -> object:
    trained(operations, "again_v1")
    return operations.reproduce("again_v1"), refused(lambda: operations.reproduce("again_v2"))


def looking_after_the_disk(operations: Operations) -> object:
    trained(operations, "disk_v1")
    used = operations.usage()
    checkup = operations.fsck(repair=True)
    return {
        "base_models": [(use.model, use.is_default) for use in operations.base_models()],
        "usage": (used.base_models, [each for each in used.classifiers if each.name == "disk_v1"]),
        "fsck": (checkup.is_sound, operations.fsck().findings),
        "refused": [
            refused(lambda: operations.remove_base_model("nobody/nothing")),
            refused(lambda: operations.remove_base_model("sentence-transformers/all-MiniLM-L6-v2")),
            refused(lambda: operations.remove_base_model("../..")),
        ],
    }


CASES: tuple[Case, ...] = (
    fitting,
    fits_that_are_refused,
    jobs,
    cancelling,
    predicting,
    judging,
    listing,
    deleting,
    promoting,
    exchanging,
    reproducing,
    looking_after_the_disk,
)
# Those in which a training must last until it is cancelled.
LASTING: tuple[Case, ...] = (cancelling,)
