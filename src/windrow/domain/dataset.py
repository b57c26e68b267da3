"""Rows with one label each: the rules that they must follow, and their digest."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Generic, Literal, Protocol, TypeVar

from windrow.domain.characters import is_blank
from windrow.domain.errors import InvalidTestData, InvalidText, InvalidTrainingData, LimitExceeded, WindrowError
from windrow.domain.figures import counted
from windrow.domain.values import Schema, Value

MIN_LABELS = 2
SMALL_CLASS_ROWS = 4
MAX_LABEL_CHARS = 256
# What is encoded: at least a character that is seen. How many it may have at most is a setting.
Text = Annotated[str, Schema(minLength=1, pattern=r"\S")]
Label = Annotated[str, Schema(minLength=1, maxLength=MAX_LABEL_CHARS, pattern=r"\S")]
# How rows are written where their bytes matter: digests, and what is kept.
CANONICAL_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled example."""

    text: Text
    """The text, at most 20,000 characters."""
    label: Label
    """Its label, at most 256 characters; a whole number is taken as its text."""


@dataclass(frozen=True, slots=True)
class DataLimits:
    """The most that one request may bring."""

    max_rows: int = 100_000
    """Training rows."""
    max_labels: int = 1_000
    """Distinct labels."""
    max_text_chars: int = 20_000
    """Characters (code points) of one text."""


@dataclass(frozen=True, slots=True)
class DataWarning(Value):
    """Something in the rows that a person should know; training went on all the same."""

    _named_by = "code"

    code: str
    """Stable, for programs (``duplicate_rows``)."""
    message: str
    """One sentence for a person."""
    rows: tuple[int, ...] = ()
    """The rows concerned, counted from 0: up to five, or all where they should be left out, or looked at."""


class RowWithText(Protocol):
    """A row of either form."""

    @property
    def text(self) -> str:
        """Its text."""
        ...


R = TypeVar("R", bound=RowWithText)


@dataclass(frozen=True)
class LabelledTexts(ABC, Generic[R]):
    """Checked rows in the order in which they were sent, and what does not depend on how many labels a row has.

    Values derived from all rows are computed on first use and cached.
    """

    rows: tuple[R, ...]
    """The rows."""

    @property
    @abstractmethod
    def rows_per_label(self) -> Mapping[str, int]:
        """How many rows each label has, in the order of :attr:`labels`."""

    @property
    @abstractmethod
    def jsonl(self) -> bytes:
        """The rows in their canonical form."""

    @property
    @abstractmethod
    def row_labels(self) -> Sequence[Hashable]:
        """Each row's label or labels, equal where they are the same."""

    @property
    def num_examples(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The texts, in order."""
        return tuple(row.text for row in self.rows)

    @cached_property
    def distinct_texts(self) -> tuple[str, ...]:
        """The texts, each once, in the order in which they first come."""
        return tuple(dict.fromkeys(self.texts))

    @cached_property
    def text_ids(self) -> tuple[int, ...]:
        """Each row's position in :attr:`distinct_texts`."""
        ids = {text: position for position, text in enumerate(self.distinct_texts)}
        return tuple(ids[row.text] for row in self.rows)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The distinct labels, sorted by code point."""
        return tuple(self.rows_per_label)

    @cached_property
    def small_classes(self) -> tuple[str, ...]:
        """Labels with too few rows to learn from or to evaluate, in the order of :attr:`labels`."""
        return tuple(label for label, count in self.rows_per_label.items() if count < SMALL_CLASS_ROWS)

    @cached_property
    def duplicate_rows(self) -> tuple[int, ...]:
        """The rows that repeat an earlier row with the same label or labels, by number from 0."""
        seen: set[tuple[str, Hashable]] = set()
        repeats = []
        for number, row in enumerate(zip(self.texts, self.row_labels, strict=True)):
            if row in seen:
                repeats.append(number)
            seen.add(row)
        return tuple(repeats)

    @cached_property
    def contradicting_rows(self) -> tuple[int, ...]:
        """The rows whose text also stands under another label, or with other labels, by number from 0."""
        labels_of: defaultdict[str, set[Hashable]] = defaultdict(set)
        for text, own in zip(self.texts, self.row_labels, strict=True):
            labels_of[text].add(own)
        return tuple(number for number, text in enumerate(self.texts) if len(labels_of[text]) > 1)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256, in hexadecimal, of the rows' canonical form."""
        return hashlib.sha256(self.jsonl).hexdigest()


@dataclass(frozen=True)
class Dataset(LabelledTexts[Row]):
    """Checked rows with one label each. Made by :func:`check_rows`."""

    @property
    def kind(self) -> Literal["single_label", "multi_label"]:
        """The kind of a classifier that learns from such rows."""
        return "single_label"

    @cached_property
    def rows_per_label(self) -> dict[str, int]:
        """How many rows each label has, in the order of :attr:`labels`."""
        counts = Counter(row.label for row in self.rows)
        return {label: counts[label] for label in sorted(counts)}

    @cached_property
    def label_ids(self) -> tuple[int, ...]:
        """Each row's position in :attr:`labels`."""
        ids = {label: position for position, label in enumerate(self.labels)}
        return tuple(ids[row.label] for row in self.rows)

    @property
    def row_labels(self) -> Sequence[Hashable]:
        """Each row's position in :attr:`labels`."""
        return self.label_ids

    @cached_property
    def jsonl(self) -> bytes:
        """The rows in their canonical form (:func:`rows_as_jsonl`)."""
        return rows_as_jsonl(self.rows)

    @property
    def majority_accuracy(self) -> float:
        """The share of the rows that have the most frequent label."""
        return max(self.rows_per_label.values()) / len(self.rows)


def check_texts(texts: Sequence[str], max_text_chars: int, place: str = "{place:texts}") -> None:
    """Refuse texts that cannot be encoded; ``facts["index"]`` names the first, counted from 0.

    Args:
        texts: Any strings.
        max_text_chars: Characters (code points) that each may have.
        place: What a text is called in the template.

    Raises:
        InvalidText: A text is empty, blank, or holds a lone surrogate.
        LimitExceeded: A text is longer than ``max_text_chars`` characters.
    """
    for index, text in enumerate(texts):
        if problem := text_problem(text):
            raise InvalidText(f"{place} {problem}. Correct it or leave it out.", {"index": index})
        if len(text) > max_text_chars:
            raise text_too_long(place, len(text), max_text_chars, {"index": index})


def check_rows(rows: Iterable[Row], limits: DataLimits) -> Dataset:
    """Check training rows against every rule and return them as a dataset.

    Raises:
        InvalidTrainingData: A row breaks a rule (``facts["row"]`` counts from 0), or there are fewer than 2 labels.
        LimitExceeded: Too many rows, too many labels, or a text that is too long.
    """
    checked = tuple(rows)
    check_row_count(len(checked), limits)
    check_each_row("training_data", checked, limits)
    return check_labels(Dataset(checked), limits)


def check_labels(dataset: Dataset, limits: DataLimits) -> Dataset:
    """Return training rows if they have as many labels as a classifier may have.

    Raises:
        InvalidTrainingData: There are fewer than 2 labels.
        LimitExceeded: There are too many.
    """
    if len(dataset.labels) < MIN_LABELS:
        raise InvalidTrainingData(
            f"{{arg:training_data}} has {counted(len(dataset.labels), 'distinct label')} in "
            f"{counted(len(dataset.rows), 'row')}; a classifier needs at least {{minimum}} labels, so at least 2 rows. "
            "Add rows with another label.",
            {"labels": len(dataset.labels), "rows": len(dataset.rows), "minimum": MIN_LABELS},
        )
    check_label_count("training_data", len(dataset.labels), limits)
    return dataset


def check_test_rows(field: str, rows: Sequence[Row], limits: DataLimits) -> Dataset:
    """Check test rows, of which one is enough, and return them as a dataset.

    Args:
        field: What the caller knows them by (``test_data``).
        rows: Any rows.
        limits: The limits on training rows hold for them too.

    Raises:
        InvalidTestData: There is none, or one breaks a rule (``facts["row"]`` counts from 0).
        LimitExceeded: Too many rows, too many labels, or a text that is too long.
    """
    check_row_count(len(rows), limits, field)
    check_not_empty(field, rows)
    check_each_row(field, rows, limits, InvalidTestData)
    dataset = Dataset(tuple(rows))
    check_label_count(field, len(dataset.labels), limits)
    return dataset


def check_not_empty(field: str, rows: Sequence[object]) -> None:
    """Refuse no test rows at all.

    Raises:
        InvalidTestData: There is none.
    """
    if not rows:
        raise InvalidTestData("{arg:{parameter}} is empty. {Send} at least one labelled row.", {"parameter": field})


def check_row_count(count: int, limits: DataLimits, field: str = "training_data") -> None:
    """Refuse more rows than the limit, before any of them is looked at.

    Raises:
        LimitExceeded: There are too many.
    """
    if count > limits.max_rows:
        raise too_many(field, count, "rows", limits.max_rows, "WINDROW_MAX_ROWS")


def check_label_count(field: str, count: int, limits: DataLimits) -> None:
    """Refuse more distinct labels than the limit.

    Args:
        field: What the caller knows the rows by (``training_data``).
        count: How many labels they have.
        limits: How many they may have.

    Raises:
        LimitExceeded: There are too many.
    """
    if count > limits.max_labels:
        raise too_many(field, count, "labels", limits.max_labels, "WINDROW_MAX_LABELS")


def rows_as_jsonl(rows: Iterable[Row]) -> bytes:
    r"""Return rows in their canonical form: UTF-8, a compact JSON object a line, keys sorted, each ended by ``\n``.

    Source: docs/explanation/format.md, "Training rows".
    """
    lines = (CANONICAL_JSON.encode({"label": row.label, "text": row.text}) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def check_each_row(
    name: str,
    rows: Sequence[Row],
    limits: DataLimits,
    refusal: type[InvalidTrainingData | InvalidTestData] = InvalidTrainingData,
) -> None:
    """Refuse rows of which one breaks a rule; ``facts["row"]`` names the first, counted from 0.

    Args:
        name: What the caller knows them by (``training_data``).
        rows: Any rows.
        limits: How long a text may be.
        refusal: What is raised for a row that is wrong.

    Raises:
        InvalidTrainingData: A text or a label is empty, blank or no valid Unicode, or a label is too long.
        LimitExceeded: A text is too long.
    """
    place = f"{{place:{name}}}"
    for number, row in enumerate(rows):
        for field, value in (("text", row.text), ("label", row.label)):
            if problem := text_problem(value):
                raise wrong_row(refusal, place, problem, {"row": number, "field": field})
        if len(row.text) > limits.max_text_chars:
            raise text_too_long(place, len(row.text), limits.max_text_chars, {"row": number, "field": "text"})
        if len(row.label) > MAX_LABEL_CHARS:
            raise label_too_long(refusal, place, len(row.label), {"row": number, "field": "label"})


def wrong_row(refusal: type[WindrowError], place: str, problem: str, facts: Mapping[str, object]) -> WindrowError:
    """Return the error for a row of which a value breaks a rule.

    Args:
        refusal: Its class.
        place: What the value is called in the template.
        problem: What is wrong with it, as :func:`text_problem` says it.
        facts: Where it stands.
    """
    return refusal(f"{place} {problem}. Correct or remove that row.", facts)


def label_too_long(refusal: type[WindrowError], place: str, chars: int, facts: Mapping[str, object]) -> WindrowError:
    """Return the error for a row with a label that is too long."""
    return refusal(
        f"{place} has {{chars}} characters; a label has at most {{limit}}. Shorten it.",
        {**facts, "chars": chars, "limit": MAX_LABEL_CHARS},
    )


def text_problem(value: str) -> str | None:
    """Return what is wrong with a text or a label, such as ``is empty``; ``None`` where nothing is."""
    if not value:
        return "is empty"
    if not value[0].isalnum() and is_blank(value):
        return "is blank" if value.isspace() else "is blank: it holds only characters that show nothing"
    try:
        if not value.isascii():
            value.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode (it holds half of a surrogate pair)"
    return None


def text_too_long(what: str, chars: int, limit: int, place: Mapping[str, object]) -> LimitExceeded:
    """Return the error for a text that is too long.

    Args:
        what: What it is called in the template.
        chars: How many characters it has.
        limit: The most that are taken.
        place: Facts that say where it stands.
    """
    return LimitExceeded(
        f"{what} has {{chars}} characters; at most {{limit}} are taken here. Shorten the text, or raise {{setting}}.",
        {"chars": chars, "limit": limit, "setting": "WINDROW_MAX_TEXT_CHARS", **place},
    )


def too_many(parameter: str, count: int, what: str, limit: int, setting: str) -> LimitExceeded:
    """Return the error for more of something than a setting allows.

    Args:
        parameter: What the caller knows it by.
        count: How many there are.
        what: Of what (``rows``).
        limit: The most.
        setting: The variable that sets it.
    """
    return LimitExceeded(
        "{arg:{parameter}} has {count} {what}; at most {limit} are taken here. {Send} fewer, or raise {setting}.",
        {"parameter": parameter, "count": count, "what": what, "limit": limit, "setting": setting},
    )
