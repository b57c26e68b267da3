"""Texts of any number as batches, each of which is one request, and errors that name a text by its number among all."""

from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

from windrow.domain.errors import WindrowError

T = TypeVar("T")
E = TypeVar("E", bound=WindrowError)


def length(item: object) -> int:
    """Return how long an item is, as far as it has a length."""
    return len(item) if isinstance(item, Sized) else 0


def in_batches(
    items: Iterable[T],
    max_items: int,
    max_chars: int,
    chars_in: Callable[[T], int] = length,
    first_items: int | None = None,
) -> Iterator[list[T]]:
    """Cut items into batches, taking no more of them at a time than one batch.

    Args:
        items: What is cut. Where it raises an error of Windrow, that comes behind a batch of the items before.
        max_items: The most items in a batch, at least 1.
        max_chars: The most characters in a batch, unless one item has more.
        chars_in: Returns the characters of an item.
        first_items: The most items in the first batch; in each further one, twice as many as in the one before.

    Yields:
        The batches, in order, none of them empty.
    """
    batch: list[T] = []
    chars, most = 0, min(first_items or max_items, max_items)
    problem: WindrowError | None = None
    try:
        for item in items:
            if batch and chars + chars_in(item) > max_chars:
                yield batch
                batch, chars = [], 0
            batch.append(item)
            chars += chars_in(item)
            if len(batch) == most:
                yield batch
                batch, chars, most = [], 0, min(2 * most, max_items)
    except WindrowError as error:
        problem = error
    if batch:
        yield batch
    if problem is not None:
        raise problem


def renumbered(error: E, first: int) -> E:
    """Return an error about a text of one batch with the text's number among all texts.

    Args:
        error: The error; one that names no text stays as it is.
        first: The number of the batch's first text.
    """
    if not isinstance(index := error.facts.get("index"), int):
        return error
    return type(error)(error.template, {**error.facts, "index": first + index})
