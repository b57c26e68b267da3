"""Reads a page as a browser would that forgives nothing."""

from html.parser import HTMLParser

import pytest

VOID = {"br", "col", "link", "meta"}


class WholePage(HTMLParser):
    """What a page holds.

    Args:
        page: Its bytes; each element in it must be closed in its place.
    """

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.feed(page.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            pytest.fail(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.texts.append(data)
        if "td" in self.open or ("th" in self.open and "tr" in self.open):
            self.tables[-1][-1][-1] += data

    @property
    def text(self) -> str:
        """All that is read in it."""
        return " ".join(self.texts)

    def table(self, *headings: str) -> list[list[str]]:
        """Return the rows below the head of the one table whose head begins so."""
        (found,) = [each for each in self.tables if each and each[0][: len(headings)] == list(headings)]
        return found[1:]
