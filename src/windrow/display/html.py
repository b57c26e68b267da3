"""HTML for notebooks, of elements that escape all text; it needs no style sheet and no script, and no other host."""

from collections.abc import Iterable, Sequence

from windrow.html_report.elements import Html, element, joined

# Readable on light and on dark pages.
_HUE = "76, 120, 168"
_BAR_EM = 8


def bar(share: float, text: str = "") -> Html:
    """Return a bar.

    Args:
        share: Its length, from 0 to 1.
        text: What stands behind it.
    """
    filled = min(1.0, max(0.0, share))
    style = (
        f"display:inline-block;height:0.7em;margin-right:0.5em;width:{filled * _BAR_EM:.2f}em;"
        f"background:rgba({_HUE}, 0.8)"
    )
    return joined((element("span", style=style), element("span", text)))


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool] = (), left_out: int = 0
) -> Html:
    """Return a table.

    Args:
        headings: What each column holds.
        rows: The cells of each row.
        right: Whether each column holds numbers, which stand at the right; none for words everywhere.
        left_out: The number of rows that are not shown; a note below the table gives it.
    """
    sides = [f"text-align:{'right' if each else 'left'}" for each in right] or ["text-align:left"] * len(headings)
    head = element("tr", *(element("th", text, style=side) for text, side in zip(headings, sides, strict=True)))
    body = (
        element("tr", *(element("td", cell, style=side) for cell, side in zip(row, sides, strict=True))) for row in rows
    )
    table_html = element("table", element("thead", head), element("tbody", *body))
    return joined((table_html, element("p", f"… and {left_out:,} more."))) if left_out else table_html


def heat_map(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Html:
    """Return a matrix of counts, each cell as strong as its share of its row.

    Args:
        labels: What rows and columns stand for.
        counts: As many rows, of as many counts.
    """
    side = "text-align:right"
    head = element("tr", element("th", "label \\ given"), *(element("th", label, style=side) for label in labels))
    body = (
        element("tr", element("th", label, style="text-align:left"), *(_cell(count, sum(row)) for count in row))
        for label, row in zip(labels, counts, strict=True)
    )
    return element("table", element("thead", head), element("tbody", *body))


def _cell(count: int, total: int) -> Html:
    share = count / total if total else 0.0
    return element("td", str(count) if count else "·", style=f"text-align:right;background:rgba({_HUE}, {share:.2f})")
