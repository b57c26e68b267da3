"""WindrowClassifier: a classifier of texts for scikit-learn's pipelines and searches."""

import atexit
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from multiprocessing.util import Finalize
from tempfile import mkdtemp
from threading import Lock
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from windrow.domain.archive import ExportRequest, Imported, ImportRequest
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import MIN_LABELS
from windrow.domain.errors import ClassifierExists, ClassifierNotFound, InvalidInput
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.prediction import Prediction
from windrow.domain.recipe import DEFAULT_BASE_MODEL, DEFAULT_BATCH_SIZE, DEFAULT_NUM_ITERATIONS, DEFAULT_SEED
from windrow.session.arguments import request_of
from windrow.session.columns import check_computed, is_missing, read_texts
from windrow.session.reply_warnings import show_warning, warn_of
from windrow.session.session import Session, open_session

# A search asks each of its classifiers only for a while.
KEPT_ARCHIVES = 8
# How a text has its labels.
Form = Literal["label", "label_list", "indicators"]
_LISTS = (list, tuple, set, frozenset, np.ndarray)
_MATRIX = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Targets:
    """The labels of texts.

    Args:
        form: The form in which they were given.
        classes: The distinct labels; shape (classes,).
        sets: The positions of each text's labels in ``classes``, ascending.
    """

    form: Form
    classes: npt.NDArray[Any]
    sets: list[tuple[int, ...]]


class WindrowClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A few-shot classifier of texts that behaves as scikit-learn's own classifiers do, also with several labels.

    It trains in a scratch folder of the process, and holds what it has learned itself, without the training texts: it
    can be copied, and sent to other processes. :meth:`save` hands it to a session, which serves it.

    Args:
        num_iterations: How long contrastive training goes on, 0 to 1,000; 0 trains the head alone, in seconds.
        batch_size: Texts that meet in one contrastive step, 2 to 1,024.
        seed: Starts every random choice.
        cross_validate: Whether encoders are also trained on parts of the rows, so that probabilities are calibrated by
            rows that were held out; without, a training is faster.
        base_model: Id of the encoder to build on.
        max_seconds: Ends a training after about so many seconds, with what was learned by then; ``None`` sets no limit.
        label_descriptions: What labels mean, by label in its own type, in a sentence each; not every label needs one.
            They count most where there are few rows. ``None`` for none.
    """

    classes_: npt.NDArray[Any]
    """The labels, sorted, in their own type, shape ``(classes,)``; set by :meth:`fit`. Those of an indicator matrix are
    the numbers of its columns, or their names.
    """
    form_: Form
    """How each text has its labels, as :meth:`fit` was given them: ``label`` for one, ``label_list`` for a list of any
    number, ``indicators`` for a row of an indicator matrix; set by :meth:`fit`.
    """
    archive_: bytes
    """The trained classifier as the bytes of an export; set by :meth:`fit`."""

    # scikit-learn reads an estimator's parameters from this signature, so each of them stands here.
    def __init__(  # noqa: PLR0913, PLR0917
        self,
        num_iterations: int = DEFAULT_NUM_ITERATIONS,
        batch_size: int = DEFAULT_BATCH_SIZE,
        seed: int = DEFAULT_SEED,
        cross_validate: bool = True,
        base_model: str = DEFAULT_BASE_MODEL,
        max_seconds: float | None = None,
        label_descriptions: Mapping[Any, str] | None = None,
    ) -> None:
        self.num_iterations = num_iterations
        self.batch_size = batch_size
        self.seed = seed
        self.cross_validate = cross_validate
        self.base_model = base_model
        self.max_seconds = max_seconds
        self.label_descriptions = label_descriptions

    def fit(self, X: Iterable[Any], y: Iterable[Any]) -> Self:  # noqa: N803 - scikit-learn's name
        """Train on labelled texts. What is odd about them is a ``WindrowWarning``.

        Args:
            X: A column of n strings: a list, an array of one dimension, a column of pandas or polars.
            y: n labels of one type (strings, whole numbers, booleans), at least 2 different ones. For any number of
                labels a text: an indicator matrix of shape ``(n, classes)`` (an array, lists of 0 and 1, a frame, a
                sparse matrix), or n lists of strings, empty for a text of none of the labels.

        Raises:
            ValueError: Texts or labels break a rule.
            Unavailable: The base model is not on this machine.
            Failure: The training or the disk failed.
        """
        targets = _read_targets(y)
        texts = _texts(X)
        check_consistent_length(texts, targets.sets)
        names = _names(targets.classes)
        session, name = _scratch().session, f"fit-{secrets.token_hex(16)}"
        try:
            # Its parameters are options of a fit, by the same names.
            options = {**self.get_params(deep=False), "label_descriptions": self._descriptions(targets.classes, names)}
            if targets.form == "label":
                session.fit(name, texts, [names[own[0]] for own in targets.sets], **options)
            else:
                sets = [tuple(names[place] for place in own) for own in targets.sets]
                rows = tuple(map(MultiLabelRow, texts, sets))
                warn_of(session.operations.fit(request_of(FitRequest, options, model_name=name, training_data=rows)))
        except InvalidInput as error:
            raise ValueError(error.detail) from error
        self.archive_ = b"".join(session.operations.export(ExportRequest(name)).chunks)
        session.delete(name, purge=True)
        self.classes_, self.form_ = targets.classes, targets.form
        return self

    def _descriptions(self, classes: npt.NDArray[Any], names: Sequence[str]) -> dict[str, str] | None:
        """Return the descriptions by the names that labels have in a fit; one without rows keeps its own."""
        if self.label_descriptions is None:
            return None
        called = dict(zip(classes.tolist(), names, strict=True))
        return {called.get(label, str(label)): text for label, text in self.label_descriptions.items()}

    def predict(self, X: Iterable[Any]) -> Any:  # noqa: N803
        """Return a label for each text, or its labels, in the form that :meth:`fit` was given.

        Args:
            X: A column of n strings.

        Returns:
            An array of n labels, of the type of ``classes_``. With several labels, those whose probability reaches the
            threshold that the training chose: an indicator matrix, shape ``(n, classes)``, int64, or n lists of labels
            in the order of ``classes_``.

        Raises:
            ValueError: A text breaks a rule, or it is not trained yet (scikit-learn's ``NotFittedError``).
        """
        answers = self._answers(X)
        if self.form_ == "label":
            return self.classes_[self._scores(answers).argmax(axis=1)]
        names = _names(self.classes_)
        given = [[name in own for name in names] for own in (set(answer.given) for answer in answers)]
        indicators = np.array(given, bool).reshape(len(answers), len(self.classes_))
        if self.form_ == "label_list":
            return [self.classes_[row].tolist() for row in indicators]
        return indicators.astype(np.int64)

    def predict_proba(self, X: Iterable[Any]) -> npt.NDArray[np.float64]:  # noqa: N803
        """Return the score of each label for each text.

        Args:
            X: A column of n strings.

        Returns:
            Shape ``(n, classes)``, each in [0, 1], in the order of ``classes_``. Rows sum to 1, unless texts have any
            number of labels: then each is the probability of that label alone, and 0 for a label that no row had.

        Raises:
            ValueError: A text breaks a rule, or it is not trained yet (scikit-learn's ``NotFittedError``).
        """
        return self._scores(self._answers(X))

    def score(self, X: Iterable[Any], y: Iterable[Any], sample_weight: Any = None) -> float:  # noqa: N803
        """Return the share of the texts whose label, or whose set of labels, is the given one.

        Args:
            X: A column of n strings.
            y: Their labels, in the form that :meth:`fit` was given.
            sample_weight: The weight of each text, shape ``(n,)``; ``None`` for equal ones.

        Raises:
            ValueError: A text breaks a rule, labels have another form than those that it was trained on, or it is not
                trained yet (scikit-learn's ``NotFittedError``).
        """
        check_is_fitted(self)
        if self.form_ != "label_list":
            return float(super().score(X, y, sample_weight))
        labels = _read_values(y)
        odd = next((number for number, each in enumerate(labels) if not isinstance(each, _LISTS)), None)
        if odd is not None:
            raise ValueError(f"y[{odd}] is no list. Pass a list of labels for each text, as for training.")
        pairs = zip(self.predict(X), labels, strict=True)
        return float(np.average([set(given) == set(own) for given, own in pairs], weights=sample_weight))

    def _answers(self, column: Iterable[Any]) -> list[Prediction]:
        check_is_fitted(self)
        texts = _texts(column)
        try:
            return _scratch().predict(self.archive_, texts)
        except InvalidInput as error:
            raise ValueError(error.detail) from error

    def _scores(self, answers: Sequence[Prediction]) -> npt.NDArray[np.float64]:
        names = _names(self.classes_)
        scores = [[answer.scores.get(name, 0.0) for name in names] for answer in answers]
        return np.array(scores, np.float64).reshape(len(answers), len(names))

    def save(self, session: Session, model_name: str, *, overwrite: bool = False) -> Imported:
        """Hand the classifier to a session, which serves it from then on. There, labels are strings.

        Args:
            session: What ``windrow.open`` or ``windrow.Client`` gives.
            model_name: Its name there.
            overwrite: Whether it may become the next revision of an existing name.

        Raises:
            ValueError: It is not trained yet (scikit-learn's ``NotFittedError``).
            InvalidName: The name breaks the grammar.
            Conflict: The name is taken, or exists and is not to be overwritten.
        """
        check_is_fitted(self)
        request = ImportRequest(model_name, overwrite=overwrite)
        return warn_of(session.operations.import_classifier(BytesIO(self.archive_), request))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_label = True
        return tags


class _Scratch:
    """A session on a folder that is gone with the process."""

    def __init__(self) -> None:
        self._process_id = os.getpid()
        self._folder = mkdtemp(prefix="windrow-")
        self._names: dict[str, None] = {}
        self._lock = Lock()
        self.session = open_session(self._folder, keep_training_data=False)
        atexit.register(self._clear)
        # A worker of multiprocessing ends without ``atexit``.
        Finalize(None, self._clear, exitpriority=20)

    def predict(self, archive: bytes, texts: list[str]) -> list[Prediction]:
        """Return a classifier's answers; it is put here first, unless it is among those that were asked last."""
        name = self._name_of(archive)
        try:
            return self.session.predict(name, texts)
        except ClassifierNotFound:  # other threads have asked many others meanwhile
            with self._lock:
                self._names.pop(name, None)
            return self.session.predict(self._name_of(archive), texts)

    def _name_of(self, archive: bytes) -> str:
        name = f"sha-{hashlib.sha256(archive).hexdigest()}"
        with self._lock:
            if name not in self._names:
                with suppress(ClassifierExists):  # it was forgotten, and not deleted
                    self.session.operations.import_classifier(BytesIO(archive), ImportRequest(name))
            # Those that were asked last stand at the end.
            self._names.pop(name, None)
            self._names[name] = None
            while len(self._names) > KEPT_ARCHIVES:
                oldest = next(iter(self._names))
                del self._names[oldest]
                with suppress(ClassifierNotFound):
                    self.session.delete(oldest, purge=True)
        return name

    def _clear(self) -> None:
        # A forked process ends with its parent's duties, and must not do them.
        if os.getpid() == self._process_id:
            self.session.close()
            shutil.rmtree(self._folder, ignore_errors=True)


_scratches: dict[int, _Scratch] = {}
_lock = Lock()


def _scratch() -> _Scratch:
    """Return the process's own, made when it is first needed; a forked process does not take its parent's."""
    with _lock:
        return _scratches.get(os.getpid()) or _scratches.setdefault(os.getpid(), _Scratch())


def _texts(column: Iterable[Any]) -> list[str]:
    try:
        return read_texts(column)
    except InvalidInput as error:
        raise ValueError(error.detail) from error


def _read_targets(y: Any) -> _Targets:
    """Return the labels of texts, in whichever form they are.

    Raises:
        ValueError: They are in none of them.
    """
    if y is None:
        raise ValueError("WindrowClassifier requires y to be passed, but the target y is None. Pass a label each.")
    try:
        check_computed("y", y)
    except InvalidInput as error:
        raise ValueError(error.detail) from error
    y = y.toarray() if hasattr(y, "toarray") else y
    if len(getattr(y, "shape", ())) == _MATRIX and y.shape[1] > 1:
        return _of_indicators(np.asarray(y), getattr(y, "columns", None))
    values = _read_values(y)
    are_lists = [isinstance(each, _LISTS) for each in values]
    if any(are_lists) and not all(are_lists):
        raise ValueError(f"y[{are_lists.index(False)}] is no list, as others are. Pass a list of labels for each text.")
    # An array of one column is a column of labels, as everywhere in scikit-learn.
    if any(are_lists) and len(getattr(y, "shape", ())) != _MATRIX:
        widths = {len(each) for each in values}
        is_matrix = len(widths) == 1 and max(widths) > 1
        if is_matrix and not any(isinstance(label, str) for own in values for label in own):
            return _of_indicators(np.array([list(each) for each in values]))
        return _of_label_lists(values)
    classes, numbers = np.unique(_labels(y), return_inverse=True)
    if len(classes) < MIN_LABELS:
        raise ValueError(f"y has {len(classes)} class; a classifier needs at least 2 classes. Add other rows.")
    return _Targets("label", classes, [(number,) for number in numbers.tolist()])


def _of_indicators(matrix: npt.NDArray[Any], columns: Iterable[Any] | None = None) -> _Targets:
    if not np.isin(matrix, (0, 1)).all():
        raise ValueError(
            "y has two dimensions and holds other values than 0 and 1, so it is no indicator matrix. Pass one column "
            "of labels, or 1 for each label that a text has and 0 for the others."
        )
    classes = np.arange(matrix.shape[1]) if columns is None else np.array([str(each) for each in columns])
    if len(set(classes.tolist())) < len(classes):
        raise ValueError("y has two columns of one name. Give each label a column of its own.")
    matrix = matrix.astype(bool)
    for place in np.flatnonzero(~matrix.any(axis=0)).tolist():
        message = f"Column {classes[place]} of y has no 1, so its label cannot be learned and is never given."
        show_warning(message, "label_without_rows")
    return _Targets("indicators", classes, [tuple(np.flatnonzero(row).tolist()) for row in matrix])


def _of_label_lists(values: Sequence[Any]) -> _Targets:
    others = [(number, label) for number, own in enumerate(values) for label in own if not isinstance(label, str)]
    for number, label in others[:1]:
        raise ValueError(
            f"y[{number}] has the label {label!r}, which is no string. Labels in lists are strings; 0 and 1 make an "
            "indicator matrix where all lists have one length."
        )
    classes = sorted({str(label) for own in values for label in own})
    places = {label: place for place, label in enumerate(classes)}
    return _Targets(
        "label_list", np.array(classes), [tuple(sorted({places[label] for label in own})) for own in values]
    )


def _read_values(y: Any) -> list[Any]:
    return list(y.to_list() if hasattr(y, "to_list") else y)


def _labels(y: Any) -> npt.NDArray[Any]:
    """Return labels as an array of one dimension, all of one kind."""
    values = y.to_list() if hasattr(y, "to_list") else y
    array = column_or_1d(values if isinstance(values, np.ndarray) else np.array(list(values), object), warn=True)
    for number, label in enumerate(array.tolist()):
        if is_missing(label):
            raise ValueError(f"y[{number}] is missing. Fill it in or leave that row out.")
    # As one array of objects so far: otherwise NumPy would make strings of numbers that stand among strings.
    kinds = sorted({type(label).__name__ for label in array.tolist()})
    if len(kinds) > 1:
        raise ValueError(f"y has labels of several types ({', '.join(kinds)}). Make them all strings.")
    labels = np.array(array.tolist()) if array.dtype == object else array
    check_classification_targets(labels)
    return labels


def _names(classes: npt.NDArray[Any]) -> list[str]:
    """Return each label as the string that it is trained by."""
    return [str(label) for label in classes]
