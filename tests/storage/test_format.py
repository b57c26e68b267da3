"""Documents: they come back as they were written, nothing else is accepted, and no byte changes unnoticed."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.storage.examples import fast_folder, open_names, sealed
from tests.storage.mutants import GOLDEN, documents, mutants, reader_of
from windrow.domain.errors import InvalidArtifact
from windrow.storage.files import LocalFiles
from windrow.storage.format import (
    FORMAT,
    MAX_SAFE_INTEGER,
    MAX_VALUES,
    Mismatch,
    check_format,
    parse,
    parse_object,
    read,
    write,
)
from windrow.storage.fsck import check

NEWEST = GOLDEN / f"format-{FORMAT}"


@dataclass(frozen=True, slots=True)
class Inner:
    count: int
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    kind: Literal["one", "other"]
    at: datetime
    inner: Inner
    many: tuple[Inner, ...]
    named: Mapping[str, float]
    is_so: bool = True


@dataclass(frozen=True, slots=True)
class End:
    kind: Literal["end"]


VALUE = Outer("é", "one", datetime(2025, 9, 15, 10, 30, tzinfo=UTC), Inner(1, 0.5), (Inner(2),), {"a": 1.0})
PLAIN: dict[str, Any] = {
    "name": "é",
    "kind": "one",
    "at": "2025-09-15T10:30:00Z",
    "inner": {"count": 1, "share": 0.5},
    "many": [{"count": 2, "share": None}],
    "named": {"a": 1.0},
    "is_so": True,
}


def document(plain: Mapping[str, Any], text: str = "", new: str = "") -> bytes:
    """Return a document with a true digest that says anything, with a text of it replaced."""
    head = {"format": FORMAT, "sha256": "0" * 64}
    written = json.dumps({**head, **plain}, indent=2)
    assert text in written
    return sealed(written.replace(text, new).encode() if text else written.encode())


class TestValues:
    def test_that_are_too_many_are_refused_before_they_are_parsed(self) -> None:
        many = b"[" + b"[]," * MAX_VALUES + b"[]]"
        for look in (parse, parse_object, lambda data: read(data, Outer)):
            with pytest.raises(Mismatch, match=f"has more than {MAX_VALUES} values"):
                look(many)


class TestWrite:
    def test_gives_json_for_people_whose_digest_is_that_of_the_rest(self) -> None:
        written = write(VALUE)
        plain = json.loads(written)
        digest = plain.pop("sha256")
        assert plain == {"format": FORMAT, **PLAIN}
        assert "é".encode() in written
        blank = written.replace(digest.encode(), b"0" * 64)
        assert hashlib.sha256(blank).hexdigest() == digest

    def test_gives_what_reads_back(self) -> None:
        for strictly in (False, True):
            assert read(write(VALUE), Outer, strictly=strictly) == VALUE

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
    def test_refuses_what_is_no_number_of_json(self, number: float) -> None:
        with pytest.raises(Mismatch, match="cannot be written"):
            write(Inner(1, number))

    @pytest.mark.parametrize("year", [1, 999, 9999])
    def test_of_a_time_of_any_year_reads_back(self, year: int) -> None:
        value = Outer("é", "other", datetime(year, 1, 2, 3, 4, 5, tzinfo=UTC), Inner(1), (), {})
        assert read(write(value), Outer, strictly=True) == value


class TestRead:
    def test_takes_the_class_by_the_kind(self) -> None:
        kinds: dict[str, Any] = {"one": Outer, "end": End}
        assert read(write(VALUE), kinds) == VALUE
        assert read(write(End("end")), kinds) == End("end")
        with pytest.raises(Mismatch, match=r"^kind is not one of end"):
            read(write(VALUE), {"end": End})

    def test_takes_no_kind_from_inside(self) -> None:
        kinds: dict[str, Any] = {"one": Outer, "end": End}
        nested = document({**PLAIN, "named": {"kind": 1.0}, "name": '\n  "kind": "end"'})
        assert read(nested, kinds, strictly=True).name == '\n  "kind": "end"'

    def test_of_a_newer_format_asks_for_an_upgrade(self) -> None:
        ours, theirs = (b'"format": %d' % number for number in (FORMAT, FORMAT + 1))
        for newer in (b"{%b}" % theirs, write(VALUE).replace(ours, theirs)):
            with pytest.raises(InvalidArtifact, match=r"Upgrade Windrow\.$") as caught:
                read(newer, Outer)
            assert caught.value.facts == {"format": FORMAT + 1, "newest_known_format": FORMAT}

    @pytest.mark.parametrize(
        "altered",
        [
            write(VALUE).replace("é".encode(), b"e"),
            write(VALUE)[:-1],
            write(VALUE) + b"\n",
            write(VALUE).replace(b"\n", b"\r\n"),
            json.dumps(json.loads(write(VALUE))).encode(),
            json.dumps({"format": FORMAT, **PLAIN}).encode(),
        ],
        ids=["another letter", "cut off", "a line more", "other line ends", "written anew", "without a digest"],
    )
    def test_of_what_was_altered_is_refused(self, altered: bytes) -> None:
        with pytest.raises(InvalidArtifact, match="was altered") as caught:
            read(altered, Outer)
        assert caught.value.facts["altered"] is True


class TestStrictly:
    """What a stranger may have made, digest and all."""

    def test_takes_what_windrow_writes_whatever_its_order(self) -> None:
        assert read(document(dict(reversed(PLAIN.items()))), Outer, strictly=True) == VALUE

    def test_takes_a_number_without_a_fraction(self) -> None:
        assert read(document({**PLAIN, "named": {"a": 1}}), Outer, strictly=True) == VALUE

    @pytest.mark.parametrize("number", [MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER])
    def test_takes_whole_numbers_that_every_program_reads_alike(self, number: int) -> None:
        assert read(document({**PLAIN, "many": [{"count": number, "share": None}]}), Outer, strictly=True)

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"name": 1}, "name"),
            ({"name": "\ud800"}, ""),
            ({"name": None}, "name"),
            ({"kind": "two"}, "kind"),
            ({"kind": None}, "kind"),
            ({"kind": ["one"]}, "kind"),
            ({"at": None}, "at"),
            ({"at": 0}, "at"),
            ({"at": 1_757_932_200}, "at"),
            ({"at": "1757932200"}, "at"),
            ({"at": "2025-09-15"}, "at"),
            ({"at": "2025-09-15 10:30:00"}, ""),
            ({"at": "2025-09-15T10:30:00"}, ""),
            ({"at": "2025-09-15T10:30Z"}, "at"),
            ({"at": "2025-09-15t10:30:00z"}, "at"),
            ({"at": "2025-09-15T10:30:00+00:00"}, "at"),
            ({"at": "2025-09-15T12:30:00+02:00"}, ""),
            ({"at": "2025-09-15T10:30:00.000Z"}, "at"),
            ({"at": "2025-09-15T10:30:00.5Z"}, ""),
            ({"at": "2025-09-15T10:30:00.500000Z"}, ""),
            ({"at": "2025-13-15T10:30:00Z"}, "at"),
            ({"at": "2025-09-15T24:00:00Z"}, "at"),
            ({"at": "0000-01-01T00:00:00Z"}, "at"),
            ({"inner": []}, "inner"),
            ({"inner": None}, "inner"),
            ({"inner": {"count": 1}}, "inner.share"),
            ({"inner": {"count": 1, "share": None, "more": 1}}, "inner.more"),
            ({"inner": {"count": True, "share": None}}, "inner.count"),
            ({"inner": {"count": 1.0, "share": None}}, "inner.count"),
            ({"inner": {"count": "1", "share": None}}, "inner.count"),
            ({"inner": {"count": 1, "share": "1"}}, "inner.share"),
            ({"inner": {"count": 1, "share": True}}, "inner.share"),
            ({"inner": {"count": 2**53, "share": None}}, "inner.count"),
            ({"inner": {"count": -(2**53), "share": None}}, "inner.count"),
            ({"inner": {"count": 10**400, "share": None}}, "inner.count"),
            ({"inner": {"count": 1, "share": 2**53}}, "inner.share"),
            ({"inner": {"count": 1, "share": 10**400}}, ""),
            ({"many": {}}, "many"),
            ({"many": None}, "many"),
            ({"many": [{"count": 1, "share": None, "more": 1}]}, "many"),
            ({"many": [{"count": 1}]}, "many.share"),
            ({"named": []}, "named"),
            ({"named": {"a": False}}, "named.a"),
            ({"named": {"a": "1"}}, "named.a"),
            ({"named": {"\ud800": 1.0}}, ""),
            ({"is_so": 1}, "is_so"),
            ({"is_so": 0}, "is_so"),
            ({"is_so": "true"}, "is_so"),
            ({"is_so": 1.0}, "is_so"),
            ({"surplus": 1}, "surplus"),
            ({"\ud800": 1}, ""),
        ],
    )
    def test_refuses_a_value_of_another_type_or_form_and_names_its_place(
        self, change: dict[str, object], place: str
    ) -> None:
        with pytest.raises(Mismatch) as caught:
            read(document(PLAIN | change), Outer, strictly=True)
        assert ".".join(caught.value.where).startswith(place)

    @pytest.mark.parametrize("field", list(PLAIN))
    def test_refuses_a_missing_field_also_one_that_has_a_default(self, field: str) -> None:
        with pytest.raises(Mismatch, match=f"^{field} is "):
            read(document({name: value for name, value in PLAIN.items() if name != field}), Outer, strictly=True)

    @pytest.mark.parametrize(
        ("text", "new"),
        [
            ('"name":', '"name": "a", "name":'),
            ('"format":', '"format": 2, "format":'),
            ('"count": 1', '"count": 2, "count": 1'),
            ('"a": 1.0', '"a": 0.5, "a": 1.0'),
            ('"is_so": true', '"is_so": true, "sha256": "a"'),
            ('"is_so": true', '"is_so": true, "format": 2'),
            ("0.5", "1e999"),
            ("0.5", "-1e999"),
            ("0.5", "NaN"),
            ("0.5", "Infinity"),
            ("0.5", "-Infinity"),
            ("0.5", "1" * 5_000),
            ("0.5", "[" * 100_000),
            ("0.5", "0.5, "),
            ("0.5", "00.5"),
            ("0.5", ".5"),
        ],
    )
    def test_refuses_what_json_does_not_say_or_says_twice(self, text: str, new: str) -> None:
        with pytest.raises((Mismatch, InvalidArtifact)):
            read(document(PLAIN, text, new), Outer, strictly=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(documents(FORMAT)))
def test_what_windrow_never_wrote_is_refused_though_its_digest_is_true(name: str) -> None:
    data, look = documents(FORMAT)[name]
    look(data)
    look(sealed(json.dumps(json.loads(data), indent=2).encode()))
    accepted = []
    for done, mutant in mutants(data):
        try:
            look(sealed(mutant))
        except (InvalidArtifact, Mismatch):
            continue
        accepted.append(done)
    assert accepted == []


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff", b"NaN", b"-Infinity", b"\xef\xbb\xbf{}", b"1" * 5000, b'{"a": 1, "a": 1}'],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(Mismatch, match="is no JSON"):
        parse(text)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"[" * 101 + b"]" * 101])
def test_what_is_nested_too_deeply_is_refused(text: bytes) -> None:
    with pytest.raises(Mismatch, match="is nested more than 100 levels deep"):
        parse(text)


def test_what_is_no_object_is_refused() -> None:
    assert parse(b"[1]") == [1]
    with pytest.raises(Mismatch, match="is no object"):
        parse_object(b"[1]")


class TestNumber:
    @pytest.mark.parametrize("number", range(1, FORMAT + 1))
    def test_of_a_format_until_today_is_known(self, number: int) -> None:
        check_format(number)

    @pytest.mark.parametrize("number", [None, 0, -1, 1.0, "1", True, [1]])
    def test_that_is_none_is_refused(self, number: object) -> None:
        with pytest.raises(Mismatch, match="no format number"):
            check_format(number)


PLACES = (
    "classifiers/tickets/000006.json",
    "classifiers/gone/000002.json",
    "aliases/live/000002.json",
    "jobs/019a1c5e4b2f-7d0c41/000003.json",
)


def altered(data: bytes) -> Iterator[bytes]:
    """Yield a document with each byte changed, left out or repeated, something put before each, and cut off at each."""
    for place, byte in enumerate(data):
        before, after = data[:place], data[place + 1 :]
        # The head decides how the rest is read, so there each byte is tried.
        others = range(256) if place < 96 else (byte ^ 1 << bit for bit in range(8))
        yield from (b"%b%c%b" % (before, other, after) for other in others if other != byte)
        yield before + after
        yield from (b"%b%c%b" % (before, more, data[place:]) for more in {byte, *b' 0"\n\0'})
        yield before
    yield from (data + bytes([more]) for more in (*b' 0"}\n', 0, 255))


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_no_byte_changes_unnoticed(place: str) -> None:
    data, look = (NEWEST / place).read_bytes(), reader_of(place)
    look(data)
    for mutant in altered(data):
        with pytest.raises((InvalidArtifact, Mismatch)):
            look(mutant)


@pytest.mark.parametrize("place", PLACES)
def test_fsck_names_each_file_of_which_a_byte_changed(place: str) -> None:
    """Put the mutants where they may stand, as higher numbers, for one look at all of them."""
    data, folder = (NEWEST / place).read_bytes(), str(Path(place).parent)
    with fast_folder() as root:
        shutil.copytree(NEWEST / folder, Path(root, folder))
        wrong = {f"{folder}/{number:06d}.json": mutant for number, mutant in enumerate(flipped(data), 101)}
        for name, content in {**wrong, f"{folder}/000100.json": data}.items():
            Path(root, name).write_bytes(content)
        found = check(Path(root), open_names(LocalFiles(Path(root)))).findings
    named = {finding.path for finding in found if finding.code.startswith(("record_", "job_"))}
    assert named == wrong.keys()
    if not place.startswith("jobs"):
        altered = {finding.path for finding in found if finding.code == "record_altered"}
        # Without its first line a document is of another format, or of none.
        assert len(wrong) - len(altered) < 100


def flipped(data: bytes) -> Iterator[bytes]:
    """Yield a document with one bit of each byte changed."""
    for place, byte in enumerate(data):
        yield b"%b%c%b" % (data[:place], byte ^ 1 << place % 8, data[place + 1 :])
