"""Select the distinct rows for contrastive training, and tokenize their texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Ids, Labels
from windrow.domain.dataset import Dataset
from windrow.domain.multi_label import MultiLabelDataset
from windrow.domain.recipe import Recipe
from windrow.encoders.onnx_encoder import TextEncoder, Tokens
from windrow.learning.folds import assign_folds
from windrow.learning.label_sets import set_ids, strata
from windrow.learning.model_selection import label_name_texts
from windrow.learning.plan import sample_rows

# From so many held-out rows on, a temperature and an interval are good enough. Source: docs/adr/0016, measured.
ENOUGH_HELD_OUT_ROWS = 200
# One of so many folds of distinct rows is left out of a sample: a tenth is enough, and the heads that it judges should
# know nearly all other rows.
_MIN_FOLDS = 5
_MAX_FOLDS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The distinct rows of a dataset, or of a sample of it.

    Args:
        texts: The rows' distinct texts, in the order of their first rows.
        tokens: The tokens of all texts, or of the first ones.
        name_texts: The labels as texts, followed by what describes some of them.
        name_tokens: The tokens of ``name_texts``.
        described_ids: The label of each description.
        numbers: The number of each distinct row in the dataset, the first one of equals.
        text_ids: The text of each distinct row.
        label_ids: The label of each distinct row, or its label set.
        fraction: The selected fraction of all rows, in (0, 1]; below 1 they are a sample.
        held_out: The numbers of distinct rows that a sample was not to have, to judge its adapter beside the head
            alone; none where folds judge, or nothing does.
    """

    texts: Sequence[str]
    tokens: Sequence[Tokens]
    name_texts: Sequence[str]
    name_tokens: Sequence[Tokens]
    described_ids: Ids
    numbers: Ids
    text_ids: Ids
    label_ids: Labels
    fraction: float
    held_out: Ids

    def all_tokens(self, encoder: TextEncoder) -> list[Tokens]:
        """Return the tokens of all texts, followed by those of the label names; tokenizes the missing ones."""
        unread = self.texts[len(self.tokens) :]
        return [*self.tokens, *(encoder.tokenize(unread) if unread else ()), *self.name_tokens]


def select_rows(
    dataset: Dataset | MultiLabelDataset,
    recipe: Recipe,
    encoder: TextEncoder,
    max_read: int | None = None,
    descriptions: Mapping[str, str] | None = None,
) -> Selection:
    """Select the rows for contrastive training, and tokenize their texts.

    Args:
        dataset: Checked rows.
        recipe: Its seed chooses the sample of too many rows, which leaves out some to judge an adapter by, if one is
            trained and cross-validated without a limit of time.
        encoder: Tokenizes the texts.
        max_read: The maximum number of tokenized texts; ``None`` for all.
        descriptions: What labels mean, by label; not every label needs one.
    """
    distinct = dataset.distinct_texts
    # A token takes three bytes or more in nearly every language, so this rarely underestimates.
    lengths = [min(encoder.folder.max_tokens, len(text.encode()) // 3 + 2) for text in distinct]
    text_ids, label_ids = np.array(dataset.text_ids), labels_of(dataset)
    equal_sets = set_ids(label_ids)
    different = _first_of_equals(text_ids * (int(equal_sets.max()) + 1) + equal_sets)
    row_strata, row_lengths = strata(label_ids), np.array(lengths)[text_ids]
    chosen, held_out = _sample(different, row_strata, row_lengths, recipe.seed), different[:0]
    fraction = len(chosen) / len(different)
    if fraction < 1 and recipe.num_iterations and recipe.cross_validate and recipe.max_seconds is None:
        fold = different[_fold(label_ids[different], text_ids[different], recipe.seed)]
        others = _sample(np.setdiff1d(different, fold), row_strata, row_lengths, recipe.seed)
        if len(fold) and len(others) >= len(chosen):
            chosen, held_out = others, fold
    own = text_ids[chosen][_first_of_equals(text_ids[chosen])]
    positions = np.empty(len(distinct), np.int64)
    positions[own] = np.arange(len(own))
    texts, (name_texts, described_ids) = [distinct[text] for text in own], texts_of_labels(dataset.labels, descriptions)
    return Selection(
        texts=texts,
        tokens=encoder.tokenize(texts[:max_read]),
        name_texts=name_texts,
        name_tokens=encoder.tokenize(name_texts),
        described_ids=described_ids,
        numbers=chosen,
        text_ids=positions[text_ids[chosen]],
        label_ids=label_ids[chosen],
        fraction=fraction,
        held_out=held_out,
    )


def texts_of_labels(labels: Sequence[str], descriptions: Mapping[str, str] | None) -> tuple[list[str], Ids]:
    """Return the names of labels as plain words, followed by the descriptions, and the label of each description."""
    described = {label: text for label, text in (descriptions or {}).items() if text}
    ids = [number for number, label in enumerate(labels) if label in described]
    return [*label_name_texts(labels), *(described[labels[number]] for number in ids)], np.array(ids, np.int64)


def labels_of(dataset: Dataset | MultiLabelDataset) -> Labels:
    """Return the label id of each row, or its label set."""
    if isinstance(dataset, Dataset):
        return np.array(dataset.label_ids)
    sets = np.zeros((len(dataset.rows), len(dataset.labels)), bool)
    for row, own in zip(sets, dataset.label_sets, strict=True):
        row[list(own)] = True
    return sets


def _sample(rows: Ids, row_strata: Ids, row_lengths: Ids, seed: int) -> Ids:
    """Return the numbers of those of some rows that one training may take."""
    return rows[sample_rows(row_strata[rows], row_lengths[rows], seed)]


def _fold(label_ids: Labels, text_ids: Ids, seed: int) -> Ids:
    """Return the indices of a tenth to a fifth of distinct rows; none where these would be too few, or too many."""
    max_folds = min(_MAX_FOLDS, len(label_ids) // ENOUGH_HELD_OUT_ROWS)
    if max_folds < _MIN_FOLDS:
        return np.empty(0, np.int64)
    folds = assign_folds(label_ids, text_ids, seed, max_folds)
    # There are fewer folds where no label has so many rows, and smaller ones of labels with a single text.
    fold = np.flatnonzero(folds == 0)
    is_usable = 0.9 * ENOUGH_HELD_OUT_ROWS <= len(fold) <= 1.1 * len(folds) / _MIN_FOLDS
    return fold if is_usable else fold[:0]


def _first_of_equals(values: Ids) -> Ids:
    """Return the first index of each distinct value, ascending."""
    return np.sort(np.unique(values, return_index=True)[1])
