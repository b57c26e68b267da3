"""Rows with any number of labels each: the rules they must follow, their digest, and what is odd about them."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from windrow.domain.dataset import SMALL_CLASS_ROWS, Label, Text
from windrow.domain.values import Schema

_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class MultiLabelRow:
    """One example with any number of labels."""

    text: Text
    """The text, at most 20,000 characters."""
    labels: Annotated[tuple[Label, ...], Schema(uniqueItems=True)]
    """Its labels, each at most 256 characters and in any order; none for a text that none of the labels fits."""


@dataclass(frozen=True)
class MultiLabelDataset:
    """Checked rows with any number of labels each, in the order in which they were sent.

    Values derived from all rows are computed on first use and cached.
    """

    rows: tuple[MultiLabelRow, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The texts, in order."""
        return tuple(row.text for row in self.rows)

    @cached_property
    def rows_per_label(self) -> dict[str, int]:
        """How many rows each label has, in the order of :attr:`labels`."""
        counts = Counter(label for row in self.rows for label in row.labels)
        return {label: counts[label] for label in sorted(counts)}

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The distinct labels, sorted by code point."""
        return tuple(self.rows_per_label)

    @cached_property
    def label_sets(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each row's labels in :attr:`labels`, ascending."""
        ids = {label: position for position, label in enumerate(self.labels)}
        return tuple(tuple(sorted(ids[label] for label in row.labels)) for row in self.rows)

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
    def jsonl(self) -> bytes:
        """The rows in their canonical form (:func:`multi_label_rows_as_jsonl`)."""
        return multi_label_rows_as_jsonl(self.rows)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256, in hexadecimal, of the rows' canonical form."""
        return hashlib.sha256(self.jsonl).hexdigest()

    @cached_property
    def duplicate_rows(self) -> tuple[int, ...]:
        """The rows that repeat an earlier row with the same labels, by number from 0."""
        seen: set[tuple[str, tuple[int, ...]]] = set()
        repeats = []
        for number, key in enumerate(zip(self.texts, self.label_sets, strict=True)):
            if key in seen:
                repeats.append(number)
            seen.add(key)
        return tuple(repeats)

    @cached_property
    def contradicting_rows(self) -> tuple[int, ...]:
        """The rows whose text also stands with other labels, by number from 0."""
        sets_of: defaultdict[str, set[tuple[int, ...]]] = defaultdict(set)
        for text, own in zip(self.texts, self.label_sets, strict=True):
            sets_of[text].add(own)
        return tuple(number for number, text in enumerate(self.texts) if len(sets_of[text]) > 1)

    @cached_property
    def small_classes(self) -> tuple[str, ...]:
        """Labels with too few rows to learn from or to evaluate, in the order of :attr:`labels`."""
        return tuple(label for label, count in self.rows_per_label.items() if count < SMALL_CLASS_ROWS)

    @property
    def majority_accuracy(self) -> float:
        """The share of the rows that have the most frequent set of labels."""
        return max(Counter(self.label_sets).values()) / len(self.rows)


def multi_label_rows_as_jsonl(rows: Iterable[MultiLabelRow]) -> bytes:
    r"""Return rows in their canonical form: as that of other rows, with the labels sorted by code point.

    Source: docs/explanation/format.md, "Training rows".
    """
    lines = (_CANONICAL.encode({"labels": sorted(row.labels), "text": row.text}) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()
