"""The examples of a file, as they are trained on, and what the file says beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from windrow.domain.inspection import FileNote, RowProblem
from windrow.domain.prediction import Kind
from windrow.domain.read_options import Format, Split
from windrow.domain.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples(Value):
    """The examples of a file: columns of equal length, and what was left out of it."""

    _summary = "format kind texts labels num_left_out num_unlabelled"

    format: Format | None
    """What the file is; ``None`` where it has no rows."""
    certainty: float = 1.0
    """How sure that is, from 0 to 1."""
    kind: Kind
    """Whether its rows have one label each, or any number of them."""
    texts: tuple[str, ...]
    """The texts, in file order."""
    labels: tuple[str | tuple[str, ...], ...]
    """The label of each text; where rows have any number of them, a tuple each."""
    splits: tuple[Split | None, ...]
    """The part of the data that the file says each row belongs to: ``train``, ``validation`` or ``test``; ``None``
    where it says nothing.
    """
    ids: tuple[str, ...]
    """What the labelling tool that wrote the file calls each row; empty where it has no name."""
    lines: tuple[int, ...]
    """The line at which each row begins, or the number of its record, from 1."""
    left_out: tuple[RowProblem, ...] = ()
    """The rows that are no examples, each with the reason: the first hundred."""
    num_left_out: int = 0
    """How many there are."""
    num_unlabelled: int = 0
    """How many more rows nobody has labelled yet."""
    description: str = ""
    """What the file says that the classifier is for, such as a system prompt."""
    label_descriptions: Mapping[str, str] = field(default_factory=dict)
    """What the file says that labels mean, by label."""
    notes: tuple[FileNote, ...] = ()
    """What was decided about the file as a whole."""

    def only(self, *splits: Split | None) -> "Examples":
        """Return the examples of some parts of the data.

        Args:
            *splits: The parts; ``None`` for rows of which the file says nothing.
        """
        places = [place for place, split in enumerate(self.splits) if split in splits]
        return replace(
            self,
            texts=tuple(self.texts[place] for place in places),
            labels=tuple(self.labels[place] for place in places),
            splits=tuple(self.splits[place] for place in places),
            ids=tuple(self.ids[place] for place in places),
            lines=tuple(self.lines[place] for place in places),
        )
