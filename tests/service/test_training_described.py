"""Fits that describe their labels: without rows, with few of them, and what is kept of the descriptions."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.service.examples import REQUEST, ROWS, Open, ask, fit, listed, show
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.classifier import CopyRequest, FitRequest, FitResult, ModelRequest
from windrow.domain.dataset import Row
from windrow.domain.erasure import ForgetRequest
from windrow.domain.errors import InvalidParameter, InvalidTrainingData
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import JobListRequest
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.prediction import PredictRequest
from windrow.domain.report import EvaluateRequest
from windrow.service.service import Service

DESCRIPTIONS = {"bug": "crash error broken", "billing": "money invoice refund"}
NO_ROWS = replace(REQUEST, training_data=(), label_descriptions=DESCRIPTIONS)
ONE_EACH = (ROWS[0], ROWS[4])


def codes(made: FitResult) -> list[str]:
    return [warning.code for warning in made.warnings]


def test_a_fit_without_rows_answers_by_names_and_descriptions(service: Service) -> None:
    made = service.fit(NO_ROWS)
    assert (made.source, made.kind, made.num_examples) == ("zero_shot", "single_label", 0)
    assert made.rows_per_label == {"billing": 0, "bug": 0}
    assert codes(made) == ["zero_shot"]
    assert (made.adapter, made.report.estimate) == (None, None)
    answer = ask(service, "tickets_v1", "an invoice for money")
    assert answer.label == "billing"
    assert sum(answer.scores.values()) == pytest.approx(1)
    record = show(service)
    assert (record.source, record.label_descriptions) == ("zero_shot", dict(sorted(DESCRIPTIONS.items())))
    assert (record.scores.source, record.head.c, record.estimated_accuracy) == ("prior", 0, None)
    assert [one.source for one in listed(service)] == ["zero_shot"]


SEVERAL = replace(NO_ROWS, multi_label=True)


def test_a_fit_without_rows_gives_any_number_of_labels_where_that_is_asked_for(service: Service) -> None:
    made = service.fit(SEVERAL)
    assert (made.source, made.kind, made.num_examples, codes(made)) == ("zero_shot", "multi_label", 0, ["zero_shot"])
    assert service.estimate_fit(SEVERAL).kind == "multi_label"
    answer = ask(service, "tickets_v1", "an invoice for money")
    assert (answer.kind, answer.labels) == ("multi_label", ("billing",))
    assert show(service).label_thresholds == {"billing": 0.42, "bug": 0.42}
    assert service.reproduce(ModelRequest("tickets_v1")).verdict == "identical weights"
    described = service.fit(
        replace(SEVERAL, multi_label=False, extends="tickets_v1", label_descriptions={"question": "how to"})
    )
    assert (described.kind, described.labels) == ("multi_label", ("billing", "bug", "question"))


def test_the_same_name_learns_from_rows_with_any_number_of_labels(service: Service) -> None:
    service.fit(SEVERAL)
    rows = tuple(MultiLabelRow(row.text, (row.label,)) for row in ROWS)
    made = service.fit(replace(REQUEST, training_data=rows, extends="tickets_v1", num_iterations=0))
    assert (made.source, made.kind, made.extends) == ("examples", "multi_label", "tickets_v1@1")
    assert show(service).label_descriptions == dict(sorted(DESCRIPTIONS.items()))
    assert {"zero_shot", "kind_changed"}.isdisjoint(codes(made))


def test_rows_with_one_label_each_are_refused_where_any_number_is_asked_for(service: Service) -> None:
    with pytest.raises(InvalidParameter, match="multi_label says that a text has any number of labels") as refused:
        service.fit(replace(REQUEST, multi_label=True))
    assert refused.value.facts["parameter"] == "multi_label"


def test_a_fit_without_rows_needs_no_training_process(opened: Open) -> None:
    service = opened(runner=_NoRunner())
    assert service.fit(NO_ROWS).source == "zero_shot"
    assert service.estimate_fit(NO_ROWS).num_examples == 0


class _NoRunner:
    """Fails whatever asks it."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name == "close":
            return lambda: None
        raise AssertionError(f"{name} was asked for")


def test_an_estimate_of_a_fit_without_rows_warns_as_the_fit_does(service: Service) -> None:
    estimate = service.estimate_fit(NO_ROWS)
    assert [warning.code for warning in estimate.warnings] == ["zero_shot"]
    assert (estimate.labels, estimate.rows_per_label) == (("billing", "bug"), {"billing": 0, "bug": 0})
    assert [stage.stage for stage in estimate.stages] == ["encoding", "saving"]
    assert estimate.tokens > 0


@pytest.mark.parametrize(("descriptions", "words"), [(None, "label_descriptions"), ({"a": "A"}, "has 1 label")])
def test_no_rows_and_fewer_than_two_described_labels_are_refused(
    service: Service, descriptions: dict[str, str] | None, words: str
) -> None:
    with pytest.raises(InvalidTrainingData, match=words):
        service.fit(replace(NO_ROWS, label_descriptions=descriptions))


def test_a_described_label_that_no_row_has_is_refused(service: Service) -> None:
    with pytest.raises(InvalidParameter, match=r"1 label that no row has: 'question'\. Add a row"):
        service.fit(replace(REQUEST, label_descriptions={**DESCRIPTIONS, "question": "how to"}))


def test_the_same_name_learns_from_rows_once_there_are_some(service: Service) -> None:
    service.fit(NO_ROWS)
    made = service.fit(replace(REQUEST, label_descriptions=DESCRIPTIONS))
    assert (made.revision, made.source, made.num_examples) == (2, "examples", 8)
    assert made.label_descriptions == DESCRIPTIONS
    assert "zero_shot" not in codes(made)
    fit(service)
    assert show(service).label_descriptions == {}


def test_a_classifier_without_rows_is_extended_by_its_first_rows_and_its_descriptions_hold(service: Service) -> None:
    service.fit(NO_ROWS)
    made = service.fit(extended(*ONE_EACH))
    assert (made.source, made.extends, made.taken_over_rows, made.num_examples) == ("examples", "tickets_v1@1", 0, 2)
    assert made.label_descriptions == DESCRIPTIONS
    again = service.fit(extended(label_descriptions={"bug": "another text"}))
    assert (again.taken_over_rows, again.label_descriptions) == (2, {**DESCRIPTIONS, "bug": "another text"})


def test_a_classifier_without_rows_can_get_another_description_and_still_none(service: Service) -> None:
    service.fit(NO_ROWS)
    made = service.fit(extended(label_descriptions={"question": "how to"}))
    assert (made.source, made.labels, made.extends) == ("zero_shot", ("billing", "bug", "question"), "tickets_v1@1")


def test_labels_of_what_is_extended_that_get_no_row_are_warned_of(service: Service) -> None:
    service.fit(replace(NO_ROWS, label_descriptions={**DESCRIPTIONS, "question": "how to"}))
    made = service.fit(extended(*ONE_EACH))
    assert "described_labels_without_rows" in codes(made)
    assert (made.labels, made.label_descriptions) == (("billing", "bug"), DESCRIPTIONS)


def extended(*rows: Row, label_descriptions: dict[str, str] | None = None) -> FitRequest:
    return replace(REQUEST, training_data=rows, extends="tickets_v1", label_descriptions=label_descriptions)


def test_with_one_row_a_label_descriptions_still_decide_about_words_that_no_row_has(service: Service) -> None:
    service.fit(replace(REQUEST, training_data=ONE_EACH, label_descriptions=DESCRIPTIONS))
    assert ask(service, "tickets_v1", "refund money").label == "billing"
    assert ask(service, "tickets_v1", "broken").label == "bug"
    assert show(service).head.c < 1


def test_empty_descriptions_change_nothing_about_a_training_with_rows(service: Service) -> None:
    fit(service)
    service.fit(replace(REQUEST, model_name="others_v1", label_descriptions=dict.fromkeys(DESCRIPTIONS, "")))
    scores = [ask(service, name, "charged crash").scores for name in ("tickets_v1", "others_v1")]
    assert scores[0] == scores[1]


def test_a_reproduction_uses_the_descriptions_of_the_record(service: Service) -> None:
    for request in (NO_ROWS, replace(REQUEST, label_descriptions=DESCRIPTIONS)):
        service.fit(request)
        again = service.reproduce(ModelRequest("tickets_v1"))
        assert (again.verdict, again.largest_score_difference) == ("identical weights", 0)


def test_an_export_an_import_and_a_copy_keep_the_descriptions(service: Service) -> None:
    service.fit(NO_ROWS)
    for include_rows in (True, False):
        archive = service.export(ExportRequest("tickets_v1", include_training_data=include_rows))
        data = io.BytesIO(b"".join(archive.chunks))
        service.import_classifier(data, ImportRequest(model_name="there_v1", overwrite=True))
        record = show(service, "there_v1")
        assert (record.source, record.label_descriptions) == ("zero_shot", DESCRIPTIONS)
        assert service.reproduce(ModelRequest("there_v1")).verdict == "identical weights"
    service.copy(CopyRequest("tickets_v1", "copied_v1"))
    assert show(service, "copied_v1").label_descriptions == DESCRIPTIONS
    texts = "my invoice"
    assert ask(service, "copied_v1", texts).scores == ask(service, "tickets_v1", texts).scores


def test_whatever_reads_all_classifiers_lives_with_one_without_rows(service: Service) -> None:
    service.fit(NO_ROWS)
    assert service.fsck(FsckRequest()).findings == ()
    assert service.forget(ForgetRequest(texts=("crash error",), action="remove_rows")).unknown == ()
    assert ask(service, "tickets_v1", "crash").label == "bug"


def test_an_answer_of_a_classifier_without_rows_is_explained_by_its_words_alone(service: Service) -> None:
    service.fit(NO_ROWS)
    (answer,) = service.predict(PredictRequest(model_name="tickets_v1", text="crash today", explain=True))
    assert answer.explanation is not None
    assert answer.explanation.nearest_rows == ()
    assert max(answer.explanation.words, key=lambda word: word.effect).word == "crash"


def test_descriptions_are_part_of_what_a_job_is_known_by(service: Service) -> None:
    service.fit(NO_ROWS)
    service.fit(replace(NO_ROWS, label_descriptions={**DESCRIPTIONS, "bug": "other"}))
    newest, first = service.list_jobs(JobListRequest()).jobs
    assert (newest.label_descriptions["bug"], first.label_descriptions["bug"]) == ("other", DESCRIPTIONS["bug"])
    assert newest.id != first.id
    assert show(service).revision == 2


def test_a_classifier_without_rows_is_extended_though_no_rows_are_kept(opened: Open) -> None:
    service = opened(keep_training_data=False)
    service.fit(NO_ROWS)
    assert service.fit(extended(*ONE_EACH)).label_descriptions == DESCRIPTIONS


@pytest.mark.parametrize("keep_training_data", [True, False])
def test_that_a_classifier_learned_from_no_row_is_known_whether_or_not_rows_are_kept(
    opened: Open, keep_training_data: bool
) -> None:
    service = opened(keep_training_data=keep_training_data)
    service.fit(NO_ROWS)
    assert not show(service).keeps_training_data
    assert service.dependencies.store.find("tickets_v1").entry.blobs.keys() == {"artifact"}
    evaluated = service.evaluate(EvaluateRequest("tickets_v1", ROWS))
    assert "overlap_unknown" not in {warning.code for warning in evaluated.warnings}
    erasure = service.forget(ForgetRequest(texts=("crash error",)))
    assert (erasure.revisions, erasure.unknown) == ((), ())
