"""Cases of the contract that train, predict and judge."""

import io
import json
from dataclasses import replace
from typing import Any, cast

from tests.conformance.examples import LABELS, MULTI_LABEL_ROWS, ROWS, SECRET, TEST_ROWS, TEXT, codes, request, trained
from tests.conformance.observing import refused
from windrow.domain.alias import PromoteRequest
from windrow.domain.classification import ClassifyRequest
from windrow.domain.classifier import FitRequest, ModelRequest
from windrow.domain.comparison import CompareRequest
from windrow.domain.cross_validation import CrossValidateRequest
from windrow.domain.dataset import Row
from windrow.domain.file_prediction import StartPredictFilesRequest
from windrow.domain.inspection import InspectRequest
from windrow.domain.job import JobListRequest, JobRequest
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.prediction import PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.report import EvaluateRequest, Report
from windrow.domain.report_page import ReportRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.operations import Operations


def fitting(operations: Operations) -> object:
    first = operations.fit(replace(request("fit_v1"), description="Tickets.", tags=("shop", "a")))
    assert (first.model_name, first.revision, first.status, first.next_name) == ("fit_v1", 1, "trained", "fit_v2")
    assert (first.labels, first.rows_per_label, first.num_examples) == (LABELS, dict.fromkeys(LABELS, 3), 6)
    assert (first.base_model, first.adapter) == (DEFAULT_BASE_MODEL, None)
    assert [warning.code for warning in first.warnings] == ["small_classes", "not_better_than_majority"]
    told: list[object] = []
    second = operations.fit(request("fit_v1"), told.append)
    assert (second.revision, second.description, second.tags) == (2, "Tickets.", ("a", "shop"))
    third = operations.fit(request("fit_v9"))
    assert third.next_name == "fit_v10"
    return first, second, third, [type(each).__name__ for each in told] == ["Progress"] * len(told)


def fits_that_are_refused(operations: Operations) -> object:
    trained(operations, "refused_v1")
    operations.promote(PromoteRequest("refused", "refused_v1"))
    good = request("refused_v2")
    bad = {
        replace(good, model_name="no name"): "invalid_name",
        replace(good, model_name="refused_v1@2"): "invalid_name",
        replace(good, model_name="refused"): "name_taken",
        replace(good, model_name="REFUSED_v1"): "name_taken",
        replace(good, model_name="refused_v1", overwrite=False): "classifier_exists",
        replace(good, training_data=()): "invalid_training_data",
        replace(good, training_data=ROWS[:2]): "invalid_training_data",
        replace(good, training_data=(*ROWS, Row(" ", "billing"))): "invalid_training_data",
        replace(good, training_data=(*ROWS, Row(SECRET, "billing"))): "invalid_training_data",
        replace(good, training_data=(*ROWS, Row("a", ""))): "invalid_training_data",
        replace(good, num_iterations=-1): "invalid_parameter",
        replace(good, seed=-1): "invalid_parameter",
        replace(good, max_seconds=0.0): "invalid_parameter",
        replace(good, description="x" * 2_001): "invalid_parameter",
        replace(good, tags=("",)): "invalid_parameter",
    }
    seen = {}
    for verb in ("fit", "start_fit", "estimate_fit"):
        seen[verb] = [refused(getattr(operations, verb), each) for each in bad]
        assert codes(seen[verb]) == list(bad.values())
    watched = [refused(operations.fit, each, lambda news: None) for each in list(bad)[:3]]
    return seen, watched


def extending(operations: Operations) -> object:
    trained(operations, "extend_v1")
    correction = Row(ROWS[0].text, "account")
    asked = replace(request("extend_v2", (correction,)), extends="extend_v1")
    estimate = operations.estimate_fit(asked)
    assert estimate.rows_per_label == {"account": 1, "billing": 2, "technical": 3}
    by_latest = operations.fit(replace(asked, extends="extend@latest"))
    started = operations.start_fit(replace(asked, extends="extend_v1@1"))
    last = list(operations.follow_job(JobRequest(started.id)))[-1]
    shown = operations.show(ModelRequest("extend_v2"))
    for each in (estimate, by_latest, started, last, shown):
        assert (each.extends, each.taken_over_rows, each.replaced_rows) == ("extend_v1@1", 5, 1)
    alone = operations.fit(replace(asked, training_data=(), extends="extend_v2"))
    assert (alone.num_examples, alone.taken_over_rows, alone.replaced_rows) == (6, 6, 0)
    bad = {
        replace(asked, extends="extend_v9"): "classifier_not_found",
        replace(asked, extends="extend_v1@9"): "revision_not_found",
        replace(asked, extends="no name"): "invalid_name",
        replace(asked, training_data=(Row(" ", "account"),)): "invalid_training_data",
    }
    seen = [refused(getattr(operations, verb), each) for verb in ("fit", "start_fit", "estimate_fit") for each in bad]
    assert codes(seen) == list(bad.values()) * 3
    return by_latest, started.training_data_sha256, last, shown, alone, seen


def fitting_labels_that_look_alike(operations: Operations) -> object:
    spelt = (Row("I was charged twice", "Billing"), Row("Refund me", "billing"), Row("Send the bill", "billing "))
    asked = replace(request("alike_v1", (*ROWS, *spelt)), merge_labels=True)
    estimate, made = operations.estimate_fit(asked), operations.fit(asked)
    for each in (estimate, made):
        assert each.labels == LABELS
        assert "labels_merged" in [warning.code for warning in each.warnings]
    return estimate.warnings, made.warnings, made.rows_per_label


def fitting_any_number_of_labels(operations: Operations) -> object:
    asked = request("several_v1", MULTI_LABEL_ROWS)
    estimate, made = operations.estimate_fit(asked), operations.fit(asked)
    counts = {"billing": 3, "technical": 2, "urgent": 3}
    for each in (estimate, made):
        assert (each.kind, each.num_examples, each.rows_per_label) == ("multi_label", 6, counts)
    assert [each.code for each in estimate.warnings] == ["rows_without_labels", "small_classes"]
    started = operations.start_fit(replace(asked, model_name="several_v2"))
    last = list(operations.follow_job(JobRequest(started.id)))[-1]
    shown = operations.show(ModelRequest("several_v2"))
    assert (last.training_data_sha256, shown.kind) == (shown.training_data_sha256, "multi_label")
    assert list(shown.label_thresholds) == list(counts)
    correction = MultiLabelRow(MULTI_LABEL_ROWS[0].text, ("billing",))
    extended = operations.fit(
        replace(asked, model_name="several_v3", training_data=(correction,), extends="several_v1")
    )
    assert (extended.taken_over_rows, extended.rows_per_label["urgent"]) == (5, 2)
    trained(operations, "several_single_v1")
    row = MULTI_LABEL_ROWS[0]
    bad = {
        replace(asked, training_data=(*MULTI_LABEL_ROWS, ROWS[0])): "invalid_training_data",
        replace(asked, training_data=(*ROWS, row)): "invalid_training_data",
        replace(asked, training_data=(row, row)): "invalid_training_data",
        replace(asked, training_data=(replace(row, labels=()),) * 2): "invalid_training_data",
        replace(asked, training_data=(row, replace(row, labels=("a", "a")))): "invalid_training_data",
        replace(asked, training_data=(row, replace(row, labels=("a", " ")))): "invalid_training_data",
        replace(asked, training_data=(row,), extends="several_single_v1"): "invalid_training_data",
        replace(asked, training_data=ROWS[:1], extends="several_v1"): "invalid_training_data",
    }
    seen = [refused(operations.fit, each) for each in bad]
    assert codes(seen) == list(bad.values())
    return estimate, made, last, shown, extended, seen


def describing_labels(operations: Operations) -> object:
    meanings = {"billing": "an invoice or money", "technical": "it does not work"}
    asked = replace(request("described_v1", ()), label_descriptions=meanings)
    estimate, made = operations.estimate_fit(asked), operations.fit(asked)
    assert (made.source, made.num_examples, made.rows_per_label) == ("zero_shot", 0, {"billing": 0, "technical": 0})
    assert [warning.code for warning in made.warnings] == ["zero_shot"]
    started = operations.start_fit(asked)
    last = list(operations.follow_job(JobRequest(started.id)))[-1]
    shown = operations.show(ModelRequest("described_v1"))
    again = operations.reproduce(ModelRequest("described_v1"))
    assert again.verdict == "identical weights"
    rows = tuple(row for row in ROWS if row.label in meanings)
    learned = operations.fit(replace(asked, training_data=rows, extends="described_v1", label_descriptions=None))
    asked_again = CrossValidateRequest(rows, 2, num_iterations=0, label_descriptions=meanings)
    cross = operations.cross_validate(asked_again)
    plain = operations.cross_validate(replace(asked_again, label_descriptions=None))
    assert (cross.folds, cross.calibration == plain.calibration) == (2, False)
    for each in (made, started, last, shown, learned):
        assert each.label_descriptions == meanings
    assert (learned.source, learned.taken_over_rows) == ("examples", 0)
    bad: list[tuple[FitRequest, str]] = [
        (replace(asked, label_descriptions=None), "invalid_training_data"),
        (replace(asked, label_descriptions={"billing": "alone"}), "invalid_training_data"),
        (replace(asked, label_descriptions={**meanings, " ": "blank"}), "invalid_parameter"),
        (replace(asked, training_data=rows, label_descriptions={"none": "of them"}), "invalid_parameter"),
    ]
    verbs = ("fit", "start_fit", "estimate_fit")
    seen = [refused(getattr(operations, verb), each) for verb in verbs for each, _ in bad]
    assert codes(seen) == [code for _, code in bad] * 3
    for wrong in ({**meanings, " ": "blank"}, {"none": "of them"}):
        seen.append(refused(operations.cross_validate, replace(asked_again, label_descriptions=wrong)))
        assert seen[-1].code == "invalid_parameter"
    return estimate.rows_per_label, made, last, shown, learned, cross, seen


def inspecting(operations: Operations) -> object:
    mails = b"Subject,Body,Team\nHi,I was charged,billing\n,No bill,billing\n,,technical\nHo,It crashes,\n"
    asked = InspectRequest(
        text_column=("Subject,Body",), label_column="Team", filename="mails.csv", include_values=True
    )
    found = operations.inspect(io.BytesIO(mails), asked)
    assert [(row.line, row.text, row.label) for row in found] == [
        (2, "Hi\n\nI was charged", "billing"),
        (3, "No bill", "billing"),
    ]
    assert [problem.line for problem in found.problems] == [4, 5]
    trained(operations, "inspect_v1")
    shown = operations.show(ModelRequest("inspect_v1"))
    rows = "".join(f"{json.dumps({'text': row.text, 'label': row.label})}\n" for row in ROWS)
    same = operations.inspect(io.BytesIO(rows.encode()), InspectRequest(filename="rows.jsonl"))
    assert (same.sha256, same.rows_per_label) == (shown.training_data_sha256, shown.rows_per_label)
    lists = "".join(f"{json.dumps({'text': row.text, 'labels': row.labels})}\n" for row in MULTI_LABEL_ROWS)
    several = operations.inspect(io.BytesIO(lists.encode()), InspectRequest(filename="rows.jsonl"))
    assert [row.labels for row in several] == [row.labels for row in MULTI_LABEL_ROWS]
    hot = "text,a,b\nx,1,0\ny,0,1\n"
    indicated = operations.inspect(
        io.BytesIO(hot.encode()), InspectRequest(filename="rows.csv", indicator_columns=("a", "b"))
    )
    assert (several.kind, indicated.kind, indicated.rows_per_label) == ("multi_label", "multi_label", {"a": 1, "b": 1})
    unclear = operations.inspect(io.BytesIO(mails), InspectRequest(filename="mails.csv", header=False))
    assert [question.parameter for question in unclear.questions] == ["text_column"]
    uses = ["training", "test", None]
    lines = [
        {
            "textContent": row.text,
            **({} if use is None else {"classificationAnnotation": {"displayName": row.label}}),
            "dataItemResourceLabels": {} if use is None else {"aiplatform.googleapis.com/ml_use": use},
        }
        for row, use in zip(ROWS, uses, strict=False)
    ]
    tool = operations.inspect(io.BytesIO("\n".join(map(json.dumps, lines)).encode()), InspectRequest())
    assert (tool.format, tool.rows_per_split, tool.num_unlabelled) == ("vertex", {"train": 1, "test": 1}, 1)
    assert [row.split for row in tool] == ["train", "test"]
    bad = {
        (b"PK\x03\x04", InspectRequest(filename="mails.xlsx")): "invalid_file",
        (b"<html><table>", InspectRequest()): "invalid_file",
        (b"a\xe9", InspectRequest(filename="mails.csv", encoding="utf-8")): "invalid_file",
        (b"", InspectRequest()): "invalid_file",
        (mails, InspectRequest(filename="mails.csv", label_column="Tim")): "invalid_file",
        (mails, InspectRequest(encoding="none")): "invalid_parameter",
        (mails, InspectRequest(format=cast(Any, "xls"))): "invalid_parameter",
    }
    seen = [refused(operations.inspect, io.BytesIO(content), how) for content, how in bad]
    assert codes(seen) == list(bad.values())
    return found, same, several, indicated, unclear, tool, seen


def jobs(operations: Operations) -> object:
    estimate = operations.estimate_fit(request("jobs_v1"))
    assert (estimate.model_name, estimate.num_examples, estimate.labels) == ("jobs_v1", 6, LABELS)
    assert [part.stage for part in estimate.stages] == ["encoding", "finishing", "saving"]
    started = operations.start_fit(request("jobs_v1"))
    assert (started.model_name, started.num_examples, started.num_iterations) == ("jobs_v1", 6, 0)
    asked = JobRequest(started.id)
    last = list(operations.follow_job(asked))[-1]
    assert (last.state, last.revision, last.next_name) == ("succeeded", 1, "jobs_v2")
    found = [job for job in operations.list_jobs(JobListRequest(1_000)).jobs if job.model_name == "jobs_v1"]
    again = list(operations.follow_job(asked))
    assert found == again == [operations.job(asked)] == [last]
    shown = operations.show(ModelRequest("jobs_v1"))
    assert shown.training_data_sha256 == started.training_data_sha256
    unknown = JobRequest("no-such-job")
    bad = [
        refused(operations.cancel_job, asked),
        *(refused(verb, unknown) for verb in (operations.job, operations.cancel_job, operations.follow_job)),
        *(refused(operations.list_jobs, JobListRequest(limit)) for limit in (0, 1_001)),
    ]
    assert codes(bad) == ["job_finished", *["job_not_found"] * 3, *["invalid_parameter"] * 2]
    # Seconds and bytes are those of the machine.
    return estimate.tokens, started.training_data_sha256, last, shown, bad


def cancelling(operations: Operations) -> object:
    # Labels of nonsense, so that there is much to learn, for longer than it takes to cancel.
    rows = tuple(Row(f"word {number} of {number % 7}", f"label {number % 2}") for number in range(20))
    asked = JobRequest(operations.start_fit(FitRequest("cancel_v1", rows, num_iterations=200)).id)
    cancelled = operations.cancel_job(asked)
    assert cancelled.state == "cancelled"
    assert cancelled.problem is not None
    assert cancelled.problem.code == "training_cancelled"
    assert operations.job(asked) == cancelled
    assert list(operations.follow_job(asked)) == [cancelled]
    bad = [refused(operations.cancel_job, asked), refused(operations.show, ModelRequest("cancel_v1"))]
    assert codes(bad) == ["job_finished", "classifier_not_found"]
    return cancelled, bad


def predictions_of_files_that_are_refused(operations: Operations) -> object:
    # What comes of files depends on where they lie; on neither side may a client name any.
    trained(operations, "files_v1")
    good = StartPredictFilesRequest(model_name="files_v1", input="/srv/mails/*.csv", output="/srv/labelled")
    bad = {
        good: "place_not_allowed",
        replace(good, model_name="files@latest", text_column=("a", "b"), top_k=1): "place_not_allowed",
        replace(good, model_name="files_v9"): "classifier_not_found",
        replace(good, model_name="no name"): "invalid_name",
        replace(good, input=" "): "invalid_parameter",
        replace(good, output=""): "invalid_parameter",
        replace(good, shard_rows=0): "invalid_parameter",
        replace(good, min_in_scope=1.5): "invalid_parameter",
        replace(good, quoting="single"): "invalid_parameter",  # type: ignore[arg-type]
    }
    seen = [refused(operations.start_predict_files, each) for each in bad]
    assert codes(seen) == list(bad.values())
    return seen


def predicting(operations: Operations) -> object:
    trained(operations, "predict_v1", "predict_v1", "predict_v2")
    operations.promote(PromoteRequest("predict", "predict_v1"))
    one, both = PredictRequest(model_name="predict_v1", text=TEXT), ("predict_v1", "predict_v2")
    answers = [
        operations.predict(each)
        for each in (
            one,
            replace(one, explain=True),
            replace(one, text=None, texts=(TEXT, "The page crashes", "größer 漢字")),
            replace(one, model_name=None, model_names=(*both, "predict")),
            replace(one, model_name="predict_v1@1"),
            replace(one, model_name="predict@latest"),
            replace(one, model_name="predict", top_k=1),
            replace(one, abstain_below=1.0, min_in_scope=0.0),
            replace(one, min_in_scope=1.0),
        )
    ]
    (plain,), (explained,), several, each_model, (older,), (latest,), (aliased,), (strict,), _ = answers
    assert [(each.model_name, each.revision, each.alias) for each in (plain, older, latest, aliased)] == [
        ("predict_v1", 2, None),
        ("predict_v1", 1, None),
        ("predict_v2", 1, None),
        ("predict_v1", 2, "predict"),
    ]
    # Revision 2 was trained on the labels the other way round.
    assert (older.label, plain.label, latest.label) == ("billing", "technical", "billing")
    assert abs(sum(plain.scores.values()) - 1) < 1e-5
    assert explained.explanation is not None
    assert explained.explanation.nearest_rows is not None
    assert [word.word for word in explained.explanation.words] == TEXT.split()
    assert (len(several), len(aliased.scores)) == (3, 1)
    assert [each.model_name for each in each_model] == [*both, "predict_v1"]
    assert (strict.label, strict.abstained, list(strict.scores)) == (None, True, list(LABELS))
    return answers


def predictions_that_are_refused(operations: Operations) -> object:
    trained(operations, "asked_v1", "asked_v2")
    one, both = PredictRequest(model_name="asked_v1", text=TEXT), ("asked_v1", "asked_v2")
    bad = {
        replace(one, model_name=None): "invalid_request",
        replace(one, text=None): "invalid_request",
        PredictRequest(): "invalid_request",
        replace(one, texts=(TEXT,)): "invalid_request",
        replace(one, model_names=both): "invalid_request",
        PredictRequest(model_names=both, texts=("a", "b")): "invalid_request",
        replace(one, model_name=None, model_names=()): "invalid_parameter",
        replace(one, text=None, texts=()): "invalid_parameter",
        replace(one, model_name="no name"): "invalid_name",
        replace(one, model_name="askd_v1"): "classifier_not_found",
        replace(one, model_name="asked_v1@99"): "revision_not_found",
        replace(one, model_name="nothing@latest"): "classifier_not_found",
        replace(one, text=""): "invalid_text",
        replace(one, text=None, texts=("a", SECRET)): "invalid_text",
        replace(one, top_k=0): "invalid_parameter",
        replace(one, top_k=3): "invalid_parameter",
        replace(one, abstain_below=1.5): "invalid_parameter",
        replace(one, text=None, texts=("a", "b"), explain=True): "invalid_parameter",
    }
    seen = [refused(operations.predict, each) for each in bad]
    assert codes(seen) == list(bad.values())
    near = seen[9].facts["near_names"]
    assert isinstance(near, list | tuple)
    assert list(near[:2]) == ["asked_v1", "asked_v2"]
    unwanted = refused(operations.predict, replace(one, text="Never asked before"), lambda: False)
    # Only who computes can say how far it came.
    return seen, unwanted.kind, unwanted.code


def classifying(operations: Operations) -> object:
    one = ClassifyRequest(text=TEXT, labels=("charged twice", "page crashes"))
    answers = [
        operations.classify(each)
        for each in (
            one,
            replace(one, labels=one.labels[::-1]),
            replace(one, text=None, texts=(TEXT, "The page crashes", "größer 漢字")),
            replace(one, multi_label=True),
            replace(one, multi_label=True, labels=("charged twice",)),
            replace(one, hypothesis_template="It is about {}, I think"),
            replace(one, label_descriptions={"page crashes": "The page shows nothing", "charged twice": ""}),
            replace(one, model=DEFAULT_BASE_MODEL),
            replace(one, model="facebook/bart-large-mnli"),
        )
    ]
    (plain,), (turned,), several, (each_by_itself,), (alone,), (own,), (described,), (same,), (other,) = answers
    assert plain.scores == same.scores
    assert all(abs(score - turned.scores[label]) < 1e-5 for label, score in plain.scores.items())
    assert [each.label for each in several[:2]] == ["charged twice", "page crashes"]
    assert abs(sum(plain.scores.values()) - 1) < 1e-5
    assert (each_by_itself.label, plain.labels, each_by_itself.multi_label) == (None, None, True)
    assert list(alone.scores) == ["charged twice"]
    assert own.scores != plain.scores != described.scores
    assert [warning.code for warning in other.warnings] == ["other_model"]
    assert {each.model for answer in answers for each in answer} == {DEFAULT_BASE_MODEL}
    return answers


def requests_to_classify_that_are_refused(operations: Operations) -> object:
    one = ClassifyRequest(text=TEXT, labels=("a", "b"))
    bad = {
        replace(one, text=None): "invalid_request",
        replace(one, texts=(TEXT,)): "invalid_request",
        replace(one, text=""): "invalid_text",
        replace(one, text=None, texts=()): "invalid_parameter",
        replace(one, text=None, texts=("a", SECRET)): "invalid_text",
        replace(one, labels=()): "invalid_parameter",
        replace(one, labels=("a",)): "invalid_parameter",
        replace(one, labels=(), multi_label=True): "invalid_parameter",
        replace(one, labels=("a", "b", "a")): "invalid_parameter",
        replace(one, labels=("a", " ")): "invalid_parameter",
        replace(one, labels=("a", "b" * 257)): "invalid_parameter",
        replace(one, labels=tuple(map(str, range(1_001)))): "limit_exceeded",
        replace(one, hypothesis_template="This text is about it"): "invalid_parameter",
        replace(one, hypothesis_template="{} or {}"): "invalid_parameter",
        replace(one, hypothesis_template="{}" + "x" * 999): "invalid_parameter",
        replace(one, model=" "): "invalid_parameter",
        replace(one, model="x" * 201): "invalid_parameter",
    }
    seen = [refused(operations.classify, each) for each in bad]
    assert codes(seen) == list(bad.values())
    described = [
        refused(operations.classify, replace(one, label_descriptions=each))
        for each in ({"c": "not among them"}, {"a": " "}, {"a": "x" * 2_001})
    ]
    assert codes(described) == ["invalid_parameter"] * 3
    unwanted = refused(operations.classify, replace(one, text="Never asked before"), lambda: False)
    return seen, described, unwanted.kind, unwanted.code


def judging(operations: Operations) -> object:
    trained(operations, "judge_v1", "judge_v2")
    report = operations.evaluate(EvaluateRequest("judge_v1", TEST_ROWS, target_precision=0.5))
    assert isinstance(report, Report)
    shown = operations.show(ModelRequest("judge_v1"))
    assert (report.total, report.saved, report.model_name, report.revision) == (4, True, "judge_v1", 1)
    assert (report.majority_baseline.label, report.majority_baseline.accuracy) == ("billing", 0.5)
    assert report.proposed_threshold is not None
    assert (shown.test, shown.threshold) == (report.score, None)
    apart = operations.evaluate(EvaluateRequest("judge_v2", TEST_ROWS, save=False))
    assert (apart.saved, apart.correct) == (False, 4 - report.correct)
    page = operations.report(ReportRequest("judge_v2", TEST_ROWS, save=False, title="Tickets & more"))
    content = b"".join(page.chunks)
    assert (page.file_name, page.size_bytes) == ("judge_v2@1.html", len(content))
    assert b"<title>Tickets &amp; more</title>" in content
    assert report.test_data_sha256.encode() in content
    compared = operations.compare(CompareRequest(("judge_v2", "judge_v1"), TEST_ROWS))
    assert [each.correct for each in compared.models] == [apart.correct, report.correct]
    assert compared.test_data_sha256 == report.test_data_sha256
    cross = operations.cross_validate(CrossValidateRequest(ROWS, 3, num_iterations=0))
    assert (cross.folds, cross.total, cross.recommended_num_iterations) == (3, 6, 0)
    pool = (TEXT, "Do you ship to Norway?", "It crashes", ROWS[0].text)
    suggested = operations.suggest(SuggestRequest("judge_v1", pool, 2))
    assert (suggested.total, len(suggested.suggestions)) == (3, 2)
    return report, shown, apart, compared, cross, suggested


def judgements_that_are_refused(operations: Operations) -> object:
    trained(operations, "judged_v1")
    bad = [
        refused(operations.evaluate, EvaluateRequest("judged_v1", ())),
        refused(operations.evaluate, EvaluateRequest("judged_v1", (Row("a", "other"),))),
        refused(operations.evaluate, EvaluateRequest("judged_v1", TEST_ROWS, target_precision=0.1)),
        refused(operations.evaluate, EvaluateRequest("judged_v3", TEST_ROWS)),
        refused(operations.report, ReportRequest("judged_v1", ())),
        refused(operations.report, ReportRequest("judged_v1", TEST_ROWS, title="x" * 201)),
        refused(operations.report, ReportRequest("judged_v3", TEST_ROWS)),
        refused(operations.compare, CompareRequest(("judged_v1",), TEST_ROWS)),
        refused(operations.compare, CompareRequest(("judged_v1", "nobody"), TEST_ROWS)),
        refused(operations.cross_validate, CrossValidateRequest(ROWS, 1)),
        refused(operations.cross_validate, CrossValidateRequest(ROWS[:1])),
        refused(operations.suggest, SuggestRequest("judged_v1", ())),
        refused(operations.suggest, SuggestRequest("judged_v1", ("a",), 0)),
        refused(operations.suggest, SuggestRequest("nobody", ("a",))),
    ]
    assert codes(bad) == [
        *["invalid_test_data"] * 2,
        "invalid_parameter",
        "classifier_not_found",
        *["invalid_test_data", "invalid_parameter", "classifier_not_found"],
        "invalid_parameter",
        "classifier_not_found",
        "invalid_parameter",
        "invalid_training_data",
        *["invalid_parameter"] * 2,
        "classifier_not_found",
    ]
    assert bad[1].facts["known_labels"] == list(LABELS)
    return bad
