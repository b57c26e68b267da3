"""Tell which of several questions about each text holds the labels: a control, a question or a target, as tools say."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from windrow.files.formats.form import Document, Example, LeftOut
from windrow.files.formats.row_parts import ASK_LABELS, parameter_asked


@dataclass(slots=True)
class Questions:
    """The questions that rows have answers to; the first row that has any tells which it is, unless an option does.

    Args:
        document: The file.
        noun: What the tool calls such a question.
        asked: The one that the options name; ``None`` without.
        name: The one whose answers are the labels; ``None`` until it is told.
        seen: All of them so far.
    """

    document: Document
    noun: str
    asked: str | None = None
    name: str | None = None
    seen: set[str] = field(default_factory=set)

    def add(self, names: Iterable[str]) -> None:
        """Take note of the questions that a row has answers to.

        Raises:
            InvalidFile: There are several, and no option names one.
        """
        self.seen.update(names)
        if self.asked is None and len(self.seen) > 1:
            words = "it has labels of several {noun}s, {names:quoted}, and it is not clear which of them to learn. "
            raise self.document.error(
                words + ASK_LABELS, parameter="label_column", noun=self.noun, names=sorted(self.seen)
            )
        self.name = self.asked or next(iter(self.seen), None)

    def checked(self, rows: Iterator[Example | LeftOut]) -> Iterator[Example | LeftOut]:
        """Yield rows, and then refuse the file if the question that an option names is in none of them.

        Raises:
            InvalidFile: It is not there.
        """
        yield from rows
        if self.asked is not None and self.seen and self.asked not in self.seen:
            words = "there is no {noun} {asked!r} with labels; there are {names:quoted}. Name one of them."
            raise self.document.error(
                words,
                parameter=parameter_asked(self.document.options),
                noun=self.noun,
                asked=self.asked,
                names=sorted(self.seen),
            )
