"""Wrapping changes where lines end, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from docs.generator.wrapping import wrapped

LONG = " ".join(["a word"] * 40)
LINES = st.lists(
    st.sampled_from(
        [
            LONG,
            f"- {LONG}",
            f"  10. {LONG}",
            "- short",
            "short",
            "",
            "# Heading",
            f"| {LONG} |",
            "```",
            f"`{LONG}`",
            "1. - x",
        ]
    ),
    max_size=12,
)


@given(LINES)
def test_wrapping_keeps_every_word_and_a_second_time_changes_nothing(lines: list[str]) -> None:
    page = "\n".join(lines)
    assert wrapped(page).split() == page.split()
    assert wrapped(wrapped(page)) == wrapped(page)


def test_a_wide_item_is_continued_below_its_text() -> None:
    first, *others = wrapped(f"- {LONG}\n- other").splitlines()
    assert len(first) <= 120
    assert others[-1] == "- other"
    assert all(line.startswith(("  a", "  w")) for line in others[:-1])


def test_code_tables_and_what_fits_stay_as_they_are() -> None:
    page = f"```sh\n{LONG}\n```\n\n| {LONG} |\n\nOne\nshort\nparagraph.\n"
    assert wrapped(page) == page


def test_no_line_begins_with_what_would_be_a_list() -> None:
    page = " ".join(["word", "-"] * 60)
    assert not [line for line in wrapped(page).splitlines() if line.startswith("-")]


def test_code_in_a_line_is_kept_together() -> None:
    assert "`one two three`" in wrapped(" ".join(["`one two three`"] * 20)).splitlines()[1]
