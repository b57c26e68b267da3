"""The documentation builds into a site without a warning, and the site asks no other host for anything."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.source_tree import ROOT

pytestmark = pytest.mark.slow

PYTHON = ROOT / ".venv-docs" / "bin" / "python"
# What a browser loads by itself: in HTML and in style sheets. Links that a reader may follow are none of these.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|<link\b[^>]*\bhref=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|(?:@import\s+|url\()["']?(?:https?:)?//[^"'\s)]+""",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not PYTHON.exists():
        pytest.skip("needs the site generator: make .venv-docs/.sphinx")
    folder = tmp_path_factory.mktemp("site")
    strict = ["--quiet", "--fail-on-warning", "--keep-going", "--nitpicky"]
    command: list[str | Path] = [PYTHON, "-m", "sphinx", *strict, "-c", "docs/site", ".", folder]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


def test_the_site_has_each_page_of_the_documentation(site: Path) -> None:
    sources = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")]
    assert len(sources) > 40
    assert [page for page in sources if not (site / page.relative_to(ROOT)).with_suffix(".html").exists()] == []


def test_the_site_asks_no_other_host_for_anything(site: Path) -> None:
    pages = [page for page in site.rglob("*") if page.suffix in {".html", ".css", ".svg"}]
    assert len(pages) > 40
    assert {found for page in pages for found in LOADED.findall(page.read_text())} == set()


@pytest.mark.parametrize(
    "loaded",
    [
        '<link rel="stylesheet" href="https://fonts.googleapis.com/css?family=Inter">',
        '<script async src="//cdn.example.org/a.js"></script>',
        "@font-face { src: url('https://fonts.gstatic.com/s/inter.woff2') }",
        '@import "https://example.org/a.css";',
    ],
)
def test_what_another_host_would_be_asked_for_is_found(loaded: str) -> None:
    assert LOADED.search(loaded)


def test_a_link_that_a_reader_may_follow_is_no_request() -> None:
    assert not LOADED.search('<a href="https://example.org/">there</a>')
