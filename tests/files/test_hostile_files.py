"""Files that are damaged, or made to do harm: each is refused in one sentence, and within bounded memory."""

import gzip
import io
import random
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.files.workbooks import Cell, formula, sheet_xml, workbook
from windrow.domain.errors import InvalidFile, LimitExceeded, WindrowError
from windrow.domain.inspection import InspectRequest
from windrow.domain.read_options import DETECT_ALL
from windrow.files.inspecting import InspectionLimits, inspect_file
from windrow.files.labelled_files import read_labelled_file
from windrow.settings import Settings

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ROWS: list[list[Cell]] = [["text", "label"], ["I was charged twice", "billing"], ["The app crashes", "technical"]]
GOOD = "text,label\nI was charged twice,billing\n"
MOST_CHARS = 600
# An interpreter with the readers, and what a file may take beside it.
MOST_MIB = 200


def sheet(inside: str, head: str = "") -> str:
    return f'<?xml version="1.0"?>{head}<worksheet xmlns="{MAIN}"><sheetData>{inside}</sheetData></worksheet>'


def zipped(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return file.getvalue()


def laughing(levels: int = 12) -> str:
    """Return a sheet with a text of entities, each of which is twice the one before."""
    inside = ["ha", *(f"&e{level};&e{level};" for level in range(levels - 1))]
    entities = "".join(f'<!ENTITY e{level} "{text}">' for level, text in enumerate(inside))
    cell = f'<row r="1"><c r="A1" t="inlineStr"><is><t>&e{levels - 1};</t></is></c></row>'
    return sheet(cell, f"<!DOCTYPE x [{entities}]>")


def lying() -> bytes:
    """Return a workbook whose list of files says that a sheet of 20 MB has 100 bytes."""
    content = workbook(ROWS, parts={"xl/worksheets/sheet1.xml": sheet(" " * 20_000_000)})
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/worksheets/sheet1.xml"))
    return content[: at + 24] + (100).to_bytes(4, "little") + content[at + 28 :]


def repeated() -> bytes:
    file = io.BytesIO(workbook(ROWS))
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a") as packed:
        warnings.simplefilter("ignore")
        packed.writestr("xl/worksheets/sheet1.xml", sheet_xml([["other"]]))
    return file.getvalue()


def repacked(content: bytes, method: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return zipped({name: packed.read(name) for name in packed.namelist()}, method)


def encrypted() -> bytes:
    """Return the beginning of what Excel writes for a workbook with a password."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)


HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "gzip that breaks off": ("a.csv.gz", gzip.compress(GOOD.encode() + b"a,b\n" * 99)[:-9], "damaged gzip"),
    "gzip with a wrong checksum": ("a.csv.gz", gzip.compress(GOOD.encode())[:-8] + bytes(8), "it is damaged gzip"),
    "gzip in gzip": ("a.csv.gz", gzip.compress(gzip.compress(GOOD.encode())), "a file that was packed twice"),
    "JSON that breaks off": ("a.json", b'[{"text": "a", "label": "b"}, {"te', "the JSON is broken"),
    "JSONL that breaks off": (
        "a.jsonl",
        b'{"text": "a", "label": "b"}\n{"text": "a", "la',
        "line 2: the JSON is broken",
    ),
    "JSON of many depths": ("a.json", b"[" * 100_000, "the JSON is broken"),
    "JSONL of many depths": ("a.jsonl", b'{"text": ' + b"[" * 100_000, "the JSON is broken"),
    "a key twice": ("a.jsonl", b'{"text": "a", "text": "b", "label": "c"}\n', "stands twice"),
    "no number": ("a.jsonl", b'{"text": "a", "label": NaN}\n', "NaN is no JSON number"),
    "a number of too many digits": ("a.jsonl", b'{"text": "a", "label": ' + b"9" * 9_999 + b"}\n", "too many digits"),
    "half a character": ("a.jsonl", b'{"text": "\\ud800", "label": "a"}\n', "half of a surrogate pair"),
    "mixed types": (
        "a.jsonl",
        b'{"text": "a", "label": "b"}\n{"text": 7, "label": "b"}\n',
        "line 2: the text is a number",
    ),
    "a label that is an object": ("a.jsonl", b'{"text": "a", "label": {"b": 1}}\n', "the label is an object"),
    "a list in a list": ("a.json", b'[[{"text": "a"}]]', "a row is a list"),
    "another encoding": ("a.csv", "text,label\nnaïve,x\n".encode("cp1252"), "As cp1252, the text there is 'naïve,x'"),
    "UTF-16 without a mark": ("a.csv", GOOD.encode("utf-16-le"), "add encoding=utf-16-le"),
    "noise": ("a.csv", b"\xff" + random.Random(1).randbytes(5_000), "is not UTF-8"),
    "NUL characters": ("a.csv", b"text,label\na\0b,x\n", "a NUL character"),
    "a quotation mark that is never closed": ("a.csv", b'text,label\n"a,b\nc,d\n', "opened here and never closed"),
    "quotation marks in each other": ("a.csv", b'text,label\n"a "b" c",d\n', "follows a closing quotation mark"),
    "a quotation mark over rows": (
        "a.csv",
        b'text,label\n"a,x\nb,y\nc",z\n',
        "holds together what may be several rows",
    ),
    "rows of other lengths": ("a.csv", b"text,label\na,b,c\n", "has 2 fields, this row 3"),
    "a header twice": ("a.csv", b"text,label,text\na,b,c\n", "two columns are called 'text'"),
    "100,000 columns": ("a.csv", ",".join(map(str, range(100_000))).encode() + b"\n", "and 99980 more"),
    "nothing": ("a.csv", b"", "there is nothing in it"),
    "a mark alone": ("a.csv", b"\xef\xbb\xbf\r\n", "there is nothing in it"),
    "delimiters alone": ("a.csv", b",\n" * 1_000, "there is nothing in it"),
    "a page that calls itself .xls": ("a.xls", b"<html><table><tr><td>text</td></tr></table>", "it is HTML or XML"),
    "a PDF document": ("a.csv", b"%PDF-1.7\n", "it is a PDF document"),
    "a database": ("a.csv", b"SQLite format 3\0" + bytes(99), "it is a database"),
    "a zip file of files": ("a.zip", zipped({"a.bin": b"\x89PNG", "b.bin": b""}), "no project of a known tool"),
    "a picture in a zip file": ("a.zip", zipped({"a.bin": b"\x89PNG"}), "a.bin: it is a picture"),
    "a workbook that breaks off": ("a.xlsx", workbook(ROWS)[:-90], "it is a damaged workbook"),
    "a workbook with lying sizes": ("a.xlsx", lying(), "it is a damaged workbook"),
    "a workbook with a sheet twice": ("a.xlsx", repeated(), "is in it twice"),
    "a workbook packed unusually": ("a.xlsx", repacked(workbook(ROWS), zipfile.ZIP_BZIP2), "packed in an unusual way"),
    "entities of entities": ("a.xlsx", workbook(laughing()), "it is a damaged workbook"),
    "an entity outside": (
        "a.xlsx",
        workbook(
            sheet(
                '<row r="1"><c r="A1" t="inlineStr"><is><t>&x;</t></is></c></row>',
                '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
            )
        ),
        "it is a damaged workbook",
    ),
    "two cells far apart": (
        "a.xlsx",
        workbook(sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
        "a sheet spans 1,048,576 rows and 16,384 columns",
    ),
    "a cell whose place is hidden": (
        "a.xlsx",
        workbook(sheet('<row r="1"><c r="A1"><v>1</v></c><c x=">" r="XFD1048576"><v>1</v></c></row>')),
        "a sheet spans 1,048,576 rows and 16,384 columns",
    ),
    "a place that is too large a number": (
        "a.xlsx",
        workbook(sheet('<row r="1"><c r="A299999999999999999999"><v>1</v></c></row>')),
        "it is a damaged workbook",
    ),
    "a cell in two places": (
        "a.xlsx",
        workbook(sheet('<row r="1"><c r="XFD1048576" r="A1"><v>1</v></c></row>')),
        "it is a damaged workbook",
    ),
    "a count of texts that nobody has": (
        "a.xlsx",
        workbook(ROWS, parts={"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}" uniqueCount="99999999999"/>'}),
        "a count in it is too large",
    ),
    "XML that breaks off": (
        "a.xlsx",
        workbook(f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">'),
        "damaged workbook",
    ),
    "a text that is not there": (
        "a.xlsx",
        workbook(sheet('<row r="1"><c r="A1" t="s"><v>7</v></c></row>')),
        "it is a damaged workbook",
    ),
    "a formula that was never worked out": (
        "a.xlsx",
        workbook([*ROWS, ["a text", formula('HYPERLINK("http://example.org")')]]),
        "row 4: the label is blank",
    ),
    "a workbook of a thousand sheets": ("a.xlsx", workbook(*[ROWS] * 1_000), "it has several sheets with rows"),
    "a workbook with a password": ("a.xlsx", encrypted(), "it is encrypted with a password"),
    "a spreadsheet of Excel 97": (
        "a.xls",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(999),
        "a spreadsheet of Excel 97",
    ),
    "a binary workbook": ("a.xlsb", zipped({"xl/workbook.bin": b"x"}), "it is a binary workbook"),
    "an OpenDocument file": ("a.ods", zipped({"mimetype": b"x", "content.xml": b"<x/>"}), "an OpenDocument file"),
    "a Word document": ("a.docx", zipped({"word/document.xml": b"<x/>"}), "it is a Word document"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_one_clear_sentence(what: str, tmp_path: Path) -> None:
    name, content, words = HOSTILE[what]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidFile) as refused:
        read_labelled_file(tmp_path / name, DETECT_ALL)
    detail = refused.value.detail
    assert words in detail
    assert name in detail
    assert detail.endswith(".")
    assert len(detail) < MOST_CHARS + len(str(tmp_path))
    assert "\n" not in detail and "Traceback" not in detail


@pytest.mark.parametrize("what", HOSTILE)
def test_an_inspection_of_a_hostile_file_ends_in_words_too(what: str) -> None:
    name, content, _ = HOSTILE[what]
    limits = InspectionLimits(Settings().limits, 32_000_000, "WINDROW_MAX_BODY_BYTES")
    refused: WindrowError | None = None
    try:
        found = inspect_file(io.BytesIO(content), InspectRequest(filename=name), limits)
    except (InvalidFile, LimitExceeded) as error:
        refused = error
    if refused is not None:
        assert refused.detail.endswith((".", "?"))
    else:
        assert found.problems or found.questions or not found.rows_per_label


_MEASURED = """
import resource, sys
from windrow.domain.errors import WindrowError
from windrow.domain.inspection import InspectRequest
from windrow.files.inspecting import InspectionLimits, inspect_file
from windrow.files.labelled_files import read_labelled_file
from windrow.domain.read_options import DETECT_ALL
from windrow.settings import Settings

way, path = sys.argv[1:]
try:
    if way == "fit":
        read_labelled_file(path, DETECT_ALL)
    else:
        limits = InspectionLimits(Settings().limits, 32_000_000, "WINDROW_MAX_BODY_BYTES")
        with open(path, "rb") as file:
            inspect_file(file, InspectRequest(filename=path), limits)
except WindrowError as error:
    try:  # what the system says of a process counts its parent too
        with open("/proc/self/status") as status:
            most = next(int(line.split()[1]) >> 10 for line in status if line.startswith("VmHWM"))
    except FileNotFoundError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
    print(most, error.detail)
"""


def line_of_200_mb() -> Iterator[bytes]:
    yield b"text,label\n"
    for _ in range(200):
        yield b"x" * 1_000_000


def rows_of_400_mb() -> Iterator[bytes]:
    yield b"text,label\n"
    for _ in range(400):
        yield b"text,label,\n" * 83_334


def bomb(path: Path) -> None:
    """Write a workbook with a sheet that unpacks to 300 MB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        with packed.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(300):
                part.write(b" " * 1_000_000)
        packed.writestr("xl/workbook.xml", "<workbook/>")


LARGE = {
    "a line of 200 MB": ("a.csv", line_of_200_mb, "line 2: the line has more than 16,777,216 characters"),
    "a text of 200 MB": ("a.txt", line_of_200_mb, "line 2: the line has more than 16,777,216 characters"),
    "a JSON text of 200 MB": ("a.jsonl", lambda: (b'{"text": "', *line_of_200_mb()), "the JSON is broken"),
    "400 MB in gzip": ("a.csv.gz", rows_of_400_mb, "line 2: "),
    "a workbook of 300 MB": ("a.xlsx", None, "bytes once it is unpacked"),
}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["fit", "inspect"])
@pytest.mark.parametrize("what", LARGE)
def test_what_is_far_too_large_is_refused_within_memory(what: str, way: str, tmp_path: Path) -> None:
    name, parts, words = LARGE[what]
    path = tmp_path / name
    if parts is None:
        bomb(path)
    else:
        with gzip.open(path, "wb", 1) if name.endswith(".gz") else path.open("wb") as file:
            file.writelines(parts())
    ended = subprocess.run(
        [sys.executable, "-c", _MEASURED, way, str(path)], check=True, capture_output=True, text=True, timeout=300
    )
    most_mib, _, detail = ended.stdout.partition(" ")
    assert name in detail
    assert words in detail or way == "inspect"
    assert int(most_mib) < MOST_MIB
