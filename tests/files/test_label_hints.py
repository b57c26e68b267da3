"""Which columns may hold labels, by what their cells look like."""

import pytest

from windrow.files.label_hints import find_label_hints


def test_columns_of_both_kinds_are_named_each_by_its_option() -> None:
    hints = list(find_label_hints({"spam": {"1", "0"}, "ham": {"true"}, "tags": {"a|b"}, "more": {"c;d"}}))
    assert [(hint.parameter, hint.facts) for hint in hints] == [
        ("indicator_columns", {"indicators": "'spam', 'ham'", "hold": "hold"}),
        ("labels_column", {"several": "tags", "separator": "|"}),
    ]


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        ({"a;b"}, ";"),
        ({"a, b", "b"}, ","),
        ({"a, b", "c"}, None),
        ({"a;b", "this is a longer sentence; and no label"}, None),
        ({"a;"}, None),
        ({"10;20"}, None),
        (set(), None),
    ],
)
def test_a_separator_stands_between_short_words(cells: set[str], separator: str | None) -> None:
    hints = list(find_label_hints({"column": cells}))
    assert [hint.facts.get("separator") for hint in hints] == ([] if separator is None else [separator])
