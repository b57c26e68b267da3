"""What is odd about labelled rows, and which rows are behind it."""

import pytest

from windrow.domain.data_warnings import find_data_warnings, find_test_warnings, with_every_row
from windrow.domain.dataset import DataLimits, DataWarning, Row, check_rows
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow

LIMITS = DataLimits()


def test_clean_rows_of_full_classes_give_no_warning() -> None:
    rows = [Row(f"text {label} {number}", label) for label in "ab" for number in range(4)]
    assert find_data_warnings(check_rows(rows, LIMITS)) == ()


def test_each_oddity_has_its_warning_and_its_rows() -> None:
    rows = [Row("t", "a"), Row("t", "a"), Row("t", "b"), Row("u", "A ")]
    found = {warning.code: warning for warning in find_data_warnings(check_rows(rows, LIMITS))}
    assert set(found) == {"duplicate_rows", "contradicting_rows", "small_classes", "labels_alike"}
    assert found["duplicate_rows"].rows == (1,)
    assert found["contradicting_rows"].rows == (0, 1, 2)


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (("Bug", "bug", "b"), "'Bug' / 'bug'"),
        (("R\u00fcckfrage", "Ru\u0308ckfrage"), r"'Ru\u0308ckfrage' / 'R\xfcckfrage'"),
        (("bug", "bu\u200bg"), r"'bug' / 'bu\u200bg'"),
        (("bug", "bug\u202e", "Bug"), r"'Bug' / 'bug' / 'bug\u202e'"),
    ],
)
def test_labels_that_look_alike_are_shown_with_what_tells_them_apart(labels: tuple[str, ...], shown: str) -> None:
    rows = [Row(f"text {number} {label!a}", label) for number in range(4) for label in labels]
    (warning,) = find_data_warnings(check_rows(rows, LIMITS))
    assert warning.code == "labels_alike"
    assert shown in warning.message


def test_a_warning_names_five_rows_at_most() -> None:
    rows = [Row("t", "a")] * 20 + [Row("u", "b")] * 4
    found = {warning.code: warning for warning in find_data_warnings(check_rows(rows, LIMITS))}
    assert len(found["duplicate_rows"].rows) == 5
    assert found["duplicate_rows"].message.startswith("22 rows repeat")


def test_labels_that_are_whole_numbers_are_worth_a_warning() -> None:
    dataset = check_rows(
        [Row(f"{label} {number}", label) for label in ("0", "-1", "2.0", "v2") for number in range(4)], DataLimits()
    )
    [warning] = find_data_warnings(dataset)
    assert warning.code == "number_labels"
    assert "--label-names 0=negative,1=positive" in warning.message
    assert "taken as their text ('-1', '0', '2.0')" in warning.message


@pytest.mark.parametrize(
    ("labels", "joined", "rows"),
    [
        (("billing", "billing;urgent"), "'billing;urgent'", (1, 3, 5, 7)),
        (("a | b", "b", "c"), "'a | b'", (0, 3, 6, 9)),
        (("a, b", "a, c", "d"), "'a, b', 'a, c'", (0, 1, 3, 4, 6)),
        (("a,b", "a;b", "c"), "'a,b', 'a;b'", (0, 1, 3, 4, 6)),
    ],
)
def test_labels_that_look_like_several_in_one_are_worth_a_warning(
    labels: tuple[str, ...], joined: str, rows: tuple[int, ...]
) -> None:
    dataset = check_rows([Row(f"text {number} {label}", label) for number in range(4) for label in labels], LIMITS)
    [warning] = find_data_warnings(dataset)
    assert (warning.code, warning.rows) == ("labels_joined", rows[:5])
    assert f"like several in one: {joined}. Each counts as one label." in warning.message
    assert "as labels" in warning.message
    assert "--labels-column" in warning.message
    [whole] = with_every_row([warning], dataset)
    assert whole.rows == tuple(number for number, row in enumerate(dataset.rows) if repr(row.label) in joined)


@pytest.mark.parametrize(
    "labels", [("research, development", "sales"), ("a;", "a"), (";", "a"), ("a;a", "b"), ("b;c", "a,d")]
)
def test_a_label_with_a_separator_that_no_other_label_speaks_for_is_one_label(labels: tuple[str, ...]) -> None:
    dataset = check_rows([Row(f"text {number} {label}", label) for number in range(4) for label in labels], LIMITS)
    assert find_data_warnings(dataset) == ()


def test_several_labels_are_no_joined_ones() -> None:
    assert find_data_warnings(_dataset(*[("a;b",), ("a",), ("b",)] * 4)) == ()


def test_clean_multi_label_rows_give_no_warning() -> None:
    sets = [("a",), ("a", "b"), ("b",)] * 4
    assert find_data_warnings(_dataset(*sets)) == ()


def test_rows_without_labels_are_named_as_texts_that_no_label_fits() -> None:
    warning = _warnings(*[("a",)] * 4, (), ())["rows_without_labels"]
    assert warning.rows == (4, 5)
    assert warning.message.startswith("2 rows have no label. They count as texts that no label fits")


def test_one_row_without_labels_is_told_of_in_the_singular() -> None:
    warning = _warnings(*[("a",)] * 4, ())["rows_without_labels"]
    assert warning.message.startswith("1 row has no label. It counts as a text that no label fits")


def test_a_label_that_every_row_has_is_named() -> None:
    warning = _warnings(*[("a", "b")] * 4, ("a",))["label_of_every_row"]
    assert "Every row has 'a', so that it will be given to every text" in warning.message


def test_a_multi_label_row_is_repeated_by_the_same_labels_in_any_order() -> None:
    rows = [MultiLabelRow("t", ("a", "b")), MultiLabelRow("t", ("b", "a")), MultiLabelRow("u", ())]
    found = {warning.code: warning for warning in find_test_warnings(MultiLabelDataset(tuple(rows)))}
    assert set(found) == {"duplicate_rows"}
    assert found["duplicate_rows"].rows == (1,)
    assert found["duplicate_rows"].message == "1 row repeats an earlier row with the same labels."


def test_a_text_with_two_label_sets_contradicts_itself() -> None:
    rows = [MultiLabelRow("t", ("a", "b")), MultiLabelRow("u", ("b",)), MultiLabelRow("t", ("a",))]
    [warning] = find_test_warnings(MultiLabelDataset(tuple(rows)))
    assert (warning.code, warning.rows) == ("contradicting_rows", (0, 2))
    assert warning.message == "2 rows carry a text that also stands with other labels."


def test_labels_of_multi_label_rows_may_be_few_alike_or_numbers() -> None:
    found = _warnings(("Bug", "bug"), ("1", "2"))
    assert set(found) == {"small_classes", "labels_alike", "number_labels"}
    assert "'Bug' / 'bug'" in found["labels_alike"].message


@pytest.mark.parametrize(
    ("sets", "code", "rows"),
    [
        ((*[("a",)] * 7, *[()] * 6), "rows_without_labels", (7, 8, 9, 10, 11, 12)),
        ((("a", "b"), ("a",)), "label_of_every_row", ()),
        ((*[("a",)] * 7, ("a", "b"), ()), "small_classes", (7,)),
        ((*[("a",)] * 7, ("A",), ("b",)), "labels_alike", (0, 1, 2, 3, 4, 5, 6, 7)),
    ],
)
def test_every_row_behind_a_warning_can_be_had(
    sets: tuple[tuple[str, ...], ...], code: str, rows: tuple[int, ...]
) -> None:
    dataset = _dataset(*sets)
    found = {warning.code: warning for warning in with_every_row(find_data_warnings(dataset), dataset)}
    assert found[code].rows == rows


def _dataset(*sets: tuple[str, ...]) -> MultiLabelDataset:
    return MultiLabelDataset(tuple(MultiLabelRow(f"text {number}", labels) for number, labels in enumerate(sets)))


def _warnings(*sets: tuple[str, ...]) -> dict[str, DataWarning]:
    return {warning.code: warning for warning in find_data_warnings(_dataset(*sets))}
