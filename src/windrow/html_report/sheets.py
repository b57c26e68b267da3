"""The sheets that a page of an evaluation is made of: sections with a heading, and cards with one figure."""

from windrow.html_report.elements import Html, element


def section(heading: str, *parts: Html) -> Html:
    """Return a part of a page with a heading."""
    return element("section", element("h2", heading), *parts, class_="sheet")


def card(name: str, figure: str, *more: Html) -> Html:
    """Return a figure with its name, and what is to be said of it."""
    return element("div", element("h2", name, class_="key"), element("p", figure, class_="big"), *more, class_="sheet")
