"""Elements of HTML and SVG that escape all text."""

import re
from collections.abc import Iterable
from html import escape
from typing import Final

# They have no end tag, and hold nothing.
_VOID: Final = frozenset(("br", "col", "link", "meta"))
# HTML allows none of these, however they are written: control characters but tab and line ends, halves of pairs, and
# code points that are no characters.
_NOT_IN_HTML: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


class Html(str):
    """Text that is HTML already; any other string is escaped."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str) -> Html:
    """Return an element.

    Args:
        tag: Its name.
        children: What it holds; whatever is not :class:`Html` is escaped.
        attributes: Its attributes; those that are empty are left out. ``class_`` is ``class``, and ``aria_label`` is
            ``aria-label``.
    """
    opened = "".join(f' {_name(key)}="{escaped(value)}"' for key, value in attributes.items() if value)
    if tag in _VOID:
        return Html(f"<{tag}{opened}>")
    inside = "".join(child if isinstance(child, Html) else escaped(child) for child in children)
    return Html(f"<{tag}{opened}>{inside}</{tag}>")


def joined(parts: Iterable[Html]) -> Html:
    """Return elements one after the other."""
    return Html("".join(parts))


def escaped(text: str) -> str:
    """Return a text as it stands in HTML; what HTML does not allow is shown as the replacement character."""
    return escape(_NOT_IN_HTML.sub(_REPLACEMENT, text))


def given_text(text: str, most: int = 0) -> Html:
    """Return a text that somebody wrote: it may be in any language and of any length, and changes nothing around it.

    Args:
        text: The text.
        most: The most characters that are seen at once; the reader opens the others. 0 for all.
    """
    if most and len(text) > most:
        start = element("bdi", f"{text[:most]}…")
        note = element("span", f" {len(text):,} characters", class_="muted")
        return element("details", element("summary", start, note), element("bdi", text), class_="long")
    return element("bdi", text)


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
