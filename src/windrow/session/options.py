"""Options: what may be said beside texts and names, each once, with its type and meaning.

Owns how plain arguments become the requests of ``domain``; knows nothing of who answers them.
"""

import difflib
import operator
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from windrow.domain.alias import PromoteRequest, Said
from windrow.domain.classifier import FitRequest, NotesChange
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidParameter, InvalidTestData
from windrow.domain.gate import Requirement
from windrow.domain.listing import Page, Selection
from windrow.domain.prediction import PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL, Recipe
from windrow.session.columns import Given, read_name, read_rows


class TrainingOptions(TypedDict, total=False):
    """How to train.

    Args:
        num_iterations: How long contrastive training goes on, 0 to 1,000; 0 trains the head alone, in seconds.
            Default 20.
        batch_size: Texts that meet in one contrastive step, 2 to 1,024. Default 16.
        seed: Starts every random choice. Default 0.
        max_seconds: Ends the training after about so many seconds, with what it has by then. Default ``None``.
        cross_validate: Whether encoders are also trained on parts of the rows, to judge them. Default true.
        base_model: Id of the encoder to build on. Default ``sentence-transformers/all-MiniLM-L6-v2``.
    """

    num_iterations: int
    batch_size: int
    seed: int
    max_seconds: float | None
    cross_validate: bool
    base_model: str


class FitOptions(TrainingOptions, total=False):
    """How to train, and what to note. The options of :class:`TrainingOptions`, and these.

    Args:
        description: What a person says about the classifier, at most 2,000 characters; left out, what was said stays.
        tags: At most 20, each of 1 to 64 characters; left out, those that it has stay.
        overwrite: Whether an existing name may get a new revision. Default true.
    """

    description: str | None
    tags: Iterable[str] | None
    overwrite: bool


class PredictOptions(TypedDict, total=False):
    """How to answer.

    Args:
        top_k: How many scores each answer holds, the best ones. Default ``None``: all.
        abstain_below: Best score in [0, 1] below which no label is given. Default ``None``: what is kept with the
            classifier, if anything is.
        min_in_scope: Likeness to the training data in [0, 1] below which no label is given. Default ``None``: always
            one.
    """

    top_k: int | None
    abstain_below: float | None
    min_in_scope: float | None


class SelectionOptions(TypedDict, total=False):
    """Which classifiers are meant: those to which all that is said applies.

    Args:
        task: Versions of this task (``tickets`` means ``tickets_v1``, ``tickets_v2`` …).
        prefix: Names that start with it.
        tag: Classifiers that carry this tag.
        base_model: Classifiers on the base model of this id.
    """

    task: str | None
    prefix: str | None
    tag: str | None
    base_model: str | None


class ListOptions(SelectionOptions, total=False):
    """Which part of the list, in which order. The options of :class:`SelectionOptions`, and these.

    Args:
        limit: The most classifiers, 1 to 1,000. Default ``None``: all of them.
        after: The name that the part starts after. Default ``None``: the first one.
        sort: ``name``, ``version``, ``created_at``, ``num_examples``, ``size`` or ``test_accuracy``, with ``-`` before
            it for the reverse. Default ``None``: versions of one task by version, all else by name.
        deleted: Whether to list the deleted ones that can be restored, instead of those that answer. Default false.
    """

    limit: int | None
    after: str | None
    sort: str | None
    deleted: bool


class PromoteOptions(TypedDict, total=False):
    """What to say of a promotion, and what it requires. Rows come in any form of ``Session.fit`` without labels.

    Args:
        reason: Why, at most 500 characters.
        by: Who, at most 500 characters.
        test_rows: Labelled rows for ``not_worse`` and ``min_recall``.
        not_worse: Whether at least as many of them must be placed right as by what the alias points to now.
        min_recall: The least recall of a label on the test rows, in [0, 1], by label.
        must_pass: Rows to keep with the alias, which must be placed right now and on each later promotion, in place of
            those that it keeps. Left out, those stay.
        must_pass_now: Rows that must be placed right this time only.
    """

    reason: str
    by: str
    test_rows: Iterable[Any]
    not_worse: bool
    min_recall: Mapping[str, float]
    must_pass: Iterable[Any] | None
    must_pass_now: Iterable[Any]


def fit_request(model_name: str, rows: tuple[Row, ...], options: FitOptions) -> FitRequest:
    """Return the request for a training.

    Raises:
        InvalidParameter: An option is of the wrong type.
    """
    check_known("fit", options, FitOptions)
    tags = options.get("tags")
    if isinstance(tags, str):
        raise InvalidParameter(f"tags is one string. Pass a list: [{tags!r}].", {"parameter": "tags"})
    return FitRequest(
        model_name=read_name(model_name),
        rows=rows,
        base_model=base_model_of(options),
        recipe=recipe_of(options),
        notes=NotesChange(options.get("description"), None if tags is None else tuple(tags)),
        overwrite=options.get("overwrite", True),
    )


def recipe_of(options: TrainingOptions) -> Recipe:
    """Return the training parameters among some options, with defaults for the others.

    Raises:
        InvalidParameter: One is of the wrong type.
    """
    usual = Recipe()
    return Recipe(
        num_iterations=whole("num_iterations", options.get("num_iterations", usual.num_iterations)),
        batch_size=whole("batch_size", options.get("batch_size", usual.batch_size)),
        seed=whole("seed", options.get("seed", usual.seed)),
        max_seconds=_number("max_seconds", options.get("max_seconds")),
        cross_validate=bool(options.get("cross_validate", usual.cross_validate)),
    )


def base_model_of(options: TrainingOptions) -> str:
    """Return the base model among some options, or the usual one."""
    return options.get("base_model", DEFAULT_BASE_MODEL)


def predict_request(model_names: tuple[str, ...], texts: tuple[str, ...], options: PredictOptions) -> PredictRequest:
    """Return the request for some answers.

    Raises:
        InvalidParameter: An option is of the wrong type.
    """
    check_known("predict", options, PredictOptions)
    top_k = options.get("top_k")
    return PredictRequest(
        model_names=model_names,
        texts=texts,
        top_k=None if top_k is None else whole("top_k", top_k),
        abstain_below=_number("abstain_below", options.get("abstain_below")),
        min_in_scope=_number("min_in_scope", options.get("min_in_scope")),
    )


def page_of(options: ListOptions) -> Page:
    """Return the part of the list that some options mean.

    Raises:
        InvalidParameter: An option is of the wrong type.
    """
    check_known("models", options, ListOptions)
    limit = options.get("limit")
    return Page(
        limit=None if limit is None else whole("limit", limit),
        after=options.get("after"),
        selection=selection_of(options),
        sort=options.get("sort"),
        deleted=options.get("deleted", False),
    )


def selection_of(options: SelectionOptions) -> Selection:
    """Return the classifiers that some options mean."""
    return Selection(options.get("task"), options.get("prefix"), options.get("tag"), options.get("base_model"))


def promote_request(alias: str, model_name: str, options: PromoteOptions) -> PromoteRequest:
    """Return the request for a promotion.

    Raises:
        InvalidTestData: Rows are in no form that is taken.
    """
    check_known("promote", options, PromoteOptions)
    kept = options.get("must_pass")
    require = Requirement(
        rows=read_rows(Given("test_rows", InvalidTestData), options.get("test_rows", ())),
        not_worse=options.get("not_worse", False),
        must_pass=read_rows(Given("must_pass_now", InvalidTestData), options.get("must_pass_now", ())),
        min_recall=options.get("min_recall", {}),
    )
    return PromoteRequest(
        alias=read_name(alias),
        model_name=read_name(model_name),
        said=Said(options.get("reason", ""), options.get("by", "")),
        require=require,
        must_pass=None if kept is None else read_rows(Given("must_pass", InvalidTestData), kept),
    )


def check_known(verb: str, options: Mapping[str, Any], known: Any) -> None:
    """Refuse an option that a verb does not have, as Python refuses an unknown argument.

    Args:
        verb: The verb.
        options: What was given, by name.
        known: The ``TypedDict`` of the verb's options.

    Raises:
        TypeError: One is unknown; the nearest one is suggested.
    """
    for name in options.keys() - known.__annotations__.keys():
        near = difflib.get_close_matches(name, known.__annotations__, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"It takes: {', '.join(known.__annotations__)}."
        raise TypeError(f"{verb}() got an unexpected keyword argument {name!r}. {hint}")


def whole(name: str, value: int) -> int:
    """Return a whole number, also one of NumPy's, as Python's own.

    Raises:
        InvalidParameter: It is none.
    """
    try:
        return operator.index(value)
    except TypeError as error:
        problem = f"{name} is {value!r}; it must be a whole number. Pass one, or leave it out."
        raise InvalidParameter(problem, {"parameter": name}) from error


def _number(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        raise InvalidParameter(
            f"{name} is {value!r}; it must be a number. Pass one, or leave it out.", {"parameter": name}
        )
    return float(value)
