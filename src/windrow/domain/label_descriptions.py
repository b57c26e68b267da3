"""Descriptions of labels: the rules they must follow, and datasets that have nothing but labels."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Literal

from windrow.domain.dataset import (
    MAX_LABEL_CHARS,
    MIN_LABELS,
    DataLimits,
    Dataset,
    DataWarning,
    Row,
    check_label_count,
    text_problem,
)
from windrow.domain.errors import InvalidParameter, InvalidTrainingData
from windrow.domain.figures import counted, listed
from windrow.domain.values import Schema

MAX_LABEL_DESCRIPTION_CHARS: Final = 2_000
LabelDescription = Annotated[str, Schema(maxLength=MAX_LABEL_DESCRIPTION_CHARS)]
LabelDescriptions = Mapping[str, LabelDescription]
_PARAMETER: Final = "label_descriptions"
_NAMED_LABELS: Final = 5


@dataclass(frozen=True)
class LabelsAlone(Dataset):
    """No rows at all, but labels. Made by :func:`labels_alone`."""

    descriptions: Mapping[str, str]
    """What the labels mean, by label, sorted; an empty one leaves it at the name."""
    multi_label: bool = False
    """Whether a text has any number of the labels."""

    @property
    def kind(self) -> Literal["single_label", "multi_label"]:
        """The kind of a classifier of these labels."""
        return "multi_label" if self.multi_label else "single_label"

    @cached_property
    def rows_per_label(self) -> dict[str, int]:
        """No rows for each label, in the order of :attr:`labels`."""
        return dict.fromkeys(sorted(self.descriptions), 0)

    @property
    def majority_accuracy(self) -> float:
        """What guessing gets right where all labels are equally frequent; 0 of any number of labels."""
        return 0.0 if self.multi_label else 1 / len(self.labels)


def labels_alone(descriptions: Mapping[str, str] | None, *, multi_label: bool = False) -> LabelsAlone:
    """Return a dataset of labels without rows.

    Args:
        descriptions: Checked descriptions, by label; an empty one leaves it at the name.
        multi_label: Whether a text has any number of the labels.

    Raises:
        InvalidTrainingData: There are fewer than 2 labels.
    """
    if not descriptions:
        raise InvalidTrainingData(
            "Nothing says what to learn, and a classifier needs at least {minimum} labels. {Send} {arg:training_data} "
            "with labelled rows, or {arg:label_descriptions} with what each label means, which make a classifier "
            "without rows.",
            {"labels": 0, "rows": 0, "minimum": MIN_LABELS},
        )
    if len(descriptions) < MIN_LABELS:
        raise InvalidTrainingData(
            f"There is no labelled row, and {{arg:label_descriptions}} has {counted(len(descriptions), 'label')}; a "
            "classifier needs at least {minimum} labels. Describe another label, or {send} {arg:training_data}.",
            {"labels": len(descriptions), "rows": 0, "minimum": MIN_LABELS},
        )
    return LabelsAlone((), dict(sorted(descriptions.items())), multi_label)


def check_label_descriptions(descriptions: Mapping[str, str], limits: DataLimits) -> None:
    """Refuse descriptions of which one breaks a rule; ``facts["label"]`` names its label.

    Raises:
        InvalidParameter: A label or a description is blank, too long or no valid Unicode; a description may be empty.
        LimitExceeded: There are more than a classifier may have labels.
    """
    check_label_count(_PARAMETER, len(descriptions), limits)
    for label, description in descriptions.items():
        _check_label(label)
        if description and (problem := text_problem(description)):
            raise _refused(f"the description of {{label!r}} {problem}. Correct it, or leave it empty", label)
        if len(description) > MAX_LABEL_DESCRIPTION_CHARS:
            what = "the description of {label!r} has {chars} characters; at most {limit} are possible. Shorten it"
            raise _refused(what, label, chars=len(description), limit=MAX_LABEL_DESCRIPTION_CHARS)


def check_described_labels(descriptions: Mapping[str, str], labels: Collection[str]) -> None:
    """Refuse descriptions of labels that no row has: such a label could not be evaluated, and is mostly misspelt.

    Args:
        descriptions: Checked descriptions, by label.
        labels: The labels of the rows.

    Raises:
        InvalidParameter: There are some; ``facts["labels"]`` names the first ones.
    """
    known = set(labels)
    unknown = [label for label in descriptions if label not in known]
    if not unknown:
        return
    has = counted(len(unknown), "label that", "labels that")
    more_labels = f" and {len(unknown) - _NAMED_LABELS} more" if len(unknown) > _NAMED_LABELS else ""
    raise InvalidParameter(
        f"{{arg:label_descriptions}} describes {has} no row has: {{labels:quoted}}{more_labels}. Add a row "
        "with such a label, or leave its description out.",
        {"parameter": _PARAMETER, "labels": unknown[:_NAMED_LABELS]},
    )


def described(descriptions: Mapping[str, str]) -> dict[str, str]:
    """Return the descriptions that say something, sorted by label."""
    return {label: text for label, text in sorted(descriptions.items()) if text}


def descriptions_of(
    labels: Collection[str], given: Mapping[str, str], kept: Mapping[str, str], extends: str
) -> tuple[dict[str, str], tuple[DataWarning, ...]]:
    """Return the descriptions of a training with rows: those of its request, and those of the revision that it extends.

    Args:
        labels: The labels of the rows.
        given: Checked descriptions of the request, by label.
        kept: Those of the revision that it extends, which hold for labels that the request does not describe.
        extends: That revision; empty for none.

    Returns:
        The descriptions by label, sorted; and a warning where a label that the revision describes has no row.

    Raises:
        InvalidParameter: The request describes a label that no row has.
    """
    check_described_labels(given, labels)
    known = set(labels)
    lost = [label for label in kept if label not in known]
    joined = {label: text for label, text in {**kept, **given}.items() if label in known}
    return dict(sorted(joined.items())), (_warn_of_lost(lost, extends),) if lost else ()


def _warn_of_lost(labels: Sequence[str], extends: str) -> DataWarning:
    named = listed(map(repr, labels))
    have = counted(len(labels), "label", "labels")
    return DataWarning(
        "described_labels_without_rows",
        f"{have} that {extends} describes, but no row has, will not be given: {named}. Add a row with each of them to "
        "keep them.",
    )


def check_form_of_rows(rows: Sequence[object], *, multi_label: bool) -> None:
    """Refuse rows with one label each for a classifier that is to give any number of labels.

    Args:
        rows: Those of a request.
        multi_label: Whether the request says that the classifier gives any number of labels.

    Raises:
        InvalidParameter: It does, and a row has one label.
    """
    if multi_label and any(isinstance(row, Row) for row in rows):
        raise InvalidParameter(
            "{arg:multi_label} says that a text has any number of labels, and rows of {arg:training_data} have one "
            "label each. {Send} labels in each row, a list that may hold one, or leave {arg:multi_label} out.",
            {"parameter": "multi_label"},
        )


def warn_of_zero_shot(labels: int, label_threshold: float | None = None) -> DataWarning:
    """Return the warning of a classifier that has seen no row.

    Args:
        labels: How many labels it has.
        label_threshold: From which score it gives each label; ``None`` where it gives one.
    """
    given = ""
    if label_threshold is not None:
        given = (
            f" Each label is given from a score of {label_threshold:g} on, which was best on other rows than yours: "
            "some labels will be missed, and others given wrongly."
        )
    return DataWarning(
        "zero_shot",
        f"It has seen no labelled row: it knows the names and descriptions of its {labels} labels alone, and nothing "
        f"says how often it is right.{given} Train it with a few rows of each label as soon as there are some.",
    )


def _check_label(label: str) -> None:
    if problem := text_problem(label):
        raise _refused(f"a label {problem}. Correct it or leave it out", label)
    if len(label) > MAX_LABEL_CHARS:
        what = "a label has {chars} characters; at most {limit} are possible. Shorten it"
        raise _refused(what, label, chars=len(label), limit=MAX_LABEL_CHARS)


def _refused(what: str, label: str, **facts: object) -> InvalidParameter:
    shown = label.encode(errors="backslashreplace").decode()[:MAX_LABEL_CHARS]
    return InvalidParameter(
        f"In {{arg:label_descriptions}}, {what}.",
        {"parameter": _PARAMETER, "label": shown, **facts},
    )
