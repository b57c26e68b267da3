"""Values of the domain from parsed JSON, with words for a person where a document has another shape.

Nothing is guessed: no number from a string, no field invented; but a row's label may be a whole number, which is taken
as its text, or stand alone in a list. A wrong value is never repeated.
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
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.values import has_default

V = TypeVar("V")
MAX_PROBLEMS = 10
# Behind the first wrong row; a body of a hundred thousand wrong rows must not cost a hundred thousand sentences.
_SHOWN_WRONG_ROWS = 10
JsonPath = tuple[str | int, ...]


def read_value(
    kind: Callable[..., V],
    document: object,
    *,
    preset: Mapping[str, object] | None = None,
    limits: DataLimits | None = None,
    advice: str = "Correct it.",
) -> V:
    """Return a value of a dataclass.

    Args:
        kind: The dataclass.
        document: What :func:`windrow.codec.strict.parse_json` returned; rows may be a tuple of ``Row`` already.
        preset: Fields that come from elsewhere, and must not stand in the document.
        limits: On the number of rows, which are counted before they are read; ``None`` sets none.
        advice: What ends the sentences of an error.

    Raises:
        LimitExceeded: There are too many rows.
        InvalidRequest: The document has another shape. ``facts["problems"]`` lists up to ten problems, that first which
            helps most; ``row``, ``field`` or ``index`` say where in a list the first of them is.
    """
    problems = _Problems(limits)
    known = {name: each for name, each in _fields_of(kind).items() if name not in (preset or {})}
    passed = _read_fields(known, document, (), problems)
    if problems.count:
        raise _invalid_request(problems, advice)
    return kind(**passed, **(preset or {}))


def near_or_known(key: str, known: Sequence[str], present: Container[str]) -> str:
    """Return a hint at the name that was probably meant, unless that was said as well, else at all that there are."""
    if not known:
        return "it takes none"
    near = nearest(key, known)
    return f"did you mean {near}?" if near and near not in present else f"known are {', '.join(known)}"


def nearest(key: str, known: Sequence[str]) -> str | None:
    """Return the name that was probably meant; ``None`` where none is like it."""
    return next(iter(difflib.get_close_matches(key.casefold()[:200], known, n=1, cutoff=0.6)), None)


@dataclass(slots=True)
class _Problems:
    """What is wrong with a document, as it is read: some of it in words, and how much it is in all."""

    limits: DataLimits | None
    row_form: str = "label"
    """The field with the labels of the rows that are being read, as the first row that has any tells it."""
    count: int = 0
    details: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)

    def add(self, path: JsonPath, tell: Callable[[], str], entry: str = "index") -> None:
        """Note a problem; ``entry`` is what a number in the path counts."""
        if not self.count:
            self.facts = _path_facts(path, entry)
        if self.count < MAX_PROBLEMS:
            self.details.append(tell())
        self.count += 1

    def add_wrong(self, path: JsonPath, rule: str, entry: str = "index") -> None:
        """Note that the value at a path breaks a rule."""
        self.add(path, lambda: f"{_path_text(path) or 'The body'} {rule}", entry)


# What reads the value at a path, and notes what is wrong with it.
_Reader = Callable[[Any, JsonPath, _Problems], Any]


def _exactly(kind: type, rule: str) -> _Reader:
    def read(value: Any, path: JsonPath, problems: _Problems) -> Any:
        if type(value) is not kind:
            problems.add_wrong(path, rule, _entry_at(path))
        return value

    return read


def _label(value: Any, path: JsonPath, problems: _Problems) -> Any:
    # Classes are often numbered, and 1 means the same label as "1".
    return str(value) if type(value) is int else _PLAIN[str](value, path, problems)


def _number(value: Any, path: JsonPath, problems: _Problems) -> Any:
    try:
        if type(value) in (int, float):
            return float(value)
    except OverflowError:
        pass
    return problems.add_wrong(path, "must be a number")


def _object(kind: Any) -> _Reader:
    def read(value: Any, path: JsonPath, problems: _Problems) -> Any:
        before = problems.count
        passed = _read_fields(_fields_of(kind), value, path, problems)
        return kind(**passed) if problems.count == before else None

    return read


def _row(value: Any, path: JsonPath, problems: _Problems) -> Any:
    """Read a row of either form, known by the name of its labels."""
    if type(value) is not dict:
        return _read_single(value, path, problems)
    label = value.get("label")
    if "labels" in value:
        if "label" in value:
            rule = "has label and labels; send one of them, which is labels for any number of labels"
            return problems.add_wrong(path, rule, "row")
        return _read_several(value, path, problems)
    if type(label) is list:
        # Some tools write each label as a list, which is no more than a way to write one label.
        if len(label) != 1:
            rule = f"is a list of {len(label)} labels; rows with any number of labels have them as labels, each of them"
            return problems.add_wrong((*path, "label"), rule, "row")
        return _read_single({**value, "label": label[0]}, path, problems)
    return (_read_several if _means_labels(value, problems.row_form) else _read_single)(value, path, problems)


def _means_labels(value: Mapping[str, Any], form: str) -> bool:
    """Whether a row without labels has a misspelt field that is most like ``labels``, or none where others have those.

    Args:
        value: The row.
        form: The field with the labels of other rows.
    """
    if "label" in value:
        return False
    meant = {nearest(key, _ROW_FIELDS) for key in [*value][:MAX_PROBLEMS]}
    return "labels" in meant or (form == "labels" and "label" not in meant)


def _row_form(rows: Sequence[Any]) -> str:
    """Return the field with the labels of the first row that has any; ``label`` where none has."""
    fields_of_rows = (name for row in rows if type(row) is dict for name in ("label", "labels") if name in row)
    return next(fields_of_rows, "label")


def _mapping(each: _Reader) -> _Reader:
    def read(value: Any, path: JsonPath, problems: _Problems) -> Any:
        if type(value) is not dict:
            return problems.add_wrong(path, "must be an object")
        return {key: each(one, (*path, key), problems) for key, one in value.items()}

    return read


def _list(each: _Reader, has_rows: bool, example: str = "") -> _Reader:
    rule = f"must be a list, such as {example}" if example else "must be a list"

    def read(value: Any, path: JsonPath, problems: _Problems) -> Any:
        if type(value) is tuple:  # it is read already
            return value
        if type(value) is not list:
            return problems.add_wrong(path, rule, _entry_at(path))
        if has_rows:
            if problems.limits is not None:
                check_row_count(len(value), problems.limits, _path_text(path))
            problems.row_form = _row_form(value)
        before, last, done = problems.count, len(value), []
        for number, one in enumerate(value):
            done.append(each(one, (*path, number), problems))
            if problems.count > before:
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


_ROW_FIELDS = ("text", "label", "labels")
_read_single, _read_several = _object(Row), _object(MultiLabelRow)
_FORMS: Mapping[tuple[Any, ...], _Reader] = {(Row, MultiLabelRow): _row}


def _reader_of(declared: Type) -> _Reader:
    if declared.each is not None:
        each = _reader_of(declared.each)
        reader = _mapping(each) if declared.kind is Mapping else _list(each, declared.item is Row)
    else:
        # Which choices there are, the rules of the domain say.
        plain = str if declared.choices else declared.kind
        own = _FORMS[declared.forms] if declared.forms else None
        reader = own or (_object(plain) if is_dataclass(plain) else _PLAIN[plain])
    if not declared.optional:
        return reader
    return lambda value, path, problems: None if value is None else reader(value, path, problems)


@cache
def _fields_of(kind: Any) -> Known:
    """Return the fields of a dataclass, those first that must be there."""
    types = types_of(kind)
    own = sorted((each for each in fields(kind) if each.init), key=has_default)
    readers = {each.name: (_reader_of(types[each.name]), has_default(each)) for each in own}
    if kind is MultiLabelRow:
        return {**readers, "labels": (_list(_label, has_rows=False, example='["billing"]'), False)}
    return {**readers, "label": (_label, False)} if kind is Row else readers


def _read_fields(known: Known, value: Any, path: JsonPath, problems: _Problems) -> dict[str, Any]:
    if type(value) is not dict:
        problems.add_wrong(path, "must be an object", "row")
        return {}
    others: list[str] = []
    meant: set[str] = set()
    if not known.keys() >= value.keys():
        others, meant = _find_misspelt(known, value, path, problems)
    passed = {}
    for name, (reader, may_be_left_out) in known.items():
        if name in value:
            passed[name] = reader(value[name], (*path, name), problems)
        elif not may_be_left_out and name not in meant:
            problems.add_wrong((*path, name), "is missing", "row")
    for key in others[:MAX_PROBLEMS]:
        _add_unknown(key, known, value, path, problems)
    problems.count += len(others[MAX_PROBLEMS:])
    return passed


def _find_misspelt(
    known: Known, value: Mapping[str, Any], path: JsonPath, problems: _Problems
) -> tuple[list[str], set[str]]:
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
            _add_unknown(key, known, value, path, problems)
            meant.add(near)
        else:
            others.append(key)
    return [*others, *unknown[MAX_PROBLEMS:]], meant


def _add_unknown(key: str, known: Known, value: Mapping[str, Any], path: JsonPath, problems: _Problems) -> None:
    def tell() -> str:
        owner = _path_text(path) or "this request"
        return f"{short_key(key)} is no field of {owner}; {near_or_known(key, list(known), value)}"

    problems.add((*path, key), tell, "row")


def _invalid_request(problems: _Problems, advice: str) -> InvalidRequest:
    first, count = problems.details[0], problems.count
    end = "" if first.endswith("?") else "."
    more = f" ({count - 1} more: see problems.)" if count > 1 else ""
    facts = {"problems": problems.details, "num_problems": count, "problem": f"{first}{end}", **problems.facts}
    return InvalidRequest("{problem}" + f"{more} {advice}", facts)


def _path_text(path: JsonPath) -> str:
    """Return a path in a document as a person would write it: ``require.test_data[3].label``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{short_key(part)}" for part in path).removeprefix(".")


def _entry_at(path: JsonPath) -> str:
    """Return what the first number in a path counts: entries of a list of plain values, or rows."""
    first = next((position for position, part in enumerate(path) if isinstance(part, int)), None)
    return "index" if first == len(path) - 1 else "row"


def _path_facts(path: JsonPath, entry: str) -> dict[str, object]:
    """Return the facts that name an entry of a list."""
    number = next((position for position, part in enumerate(path) if isinstance(part, int)), None)
    if number is None:
        return {}
    inner = path[number + 1 :]
    return {entry: path[number], **({"field": short_key(inner[0])} if inner else {})}
