"""Docstrings are taken apart where Google's style says."""

from docs.generator import markdown
from docs.generator.docstrings import described, entries, section, text_of


class Documented:
    """Do something.

    More of it.

    Args:
        first: One line
            and another one.
        **options: As usual.

    Returns:
        A value: the best one.

    Raises:
        ValueError: It is wrong.
    """

    size: int
    """How large it is,
    in bytes.
    """
    plain: int


def test_the_text_ends_where_the_sections_begin() -> None:
    assert text_of(Documented) == "Do something.\n\nMore of it."


def test_each_section_has_its_entries() -> None:
    assert entries(Documented, "Args") == {"first": "One line and another one.", "**options": "As usual."}
    assert entries(Documented, "Raises") == {"ValueError": "It is wrong."}
    assert section(Documented, "Returns") == "A value: the best one."
    assert section(Documented, "Yields") == ""


def test_names_are_described_by_what_stands_below_them() -> None:
    assert described(Documented) == {"size": "How large it is, in bytes."}
    assert described(markdown) == {}
