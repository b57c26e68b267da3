from dataclasses import replace

import pytest

from windrow.domain.errors import InvalidParameter
from windrow.domain.inspection import InspectedRow, Inspection, InspectRequest, check_inspect
from windrow.domain.read_options import FORMATS, QUOTINGS


def test_every_format_and_way_of_quoting_may_be_named() -> None:
    for format_ in (None, *FORMATS):
        for quoting in (None, *QUOTINGS):
            check_inspect(InspectRequest(format=format_, quoting=quoting))


@pytest.mark.parametrize("name", ["format", "quoting"])
def test_another_one_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check_inspect(replace(InspectRequest(), **{name: "xls"}))  # type: ignore[arg-type]
    assert refused.value.facts["parameter"] == name
    assert refused.value.facts["allowed"] == list({"format": FORMATS, "quoting": QUOTINGS}[name])


def test_an_inspection_is_as_long_as_its_rows_and_shows_what_matters() -> None:
    rows = (InspectedRow(2, "a", "b"), InspectedRow(3, "c", "b"))
    found = Inspection(
        format="csv",
        encoding="utf-8",
        delimiter=",",
        has_header=True,
        columns=(),
        text_columns=("text",),
        label_column="label",
        num_rows=2,
        rows=rows,
        rows_per_label={"b": 2},
        questions=(),
        problems=(),
        num_problems=0,
        warnings=(),
        sha256=None,
    )
    assert (len(found), found[1], list(found)) == (2, rows[1], list(rows))
    assert repr(found).startswith("Inspection(format='csv', text_columns=['text'], label_column='label', num_rows=2")
