"""Markdown of the generated pages: paragraphs, tables, docstrings and JSON."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from docs.generator.wrapping import WIDTH, wrapped

_DECISIONS = Path(__file__).parents[1] / "adr"
_PAGE = re.compile(r"docs/((?:how-to|reference|explanation|adr)/[\w./-]*\w)")


def page(title: str, *parts: str) -> str:
    """Return a page: a title, a remark where it comes from, and its parts."""
    remark = "<!-- Generated from the source code by `make reference`. Do not edit. -->"
    return "\n\n".join([f"# {title}", remark, *(part for part in parts if part)]) + "\n"


def paragraph(text: str) -> str:
    """Return a paragraph of lines that have at most 120 characters."""
    return wrapped(text)


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; ``|`` in its cells is escaped."""
    names = list(header)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(_cell(each) for each in line)} |" for line in lines)


def paragraphs(docstring: str, names: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the paragraphs of a docstring.

    Args:
        docstring: The docstring, or a part of it.
        names: What else than their own names stands for other objects, such as links, by the names.
    """
    for each in docstring.strip().split("\n\n"):
        yield paragraph(inline(" ".join(each.split()), names))


def inline(text: str, names: Mapping[str, str] | None = None) -> str:
    """Return a docstring's sentence as Markdown: literals, objects by their last names, and pages as links.

    Args:
        text: The sentence.
        names: As for :func:`paragraphs`.
    """
    known = names or {}

    def shown(found: re.Match[str]) -> str:
        last = found[1].rpartition(".")[2]
        return known.get(last, f"`{last}`")

    plain = re.sub(r":\w+:`~?([\w.]+)`", shown, text).replace("``", "`")
    return _PAGE.sub(lambda found: _page_link(found[1]), plain)


def as_json(text: str) -> str:
    """Return a sentence with the literals of JSON instead of Python's."""
    return text.replace("`None`", "`null`").replace("`True`", "`true`").replace("`False`", "`false`")


def block(language: str, text: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text}\n```"


def json_text(value: Any, indent: str = "", before: int = 0) -> str:
    """Return JSON of which what fits a line, behind what stands there before, stands on one."""
    line = json.dumps(value, ensure_ascii=False)
    if before + len(indent) + len(line) <= WIDTH - 10 or not value or not isinstance(value, dict | list | tuple):
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {json_text(each, inner, len(key) + 4)}" for key, each in value.items()]
        return "\n".join(["{", ",\n".join(lines), f"{indent}}}"])
    return "\n".join(["[", ",\n".join(f"{inner}{json_text(each, inner)}" for each in value), f"{indent}]"])


def anchor(heading: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def _page_link(path: str) -> str:
    name = path.rpartition("/")[2].removesuffix(".md").replace("-", " ")
    if path.startswith("adr/"):
        (decision,) = _DECISIONS.glob(f"{name.split()[0]}-*.md")
        return f"[decision {int(name.split()[0])}](../adr/{decision.name})"
    return f"[{name}](../{path})"
