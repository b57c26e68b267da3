"""The arguments of a session's verbs, where they come in other forms than the fields of the verb's request.

What these classes do not say of a field, the request says. None is ever made: they are read, by people, type checkers
and :func:`windrow.session.keywords.columns`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

from windrow.domain.alias import ChangeNote
from windrow.domain.cross_validation import DEFAULT_FOLDS
from windrow.domain.gate import Requirement
from windrow.domain.job import OnProgress, ignore_progress
from windrow.domain.recipe import Recipe, TrainingParameters
from windrow.domain.suggestion import DEFAULT_SUGGESTIONS


@dataclass(frozen=True)
class ForModel:
    """A classifier."""

    model_name: str


@dataclass(frozen=True)
class LabelledColumns:
    """Labelled rows."""

    texts: Iterable[Any]
    """A column of n strings: a list, an array, a column of pandas or polars. Without ``labels``, n rows: pairs ``(text,
    label)``, mappings with ``text`` and ``label``, or a table with columns of these names; for any number of labels
    each, with ``labels`` in place of ``label``.
    """
    labels: Iterable[Any] | None = None
    """A column of n strings, the labels of the texts. For any number of labels each, a column of n lists or sets of
    strings; or a table of 1 and 0 with n rows and a column for each label, such as ``pandas.DataFrame(matrix,
    columns=names)`` of scikit-learn's indicator matrix.
    """


@dataclass(frozen=True)
class Training(Recipe, LabelledColumns, ForModel):
    """A training to begin, or to estimate."""

    _: KW_ONLY
    description: str | None = None
    tags: Iterable[str] | None = None
    overwrite: bool = True
    extends: str | None = None
    label_descriptions: Mapping[str, str] | None = None
    multi_label: bool = False
    merge_labels: bool = False


@dataclass(frozen=True)
class TrainingWithProgress(Training):
    """A training to do."""

    on_progress: OnProgress = ignore_progress
    """Called now and then with how far the training is, from any thread."""
    progress: bool | None = field(default=None, kw_only=True)
    """Whether a bar shows how far the training is; ``None`` shows one in a notebook. It needs tqdm (the extra
    ``notebook``); without it there is no bar.
    """


@dataclass(frozen=True)
class Reproducing(ForModel):
    """A training to do again."""

    on_progress: OnProgress = ignore_progress
    """Called now and then with how far the training is, from any thread."""
    progress: bool | None = field(default=None, kw_only=True)
    """Whether a bar shows how far the training is; ``None`` shows one in a notebook. It needs tqdm (the extra
    ``notebook``); without it there is no bar.
    """


@dataclass(frozen=True)
class CrossValidating(TrainingParameters, LabelledColumns):
    """A training to cross-validate."""

    folds: int = DEFAULT_FOLDS
    label_descriptions: Mapping[str, str] | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Evaluating(LabelledColumns, ForModel):
    """A classifier to evaluate."""

    target_precision: float | None = None
    target_recall: float | None = None
    save: bool = True


@dataclass(frozen=True)
class Reporting(LabelledColumns, ForModel):
    """A classifier to evaluate, for a page that shows the result."""

    path: str | Path = "."
    """The file to write, which is replaced if it exists, or a folder to put it in."""
    title: str | None = None
    target_precision: float | None = None
    target_recall: float | None = None
    save: bool = True


@dataclass(frozen=True)
class ForModels:
    """Classifiers."""

    model_names: Iterable[str]


@dataclass(frozen=True)
class Comparing(LabelledColumns, ForModels):
    """Classifiers to evaluate on the same rows."""


@dataclass(frozen=True)
class Suggesting(ForModel):
    """Texts to choose from."""

    texts: Iterable[Any]
    n: int = DEFAULT_SUGGESTIONS


@dataclass(frozen=True)
class Describing(ForModel):
    """What is to be said about a classifier."""

    description: str | None = None
    tags: Iterable[str] | None = None


@dataclass(frozen=True)
class Promoting(ChangeNote):
    """Where an alias is to point. Rows come in any form that :class:`LabelledColumns` takes without labels."""

    alias: str
    model_name: str
    require: Requirement | Mapping[str, Any] | None = None
    must_pass: Iterable[Any] | None = None
