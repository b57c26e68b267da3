import pytest

from tests.display.reading import Page
from windrow.display.html import bar, heat_map, table
from windrow.html_report.elements import Html, element, joined

EVIL = "<script>alert('\"&')</script>"


def test_whatever_is_no_html_is_escaped() -> None:
    page = Page(element("p", EVIL, element("b", EVIL), style=EVIL))
    assert page.tags == ["p", "b"]
    assert (page.texts, page.styles) == ([EVIL, EVIL], [EVIL])


@pytest.mark.parametrize(
    "html",
    [bar(0.5, EVIL), table([EVIL], [[EVIL]]), heat_map([EVIL, "b"], [[1, 0], [0, 0]]), joined([element("i", EVIL)])],
)
def test_no_piece_lets_a_text_become_an_element(html: Html) -> None:
    page = Page(html)
    assert EVIL in page.texts
    assert "script" not in page.tags


@pytest.mark.parametrize(("share", "width"), [(0.5, "4.00em"), (-1, "0.00em"), (2, "8.00em")])
def test_a_bar_is_as_long_as_its_share(share: float, width: str) -> None:
    assert f"width:{width};" in Page(bar(share)).styles[0]


def test_a_table_has_its_numbers_at_the_right_and_says_how_many_rows_it_lacks() -> None:
    page = Page(table(["name", "rows"], [["a", "1"], ["b", "2"]], [False, True], left_out=1_234))
    assert page.texts == ["name", "rows", "a", "1", "b", "2", "… and 1,234 more."]
    assert page.styles == ["text-align:left", "text-align:right"] * 3


def test_a_heat_map_is_strongest_where_most_of_a_row_lies() -> None:
    page = Page(heat_map(["a", "b"], [[3, 1], [0, 0]]))
    assert page.texts == ["label \\ given", "a", "b", "a", "3", "1", "b", "·", "·"]
    assert [style.partition("168, ")[2] for style in page.styles if "background" in style] == [
        "0.75)",
        "0.25)",
        "0.00)",
        "0.00)",
    ]
