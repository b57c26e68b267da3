"""Say what a file looks like by its beginning, and refuse one that is not of the format that it is said to have."""

from dataclasses import dataclass
from typing import Final

from windrow.codec.strict import parse_value
from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import DETECT_ALL, PLAIN_FORMATS, Format, PlainFormat
from windrow.files.columns import Evidence
from windrow.files.decoding import LINE_END, Source, is_markup
from windrow.files.delimited import declared_delimiter, evidence_of
from windrow.files.formats.beginning import ZIP_MAGIC, begin_text, beginning_of, head_of, is_zip
from windrow.files.formats.form import JSON, NO, Beginning, FileFormat, Form
from windrow.files.formats.recognition import candidates_of
from windrow.files.formats.registry import format_called
from windrow.files.workbook_parts import COMPOUND_MAGIC, is_spreadsheet

# A tool that is as sure is told.
_SURE: Final = 0.8
_LOOKED_AT_LINES: Final = 10
_TITLES: Final[dict[PlainFormat, str]] = {
    "csv": "CSV",
    "tsv": "tab-separated values",
    "jsonl": "JSON Lines",
    "json": "a JSON document",
    "txt": "plain text",
    "xlsx": "a workbook (.xlsx)",
}
_MARKUP: Final = "Save it as CSV with the program that made it, and use that file."
_PACKED: Final = "Unpack it, and name the file with rows."
# What may follow the first bracket of JSON; a number may follow that of a text, too.
_AFTER_BRACKET: Final = ('"', "{", "}", "[", "]", "null", "true", "false")
# What is said of an empty file.
NOTHING: Final = "there is nothing in it. Name a file with rows."
_SAY: Final = "Say what it is with {set:format=NAME}."


def plain_format(format_: str | None) -> PlainFormat | None:
    """Return a format that is a plain one; ``None`` in place of any other, and of none."""
    return next((each for each in PLAIN_FORMATS if each == format_), None)


@dataclass(frozen=True, slots=True)
class Look:
    """What a file looks like."""

    form: Form
    """How it is written."""
    title: str
    """What it is, in words."""
    format: Format | None = None
    """What reads it; ``None`` where nothing does."""
    advice: str = ""
    """What to do about it where nothing reads it."""

    @property
    def what_to_do(self) -> str:
        """What to do to have it read, as a template."""
        return self.advice if self.format is None else _SAY.replace("NAME", self.format)


def look_of(beginning: Beginning) -> Look:
    """Return what a file looks like.

    Args:
        beginning: What is known of it before it is read.
    """
    text, names = beginning.text.lstrip(), beginning.member_names
    if any(name.lower() == "xl/workbook.xml" for name in names):
        return Look("workbook", _TITLES["xlsx"], "xlsx")
    if beginning.head.startswith((b"PAR1", b"ARROW1")):
        kind = "Parquet" if beginning.head.startswith(b"PAR1") else "Arrow"
        return Look("columnar", f"a file of {kind}", "hugging_face")
    is_json = _begins_as_json(text)
    form: Form = "container" if names else "json" if is_json else "text"
    for tool, certainty in candidates_of(beginning, _SURE):
        if certainty >= _SURE:
            return Look(form, tool.title, tool.name)
    if names:
        return Look(form, "a zip file" if is_zip(beginning.head) else "a folder", advice=_PACKED)
    if is_markup(text):
        return Look("markup", "HTML or XML", advice=_MARKUP)
    plain: PlainFormat = ("jsonl" if _is_lines_of_json(text) else "json") if is_json else _kind_of_text(text)
    return Look("table" if plain in ("csv", "tsv") else form, _TITLES[plain], plain)


def _begins_as_json(text: str) -> bool:
    """Return whether a text begins as JSON does, or its next lines do where the first one is damaged."""
    if text.startswith(("{", "[")):
        after = text[1:].lstrip()
        return not after or after.startswith(_AFTER_BRACKET) or _is_value(_first_lines(text)[0])
    return any(map(_is_value, _first_lines(text)))


def _is_lines_of_json(text: str) -> bool:
    """Return whether a text that begins as JSON is JSON Lines, and no document that goes over several lines."""
    first, *others = _first_lines(text)
    if first.startswith("{") and first != "{":
        return True
    return any(map(_is_value, others)) and not first.endswith(("[", "{", ","))


def _first_lines(text: str) -> list[str]:
    """Return the first lines in which something is seen, without the blanks around them; one at least."""
    lines = LINE_END.split(text, 3 * _LOOKED_AT_LINES)[: 3 * _LOOKED_AT_LINES]
    return [stripped for line in lines if (stripped := line.strip())][:_LOOKED_AT_LINES] or [""]


def _is_object(line: str) -> bool:
    return line.startswith("{") and _is_value(line)


def _is_value(line: str) -> bool:
    """Return whether a line is a whole JSON object or list."""
    if not line.startswith(("{", "[")):
        return False
    try:
        return parse_value(line)[1] == len(line)
    except ValueError:
        return False


def _kind_of_text(text: str) -> PlainFormat:
    line = _first_lines(text)[0]
    evidence, values = evidence_of(line, DETECT_ALL)
    if (len(values) > 1 and evidence is not Evidence.NONE) or declared_delimiter(line):
        return "tsv" if "\t" in line else "csv"
    return "tsv" if "\t" in line else "csv" if "," in line or ";" in line else "txt"


def check_plain_format(source: Source, format_: PlainFormat, text: str) -> None:
    """Refuse a text that is JSON where another kind of text is named, or the other way round.

    Args:
        source: The file.
        format_: What it is said to be, by an option or by its name.
        text: The beginning of its text, in which something is seen.

    Raises:
        InvalidFile: It is something else; the message says what it looks like.
    """
    if format_ in ("txt", "xlsx"):
        return
    look = look_of(beginning_of(source.name, text))
    if format_ == "json":
        is_other = look.form != "json" or _is_lines_alone(text)
    elif format_ == "jsonl":
        # Lines may be texts, each a JSON string.
        is_other = not text.lstrip().startswith('"') and (look.form != "json" or not _is_lines_of_json(text.lstrip()))
    else:
        # A table's cells may go over lines, and one of these may be JSON; not the first one.
        is_other = look.form == "markup" or (look.form == "json" and text.lstrip().startswith(("{", "[")))
    if is_other:
        raise _mismatch(source, look, _TITLES[format_])


def _is_lines_alone(text: str) -> bool:
    """Return whether each line is an object of its own, and they are no document together."""
    first, *others = _first_lines(text)
    return _is_object(first) and bool(others) and others[0].startswith("{")


def check_kind(source: Source, format_: PlainFormat) -> None:
    """Refuse a workbook, or a file of Parquet or Arrow, where a text is named, and a text where a workbook is.

    Args:
        source: The file, which nothing has been read of.
        format_: What it is said to be.

    Raises:
        InvalidFile: It is something else; the message says what it looks like.
    """
    head = head_of(source)
    if format_ == "xlsx" and not head.startswith((ZIP_MAGIC, COMPOUND_MAGIC)):
        look = look_of(beginning_of(source.name, _text_of(source, head), head))
    elif format_ != "xlsx" and is_spreadsheet(source, None):
        look = Look("workbook", _TITLES["xlsx"], "xlsx")
    else:
        look = look_of(Beginning(source.name, "", head=head))
        if look.form != "columnar":
            return
    raise _mismatch(source, look, _TITLES[format_])


def _text_of(source: Source, head: bytes) -> str:
    """Return the beginning of a text; nothing of a file that is none.

    Raises:
        InvalidFile: It is empty, or of a kind that is never read; the message names that.
    """
    text = begin_text(source, head).beginning
    if not text.strip() and not head.strip():
        raise source.error(NOTHING)
    return text


def check_form(source: Source, format_: FileFormat, beginning: Beginning, *, is_container: bool) -> None:
    """Refuse a file that is not written as a tool writes its files, or that is surely another one's.

    Args:
        source: The file.
        format_: What it is said to be.
        beginning: What is known of it before it is read.
        is_container: Whether it is a zip file or a folder.

    Raises:
        InvalidFile: It is empty or something else; the message says what it looks like.
    """
    if format_.sniff(beginning) > NO:
        return
    look = look_of(beginning)
    if look.form == "text" and not is_container and not beginning.text.strip() and not beginning.head.strip():
        raise source.error(NOTHING)
    is_others = format_called(look.format or "") is not None
    form = "text" if look.form == "table" else look.form
    if form not in format_.forms or is_others:
        raise _mismatch(source, look, format_.title)


def with_look(error: InvalidFile, beginning: Beginning, wanted: FileFormat | Format) -> InvalidFile:
    """Return an error of reading with what the file looks like, where that is something else.

    Args:
        error: The error.
        beginning: What is known of the file before it is read.
        wanted: What it is said to be.
    """
    look = look_of(beginning)
    is_wanted = look.form in wanted.forms - JSON if isinstance(wanted, FileFormat) else look.format == wanted
    if look.format in (None, "txt") or is_wanted or "look" in error.facts:
        return error
    return InvalidFile(
        f"{error.template} It looks like {{look}}. {look.what_to_do}", {**error.facts, "look": look.title}
    )


def _mismatch(source: Source, look: Look, wanted: str) -> InvalidFile:
    words = f"it looks like {{look}}, not like {{wanted}}. {look.what_to_do}"
    return source.error(words, parameter="format", look=look.title, wanted=wanted)
