"""Labels that look alike, taken as one in the spelling that most rows have."""

from windrow.domain.dataset import Row
from windrow.domain.label_merging import groups_alike, merge_labels
from windrow.domain.multi_label import MultiLabelRow


def rows(*labels: str) -> tuple[Row, ...]:
    return tuple(Row(f"text {number}", label) for number, label in enumerate(labels))


def test_the_spelling_of_most_rows_is_kept_and_told_with_counts() -> None:
    merged = merge_labels(rows("bug", "Billing", "billing ", "billing", "billing", "BILLING"))
    assert [row.label for row in merged.rows] == ["bug", *["billing"] * 5]  # type: ignore[union-attr]
    assert [row.text for row in merged.rows] == [f"text {number}" for number in range(6)]
    (warning,) = merged.warnings
    assert (warning.code, warning.rows) == ("labels_merged", (1, 2, 5))
    assert warning.message == (
        "Labels that look alike were merged: 'Billing' (1 row), 'billing ' (1 row), 'BILLING' (1 row) into 'billing' "
        "(2 rows)."
    )


def test_of_spellings_of_equally_many_rows_the_first_one_is_kept() -> None:
    assert merge_labels(rows("b ", "a", "b", "A", "A", "a")).kept == {"b": "b ", "A": "a"}


def test_rows_without_labels_that_look_alike_stay_as_they_are() -> None:
    given = rows("a", "b", "a b", "a-b")
    merged = merge_labels(given)
    assert (merged.rows, merged.kept, merged.warnings) == (given, {}, ())


def test_a_row_with_a_label_in_two_spellings_has_it_once() -> None:
    given = (MultiLabelRow("x", ("Urgent", "bug", "urgent")), MultiLabelRow("y", ("urgent",)), MultiLabelRow("z", ()))
    merged = merge_labels(given)
    assert merged.rows == (MultiLabelRow("x", ("urgent", "bug")), given[1], given[2])
    assert merged.warnings[0].rows == (0,)


def test_what_stands_under_a_label_goes_with_it_unless_the_kept_one_has_its_own() -> None:
    merged = merge_labels(rows("a", "a", "A", "b", "b", "B"))
    assert merged.renamed({"A": "one", "B": "two", "b": "own", "c": "three"}) == {"a": "one", "b": "own", "c": "three"}


def test_alike_are_labels_that_differ_in_case_white_space_and_what_is_not_seen() -> None:
    labels = ["a", "A", "a ", "a\u200b", "b c", "b  c", "d", "d."]
    assert groups_alike(labels) == [["a", "A", "a ", "a\u200b"], ["b c", "b  c"]]


def test_numbers_that_a_spreadsheet_writes_in_two_ways_are_merged_into_the_more_frequent_one() -> None:
    labels = ["1", "1.0", "2", "2,0", "3.1", "3.10", "01"]
    assert groups_alike(labels) == [["1", "1.0"], ["2", "2,0"]]
    merged = merge_labels(rows("1", "1.0", "1.0", "2"))
    assert merged.kept == {"1": "1.0"}
    [warning] = merged.warnings
    assert warning.message == "Labels that look alike were merged: '1' (1 row) into '1.0' (2 rows)."
