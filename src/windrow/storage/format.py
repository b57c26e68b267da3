"""The form of every document on the disk and in an export: JSON of a declared value, with a number and a digest.

docs/explanation/format.md describes it. Each change of what is written gets the next number, a step in
``storage/upgrade.py``, and a golden folder in the tests.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeVar

from windrow.codec.shape import MAX_DEPTH, find_excess, is_too_deep
from windrow.codec.values import ValidationError, from_json, to_document, to_members
from windrow.domain.errors import InvalidArtifact
from windrow.storage.upgrade import STEPS

V = TypeVar("V")
Plain = dict[str, Any]

FORMAT: Final = 7
# Documents of older formats have no digest.
_FIRST_SEALED: Final = 2
# Beyond what a classifier of 50,000 labels needs; so many empty lists take 50 MB, where a document may have 8.
MAX_VALUES: Final = 500_000
# How the detail about a damaged file ends.
RESTORE: Final = "Restore the file from a backup, or train the classifier again."
# Of what may not be read, or what a newer Windrow wrote, nothing is lost.
UPGRADE: Final = "Upgrade Windrow."
ALLOW: Final = "Give the user that Windrow runs as the right to read it."
# Beyond it, not every program reads the same number (RFC 8259, section 6).
MAX_SAFE_INTEGER: Final = 2**53 - 1
# Whole numbers as json.dumps writes them; one of fewer digits is none beyond it.
_MAY_BE_UNSAFE: Final = re.compile(r"[ \[-][0-9]{16,}[,\]}]")
_NO_DIGEST: Final = "0" * 64
_HEAD: Final = re.compile(rb'\{\n  "format": ([%d-%d]),\n  "sha256": "([0-9a-f]{64})",\n' % (_FIRST_SEALED, FORMAT))
# Only members of the outermost object are indented by two blanks, and no string holds a line's end.
_KIND: Final = re.compile(rb'\n  "kind": "([a-z_]{1,32})"')


class Mismatch(ValueError):  # noqa: N818 - its name says what it is
    """A document does not say what it should.

    Args:
        problem: What is wrong with it, as the end of a sentence.
        where: The fields that lead to it, outermost first.
    """

    def __init__(self, problem: str, where: tuple[str, ...] = ()) -> None:
        super().__init__(f"{'.'.join(where) or 'it'} {problem}")
        self.problem = problem
        self.where = where


def write(value: object) -> bytes:
    """Return a value as a document.

    Its digest is the SHA-256 of the document with 64 zeros in the place of the digest.

    Raises:
        Mismatch: A number in it is no number of JSON.
    """
    try:
        blank = to_document(value, format=FORMAT, sha256=_NO_DIGEST)
    except ValueError as error:
        raise Mismatch(f"cannot be written ({error})") from error
    digest = hashlib.sha256(blank).hexdigest()
    return blank.replace(_NO_DIGEST.encode(), digest.encode(), 1)


def read(data: bytes, kinds: Mapping[str, type[V]] | type[V], *, strictly: bool = False) -> V:
    """Return the value of a document, once its digest and its form were checked.

    Args:
        data: The document, of any format that this Windrow knows.
        kinds: The class of the value, or the classes by what the document says of its ``kind``.
        strictly: Where somebody else may have made the document, digest and all: each field stands there, once, in the
            form in which Windrow writes it.

    Raises:
        Mismatch: It says nothing that Windrow wrote.
        InvalidArtifact: It was altered since, or is of a newer format.
    """
    _check_values(data)
    head = _HEAD.match(data)
    if head is None:
        return _read_unsealed(data, kinds)
    start, end = head.span(2)
    blank = b"".join((data[:start], _NO_DIGEST.encode(), data[end:]))
    if hashlib.sha256(blank).hexdigest().encode() != head[2]:
        raise _altered("its sha256 is not the recorded one")
    if (number := int(head[1])) < FORMAT:
        return _upgraded(parse_object(b"{" + data[head.end() :]), number, kinds)
    kind = _KIND.search(data)
    body = b"{" + data[head.end() :]
    value = _value(_class_of(kinds, kind and kind[1].decode()), body)
    if strictly:
        _check_written_so(parse_object(body), value)
    return value


def parse(data: bytes) -> Any:
    """Return the plain value of a JSON text.

    Raises:
        Mismatch: It is none. NaN, infinities, and objects that name a field twice are none either. Or it has more
            values than Windrow writes, or is nested more than ``MAX_DEPTH`` levels deep.
    """
    _check_values(data)
    try:
        return _DECODER.decode(data.decode())
    except ValueError as error:
        raise Mismatch(f"is no JSON text ({error})") from error


def parse_object(data: bytes) -> Plain:
    """Return a JSON object, as :func:`parse` does.

    Raises:
        Mismatch: It is none.
    """
    if type(plain := parse(data)) is not dict:
        raise Mismatch("is no object")
    return plain


def check_format(number: object, newest: int = FORMAT, what: str = "") -> None:
    """Refuse a format that this Windrow does not know.

    Args:
        number: The format.
        newest: The newest one that it knows.
        what: What is of this format (``"tensors of "``), where it is no document.

    Raises:
        InvalidArtifact: It is newer.
        Mismatch: It is no format at all.
    """
    if type(number) is int and number > newest:
        raise InvalidArtifact(
            f"The saved classifier has {what}format {{format}}, of a newer Windrow; this one reads up to format "
            "{newest_known_format}. Upgrade Windrow.",
            {"format": number, "newest_known_format": newest},
        )
    if type(number) is not int or number < 1:
        raise Mismatch("has no format number that Windrow knows")


def is_newer(error: InvalidArtifact) -> bool:
    """Return whether a file was refused because a newer Windrow wrote it, so that nothing of it is lost."""
    return "newest_known_format" in error.facts


def _check_values(data: bytes) -> None:
    text = data.decode("latin-1")
    if find_excess(text, MAX_VALUES, len(data)) is not None:
        raise Mismatch(f"has more than {MAX_VALUES} values")
    if is_too_deep(text):
        raise Mismatch(f"is nested more than {MAX_DEPTH} levels deep")


def _read_unsealed(data: bytes, kinds: Mapping[str, type[V]] | type[V]) -> V:
    """Return the value of a document of a format without digests."""
    plain = parse_object(data)
    number = plain.pop("format", None)
    check_format(number)
    if number >= _FIRST_SEALED:
        raise _altered("it does not begin as Windrow writes it")
    return _upgraded(plain, number, kinds)


def _upgraded(plain: Plain, number: int, kinds: Mapping[str, type[V]] | type[V]) -> V:
    """Return the value of a document of an older format, by the steps that lead to the newest one."""
    try:
        for step in range(number, FORMAT):
            plain = STEPS[step](plain)
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise Mismatch(f"is not of format {number} ({type(error).__name__}: {error})") from error
    value = _value(_class_of(kinds, plain.get("kind")), json.dumps(plain))
    _check_written_so(plain, value)
    return value


def _altered(how: str) -> InvalidArtifact:
    facts = {"why": f"was altered: {how}", "advice": RESTORE, "altered": True}
    return InvalidArtifact("A file of the saved classifier {why}. {advice}", facts)


def _class_of(kinds: Mapping[str, type[V]] | type[V], kind: object) -> type[V]:
    if isinstance(kinds, type):
        return kinds
    if not isinstance(kind, str) or kind not in kinds:
        raise Mismatch(f"is not one of {', '.join(kinds)}", ("kind",))
    return kinds[kind]


def _value(kind: type[V], body: bytes | str) -> V:
    try:
        return from_json(kind, body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Mismatch(f"is wrong ({first['msg']})", tuple(map(str, first["loc"]))) from error
    except ArithmeticError as error:  # from what is computed of its numbers
        raise Mismatch(f"has a number that is too large ({error})") from error


def _check_written_so(plain: Plain, value: object) -> None:
    """Refuse a document that is not what its value would be written as."""
    try:
        written = json.dumps(to_members(value), allow_nan=False, sort_keys=True)
    except ValueError as error:
        raise Mismatch(f"is wrong ({error})") from error
    # Only what is not the same to the letter is worth a look at each member, which takes five times as long.
    if json.dumps(plain, sort_keys=True) != written or _MAY_BE_UNSAFE.search(written):
        _compare(plain, json.loads(written), ())


def _compare(plain: Any, written: Any, where: tuple[str, ...]) -> None:
    if isinstance(plain, dict) and isinstance(written, dict):
        for name in written.keys() | plain.keys():
            if name not in plain:
                raise Mismatch("is missing", (*where, name))
            if name not in written:
                raise Mismatch("is an unknown field", (*where, name))
            _compare(plain[name], written[name], (*where, name))
    elif isinstance(plain, list) and isinstance(written, list):
        for one, other in zip(plain, written, strict=True):
            _compare(one, other, where)
    elif plain != written or isinstance(plain, bool) != isinstance(written, bool):
        raise Mismatch("is not written as Windrow writes it", where)
    elif isinstance(plain, int) and abs(plain) > MAX_SAFE_INTEGER:
        raise Mismatch("is a whole number that not every program reads alike", where)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not allowed")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    plain = dict(pairs)
    if len(plain) < len(pairs):
        raise ValueError("a field is named twice")
    return plain


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
