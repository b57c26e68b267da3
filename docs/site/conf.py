"""How `make docs` builds the pages into a site, with Sphinx: strictly, and without any request to another host."""

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

project = "Windrow"
author = "the Windrow maintainers"
project_copyright = "the Windrow maintainers, Apache-2.0"
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "bench/*.md"]
exclude_patterns = [".*", "build", "windrow-data", "src", "tests", "requirements"]

extensions = ["myst_parser"]
# Anchors as GitHub makes them, of every heading.
myst_heading_anchors = 6
myst_heading_slug_func = "docs.generator.markdown.anchor"

html_theme = "furo"
html_title = "Windrow"
html_show_sourcelink = False
html_copy_source = False
html_theme_options: dict[str, object] = {"top_of_page_buttons": []}


def setup(app: Any) -> None:
    """Have Sphinx read the tables of contents from the links of the index pages."""
    app.connect("source-read", _add_contents)
    app.connect("build-finished", _add_start_page)


def _add_contents(_: Any, name: str, source: list[str]) -> None:
    """Append a hidden table of contents to the two index pages, which themselves hold plain Markdown for GitHub."""
    if name == "docs/index":
        for title, pages in re.findall(r"^\| (\w[\w-]*) \| .* \| (.*\.md.*) \|$", source[0], re.MULTILINE):
            source[0] += _contents(title, re.findall(r"\]\(([^)]+\.md)\)", pages))
        source[0] += _contents("Project", re.findall(r"\]\((\.\./[^)]+\.md)\)", source[0].rpartition("About")[2]))
    elif name == "docs/adr/README":
        source[0] += _contents("Decisions", re.findall(r"\]\(([^)]+\.md)\)", source[0]))


def _contents(title: str, pages: list[str]) -> str:
    return "\n```{toctree}\n:hidden:\n:caption: " + title + "\n\n" + "\n".join(pages) + "\n```\n"


def _add_start_page(app: Any, error: Exception | None) -> None:
    """Write the page that opens the index, which is in a folder as it is in the repository."""
    if error is None:
        refresh = '<meta http-equiv="refresh" content="0; url=docs/index.html">'
        link = f'<a href="docs/index.html">{project}</a>'
        start = f'<!doctype html><html lang="en"><title>{project}</title>{refresh}{link}</html>'
        Path(app.outdir, "index.html").write_text(start)
