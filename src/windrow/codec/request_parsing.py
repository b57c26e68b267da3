"""A request from the bytes of its JSON body in one step, without holding up other threads while a list is read.

A list of a hundred thousand rows is cut into slices, each of which is read in a few milliseconds, straight to rows; the
rest of the body is parsed strictly. A body that is not of the usual form, or wrong, is read as a whole, patiently, so
that every body means the same either way.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from functools import cache
from typing import Any, Final, TypeVar

from windrow.codec.patterns import FLAT, MULTI_LABEL_ROW, ROW, STRING, spaced
from windrow.codec.strict import parse_json, too_many_values
from windrow.codec.types import types_of
from windrow.codec.validation import read_value
from windrow.codec.values import ValidationError, adapter_of
from windrow.domain.dataset import DataLimits, Row, check_row_count
from windrow.domain.errors import InvalidJson
from windrow.domain.multi_label import MultiLabelRow

V = TypeVar("V")
# Below, cutting takes longer than it saves.
_LARGE_BYTES = 16_384
_SLICE_ITEMS = 2_000
_SLICE_BYTES = 400_000
# No other thread runs while so many items, or so many bytes, are matched.
_RUN_ITEMS = 16
_WINDOW_BYTES = 1_000_000
# A row that is read patiently counts as three: itself, its text, its label; or as more, with several labels. Still more
# are read in slices alone, if there are no more distinct ones than a request may have.
_VALUES_PER_ROW = 10
_MOST_OTHER_VALUES = 500_000
# An escape.
_MOST_CHARS_OF_ONE = 6
_BLANKS = b" \t\n\r"


def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())


_OPENING: Final = _compiled(spaced("", r"\{"))
_OPENING_LIST: Final = _compiled(spaced(r"\[", ""))
_MEMBER: Final = _compiled(spaced("", '"([a-z_]++)"', ":", ""))
_VALUE: Final = _compiled(FLAT)
_NEXT: Final = _compiled(spaced("", "[,}]"))


@dataclass(frozen=True, slots=True)
class _Items:
    """The form of a list's elements: some with a comma behind each, and the last one with the bracket."""

    run: re.Pattern[bytes]
    one: re.Pattern[bytes]
    last: re.Pattern[bytes]

    @classmethod
    def of(cls, item: str) -> "_Items":
        with_comma = spaced(item, ",", "")
        run = f"(?:{with_comma}){{{_RUN_ITEMS}}}+"
        return cls(_compiled(run), _compiled(with_comma), _compiled(spaced(item, r"\]")))


_ITEMS: Final[Mapping[object, _Items]] = {
    Row: _Items.of(ROW),
    MultiLabelRow: _Items.of(MULTI_LABEL_ROW),
    str: _Items.of(STRING),
}


def read_request(
    kind: Callable[..., V],
    body: bytes,
    *,
    preset: Mapping[str, object] | None = None,
    limits: DataLimits | None = None,
    advice: str = "Correct it.",
) -> V:
    """Return a request from its JSON body. See :func:`windrow.codec.validation.read_value`.

    Raises:
        InvalidJson: The body is no strict JSON.
        LimitExceeded: There are too many rows, or values of any kind.
        InvalidRequest: It has another shape.
    """
    document = _read_in_slices(kind, body, limits) if len(body) > _LARGE_BYTES else None
    if document is None:
        document = _parse(body, limits)
    return read_value(kind, document, preset=preset, limits=limits, advice=advice)


class _UnusualError(Exception):
    """A body has another form than most; whether it is wrong is not known."""


@dataclass(slots=True)
class _List:
    """A list that was cut out of a body: where it stands, and its slices, each up to a comma or the bracket."""

    path: tuple[str, ...]
    item: Any
    count: int = 0
    slices: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Cut:
    """A body, cut into its lists and what is around them."""

    body: bytes
    rest: list[bytes] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    rest_from: int = 0

    def match(self, pattern: re.Pattern[bytes], start: int) -> re.Match[bytes]:
        """Match a pattern at a position."""
        found = pattern.match(self.body, start, start + _WINDOW_BYTES)
        if found is None:
            raise _UnusualError
        return found


def _read_in_slices(kind: Any, body: bytes, limits: DataLimits | None) -> object | None:
    """Return a parsed document whose lists are read already; ``None`` where the body is wrong or unusual."""
    cut = _Cut(body)
    try:
        end = _cut_object(cut, kind, (), 0)
        document = _parse(b"".join((*cut.rest, body[cut.rest_from :])), limits)
    except (_UnusualError, InvalidJson):
        return None
    if body[end:].strip(_BLANKS):
        return None
    for each in cut.lists:
        if each.item is not str and limits is not None:
            check_row_count(each.count, limits, ".".join(each.path))
    if sum(each.count for each in cut.lists) > (most := _most_values(limits)):
        raise too_many_values(most)
    are_many = sum(_num_values(body, each) for each in cut.lists) > most
    for each in cut.lists:
        if (read := _read_slices(body, each, (limits or DataLimits()) if are_many else None)) is None:
            return None
        _put(document, each.path, read)
    return document


def _parse(body: bytes, limits: DataLimits | None) -> object:
    longest = (limits or DataLimits()).max_text_chars
    return parse_json(body, most_values=_most_values(limits), most_chars=_MOST_CHARS_OF_ONE * longest)


def _most_values(limits: DataLimits | None) -> int:
    """Return how many values a request may have: several for each row, and enough for texts and names."""
    return _MOST_OTHER_VALUES + _VALUES_PER_ROW * (limits or DataLimits()).max_rows


def _num_values(body: bytes, found: _List) -> int:
    """Return how many values a list has, about: its elements, and of rows with several labels their strings."""
    if found.item is not MultiLabelRow:
        return found.count
    # Each row has the names of two fields.
    quotes = sum(body.count(b'"', start, end) - body.count(b'\\"', start, end) for start, end in found.slices)
    return quotes // 2 - found.count


def _put(document: Any, path: tuple[str, ...], value: object) -> None:
    for part in path[:-1]:
        document = document[part]
    document[path[-1]] = value


def _cut_object(cut: _Cut, kind: Any, path: tuple[str, ...], start: int) -> int:
    """Cut the lists out of an object, and return where it ends."""
    end = cut.match(_OPENING, start).end()
    while True:
        member = cut.match(_MEMBER, end)
        name = member[1].decode()
        inner = _long_fields(kind).get(name)
        opening = cut.body[member.end() : member.end() + 1]
        if isinstance(inner, tuple) and opening == b"[":
            end = _cut_list(cut, _List((*path, name), _form_at(cut, inner, member.end())), member.end())
        elif is_dataclass(inner) and opening == b"{":
            end = _cut_object(cut, inner, (*path, name), member.end())
        else:
            end = cut.match(_VALUE, member.end()).end()
        following = cut.match(_NEXT, end)
        end = following.end()
        if following[0][-1:] == b"}":
            return end


def _form_at(cut: _Cut, forms: tuple[Any, ...], start: int) -> Any:
    """Return which of several classes the first element of a list is of; the last one where it is none of them."""
    first = cut.match(_OPENING_LIST, start).end()
    for form in forms[:-1]:
        items = _ITEMS[form]
        if any(each.match(cut.body, first, first + _WINDOW_BYTES) for each in (items.one, items.last)):
            return form
    return forms[-1]


def _cut_list(cut: _Cut, found: _List, start: int) -> int:
    """Cut a list into slices, and return where it ends."""
    body, items = cut.body, _ITEMS[found.item]
    position = began = cut.match(_OPENING_LIST, start).end()
    if body[position : position + 1] == b"]":
        return position + 1
    in_slice = 0
    for pattern, count in ((items.run, _RUN_ITEMS), (items.one, 1), (items.last, 1)):
        while (some := pattern.match(body, position, position + _WINDOW_BYTES)) is not None:
            position, in_slice = some.end(), in_slice + count
            if in_slice >= _SLICE_ITEMS or position - began >= _SLICE_BYTES or pattern is items.last:
                found.slices.append((began, position))
                began, found.count, in_slice = position, found.count + in_slice, 0
            if pattern is items.last:
                cut.rest.append(body[cut.rest_from : start + 1])
                cut.rest_from = position - 1
                cut.lists.append(found)
                return position
    raise _UnusualError


@cache
def _long_fields(kind: Any) -> Mapping[str, Any]:
    """Return the fields of a dataclass that may hold much.

    Returns:
        Of each list, the classes of which its elements are one; otherwise the dataclass of what is inside.
    """
    types = types_of(kind)
    items = {name: declared.each for name, declared in types.items() if declared.item in _ITEMS}
    lists = {name: each.forms or (each.kind,) for name, each in items.items() if each is not None}
    return lists | {name: declared.kind for name, declared in types.items() if is_dataclass(declared.kind)}


@dataclass(slots=True)
class _LabelCount:
    """The distinct labels of rows so far: equal ones share their memory, so that a row costs a reference for each."""

    limits: DataLimits
    labels: set[str] = field(default_factory=set)

    def add(self, rows: Sequence[MultiLabelRow]) -> None:
        """Count the labels of more rows.

        Raises:
            LimitExceeded: There are more than a request may have.
        """
        self.labels.update(*(row.labels for row in rows))
        if len(self.labels) > self.limits.max_labels:
            raise too_many_values(_most_values(self.limits))


def _read_slices(body: bytes, found: _List, limits: DataLimits | None) -> tuple[Any, ...] | None:
    """Return the elements of a list; ``None`` where one is wrong (an unknown escape, half a character).

    Args:
        body: The body.
        found: The list.
        limits: What the distinct labels of its rows are held to, where there are many labels.

    Raises:
        LimitExceeded: There are more distinct ones.
    """
    adapter = adapter_of(tuple[found.item, ...])  # type: ignore[name-defined]
    counted = None if limits is None or found.item is not MultiLabelRow else _LabelCount(limits)
    done: list[Any] = []
    try:
        for start, end in found.slices:
            rows = adapter.validate_json(
                b"[" + body[start:end].rstrip(_BLANKS)[:-1] + b"]", strict=True, extra="forbid"
            )
            if counted is not None:
                counted.add(rows)
            done += rows
    except ValidationError:
        return None
    return tuple(done)
