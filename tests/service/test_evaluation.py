"""Evaluate, compare, cross-validate, suggest and explain, with the default encoder and real trainings of heads."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.fakes.runner import InlineRunner, RememberingRunner
from tests.service.examples import Open, alter, altered, blob_of, fake_service, fit, listed, show
from windrow.arrays import Floats
from windrow.domain.alias import PromoteRequest
from windrow.domain.comparison import CompareRequest
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    ClassifierNotFound,
    InvalidArtifact,
    InvalidParameter,
    InvalidTestData,
    InvalidText,
    InvalidTrainingData,
    LimitExceeded,
    RevisionNotFound,
)
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.report import ClassificationMetrics, EvaluateRequest, Report
from windrow.domain.suggestion import SuggestRequest
from windrow.domain.threshold import SetThresholdRequest, Threshold
from windrow.domain.values import recast
from windrow.encoders.adapters import Adapter
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.onnx_encoder import OnnxEncoder, Parallelism, TextEncoder, Tokens
from windrow.service.service import Service

TRAINING = {
    "billing": (
        "I was charged twice for the same month",
        "Please send me the invoice for order 1180",
        "My credit card was refused at the checkout",
        "When will I get the refund for my payment?",
        "Why is there a fee on my last bill?",
        "Can I pay by bank transfer instead of card?",
    ),
    "bug": (
        "The app crashes as soon as I open the camera",
        "The window stays white after the last update",
        "Saving a large file ends with error 17",
        "Search results never load on my phone",
        "The upload page shows an internal server error",
        "The program freezes when I press the print button",
    ),
    "account": (
        "I have forgotten my password",
        "How do I change the email address of my profile?",
        "Please delete my account and all of my data",
        "Two of us would like to share one login",
        "I cannot sign in with my user name",
        "Please close the access of a colleague who has left",
    ),
}
ROWS = tuple(Row(text, label) for label, texts in TRAINING.items() for text in texts)
# What labels mean whose names say nothing.
MEANT = {"a": "invoice", "b": "crash", "c": "parcel"}
TESTS = (
    Row("You took the money from my card two times", "billing"),
    Row("Where can I download the receipt for my payment?", "billing"),
    Row("I want my money back for the last invoice", "billing"),
    Row("The application crashes when it starts", "bug"),
    Row("I only get an error message when I upload a file", "bug"),
    Row("The screen freezes after the update of the app", "bug"),
    Row("I do not remember the password of my login", "account"),
    Row("Please change the email address of my account", "account"),
    Row("My user name does not let me sign in", "account"),
)
# Every label is another one's.
SWAPPED = tuple(
    replace(row, label={"billing": "bug", "bug": "account", "account": "billing"}[row.label]) for row in ROWS
)
GIBBERISH = "xqzt wvvk 0x3f jjq"
FOREIGN = (
    "Whisk two eggs with a cup of flour and some sugar",
    "Whisk three eggs with a cup of sugar and some flour",
    "Whisk the flour with two eggs and a cup of sugar",
    "Mix two eggs with a cup of flour and some sugar",
)


class CountingEncoder:
    """Counts the texts that an encoder is asked to encode.

    Args:
        inner: Does the work.
    """

    def __init__(self, inner: TextEncoder) -> None:
        self._inner = inner
        self.encoded = 0

    @property
    def folder(self) -> EncoderFolder:
        return self._inner.folder

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return self._inner.tokenize(texts)

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], parallelism: Parallelism) -> Floats:
        self.encoded += len(batch)
        return self._inner.encode(batch, adapters, parallelism)

    def states(self, batch: Sequence[Tokens]) -> Floats:
        self.encoded += len(batch)
        return self._inner.states(batch)

    def features(self, states: Floats, lengths: npt.NDArray[np.int32], adapter: Adapter | None = None) -> Floats:
        return self._inner.features(states, lengths, adapter)


@pytest.fixture
def encoder(bundled: OnnxEncoder) -> CountingEncoder:
    return CountingEncoder(bundled)


@pytest.fixture
def opened(tmp_path: Path, encoder: CountingEncoder) -> Iterator[Open]:
    """Open services with the default encoder, and close them after the test."""
    services = []

    def open_one(**settings: object) -> Service:
        runner = RememberingRunner()
        services.append(fake_service(tmp_path / "data", {DEFAULT_BASE_MODEL: encoder}, runner, **settings))  # type: ignore[arg-type]
        return services[-1]

    yield open_one
    for service in services:
        service.close()


@pytest.fixture
def service(opened: Open) -> Service:
    service = opened()
    fit(service, "tickets", rows=ROWS)
    return service


def evaluate(service: Service, rows: Sequence[Row] = TESTS, name: str = "tickets", **how: object) -> Report:
    report = service.evaluate(EvaluateRequest(name, tuple(rows), **how))  # type: ignore[arg-type]
    assert isinstance(report, Report)
    return report


def codes(report: Report) -> set[str]:
    return {warning.code for warning in report.warnings}


def warning_rows(report: Report, code: str) -> tuple[int, ...]:
    (warning,) = (warning for warning in report.warnings if warning.code == code)
    return warning.rows


def ask(service: Service, text: str, name: str = "tickets", **how: object) -> Prediction:
    (answer,) = service.predict(PredictRequest(model_name=name, text=text, **how))  # type: ignore[arg-type]
    return answer


def wrongly_labelled(service: Service, text: str) -> Row:
    """Return a text under a label that the classifier knows and does not give it."""
    given = ask(service, text, abstain_below=0.0).label
    return Row(text, "bug" if given != "bug" else "account")


class TestEvaluate:
    def test_keeps_the_score_in_the_record_and_in_the_list(self, service: Service, opened: Open) -> None:
        report = evaluate(service)
        assert (report.model_name, report.revision, report.alias, report.saved) == ("tickets", 1, None, True)
        assert report.total == len(TESTS)
        assert report.accuracy > report.majority_baseline.accuracy
        for each in (service, opened()):
            assert show(each, "tickets").test == report.score
            assert [classifier.test for classifier in listed(each)] == [report.score]
        assert report.score.rows_per_label == {"account": 3, "billing": 3, "bug": 3}
        assert sum(report.score.correct_per_label.values()) == report.score.correct == report.correct

    def test_says_of_each_threshold_what_predictions_answer_once_it_is_set(self, service: Service) -> None:
        rows = (*TESTS, Row(TESTS[0].text + "!", "of no label that it knows"))
        report = evaluate(service, rows)
        assert (report.coverage[0].answered, report.coverage[0].wrong) == (len(rows), len(rows) - report.correct)
        assert report.coverage[0].wrong > 0
        partly = [point for point in report.coverage if 0 < point.answered < len(rows)]
        for point in partly:
            service.set_threshold(SetThresholdRequest("tickets", point.threshold))
            answers = [(ask(service, row.text), row.label) for row in rows]
            given = [(answer.label, label) for answer, label in answers if not answer.abstained]
            assert len(given) == point.answered
            assert sum(answer != label for answer, label in given) == point.wrong
        assert len({point.answered for point in partly}) == len(rows) - 1
        assert "threshold_in_force" in codes(evaluate(service, rows))

    def test_says_what_the_threshold_in_force_and_the_proposed_one_answer(self, service: Service) -> None:
        service.set_threshold(SetThresholdRequest("tickets", 0.4321))
        report = evaluate(service, target_precision=0.5)
        assert report.proposed_threshold is not None
        points = {point.threshold: point for point in report.coverage}
        assert 0.4321 in points
        proposed = points[report.proposed_threshold.abstain_below]
        assert (proposed.answered, proposed.answered - proposed.wrong) == (
            report.proposed_threshold.answered,
            report.proposed_threshold.correct,
        )

    def test_says_of_each_row_what_a_prediction_says(self, service: Service) -> None:
        rows = (*TESTS, *(replace(row, label="account") for row in TESTS))
        misclassified = {row.row: (row.predicted, row.score) for row in evaluate(service, rows).misclassified}
        for number, row in enumerate(rows):
            answer = ask(service, row.text)
            assert (number in misclassified) is (answer.label != row.label)
            if answer.label is not None and number in misclassified:
                predicted, score = misclassified[number]
                assert predicted == answer.label
                assert score == pytest.approx(answer.scores[predicted], abs=1e-5)

    def test_keeps_nothing_where_that_is_not_wanted(self, service: Service) -> None:
        before = show(service, "tickets")
        report = evaluate(service, save=False, target_precision=0.9)
        assert (report.saved, report.proposed_threshold is not None) == (False, True)
        assert show(service, "tickets") == before
        assert "not_saved" not in codes(report)

    def test_proposes_a_threshold_and_changes_no_answer(self, service: Service) -> None:
        texts = (GIBBERISH, *(row.text for row in TESTS))
        before = service.predict(PredictRequest(model_name="tickets", texts=texts))
        report = evaluate(service, (*TESTS, wrongly_labelled(service, GIBBERISH)), target_precision=1.0)
        proposed = report.proposed_threshold
        assert proposed is not None
        assert (proposed.correct, proposed.total) == (proposed.answered, len(TESTS) + 1)
        assert (show(service, "tickets").threshold, show(service, "tickets").test) == (None, report.score)
        assert service.predict(PredictRequest(model_name="tickets", texts=texts)) == before

    def test_proposes_what_answers_its_rows_as_it_says_once_it_is_set(self, service: Service) -> None:
        proposed = evaluate(service, (*TESTS, wrongly_labelled(service, GIBBERISH)), target_precision=1.0)
        threshold = proposed.proposed_threshold
        assert threshold is not None
        service.set_threshold(SetThresholdRequest("tickets", threshold.abstain_below))
        doubtful = ask(service, GIBBERISH)
        assert (doubtful.label, doubtful.abstained) == (None, True)
        answers = service.predict(PredictRequest(model_name="tickets", texts=tuple(row.text for row in TESTS)))
        assert sum(not answer.abstained for answer in answers) == threshold.answered
        overridden = ask(service, GIBBERISH, abstain_below=0.0)
        assert (overridden.abstained, overridden.scores) == (False, doubtful.scores)

    def test_a_threshold_of_the_request_is_heeded_where_none_is_stored(self, service: Service) -> None:
        best = max(ask(service, TESTS[0].text).scores.values())
        assert ask(service, TESTS[0].text, abstain_below=best).label is not None
        assert ask(service, TESTS[0].text, abstain_below=min(1.0, best + 1e-6)).label is None

    def test_says_where_no_score_reaches_the_precision_and_leaves_the_threshold_that_was_there(
        self, service: Service
    ) -> None:
        service.set_threshold(SetThresholdRequest("tickets", 0.25))
        report = evaluate(service, [wrongly_labelled(service, row.text) for row in TESTS], target_precision=0.9)
        assert (report.proposed_threshold, "precision_not_reached" in codes(report)) == (None, True)
        shown = show(service, "tickets")
        assert (shown.test, shown.threshold) == (report.score, Threshold(0.25))

    def test_a_training_that_follows_begins_without_score_and_threshold(self, service: Service) -> None:
        report = evaluate(service)
        service.set_threshold(SetThresholdRequest("tickets", 0.25))
        fit(service, "tickets", rows=ROWS[1:])
        shown, before = show(service, "tickets"), show(service, "tickets@1")
        assert (shown.test, shown.threshold, shown.threshold_changes) == (None, None, ())
        assert (before.test, before.threshold) == (report.score, Threshold(0.25))

    def test_names_the_test_rows_that_were_trained_on(self, service: Service) -> None:
        report = evaluate(service, (*TESTS, ROWS[2], ROWS[7]))
        assert warning_rows(report, "training_rows_in_test") == (len(TESTS), len(TESTS) + 1)
        assert "near_training_rows_in_test" not in codes(report)
        assert codes(evaluate(service)).isdisjoint({"training_rows_in_test", "near_training_rows_in_test"})

    def test_names_the_test_rows_that_nearly_were_trained_on(self, service: Service) -> None:
        near = (Row("please send me the invoice for order 22!", "billing"), Row(f"{ROWS[6].text} again", "bug"))
        report = evaluate(service, (*near, *TESTS))
        assert warning_rows(report, "near_training_rows_in_test") == (0, 1)
        assert "training_rows_in_test" not in codes(report)

    def test_says_where_nobody_can_tell_what_was_trained_on(self, opened: Open) -> None:
        service = opened(keep_training_data=False)
        fit(service, "tickets", rows=ROWS)
        (unknown,) = (each for each in evaluate(service).warnings if each.code == "overlap_unknown")
        (same,) = (each for each in evaluate(service, ROWS).warnings if each.code == "overlap_unknown")
        assert "were not kept" in unknown.message
        assert "exactly these rows" in same.message

    def test_counts_unknown_labels_as_wrong_and_says_so(self, service: Service) -> None:
        strange = Row(TESTS[0].text, "Billing")
        report, known = evaluate(service, (*TESTS, strange)), evaluate(service)
        assert (report.correct, report.total) == (known.correct, len(TESTS) + 1)
        assert warning_rows(report, "unknown_labels") == (len(TESTS),)
        assert report.score.rows_per_label["Billing"] == 1
        assert report.score.correct_per_label["Billing"] == 0
        (warning,) = (each for each in report.warnings if each.code == "unknown_labels")
        assert "'Billing' (like 'billing')" in warning.message
        assert "and decimals (1 and 1.0) count." in warning.message

    def test_shows_what_tells_an_unknown_label_from_a_known_one(self, service: Service) -> None:
        report = evaluate(service, (*TESTS, Row(TESTS[0].text, "bu\u200bg")))
        (warning,) = (each for each in report.warnings if each.code == "unknown_labels")
        assert r"'bu\u200bg' (like 'bug')" in warning.message

    def test_of_labels_none_of_which_is_known_is_refused(self, service: Service) -> None:
        with pytest.raises(InvalidTestData, match=r"No label of test_data is known to tickets.*'account'") as caught:
            evaluate(service, [replace(row, label=row.label.upper()) for row in TESTS])
        assert caught.value.facts["known_labels"] == ["account", "billing", "bug"]
        assert show(service, "tickets").test is None

    @pytest.mark.parametrize(
        ("rows", "error"),
        [
            ((), InvalidTestData),
            ((Row(" ", "bug"),), InvalidTestData),
            ((Row("a", ""),), InvalidTestData),
            (TESTS * 2, LimitExceeded),
        ],
    )
    def test_of_rows_that_cannot_be_answered_is_refused(
        self, rows: tuple[Row, ...], error: type[Exception], opened: Open
    ) -> None:
        service = opened(max_rows=len(ROWS) - 1)
        with pytest.raises(error, match="test_data"):
            evaluate(service, rows)

    @pytest.mark.parametrize("target_precision", [0.49, 1.01, float("nan")])
    def test_for_an_impossible_precision_is_refused(self, target_precision: float, service: Service) -> None:
        with pytest.raises(InvalidParameter, match="target_precision"):
            evaluate(service, target_precision=target_precision)

    def test_of_what_is_not_there_is_refused(self, service: Service) -> None:
        for name, error in (("nobody", ClassifierNotFound), ("tickets@2", RevisionNotFound)):
            with pytest.raises(error):
                evaluate(service, name=name)

    def test_of_an_older_revision_is_not_kept_and_says_so(self, service: Service) -> None:
        fit(service, "tickets", rows=SWAPPED)
        report = evaluate(service, name="tickets@1")
        assert (report.revision, report.saved, "not_saved" in codes(report)) == (1, False, True)
        assert show(service, "tickets@1").test is show(service, "tickets").test is None
        assert evaluate(service, name="tickets@2").saved
        assert show(service, "tickets").test is not None

    def test_by_an_alias_is_kept_with_the_classifier_that_answers(self, service: Service) -> None:
        service.promote(PromoteRequest("live", "tickets"))
        report = evaluate(service, name="live")
        assert (report.model_name, report.alias, report.saved) == ("tickets", "live", True)
        assert show(service, "tickets").test == report.score

    def test_says_where_rows_are_too_few_to_tell(self, service: Service) -> None:
        assert "few_test_rows" in codes(evaluate(service))
        assert "few_test_rows" not in codes(evaluate(service, TESTS * 40))

    def test_says_where_the_figures_are_no_better_than_always_the_same_label(self, service: Service) -> None:
        rows = [wrongly_labelled(service, row.text) for row in TESTS]
        found = codes(evaluate(service, rows))
        assert "not_better_than_majority" in found
        assert "few_test_rows" not in found  # which would say the same with fewer words
        assert "not_better_than_majority" not in codes(evaluate(service, TESTS * 40))

    def test_says_how_many_rows_are_not_read_whole_and_what_that_may_cost(self, service: Service) -> None:
        report = evaluate(service, (*TESTS, Row("my invoice " * 400, "billing")))
        (warning,) = (each for each in report.warnings if each.code == "truncated_rows")
        assert warning.rows == (len(TESTS),)
        assert "1 of 10 rows (10.0 %) is longer than the encoder reads" in warning.message
        compared = service.compare(CompareRequest(("tickets", "tickets@1"), (Row("my invoice " * 400, "billing"),)))
        assert "truncated_rows" in {each.code for each in compared.warnings}

    def test_encodes_a_text_that_comes_again_once(self, service: Service, encoder: CountingEncoder) -> None:
        before = encoder.encoded
        evaluate(service, TESTS * 5)
        assert encoder.encoded - before == len(TESTS)

    def test_that_another_training_overtakes_is_told_and_not_kept(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        measured = service.dependencies.store.catalog.record_evaluation

        def overtaken(*args: object) -> object:
            fit(service, "tickets", rows=SWAPPED)
            return measured(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(service.dependencies.store.catalog, "record_evaluation", overtaken)
        report = evaluate(service)
        assert not report.saved
        assert [each.message for each in report.warnings if each.code == "not_saved"] == [
            "The score was not kept. Revision 1 of tickets was measured, but revision 2 answers now, so the score was "
            "not kept. Evaluate again."
        ]
        assert show(service, "tickets").test is None

    def test_says_how_many_rows_a_stored_threshold_keeps_back(self, service: Service) -> None:
        fit(service, "tickets", rows=ROWS)
        service.set_threshold(SetThresholdRequest("tickets", 1.0))
        codes = {each.code: each.message for each in evaluate(service).warnings}
        assert f"{len(TESTS)} of {len(TESTS)} rows get no label" in codes["threshold_in_force"]

    def test_with_damaged_training_rows_is_done_and_says_that_nobody_can_tell_the_overlap(
        self, service: Service
    ) -> None:
        rows = service.dependencies.store.find("tickets").entry.blobs["rows"]
        path = service.dependencies.settings.local_dir / "classifiers" / "tickets" / "blobs" / rows.file_name
        path.chmod(0o600)
        path.write_bytes(b"damaged")
        assert "overlap_unknown" in {each.code for each in evaluate(service).warnings}

    def test_of_a_tuned_classifier_is_by_what_it_answers(self, opened: Open, bundled: OnnxEncoder) -> None:
        service = altered(opened(), runner=InlineRunner())
        fit(service, "tuned", rows=ROWS, num_iterations=1, cross_validate=False)
        report = evaluate(service, name="tuned")
        answers = service.predict(PredictRequest(model_name="tuned", texts=tuple(row.text for row in TESTS)))
        assert show(service, "tuned").adapter is not None
        assert report.correct == sum(answer.label == row.label for answer, row in zip(answers, TESTS, strict=True))
        assert all(answer.in_scope is None for answer in answers)  # no row was held out


class TestCompare:
    def test_names_what_differs_and_recommends_what_is_better(self, service: Service) -> None:
        fit(service, "swapped", rows=SWAPPED)
        found = service.compare(CompareRequest(("swapped", "tickets"), TESTS))
        assert [(each.reference, each.model_name, each.revision) for each in found.models] == [
            ("swapped", "swapped", 1),
            ("tickets", "tickets", 1),
        ]
        (pair,) = found.pairs
        right = found.models[1].correct
        assert (pair.first, pair.second, pair.fixed, pair.broken) == ("swapped", "tickets", right, 0)
        assert (found.recommendation.model_name, pair.better) == ("tickets", "tickets")
        assert [disagreement.row for disagreement in found.disagreements] == list(range(len(TESTS)))
        for disagreement in found.disagreements:
            assert disagreement.predicted == {
                name: ask(service, disagreement.text, name).label for name in ("swapped", "tickets")
            }

    def test_keeps_the_one_in_use_where_nothing_is_shown_and_saves_no_score(self, service: Service) -> None:
        fit(service, "other", rows=ROWS[::-1])
        service.promote(PromoteRequest("live", "tickets"))
        found = service.compare(CompareRequest(("live", "other"), TESTS))
        assert (found.recommendation.model_name, found.disagreements) == ("live", ())
        assert found.models[0].model_name == "tickets"
        assert [classifier.test for classifier in listed(service)] == [None, None]

    def test_sets_each_two_of_many_side_by_side(self, service: Service) -> None:
        fit(service, "tickets", rows=SWAPPED)
        fit(service, "other", rows=ROWS[1:])
        names = ("tickets@1", "tickets", "other")
        found = service.compare(CompareRequest(names, TESTS))
        assert [(pair.first, pair.second) for pair in found.pairs] == [names[:2], (names[0], names[2]), names[1:]]
        alone = {name: recast(ClassificationMetrics, evaluate(service, name=name, save=False)) for name in names}
        assert {each.reference: recast(ClassificationMetrics, each) for each in found.models} == alone

    def test_says_whose_accuracy_is_known_least_where_rows_are_few(self, service: Service) -> None:
        fit(service, "swapped", rows=SWAPPED)
        rows = (*TESTS, *(Row(f"{row.text}!", row.label) for row in TESTS), wrongly_labelled(service, TESTS[0].text))
        for names in (("tickets", "swapped"), ("swapped", "tickets")):
            found = service.compare(CompareRequest(names, rows))
            (message,) = (each.message for each in found.warnings if each.code == "few_test_rows")
            widths = {each.reference: each.accuracy_interval.high - each.accuracy_interval.low for each in found.models}
            assert f"the accuracy of {max(widths, key=widths.__getitem__)} lies anywhere" in message

    def test_encodes_each_text_once_for_all(self, service: Service, encoder: CountingEncoder) -> None:
        for name in ("second", "third"):
            fit(service, name, rows=SWAPPED)
        before = encoder.encoded
        service.compare(CompareRequest(("tickets", "second", "third"), TESTS * 3))
        assert encoder.encoded - before == len(TESTS)

    def test_warns_of_the_training_rows_of_each(self, service: Service) -> None:
        extra = Row("The parcel never arrived at my door", "billing")
        fit(service, "other", rows=(*ROWS[3:], extra))
        found = service.compare(CompareRequest(("tickets", "other"), (*TESTS, extra, ROWS[0])))
        overlaps = {each.rows: each.message for each in found.warnings if each.code == "training_rows_in_test"}
        assert overlaps.keys() == {(len(TESTS),), (len(TESTS) + 1,)}
        assert "of other." in overlaps[len(TESTS),]
        assert "of tickets." in overlaps[len(TESTS) + 1,]

    def test_leaves_rows_that_one_of_them_was_trained_on_out_of_pairs_and_recommendation(
        self, service: Service
    ) -> None:
        fit(service, "leaky", rows=(*SWAPPED, *TESTS[:4]))
        found = service.compare(CompareRequest(("tickets", "leaky"), TESTS))
        (warning,) = (each for each in found.warnings if each.code == "seen_rows_left_out")
        assert set(warning.rows) >= {0, 1, 2, 3}
        assert found.pairs[0].total == len(TESTS) - len(warning.rows)
        assert found.models[0].total == len(TESTS)

    def test_of_rows_that_all_were_trained_on_compares_them_all_the_same(self, service: Service) -> None:
        fit(service, "other", rows=SWAPPED)
        found = service.compare(CompareRequest(("tickets", "other"), ROWS))
        assert found.pairs[0].total == len(ROWS)
        assert "training_rows_in_test" in {each.code for each in found.warnings}

    @pytest.mark.parametrize("names", [(), ("tickets",), ("tickets", "tickets"), ("tickets",) * 21])
    def test_of_too_few_too_many_or_one_twice_is_refused(self, names: tuple[str, ...], service: Service) -> None:
        with pytest.raises(InvalidParameter, match="model_names"):
            service.compare(CompareRequest(names, TESTS))

    def test_of_rows_or_names_that_cannot_be_judged_is_refused(self, service: Service) -> None:
        fit(service, "other", rows=SWAPPED)
        for rows in ((), (Row("a", "nothing of the kind"),)):
            with pytest.raises(InvalidTestData):
                service.compare(CompareRequest(("tickets", "other"), rows))
        with pytest.raises(ClassifierNotFound):
            service.compare(CompareRequest(("tickets", "nobody"), TESTS))


class TestCrossValidate:
    def test_judges_every_row_and_leaves_no_classifier_behind(self, opened: Open, encoder: CountingEncoder) -> None:
        service = opened()
        found = service.cross_validate(CrossValidateRequest(ROWS, 3, num_iterations=0))
        assert (found.folds, len(found.fold_accuracies), found.total) == (3, 3, len(ROWS))
        assert found.accuracy > found.majority_baseline.accuracy
        assert found.head_only_accuracy == pytest.approx(found.accuracy)
        assert found.recommended_num_iterations == 0
        assert [point.share for point in found.learning_curve] == [0.25, 0.5, 1.0]
        assert found.learning_curve[-1].accuracy == pytest.approx(found.accuracy)
        assert {each.label for each in found.advice} == set(TRAINING)
        assert listed(service) == ()
        assert not (service.dependencies.settings.local_dir / "classifiers").exists()
        assert encoder.encoded == len(ROWS) + len(TRAINING)  # each text, and each label's name

    def test_begins_with_what_labels_mean_as_a_fit_does(self, opened: Open, encoder: CountingEncoder) -> None:
        rows = tuple(Row(f"{word} {place}", label) for label, word in MEANT.items() for place in range(2))
        asked = CrossValidateRequest(rows, 2, num_iterations=0, label_descriptions=MEANT)
        found = opened().cross_validate(asked)
        assert encoder.encoded == len(rows) + 2 * len(MEANT)
        assert (found.accuracy, found.learning_curve[0].accuracy) == (1, 1)

    @pytest.mark.parametrize(
        ("descriptions", "why"),
        [
            ({"nobody": "has it"}, "describes 1 label that no row has: 'nobody'"),
            ({" ": "blank"}, "In label_descriptions, a label"),
            ({"bug": "x" * 2_001}, "at most 2000"),
        ],
    )
    def test_of_descriptions_that_a_fit_refuses_is_refused(
        self, descriptions: dict[str, str], why: str, opened: Open
    ) -> None:
        service, asked = opened(), CrossValidateRequest(ROWS, 2, num_iterations=0, label_descriptions=descriptions)
        with pytest.raises(InvalidParameter, match=why) as refused:
            service.cross_validate(asked)
        with pytest.raises(InvalidParameter) as of_fit:
            fit(service, "tickets", rows=ROWS, num_iterations=0, label_descriptions=descriptions)
        assert refused.value.facts == of_fit.value.facts

    def test_says_the_same_of_the_same_rows(self, opened: Open) -> None:
        first, again = (
            opened().cross_validate(CrossValidateRequest(ROWS, 3, num_iterations=0, seed=seed)) for seed in (1, 1)
        )
        assert first == again

    def test_makes_fewer_folds_where_a_label_has_fewer_texts_and_says_so(self, opened: Open) -> None:
        rows = (*ROWS, Row("Do you ship to Norway?", "shipping"), Row("Where is my parcel?", "shipping"))
        found = opened().cross_validate(CrossValidateRequest(rows, 5, num_iterations=0))
        assert found.folds == 2
        assert {"fewer_folds", "small_classes"} <= {warning.code for warning in found.warnings}

    def test_says_which_rows_nobody_could_judge(self, opened: Open) -> None:
        rows = (*ROWS, Row("Do you ship to Norway?", "shipping"))
        found = opened().cross_validate(CrossValidateRequest(rows, 3, num_iterations=0))
        (warning,) = (each for each in found.warnings if each.code == "never_held_out")
        assert (warning.rows, found.folds, found.total) == ((len(ROWS),), 3, len(ROWS))

    def test_doubts_a_label_that_was_planted_wrong(self, opened: Open) -> None:
        planted = 3
        rows = tuple(replace(row, label="bug") if number == planted else row for number, row in enumerate(ROWS))
        found = opened().cross_validate(CrossValidateRequest(rows, 5, num_iterations=0))
        assert isinstance(found, CrossValidation)
        doubts = {each.row: (each.text, each.label, each.predicted) for each in found.probable_label_errors}
        assert doubts[planted] == (ROWS[planted].text, "bug", "billing")
        assert len(doubts) < len(ROWS) / 2

    def test_of_a_training_that_changes_the_encoder_says_whether_that_is_worth_it(
        self, tiny: OnnxEncoder, tmp_path: Path
    ) -> None:
        service = fake_service(tmp_path, {DEFAULT_BASE_MODEL: tiny}, InlineRunner())
        try:
            found = service.cross_validate(CrossValidateRequest(ROWS, 2, num_iterations=1))
        finally:
            service.close()
        assert (found.folds, found.total) == (2, len(ROWS))
        gain = found.accuracy - found.head_only_accuracy
        assert found.head_only_interval.low <= gain <= found.head_only_interval.high
        assert found.recommended_num_iterations == (1 if gain > 0 else 0)

    @pytest.mark.parametrize("folds", [1, 0, -1, 21])
    def test_into_an_impossible_number_of_folds_is_refused(self, folds: int, opened: Open) -> None:
        with pytest.raises(InvalidParameter, match="folds"):
            opened().cross_validate(CrossValidateRequest(ROWS, folds, num_iterations=0))

    def test_of_rows_no_label_of_which_has_two_texts_is_refused(self, opened: Open) -> None:
        rows = (Row("reset", "a"), Row("reset", "a"), Row("twice", "b"))
        with pytest.raises(InvalidTrainingData, match="at least two of each label"):
            opened().cross_validate(CrossValidateRequest(rows, num_iterations=0))

    def test_of_rows_that_break_a_rule_is_refused(self, opened: Open) -> None:
        for rows, num_iterations, error in (
            ((), 0, InvalidTrainingData),
            (ROWS[:6], 0, InvalidTrainingData),
            (ROWS, -1, InvalidParameter),
        ):
            with pytest.raises(error):
                opened().cross_validate(CrossValidateRequest(rows, num_iterations=num_iterations))


class TestSuggest:
    def test_names_a_foreign_cluster_first(self, service: Service) -> None:
        known = tuple(row.text for row in TESTS)
        found = service.suggest(SuggestRequest("tickets", (*known, *FOREIGN), n=4))
        assert (found.model_name, found.revision, found.total) == ("tickets", 1, len(known) + len(FOREIGN))
        first = found.suggestions[0]
        assert (first.reason, first.text in FOREIGN, first.num_similar) == ("new", True, len(FOREIGN))
        assert first.in_scope is not None
        assert first.in_scope < 0.05
        assert len(found.suggestions) == 4
        for each in found.suggestions:
            answer = ask(service, each.text)
            ranked = sorted(answer.scores, key=lambda label: -answer.scores[label])
            assert [each.label, each.runner_up] == ranked[:2]
            assert each.score == pytest.approx(answer.scores[each.label], abs=1e-5)

    def test_counts_a_text_that_comes_again_once_and_names_its_first_place(
        self, service: Service, encoder: CountingEncoder
    ) -> None:
        pool = (TESTS[0].text, TESTS[1].text, TESTS[0].text)
        before = encoder.encoded
        found = service.suggest(SuggestRequest("tickets", pool, n=10))
        assert {each.index: each.text for each in found.suggestions} == dict(enumerate(pool[:2]))
        assert (found.total, encoder.encoded - before) == (2, 2)

    def test_hesitates_between_labels_where_nothing_can_be_new(self, opened: Open) -> None:
        service = opened()
        fit(service, "pair", rows=(Row("My invoice is wrong", "billing"), Row("The app crashes", "bug")))
        found = service.suggest(SuggestRequest("pair", (*FOREIGN, TESTS[0].text), n=2))
        assert [(each.reason, each.in_scope) for each in found.suggestions] == [("uncertain", None)] * 2

    @pytest.mark.parametrize(
        ("request_", "error"),
        [
            (SuggestRequest("tickets", ()), InvalidParameter),
            (SuggestRequest("tickets", ("a",), n=0), InvalidParameter),
            (SuggestRequest("tickets", ("a",), n=1_001), InvalidParameter),
            (SuggestRequest("tickets", ("a", " ")), InvalidText),
            (SuggestRequest("tickets", ("a",) * 19), LimitExceeded),
            (SuggestRequest("nobody", ("a",)), ClassifierNotFound),
        ],
    )
    def test_of_what_cannot_be_answered_is_refused(
        self, request_: SuggestRequest, error: type[Exception], opened: Open
    ) -> None:
        service = opened(max_rows=len(ROWS))
        fit(service, "tickets", rows=ROWS)
        with pytest.raises(error):
            service.suggest(request_)


class TestInScope:
    def test_a_text_like_the_training_rows_is_more_in_scope_than_gibberish(self, service: Service) -> None:
        shares = [ask(service, text).in_scope for text in (TESTS[0].text, GIBBERISH, FOREIGN[0])]
        alike, *others = (share for share in shares if share is not None)
        assert len(others) == 2
        assert all(0 <= share < 0.05 < alike <= 1 for share in others)

    def test_what_lies_out_of_scope_gets_no_label_where_a_bound_is_set(self, service: Service) -> None:
        foreign = ask(service, FOREIGN[0], min_in_scope=0.05)
        assert (foreign.label, foreign.abstained) == (None, True)
        assert foreign.scores == ask(service, FOREIGN[0]).scores
        assert ask(service, TESTS[0].text, min_in_scope=0.05).label == "billing"
        assert ask(service, FOREIGN[0], min_in_scope=0.0).label is not None

    def test_what_cannot_be_told_gives_no_label_where_a_bound_is_asked_for(self, opened: Open) -> None:
        service = opened()
        fit(service, "pair", rows=(Row("My invoice is wrong", "billing"), Row("The app crashes", "bug")))
        answer = ask(service, FOREIGN[0], "pair", min_in_scope=1.0)
        assert (answer.in_scope, answer.abstained) == (None, True)
        assert not ask(service, FOREIGN[0], "pair").abstained

    def test_several_classifiers_tell_each_for_itself(self, service: Service) -> None:
        fit(
            service, "recipes", rows=[*(Row(text, "cake") for text in FOREIGN), *(replace(r, label="x") for r in TESTS)]
        )
        both = service.predict(PredictRequest(model_names=("tickets", "recipes"), text=FOREIGN[0]))
        assert [answer.in_scope for answer in both] == [
            pytest.approx(ask(service, FOREIGN[0], name).in_scope, abs=1e-6) for name in ("tickets", "recipes")
        ]
        assert (both[0].in_scope or 0) < 0.05 < (both[1].in_scope or 0)


class TestExplain:
    def test_gives_the_nearest_rows_and_what_each_word_does(self, service: Service) -> None:
        text = "Please send me the invoice"
        explanation = ask(service, text, explain=True).explanation
        assert explanation is not None
        assert explanation.label == "billing"
        assert explanation.nearest_rows is not None
        first = explanation.nearest_rows[0]
        assert (first.row, first.text, first.label) == (1, ROWS[1].text, "billing")
        assert len(explanation.nearest_rows) == 5
        similarities = [each.similarity for each in explanation.nearest_rows]
        assert similarities == sorted(similarities, reverse=True)
        assert [(each.word, each.start) for each in explanation.words] == [
            ("Please", 0),
            ("send", 7),
            ("me", 12),
            ("the", 15),
            ("invoice", 19),
        ]
        effects = {each.word: each.effect for each in explanation.words}
        assert max(effects, key=lambda word: effects[word]) == "invoice"
        score, without = (ask(service, each).scores["billing"] for each in (text, "Please send me the"))
        assert effects["invoice"] == pytest.approx(score - without, abs=1e-5)

    def test_a_training_row_is_nearest_to_itself(self, service: Service) -> None:
        explanation = ask(service, ROWS[9].text, explain=True).explanation
        assert explanation is not None
        assert explanation.nearest_rows is not None
        assert explanation.nearest_rows[0].row == 9
        assert explanation.nearest_rows[0].similarity == pytest.approx(1, abs=1e-5)

    def test_without_kept_rows_there_are_no_nearest_ones(self, opened: Open) -> None:
        service = opened(keep_training_data=False)
        fit(service, "tickets", rows=ROWS)
        explanation = ask(service, "Please send me the invoice", explain=True).explanation
        assert explanation is not None
        assert explanation.nearest_rows is None
        assert explanation.words

    def test_an_answer_without_a_label_is_explained_too(self, service: Service) -> None:
        answer = ask(service, GIBBERISH, explain=True, abstain_below=1.0)
        assert answer.label is None
        assert answer.explanation is not None
        assert answer.explanation.label == max(answer.scores, key=lambda label: answer.scores[label])

    def test_a_single_word_has_no_effect_to_tell_of(self, service: Service) -> None:
        explanation = ask(service, "invoice", explain=True).explanation
        assert explanation is not None
        assert explanation.words == ()

    def test_a_second_explanation_encodes_the_rows_no_more(self, service: Service, encoder: CountingEncoder) -> None:
        ask(service, "Please send me the invoice", explain=True)
        before = encoder.encoded
        ask(service, "no refund", explain=True)
        assert encoder.encoded - before == 3  # the text, and it without each of its words

    def test_damaged_rows_are_told(self, service: Service) -> None:
        alter(blob_of(service, "tickets", "rows"))
        assert ask(service, "no refund").label is not None
        with pytest.raises(InvalidArtifact):
            ask(service, "no refund", explain=True)
