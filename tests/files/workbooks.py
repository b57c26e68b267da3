"""Workbooks (.xlsx) for tests, written part by part, so that a test may also write what no program would."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>{sheets}</Types>'
)
_SHEET_TYPE = (
    '<Override PartName="/xl/worksheets/sheet{number}.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{all}</Relationships>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# Cell style 1 is a date, 2 a date with its time, 3 a time, 4 a percentage.
_STYLES = (
    f'<?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="{_MAIN}"><cellXfs count="5">'
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="21"/><xf numFmtId="9"/>'
    "</cellXfs></styleSheet>"
)
# A cell: a text, a number, true or false, nothing, or the XML that stands in its place, {ref} being its reference.
Cell = str | float | bool | None


class Xml(str):
    """A cell that is written as it is."""

    __slots__ = ()


def date(serial: float, style: int = 1) -> Xml:
    """Return a cell with a date, as the number of days since the beginning of 1900."""
    return Xml(f'<c r="{{ref}}" s="{style}"><v>{serial}</v></c>')


def formula(text: str, cached: str = "", kind: str = "str") -> Xml:
    """Return a cell with a formula and the value that it had when it was saved."""
    value = f"<v>{escape(cached)}</v>" if cached else ""
    return Xml(f'<c r="{{ref}}" t="{kind}"><f>{escape(text)}</f>{value}</c>')


def fault(text: str) -> Xml:
    """Return a cell with an error, such as #N/A."""
    return Xml(f'<c r="{{ref}}" t="e"><v>{text}</v></c>')


def sheet_xml(rows: Sequence[Sequence[Cell]], *, tail: str = "") -> str:
    """Return the XML of a sheet."""
    written = "".join(
        f'<row r="{number}">{"".join(_cell(value, reference(number, place)) for place, value in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{_MAIN}"><sheetData>{written}</sheetData>'
        f"{tail}</worksheet>"
    )


def workbook(
    *sheets: Sequence[Sequence[Cell]] | str,
    names: Sequence[str] = (),
    hidden: Sequence[str] = (),
    parts: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """Return a workbook.

    Args:
        *sheets: The rows of each sheet, or its XML.
        names: What the sheets are called; Sheet1, Sheet2, … where nothing is said.
        hidden: Which of them are hidden.
        parts: More files in it, or others in place of those that it has.
    """
    called = list(names) or [f"Sheet{number}" for number, _ in enumerate(sheets, 1)]
    written = [each if isinstance(each, str) else sheet_xml(each) for each in sheets]
    entries = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"'
        f"{' state=' + chr(34) + 'hidden' + chr(34) if name in hidden else ''}/>"
        for number, name in enumerate(called, 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number, _ in enumerate(called, 1)
    )
    styles = f'<Relationship Id="rIdStyles" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    strings = f'<Relationship Id="rIdStrings" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    types = "".join(_SHEET_TYPE.format(number=number) for number, _ in enumerate(called, 1))
    office = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    all_parts: dict[str, str | bytes] = {
        "[Content_Types].xml": _TYPES.format(sheets=types),
        "_rels/.rels": _RELATIONS.format(all=office),
        "xl/workbook.xml": f'<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f"<sheets>{entries}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _RELATIONS.format(all=relations + styles + strings),
        "xl/styles.xml": _STYLES,
        **{f"xl/worksheets/sheet{number}.xml": text for number, text in enumerate(written, 1)},
        **(parts or {}),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in all_parts.items():
            packed.writestr(name, content)
    return file.getvalue()


def reference(row: int, place: int) -> str:
    """Return the reference of a cell, such as B3.

    Args:
        row: Its row, from 1.
        place: Its column, from 0.
    """
    letters, left = "", place + 1
    while left:
        left, letter = divmod(left - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


def _cell(value: Cell, ref: str) -> str:
    if isinstance(value, Xml):
        return value.replace("{ref}", ref)
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{ref}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{ref}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{ref}"><v>{value}</v></c>'
