"""The page on settings: each variable with its default."""

from dataclasses import fields

from docs.generator.markdown import inline, page, paragraph, paragraphs, table
from windrow.settings import Settings, variable_name


def text() -> str:
    """Return the page."""
    rows = [
        [f"`{variable_name(each.name)}`", _default(each.default), inline(each.metadata["doc"])]
        for each in fields(Settings)
    ]
    return page(
        "Settings",
        *paragraphs(Settings.__doc__ or ""),
        paragraph(
            "`windrow.open` takes each as an argument by its name in small letters without `WINDROW_`. "
            "[Run a server](../how-to/run-a-server.md) says how to set them."
        ),
        table(["Variable", "Default", "Meaning"], rows),
    )


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value in ((), "", None):
        return "none"
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"
