"""Takes labels that look alike as one, in the spelling that most rows have."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from windrow.domain.characters import looks_like, quoted_apart
from windrow.domain.dataset import DataWarning, Row
from windrow.domain.figures import counted, listed
from windrow.domain.labelled_rows import LabelledRow, LabelledRows, labels_of

_NAMED_ROWS = 5


@dataclass(frozen=True, slots=True)
class MergedLabels:
    """Rows of which no two labels look alike."""

    rows: LabelledRows
    """The rows, each at its place."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """The spelling that was kept, by each one that it replaces."""
    warnings: tuple[DataWarning, ...] = ()
    """Which labels were merged; none where there was nothing to merge."""

    def renamed(self, by_label: Mapping[str, str]) -> dict[str, str]:
        """Return what stands under labels under those that were kept; what is there already counts more.

        Args:
            by_label: Values by label, in any spelling that was merged.
        """
        moved = {self.kept[label]: value for label, value in by_label.items() if label in self.kept}
        return {**moved, **{label: value for label, value in by_label.items() if label not in self.kept}}


def groups_alike(labels: Iterable[str]) -> list[list[str]]:
    """Return the labels that a person takes for one another, in groups of at least two, each in the given order.

    Args:
        labels: Distinct labels.
    """
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for label in labels:
        spellings[looks_like(label)].append(label)
    return [group for group in spellings.values() if len(group) > 1]


def merge_labels(rows: Sequence[LabelledRow]) -> MergedLabels:
    """Give all labels that look alike the spelling that most rows have; of several such, the one that comes first.

    Labels look alike where they differ only in case, in white space, in what cannot be seen, or as 1 and 1.0
    (:func:`windrow.domain.characters.looks_like`).

    Args:
        rows: Rows of one form.
    """
    counts = Counter(label for row in rows for label in labels_of(row))
    groups = groups_alike(counts)
    kept: dict[str, str] = {}
    for group in groups:
        chosen = max(group, key=lambda label: counts[label])
        kept |= {label: chosen for label in group if label != chosen}
    if not kept:
        return MergedLabels(tuple(rows))
    changed = [number for number, row in enumerate(rows) if not kept.keys().isdisjoint(labels_of(row))]
    warning = _warn_of_merged(groups, kept, counts, changed)
    return MergedLabels(tuple(_with_kept(row, kept) for row in rows), kept, (warning,))


def _with_kept(row: LabelledRow, kept: Mapping[str, str]) -> LabelledRow:
    if kept.keys().isdisjoint(labels_of(row)):
        return row
    if isinstance(row, Row):
        return replace(row, label=kept[row.label])
    # A row may have had a label in two spellings.
    return replace(row, labels=tuple(dict.fromkeys(kept.get(label, label) for label in row.labels)))


def _warn_of_merged(
    groups: Sequence[Sequence[str]], kept: Mapping[str, str], counts: Mapping[str, int], changed: Sequence[int]
) -> DataWarning:
    merged = listed((_merging_text(group, kept, counts) for group in groups), between="; ")
    return DataWarning("labels_merged", f"Labels that look alike were merged: {merged}.", tuple(changed[:_NAMED_ROWS]))


def _merging_text(group: Sequence[str], kept: Mapping[str, str], counts: Mapping[str, int]) -> str:
    chosen = next(label for label in group if label not in kept)
    others = listed(
        f"{quoted_apart(label, chosen)} ({counted(counts[label], 'row')})" for label in group if label != chosen
    )
    return f"{others} into {quoted_apart(chosen, next(iter(set(group) - {chosen})))} ({counted(counts[chosen], 'row')})"
