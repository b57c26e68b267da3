import inspect
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted, validate_data

import windrow
from tests.servers import TICKETS
from windrow import estimator
from windrow.domain.errors import ClassifierExists
from windrow.estimator import WindrowClassifier
from windrow.session.session import open_session

# So few rows as here are always warned about.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")]

TEXTS = [text for texts in TICKETS.values() for text in texts]
LABELS = [label for label, texts in TICKETS.items() for _ in texts]

# scikit-learn generates numbers for its checks, and leaves out nearly all of them where an estimator says that it takes
# none. Here each row of numbers is written as a text, so that they run all the same. These do not:
NOT_FOR_TEXTS = {
    "check_array_api_input": "arrays on other devices hold no strings",
    "check_classifier_data_not_an_array": "how arrays of numbers are read is up to the test's own reading",
    "check_classifiers_train": "it wants accuracy on clouds of points, which numbers written as texts are not",
    "check_complex_data": "about complex numbers",
    "check_dtype_object": "about numbers in arrays of objects",
    "check_estimator_sparse_array": "sparse matrices hold no strings",
    "check_estimator_sparse_matrix": "sparse matrices hold no strings",
    "check_estimator_sparse_tag": "sparse matrices hold no strings",
    "check_estimators_dtypes": "about the precision of numbers",
    "check_estimators_empty_data_messages": "about matrices without columns; a column of texts has none",
    "check_estimators_nan_inf": "about infinite numbers; missing texts have a test of their own",
    "check_f_contiguous_array_estimator": "about how a matrix lies in memory",
    "check_fit1d": "a column is what it wants",
    "check_fit2d_1feature": "about a matrix of one column",
    "check_fit2d_predict1d": "a column is what it wants",
    "check_n_features_in": "a column of texts has no features to count",
    "check_n_features_in_after_fitting": "a column of texts has no features to count",
    "check_methods_subset_invariance": "about a seventh digit, which batches of other sizes round in their own ways",
    "check_positive_only_tag_during_fit": "about the sign of numbers",
    "check_readonly_memmap_input": "about a matrix in a mapped file",
}


class OfNumbers(WindrowClassifier):
    """Takes rows of numbers, and reads them as texts."""

    def fit(self, X: Any, y: Any) -> "OfNumbers":  # noqa: N803 - its name in scikit-learn
        if y is not None:
            X, y = validate_data(self, X, y, multi_output=True)  # noqa: N806 - likewise
        return super().fit(_written(X), y)

    def _answers(self, column: Any) -> Any:
        check_is_fitted(self)
        return super()._answers(_written(validate_data(self, column, reset=False)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False
        tags.classifier_tags.poor_score = True
        return tags


def _written(rows: Any) -> list[str]:
    return [" ".join(str(round(float(value), 1)) for value in row[:2]) for row in rows]


def _checks() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        for estimator in (WindrowClassifier(num_iterations=0), OfNumbers(num_iterations=0)):
            for each, check in estimator_checks.estimator_checks_generator(estimator):
                name = _name(check)
                if name not in NOT_FOR_TEXTS:
                    yield pytest.param(each, check, id=f"{type(each).__name__}-{name}")


def _name(check: Any) -> str:
    return str(getattr(check, "func", check).__name__)


@pytest.fixture(scope="module")
def fitted() -> WindrowClassifier:
    return WindrowClassifier(num_iterations=0).fit(TEXTS, LABELS)


@pytest.mark.parametrize(("estimator", "check"), [*_checks()])
def test_a_check_of_scikit_learn_that_applies_to_texts_passes(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_each_check_that_is_left_out_exists() -> None:
    checks = {_name(check) for _, check in estimator_checks.estimator_checks_generator(OfNumbers(num_iterations=0))}
    assert set(NOT_FOR_TEXTS) - checks == set()


def test_rows_get_the_same_probabilities_in_batches_of_any_size(fitted: WindrowClassifier) -> None:
    one_by_one = np.concatenate([fitted.predict_proba([text]) for text in TEXTS])
    assert one_by_one == pytest.approx(fitted.predict_proba(TEXTS), abs=1e-5)


def test_labels_and_probabilities_fit_together(fitted: WindrowClassifier) -> None:
    assert fitted.classes_.tolist() == ["invoice", "login", "refund"]
    scores = fitted.predict_proba(TEXTS)
    assert scores.shape == (12, 3)
    assert scores.sum(axis=1) == pytest.approx(np.ones(12))
    assert fitted.predict(TEXTS).tolist() == fitted.classes_[scores.argmax(axis=1)].tolist()
    assert fitted.score(TEXTS, LABELS) > 0.9


@pytest.mark.parametrize(
    "column",
    [list, np.array, lambda x: np.array(x, object), pd.Series, pl.Series],
    ids=["list", "str", "o", "pd", "pl"],
)
def test_columns_of_any_kind_give_the_same_classifier(fitted: WindrowClassifier, column: Any) -> None:
    other = WindrowClassifier(num_iterations=0).fit(column(TEXTS), column(LABELS))
    assert other.predict_proba(column(TEXTS)).tolist() == fitted.predict_proba(TEXTS).tolist()
    assert all(type(label) is str for label in other.classes_.tolist())


@pytest.mark.parametrize(
    "labels", [[2, 2, 2, 2, 10, 10, 10, 10, -1, -1, -1, -1], [True] * 4 + [False] * 8], ids=["numbers", "booleans"]
)
def test_labels_come_back_in_their_own_type_and_order(labels: list[int]) -> None:
    column = np.array(labels)
    fitted = WindrowClassifier(num_iterations=0).fit(TEXTS, column)
    assert fitted.classes_.tolist() == sorted(set(labels))
    assert fitted.classes_.dtype == fitted.predict(TEXTS).dtype == column.dtype
    assert fitted.score(TEXTS, column) > 0.9


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ([*TEXTS[:-1], None], LABELS, r"texts\[11\] is missing"),
        (TEXTS, [*LABELS[:-1], None], r"y\[11\] is missing"),
        (TEXTS, [*LABELS[:-1], float("nan")], r"y\[11\] is missing"),
        (TEXTS, [*LABELS[:-1], 3], "several types"),
        (TEXTS, LABELS[:-1], "inconsistent numbers of samples"),
        (TEXTS, ["refund"] * 12, "1 class"),
        (TEXTS, None, "requires y to be passed"),
        ([*TEXTS[:-1], " "], LABELS, r"\[11\].text is blank"),
        (pd.DataFrame({"text": TEXTS}), LABELS, "Pass one column"),
        (pl.LazyFrame({"text": TEXTS}), LABELS, r"Pass what \.collect\(\) returns"),
        (TEXTS, pl.LazyFrame({"label": LABELS}), r"^y is of type LazyFrame.* Pass what \.collect\(\) returns"),
    ],
)
def test_bad_rows_are_refused_as_scikit_learn_refuses_them(texts: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WindrowClassifier(num_iterations=0).fit(texts, labels)


def test_descriptions_of_labels_are_known_by_the_labels_themselves() -> None:
    meanings = {1: "The weather: rain and sun", 2: "Cooking: recipes and food"}
    texts, labels = ["It will rain tomorrow", "How do I bake bread?"], [1, 2]
    described = WindrowClassifier(num_iterations=0, label_descriptions=meanings).fit(texts, labels)
    assert described.predict(["Is it sunny outside?", "a pan for an omelette"]).tolist() == [1, 2]
    assert clone(described).label_descriptions == meanings
    with pytest.raises(ValueError, match="describes 1 label that no row has: '3'"):
        WindrowClassifier(num_iterations=0, label_descriptions={3: "none"}).fit(texts, labels)


def test_what_is_not_trained_cannot_answer_or_be_saved(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        WindrowClassifier().predict(TEXTS)
    with open_session(tmp_path) as session, pytest.raises(NotFittedError):
        WindrowClassifier().save(session, "tickets_v1")


def test_it_lives_in_a_pipeline_and_in_a_search() -> None:
    pipeline = Pipeline(
        [("strip", FunctionTransformer(lambda texts: [text.strip() for text in texts])), ("model", WindrowClassifier())]
    )
    search = GridSearchCV(pipeline, {"model__num_iterations": [0], "model__seed": [0, 1]}, cv=2, error_score="raise")
    search.fit([f" {text}\n" for text in TEXTS], LABELS)
    assert search.predict(["give me my money back"]).tolist() == ["refund"]
    assert len(cross_val_predict(clone(search.best_estimator_), TEXTS, LABELS, cv=2)) == 12


def test_another_process_answers_the_same_and_leaves_nothing_behind(fitted: WindrowClassifier, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(pickle.dumps(fitted))
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).predict_proba(sys.argv[2:]).tolist())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model"), *TEXTS[:2]],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert np.array(eval(done.stdout)) == pytest.approx(fitted.predict_proba(TEXTS)[:2], abs=1e-5)
    assert list(tmp_path.glob("windrow-*")) == []


def test_a_worker_of_multiprocessing_leaves_nothing_behind(fitted: WindrowClassifier, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(pickle.dumps(fitted))
    (tmp_path / "many.py").write_text(
        "import multiprocessing, pickle, sys\n"
        "def ask(path, text):\n"
        "    assert len(pickle.load(open(path, 'rb')).predict([text])) == 1\n"
        "if __name__ == '__main__':\n"
        "    worker = multiprocessing.get_context('spawn').Process(target=ask, args=sys.argv[1:3])\n"
        "    worker.start()\n"
        "    worker.join()\n"
        "    sys.exit(worker.exitcode)\n"
    )
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, str(tmp_path / "many.py"), str(tmp_path / "model"), TEXTS[0]]
    subprocess.run(command, check=True, env=variables)
    assert list(tmp_path.glob("windrow-*")) == []


def test_only_a_few_classifiers_are_kept_and_each_still_answers(
    fitted: WindrowClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimator, "KEPT_ARCHIVES", 2)
    monkeypatch.setattr(estimator, "_scratches", {})
    others = [WindrowClassifier(num_iterations=0, seed=seed).fit(TEXTS[:8], LABELS[:8]) for seed in range(1, 4)]
    for each in (fitted, *others, fitted):
        assert len(each.predict(TEXTS[:2])) == 2
    scratch = estimator._scratch()
    try:
        assert len(scratch.session.models().models) == 2
        assert scratch.session.models(deleted=True).models == ()
    finally:
        scratch._clear()


def test_what_it_holds_has_no_training_text(fitted: WindrowClassifier) -> None:
    assert not any(text.encode() in pickle.dumps(fitted) for text in TEXTS)


def test_what_was_trained_is_served_once_it_is_saved(fitted: WindrowClassifier, tmp_path: Path) -> None:
    with windrow.open(tmp_path) as session:
        assert fitted.save(session, "tickets_v1").status == "imported"
        scores = session.predict("tickets_v1", TEXTS[0]).scores
        assert list(scores.values()) == pytest.approx(fitted.predict_proba(TEXTS[:1])[0], abs=1e-5)
        with pytest.raises(ClassifierExists):
            fitted.save(session, "tickets_v1")
        fitted.save(session, "tickets_v1", overwrite=True)


def test_its_parameters_are_plain_and_have_the_defaults_of_a_fit() -> None:
    signature = inspect.signature(WindrowClassifier)
    assert {name: each.default for name, each in signature.parameters.items()} == {
        "num_iterations": 20,
        "batch_size": 16,
        "seed": 0,
        "cross_validate": True,
        "base_model": "sentence-transformers/all-MiniLM-L6-v2",
        "max_seconds": None,
        "label_descriptions": None,
    }


def test_a_training_ends_in_the_time_that_it_is_given(tmp_path: Path) -> None:
    fitted = WindrowClassifier(num_iterations=1_000, max_seconds=0.01, cross_validate=False).fit(TEXTS, LABELS)
    with windrow.open(tmp_path) as session:
        fitted.save(session, "tickets_v1")
        made = session.show("tickets_v1")
    assert made.max_seconds == 0.01
    assert made.adapter is not None and made.adapter.ended_by == "max_seconds"
    with pytest.raises(ValueError, match="max_seconds"):
        WindrowClassifier(max_seconds=0).fit(TEXTS, LABELS)


@pytest.mark.filterwarnings("error::windrow.session.reply_warnings.WindrowWarning")
def test_what_is_odd_about_the_rows_is_shown_at_the_line_that_fits() -> None:
    texts, labels = [*TEXTS, TEXTS[0], TEXTS[0]], [*LABELS, LABELS[0], LABELS[0]]
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        WindrowClassifier(num_iterations=0).fit(texts, labels)
    told = [each.message for each in shown if isinstance(each.message, windrow.WindrowWarning)]
    assert "duplicate_rows" in [each.code for each in told]
    assert {each.filename for each in shown} == {__file__}


# Each text of a refund is urgent, too, and the last one of a login has no label.
LABEL_LISTS = [[label, "urgent"] if label == "refund" else [label] for label in LABELS]
LABEL_LISTS[LABELS.index("login") + 3] = []
CLASSES = ["invoice", "login", "refund", "urgent"]
INDICATORS = np.array([[int(label in own) for label in CLASSES] for own in LABEL_LISTS])


@pytest.fixture(scope="module")
def several() -> WindrowClassifier:
    return WindrowClassifier(num_iterations=0).fit(TEXTS, INDICATORS)


@pytest.fixture(scope="module")
def named() -> WindrowClassifier:
    """The same with names of labels, from which it learns too."""
    return WindrowClassifier(num_iterations=0).fit(TEXTS, pd.DataFrame(INDICATORS, columns=CLASSES))


def test_an_indicator_matrix_gives_one_and_a_probability_for_each_label(several: WindrowClassifier) -> None:
    assert several.classes_.tolist() == [0, 1, 2, 3]
    predicted, scores = several.predict(TEXTS), several.predict_proba(TEXTS)
    assert predicted.shape == scores.shape == (12, 4)
    assert set(np.unique(predicted)) == {0, 1}
    assert (predicted == INDICATORS).mean() > 0.9
    assert several.score(TEXTS, INDICATORS) == pytest.approx((predicted == INDICATORS).all(axis=1).mean())
    # Two labels of one text have high probabilities both.
    assert scores[LABELS.index("refund")].sum() > 1.1


@pytest.mark.parametrize(
    "form",
    [lambda matrix: matrix.tolist(), lambda matrix: matrix.astype(bool), list, csr_matrix, pd.DataFrame],
    ids=["lists", "bool", "arrays", "sparse", "pandas"],
)
def test_an_indicator_matrix_of_any_kind_gives_the_same_classifier(
    several: WindrowClassifier, form: Callable[[Any], Any]
) -> None:
    other = WindrowClassifier(num_iterations=0).fit(TEXTS, form(INDICATORS))
    assert (list(map(str, other.classes_)), other.form_) == (["0", "1", "2", "3"], "indicators")
    assert other.predict(TEXTS).tolist() == several.predict(TEXTS).tolist()
    assert other.predict_proba(TEXTS) == pytest.approx(several.predict_proba(TEXTS), abs=1e-6)


@pytest.mark.parametrize(
    "form", [list, pd.Series, lambda lists: list(map(set, lists)), lambda lists: [*map(tuple, lists)]]
)
def test_lists_of_labels_give_lists_of_labels(named: WindrowClassifier, form: Callable[[Any], Any]) -> None:
    other = WindrowClassifier(num_iterations=0).fit(TEXTS, form(LABEL_LISTS))
    assert (other.classes_.tolist(), other.form_) == (CLASSES, "label_list")
    indicators = named.predict(TEXTS)
    assert other.predict(TEXTS) == [[CLASSES[place] for place in np.flatnonzero(row)] for row in indicators]
    assert other.predict_proba(TEXTS) == pytest.approx(named.predict_proba(TEXTS), abs=1e-6)
    assert other.score(TEXTS, form(LABEL_LISTS)) == pytest.approx(named.score(TEXTS, INDICATORS))
    assert other.score(TEXTS[:2], [["never seen"]] * 2) == 0


def test_labels_of_another_form_get_no_score(named: WindrowClassifier) -> None:
    lists = [[label] for label in LABELS]
    with pytest.raises(ValueError, match=r"^y\[0\] is no list"):
        WindrowClassifier(num_iterations=0).fit(TEXTS, lists).score(TEXTS, LABELS)


def test_the_columns_of_a_frame_are_the_labels(named: WindrowClassifier) -> None:
    other = WindrowClassifier(num_iterations=0).fit(TEXTS, pl.DataFrame(INDICATORS, schema=CLASSES))
    assert named.classes_.tolist() == other.classes_.tolist() == CLASSES
    assert other.predict_proba(TEXTS) == pytest.approx(named.predict_proba(TEXTS), abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (INDICATORS * 2, "no indicator matrix"),
        (np.array([LABELS, LABELS]).T, "no indicator matrix"),
        ([["refund"], "refund", *LABEL_LISTS[2:]], r"y\[1\] is no list"),
        ([["refund"], [3], *LABEL_LISTS[2:]], r"y\[1\] has the label 3"),
        (INDICATORS[:-1], "inconsistent numbers of samples"),
        (pd.DataFrame(INDICATORS, columns=["a", "b", "c", "c"]), "two columns of one name"),
        ([["refund"]] * 12, "label"),
    ],
)
def test_several_labels_that_cannot_be_read_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WindrowClassifier(num_iterations=0).fit(TEXTS, labels)


def test_a_label_that_no_text_has_is_never_given_and_warned_of() -> None:
    matrix = np.concatenate([INDICATORS, np.zeros((12, 1), int)], axis=1)
    with pytest.warns(windrow.WindrowWarning, match="Column 4 of y has no 1"):
        fitted = WindrowClassifier(num_iterations=0).fit(TEXTS, matrix)
    assert fitted.predict(TEXTS)[:, 4].tolist() == [0] * 12
    assert fitted.predict_proba(TEXTS)[:, 4].tolist() == [0.0] * 12


def test_several_labels_can_be_searched_and_saved(several: WindrowClassifier, tmp_path: Path) -> None:
    search = GridSearchCV(WindrowClassifier(num_iterations=0), {"seed": [0, 1]}, cv=2, error_score="raise")
    search.fit(TEXTS[::-1] + TEXTS, np.concatenate([INDICATORS[::-1], INDICATORS]))
    assert 0 <= search.best_score_ <= 1
    with windrow.open(tmp_path) as session:
        several.save(session, "mails_v1")
        answer = session.predict("mails_v1", TEXTS[0])
        assert answer.kind == "multi_label"
        assert list(answer.scores.values()) == pytest.approx(several.predict_proba(TEXTS[:1])[0], abs=1e-5)
