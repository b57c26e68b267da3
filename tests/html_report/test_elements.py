"""No text becomes an element, whatever it holds."""

from hypothesis import given
from hypothesis import strategies as st

from tests.html_report.reading import WholePage
from windrow.html_report.elements import Html, element, escaped, given_text, joined

EVIL = "</p></style><script>alert('\"&')</script><!-- ]]> &amp;"


def read(html: Html) -> WholePage:
    return WholePage(html.encode())


@given(st.text() | st.just(EVIL))
def test_every_text_is_read_as_it_was_given_but_for_what_html_has_not(text: str) -> None:
    page = read(element("p", text, title=text))
    shown = "".join(page.texts)
    assert [tag for tag, _ in page.elements] == ["p"]
    assert len(shown) == len(text)
    # Line ends may be read as others; so may characters that HTML has not.
    assert all(seen in (char, "\N{REPLACEMENT CHARACTER}", "\n") for seen, char in zip(shown, text, strict=True))


def test_control_characters_and_halves_of_pairs_are_shown_as_replaced() -> None:
    replaced = "\N{REPLACEMENT CHARACTER}"
    assert escaped("a\x00b\x1bc\x85d\ud800e\ufffef") == f"a{replaced}b{replaced}c{replaced}d{replaced}e{replaced}f"
    assert escaped("two\nlines\tand 💸 שלום") == "two\nlines\tand 💸 שלום"


def test_attributes_have_their_names_in_html_and_empty_ones_are_left_out() -> None:
    page = read(element("g", "a", class_="n", aria_label='"a"', scope="", viewBox="0 0 1 1"))
    assert page.elements == [("g", {"class": "n", "aria-label": '"a"', "viewbox": "0 0 1 1"})]
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_a_text_changes_nothing_around_it_and_a_long_one_opens() -> None:
    assert given_text("short", 10) == "<bdi>short</bdi>"
    page = read(given_text(EVIL * 100, 20))
    assert [tag for tag, _ in page.elements] == ["details", "summary", "bdi", "span", "bdi"]
    assert page.texts == [f"{EVIL[:20]}…", f" {len(EVIL) * 100:,} characters", EVIL * 100]


def test_what_is_html_already_stays_it() -> None:
    assert joined((element("b", "a"), Html("<i>b</i>"))) == "<b>a</b><i>b</i>"
    assert element("p", Html("<b>"), "<b>") == "<p><b>&lt;b&gt;</p>"
