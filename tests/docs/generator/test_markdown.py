"""What the generated pages are made of."""

from hypothesis import given
from hypothesis import strategies as st

from docs.generator.markdown import anchor, as_json, inline, json_text, paragraph, table

WORDS = st.lists(st.sampled_from(["word", "-", "+", "#", "1.", ">", "a-b", "x" * 40]), min_size=1, max_size=80)


@given(WORDS)
def test_a_paragraph_keeps_its_words_and_begins_no_list_or_heading(words: list[str]) -> None:
    text = paragraph(" ".join(["First", *words]))
    assert text.split() == ["First", *words]
    assert not [line for line in text.splitlines() if line.split()[0] in {"-", "+", "#", "1.", ">"}]


def test_a_bar_in_a_cell_is_escaped_once() -> None:
    assert table(["A"], [["x | y"], ["x \\| y"]]).splitlines()[2:] == ["| x \\| y |", "| x \\| y |"]


def test_a_docstring_names_objects_literals_and_pages() -> None:
    said = "See :meth:`Session.fit`, ``None``, docs/explanation/training.md and docs/adr/0016."
    assert inline(said, {"fit": "[fit](#fit)"}) == (
        "See [fit](#fit), `None`, [training](../explanation/training.md) and [decision 16](../adr/0016-folds.md)."
    )


def test_literals_of_python_become_those_of_json() -> None:
    assert as_json("`None`, `True` and `None`") == "`null`, `true` and `null`"


def test_short_json_is_one_line_and_long_json_is_not() -> None:
    assert json_text({"a": [1, 2]}) == '{"a": [1, 2]}'
    assert json_text({"a": ["x" * 60, "y" * 60]}).splitlines() == [
        "{",
        '  "a": [',
        f'    "{"x" * 60}",',
        f'    "{"y" * 60}"',
        "  ]",
        "}",
    ]


def test_an_anchor_is_that_of_github() -> None:
    assert anchor("POST /v1/classifier/fit?wait=false") == "post-v1classifierfitwaitfalse"
    assert anchor("A gate before promotion") == "a-gate-before-promotion"
