"""Values of the domain from parsed JSON, with words for a person where a document has another shape.

Nothing is guessed: no number from a string, no field invented. A wrong value is never repeated.
"""

import difflib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

from windrow.codec.strict import short_key
from windrow.codec.types import Type, types_of
from windrow.domain.dataset import DataLimits, Row, check_row_count
from windrow.domain.errors import InvalidRequest
from windrow.domain.values import has_default

V = TypeVar("V")
MAX_PROBLEMS = 10
# Behind the first wrong row; a body of a hundred thousand wrong rows must not cost a hundred thousand sentences.
_SHOWN_WRONG_ROWS = 10
Place = tuple[str | int, ...]


def read_value(
    kind: Callable[..., V],
    document: object,
    *,
    given: Mapping[str, object] | None = None,
    limits: DataLimits | None = None,
    advice: str = "Correct it.",
) -> V:
    """Return a value of a dataclass.

    Args:
        kind: The dataclass.
        document: What :func:`windrow.codec.strict.parse_json` returned; rows may be a tuple of ``Row`` already.
        given: Fields that come from elsewhere, and must not stand in the document.
        limits: On the number of rows, which are counted before they are read; ``None`` sets none.
        advice: What ends the sentences of an error.

    Raises:
        LimitExceeded: There are too many rows.
        InvalidRequest: The document has another shape. ``facts["problems"]`` lists up to ten places, that first which
            helps most; ``row``, ``field`` or ``index`` say where in a list the first of them is.
    """
    found = _Found(limits)
    known = {name: each for name, each in _fields_of(kind).items() if name not in (given or {})}
    passed = _read_fields(known, document, (), found)
    if found.count:
        raise _invalid_request(found, advice)
    return kind(**passed, **(given or {}))


def near_or_known(key: str, known: Sequence[str], said: Container[str]) -> str:
    """Return a hint at the name that was probably meant, unless that was said as well, else at all that there are."""
    if not known:
        return "it takes none"
    near = nearest(key, known)
    return f"did you mean {near}?" if near and near not in said else f"known are {', '.join(known)}"


def nearest(key: str, known: Sequence[str]) -> str | None:
    """Return the name that was probably meant; ``None`` where none is like it."""
    return next(iter(difflib.get_close_matches(key.casefold()[:200], known, n=1, cutoff=0.6)), None)


@dataclass(slots=True)
class _Found:
    """What is wrong with a document, as it is read: some of it in words, and how much it is in all."""

    limits: DataLimits | None
    count: int = 0
    problems: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)

    def add(self, place: Place, tell: Callable[[], str], entry: str = "index") -> None:
        """Note a problem; ``entry`` is what a number in its place counts."""
        if not self.count:
            self.facts = _place_facts(place, entry)
        if self.count < MAX_PROBLEMS:
            self.problems.append(tell())
        self.count += 1

    def add_wrong(self, place: Place, rule: str, entry: str = "index") -> None:
        """Note that what stands in a place breaks a rule."""
        self.add(place, lambda: f"{_path(place) or 'The body'} {rule}", entry)


# What reads a value at a place; what is wrong with it is noted, and anything returned.
_Reader = Callable[[Any, Place, _Found], Any]


def _exactly(kind: type, rule: str) -> _Reader:
    def read(value: Any, place: Place, found: _Found) -> Any:
        if type(value) is not kind:
            found.add_wrong(place, rule, "index" if isinstance(place[-1], int) else "row")
        return value

    return read


def _number(value: Any, place: Place, found: _Found) -> Any:
    try:
        if type(value) in (int, float):
            return float(value)
    except OverflowError:
        pass
    return found.add_wrong(place, "must be a number")


def _object(kind: Any) -> _Reader:
    def read(value: Any, place: Place, found: _Found) -> Any:
        before = found.count
        passed = _read_fields(_fields_of(kind), value, place, found)
        return kind(**passed) if found.count == before else None

    return read


def _mapping(each: _Reader) -> _Reader:
    def read(value: Any, place: Place, found: _Found) -> Any:
        if type(value) is not dict:
            return found.add_wrong(place, "must be an object")
        return {key: each(one, (*place, key), found) for key, one in value.items()}

    return read


def _list(each: _Reader, has_rows: bool) -> _Reader:
    def read(value: Any, place: Place, found: _Found) -> Any:
        if type(value) is tuple:  # it is read already
            return value
        if type(value) is not list:
            return found.add_wrong(place, "must be a list")
        if has_rows and found.limits is not None:
            check_row_count(len(value), found.limits, _path(place))
        before, last, done = found.count, len(value), []
        for number, one in enumerate(value):
            done.append(each(one, (*place, number), found))
            if found.count > before:
                last = min(last, number + _SHOWN_WRONG_ROWS if has_rows else number)
            if number >= last:
                break
        return tuple(done)

    return read


# By name: what reads a field, and whether it may be left out.
Known = Mapping[str, tuple[_Reader, bool]]

_PLAIN: Mapping[object, _Reader] = {
    str: _exactly(str, "must be a string"),
    bool: _exactly(bool, "must be true or false"),
    int: _exactly(int, "must be a whole number"),
    float: _number,
}


def _reader_of(said: Type) -> _Reader:
    if said.each is not None:
        each = _reader_of(said.each)
        reader = _mapping(each) if said.kind is Mapping else _list(each, said.item is Row)
    else:
        reader = _object(said.kind) if is_dataclass(said.kind) else _PLAIN[said.kind]
    if not said.optional:
        return reader
    return lambda value, place, found: None if value is None else reader(value, place, found)


@cache
def _fields_of(kind: Any) -> Known:
    """Return the fields of a dataclass, those first that must be there."""
    types = types_of(kind)
    own = sorted((each for each in fields(kind) if each.init), key=has_default)
    return {each.name: (_reader_of(types[each.name]), has_default(each)) for each in own}


def _read_fields(known: Known, value: Any, place: Place, found: _Found) -> dict[str, Any]:
    if type(value) is not dict:
        found.add_wrong(place, "must be an object", "row")
        return {}
    others: list[str] = []
    meant: set[str] = set()
    if not known.keys() >= value.keys():
        others, meant = _find_misspelt(known, value, place, found)
    passed = {}
    for name, (reader, may_be_left_out) in known.items():
        if name in value:
            passed[name] = reader(value[name], (*place, name), found)
        elif not may_be_left_out and name not in meant:
            found.add_wrong((*place, name), "is missing", "row")
    for key in others[:MAX_PROBLEMS]:
        _add_unknown(key, known, value, place, found)
    found.count += len(others[MAX_PROBLEMS:])
    return passed


def _find_misspelt(known: Known, value: Mapping[str, Any], place: Place, found: _Found) -> tuple[list[str], set[str]]:
    """Note each unknown field that is probably a misspelt one which is missing: that helps more than all else.

    Returns:
        The other unknown fields, and what was meant by the misspelt ones.
    """
    unknown = [key for key in value if key not in known]
    others: list[str] = []
    meant: set[str] = set()
    missing = [name for name in known if name not in value]
    for key in unknown[:MAX_PROBLEMS]:
        near = nearest(key, list(known))
        if near in missing:
            _add_unknown(key, known, value, place, found)
            meant.add(near)
        else:
            others.append(key)
    return [*others, *unknown[MAX_PROBLEMS:]], meant


def _add_unknown(key: str, known: Known, value: Mapping[str, Any], place: Place, found: _Found) -> None:
    def tell() -> str:
        owner = _path(place) or "this request"
        return f"{short_key(key)} is no field of {owner}; {near_or_known(key, list(known), value)}"

    found.add((*place, key), tell, "row")


def _invalid_request(found: _Found, advice: str) -> InvalidRequest:
    first, count = found.problems[0], found.count
    end = "" if first.endswith("?") else "."
    more = f" ({count - 1} more: see problems.)" if count > 1 else ""
    facts = {"problems": found.problems, "num_problems": count, "problem": f"{first}{end}", **found.facts}
    return InvalidRequest("{problem}" + f"{more} {advice}", facts)


def _path(place: Place) -> str:
    """Return a place in a document as a person would write it: ``require.test_data[3].label``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{short_key(part)}" for part in place).removeprefix(".")


def _place_facts(place: Place, entry: str) -> dict[str, object]:
    """Return the facts that name an entry of a list."""
    number = next((position for position, part in enumerate(place) if isinstance(part, int)), None)
    if number is None:
        return {}
    inner = place[number + 1 :]
    return {entry: place[number], **({"field": short_key(inner[0])} if inner else {})}
