"""Collects the rows of a labelled file that are wrong: they are left out, or the first one refuses the file."""

from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from windrow.domain.errors import InvalidFile, WindrowError
from windrow.domain.figures import counted
from windrow.files.formats.form import LeftOut

# So many of them are told one by one.
MAX_TOLD_ROWS = 100
# How to leave out the one wrong row that is told, and others like it.
LEAVE_OUT: Final = "{Turn_on:skip_bad_rows} to leave such rows out."
# So many rows, right or wrong, are looked at behind a wrong one that refuses the file.
MAX_COUNTED_ROWS = 10_000


@dataclass(slots=True)
class BadRows:
    """What is wrong with rows of a labelled file; a ``Listener``.

    Args:
        are_skipped: Whether they are left out; otherwise the first one refuses the file, once the wrong ones among the
            next :data:`MAX_COUNTED_ROWS` rows are counted.
        max_text_chars: The longest text that is taken where they are left out, in characters; ``None`` for any length,
            so that whoever takes the rows refuses a longer one.
        num_rows: How many there are so far.
    """

    are_skipped: bool = False
    max_text_chars: int | None = None
    num_rows: int = 0
    _num_behind: int = field(default=0, init=False, repr=False)
    _first: list[InvalidFile] = field(default_factory=list, init=False, repr=False)

    @property
    def takes_questions(self) -> bool:
        """Whether what is not clear is noted; here it refuses the file."""
        return False

    @property
    def refuses(self) -> bool:
        """Whether the file is refused for one of them."""
        return self.num_rows > 0 and not self.are_skipped

    @property
    def rows(self) -> tuple[LeftOut, ...]:
        """The first of them, in file order, as rows that are left out."""
        return tuple(map(_left_out, self._first))

    def note_problem(self, error: InvalidFile) -> None:
        """Take note of a row that is wrong.

        Raises:
            InvalidFile: The file is refused, and no more rows are counted.
        """
        if self.refuses:
            self.count_on()
        self.num_rows += 1
        if len(self._first) < MAX_TOLD_ROWS or _line(error) < _line(self._first[-1]):
            insort(self._first, error, key=_line)
            del self._first[MAX_TOLD_ROWS:]

    def note_question(self, error: InvalidFile) -> None:
        """Refuse the file.

        Raises:
            InvalidFile: Always.
        """
        raise error

    def count_on(self) -> None:
        """Take note that another row was read of a file that is refused.

        Raises:
            InvalidFile: So many were read that no more are counted.
        """
        self._num_behind += 1
        if self._num_behind > MAX_COUNTED_ROWS:
            raise self._refusal(is_whole=False)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Refuse the file for the first of them once it is read, unless they are left out.

        Raises:
            InvalidFile: There is one; the message names its line, says how many more there are, and names the option.
        """
        try:
            yield
        except WindrowError as error:
            # A later problem may be due to the first one, and nobody has counted the rows behind it.
            if self.refuses:
                raise self._refusal(is_whole=False) from error
            raise
        if self.refuses:
            raise self._refusal(is_whole=True)

    def _refusal(self, *, is_whole: bool) -> InvalidFile:
        first, more = self._first[0], self.num_rows - 1
        if more:
            others = counted(more, "more row is wrong", "more rows are wrong")
            others = others if is_whole else f"At least {others}"
            advice = f"{others}; {{turn_on:skip_bad_rows}} to leave such rows out."
        else:
            advice = LEAVE_OUT
        return InvalidFile(f"{first.template} {advice}", {**first.facts, "num_bad_rows": self.num_rows})


@dataclass(frozen=True, slots=True)
class FirstBadRow:
    """Refuses a file for its first wrong row, once the rows before it are answered; a ``Listener``.

    Args:
        advice: How to leave such rows out, as a template; "" where that is not possible.
    """

    advice: str = LEAVE_OUT

    @property
    def takes_questions(self) -> bool:
        """Whether what is not clear is noted; here it refuses the file."""
        return False

    def note_problem(self, error: InvalidFile) -> None:
        """Refuse the file.

        Raises:
            InvalidFile: Always; the message says how to leave such rows out.
        """
        raise InvalidFile(f"{error.template} {self.advice}".rstrip(), error.facts)

    def note_question(self, error: InvalidFile) -> None:
        """Refuse the file.

        Raises:
            InvalidFile: Always.
        """
        raise error


def without_place(template: str) -> str:
    """Return what an error says of a file, without the beginning that says where.

    Args:
        template: That of an error that a ``Source`` has made.
    """
    return template.partition(": ")[2] if template.startswith("{file}") else template


def _line(error: InvalidFile) -> int:
    line = error.facts["line"]
    assert isinstance(line, int)
    return line


def _left_out(error: InvalidFile) -> LeftOut:
    facts = {name: value for name, value in error.facts.items() if name not in ("file", "line", "id")}
    return LeftOut(_line(error), without_place(error.template), facts, str(error.facts.get("id", "")), is_wrong=True)
