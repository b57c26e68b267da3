"""Decide what several annotators of one text say together: what most of them chose, or nothing where there is a tie."""

from collections import Counter
from collections.abc import Sequence

from windrow.domain.read_options import ReadOptions
from windrow.files.formats.row_parts import NoExample


def agreed_labels(votes: Sequence[Sequence[str]], options: ReadOptions) -> list[str]:
    """Return the labels that the annotators of a text gave it together.

    Where each gave one label, that is the one given most often. Where one of them gave several, or a text may have any
    number, each label counts for itself, and stands where more than half of the annotators gave it.

    Args:
        votes: The labels by each annotator, at least one.
        options: The read options; ``annotators`` says whether annotators may differ.

    Raises:
        NoExample: There is a tie, or they differ where they must not.
    """
    first = votes[0]
    if all(set(vote) == set(first) for vote in votes):
        return list(first)
    if options.annotators == "refuse":
        words = "its {count} annotators differ: {votes:joined}. Correct it, or take what most of them chose with "
        words += "{set:annotators=majority}."
        raise NoExample(words, is_wrong=True, count=len(votes), votes=_shown(votes))
    counts = Counter(label for vote in votes for label in vote)
    is_several = options.labels_column or any(len(vote) != 1 for vote in votes)
    return _by_label(counts, votes) if is_several else _most_chosen(counts, votes)


def _most_chosen(counts: Counter[str], votes: Sequence[Sequence[str]]) -> list[str]:
    (label, most), *others = counts.most_common(2)
    if others and others[0][1] == most:
        raise _tie(votes)
    return [label]


def _by_label(counts: Counter[str], votes: Sequence[Sequence[str]]) -> list[str]:
    if any(2 * count == len(votes) for count in counts.values()):
        raise _tie(votes)
    return [label for label, count in counts.items() if 2 * count > len(votes)]


def _tie(votes: Sequence[Sequence[str]]) -> NoExample:
    words = "its {count} annotators differ, and no choice is that of most: {votes:joined}."
    return NoExample(words, count=len(votes), votes=_shown(votes))


def _shown(votes: Sequence[Sequence[str]]) -> list[str]:
    return [" + ".join(vote) or "none" for vote in votes]
