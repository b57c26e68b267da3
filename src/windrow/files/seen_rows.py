"""What is noted of a file's rows while an inspection reads them: their columns, problems, and what is not clear."""

from bisect import insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from windrow.domain.characters import is_blank
from windrow.domain.errors import InvalidFile, LimitExceeded
from windrow.domain.inspection import (
    MAX_EXAMPLE_CHARS,
    MAX_EXAMPLES,
    MAX_PROBLEMS,
    OpenQuestion,
    RowProblem,
    row_problem,
)
from windrow.domain.words import render
from windrow.files.bad_rows import without_place
from windrow.files.decoding import Source
from windrow.files.delimited import MAX_COLUMNS, NumberedRow, too_many_columns
from windrow.files.json_values import shown_value
from windrow.files.nested_values import NestedRow

# Deeper values have no JSON reader that all have in common.
_MAX_DEPTH: Final = 50


@dataclass(slots=True)
class Notes:
    """What is wrong with a file's rows, and what is not clear; a ``Listener``.

    Args:
        max_problems: More are as many rows too many.
        problems: The first rows that were left out, by their lines.
        num_problems: How many there are.
        questions: What is not clear, by the read option that answers it.
    """

    max_problems: int
    problems: list[RowProblem] = field(default_factory=list)
    num_problems: int = 0
    questions: dict[str, OpenQuestion] = field(default_factory=dict)

    @property
    def takes_questions(self) -> bool:
        """Whether what is not clear is noted."""
        return True

    def note_problem(self, error: InvalidFile) -> None:
        """Take note of a row that is left out.

        Raises:
            LimitExceeded: There are too many.
        """
        self.num_problems += 1
        if self.num_problems > self.max_problems:
            raise _too_many_rows(str(error.facts["file"]), self.max_problems)
        line, template = error.facts["line"], without_place(error.template)
        assert isinstance(line, int)
        if len(self.problems) < MAX_PROBLEMS or line < self.problems[-1].line:
            problem = row_problem(line, template, error.facts, str(error.facts.get("id", "")))
            insort(self.problems, problem, key=lambda each: each.line)
            del self.problems[MAX_PROBLEMS:]

    def note_question(self, error: InvalidFile) -> None:
        """Take note of what is not clear, without the advice, which is the parameter."""
        parameter = str(error.facts["parameter"])
        template = without_place(error.template)
        detail = f"{template.partition('. ')[0].removesuffix('.')}."
        self.questions.setdefault(parameter, OpenQuestion(parameter, render(detail, error.facts), choices_of(error)))


def choices_of(error: InvalidFile) -> tuple[str, ...]:
    """Return what an error says that one may choose from."""
    names = error.facts.get("names")
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()


@dataclass(slots=True)
class SeenColumn:
    """What was seen of a column.

    Args:
        examples: A few different values, cut.
        values: All different ones.
    """

    examples: list[str] = field(default_factory=list)
    values: set[str] = field(default_factory=set)

    def add(self, value: object) -> None:
        """Take note of a cell; blank ones do not count."""
        shown = shown_value(value)
        if shown in self.values or is_blank(shown):
            return
        self.values.add(shown)
        if len(self.examples) < MAX_EXAMPLES:
            is_long = len(shown) > MAX_EXAMPLE_CHARS
            self.examples.append(f"{shown[: MAX_EXAMPLE_CHARS - 1]}…" if is_long else shown)


@dataclass(slots=True)
class SeenRows:
    """What was seen of a file's rows while they were read.

    Args:
        source: The file.
        max_rows: More are refused.
        columns: Its columns, by name.
        is_json: Whether its values are of JSON, and may be such that no reply can hold them.
        num_rows: How many rows were seen, those with a problem too.
    """

    source: Source
    max_rows: int
    columns: dict[str, SeenColumn]
    is_json: bool = field(kw_only=True)
    num_rows: int = 0

    def counted(self, rows: Iterator[NumberedRow]) -> Iterator[NumberedRow]:
        """Yield the rows, and take note of their columns.

        Raises:
            LimitExceeded: There are too many.
            InvalidFile: There are too many columns.
        """
        for line, values in rows:
            if self.is_json and (problem := _problem_of_json(values)):
                self.num_rows += 1
                self.source.reject(problem, line)
                continue
            self.count(line, values)
            yield line, values

    def count(self, line: int, values: Mapping[str, object]) -> None:
        """Take note of a row.

        Raises:
            LimitExceeded: There are too many.
            InvalidFile: There are too many columns.
        """
        self.num_rows += 1
        if self.num_rows > self.max_rows:
            raise _too_many_rows(self.source.name, self.max_rows)
        if isinstance(values, NestedRow):
            for name in (*self.columns,):
                if name not in values.keys() and name in values:  # noqa: SIM118 - a path is no key
                    self.columns[name].add(values[name])
        for name, value in values.items():
            if name not in self.columns:
                if len(self.columns) == MAX_COLUMNS:
                    raise too_many_columns(self.source, line)
                self.columns[name] = SeenColumn()
            self.columns[name].add(value)


def _too_many_rows(name: str, limit: int) -> LimitExceeded:
    return LimitExceeded(
        "{file} has more than {limit} rows; more are not taken here. {Send} fewer, or raise {setting}.",
        {"file": name, "limit": limit, "setting": "WINDROW_MAX_ROWS"},
    )


def _problem_of_json(values: Mapping[str, object]) -> str | None:
    """Return why a row cannot be given back as JSON; ``None`` if it can."""
    waiting: list[tuple[object, int]] = [(values, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            if not value.isascii() and _has_half_pair(value):
                return "it holds half of a surrogate pair, which is no character. Correct that row."
        elif isinstance(value, dict | list):
            if depth > _MAX_DEPTH:
                return "a value in it is nested too deeply. Remove it."
            parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
            waiting.extend((part, depth + 1) for part in parts)
    return None


def _has_half_pair(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
