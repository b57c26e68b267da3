"""The reference pages and what writes each; a test fails where a page is not what its function returns."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generator import command_line, errors, findings, http, metrics, python, settings, values

FOLDER = Path(__file__).parents[1] / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "command-line.md": command_line.text,
    "errors.md": errors.text,
    "findings.md": findings.text,
    "http.md": http.text,
    "metrics.md": metrics.text,
    "python.md": python.text,
    "settings.md": settings.text,
    "values.md": values.text,
}


def main() -> None:
    """Write every page, and remove pages that nothing writes any more."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.md"):
        if old.name not in PAGES:
            old.unlink()
    for name, text in PAGES.items():
        (FOLDER / name).write_text(text())


if __name__ == "__main__":
    main()
