"""The page on errors: each code, its class in Python, its HTTP status and its exit code."""

import dataclasses
from collections.abc import Iterator

from docs.generator.docstrings import text_of
from docs.generator.kinds import fields_table
from docs.generator.markdown import page, paragraph, paragraphs
from windrow.api.flat import Problem
from windrow.cli.exits import exit_code_of
from windrow.domain.errors import WindrowError
from windrow.http.problems import STATUSES, RequestProblem


def text() -> str:
    """Return the page."""
    return page(
        "Errors",
        *paragraphs(text_of(WindrowError)),
        paragraph(
            "`code` is stable, for programs. In Python an error is an exception of the class named below, in "
            "`windrow.domain.errors`; families are for `except` clauses. Over HTTP it is `application/problem+json`. "
            "The command line prints its sentence and ends with the exit code."
        ),
        *(part for family in WindrowError.__subclasses__() for part in _family(family)),
        "## Problem",
        *paragraphs(text_of(Problem)),
        fields_table(Problem, list(dataclasses.fields(Problem))),
    )


def _family(family: type[WindrowError]) -> Iterator[str]:
    leaves = [each for each in STATUSES if issubclass(each, family)]
    if leaves:
        yield f"## {family.__name__}"
        yield from paragraphs(text_of(family))
        for error in leaves:
            in_python = (
                "" if family is RequestProblem else f"`{error.__name__}` · exit code {exit_code_of(error(''))} · "
            )
            yield f"### {error.code}"
            yield from paragraphs(text_of(error))
            yield f"{in_python}HTTP status {STATUSES[error]}"
