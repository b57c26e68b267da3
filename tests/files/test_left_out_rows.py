"""What is told of rows that are left out of a file."""

import pytest

from windrow.files.formats.form import LeftOut
from windrow.files.left_out_rows import LeftOutRows, left_out_report, left_out_warnings


def rows_of(count: int, *, num_bad: int = 0, num_unlabelled: int = 0) -> LeftOutRows:
    left_out = LeftOutRows(num_unlabelled=num_unlabelled, num_bad=num_bad)
    for number in range(1, count + 1):
        left_out.add(LeftOut(number, "it is {what}.", {"what": "nothing"}, f"id {number}" if number == 1 else ""))
    return left_out


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        (LeftOutRows(), []),
        (
            rows_of(2, num_bad=2),
            [
                "Left out of a.csv: 2 rows that are wrong.",
                "  line 1 (id 1): it is nothing.",
                "  line 2: it is nothing.",
            ],
        ),
        (
            rows_of(1, num_unlabelled=3),
            ["Left out of a.csv: 1 row, and 3 rows that nobody has labelled.", "  line 1 (id 1): it is nothing."],
        ),
        (rows_of(0, num_unlabelled=1), ["Left out of a.csv: 1 row that nobody has labelled."]),
    ],
)
def test_people_are_told_how_many_rows_are_left_out_and_why(left_out: LeftOutRows, told: list[str]) -> None:
    assert list(left_out_report("a.csv", left_out, "line")) == told


def test_the_first_ten_are_told_by_place_and_the_others_by_count() -> None:
    left_out = rows_of(12, num_bad=1)
    first, *lines, last = left_out_report("a.csv", left_out, "row")
    assert first == "Left out of a.csv: 12 rows, 1 of them wrong."
    assert (len(lines), lines[-1], last) == (10, "  row 10: it is nothing.", "  and 2 more.")
    [warning] = left_out_warnings("a.csv", left_out, "row")
    assert warning.code == "rows_left_out"
    assert warning.message.startswith(f"{first} Row 1 (id 1): it is nothing. Row 2: ")
    assert left_out_warnings("a.csv", LeftOutRows(), "row") == ()
