"""Descriptions of labels as they are typed, and as a file has them."""

from pathlib import Path

import pytest

from windrow.cli.label_descriptions import DescribedLabels, read_descriptions
from windrow.domain.errors import InvalidJson, InvalidParameter


def test_what_is_typed_is_cut_at_its_first_equals_sign() -> None:
    typed = DescribedLabels(("billing=Money: invoices, refunds", " bug = a=b ", "other="))
    assert read_descriptions(typed) == {"billing": "Money: invoices, refunds", "bug": "a=b", "other": ""}
    assert read_descriptions(DescribedLabels()) is None


@pytest.mark.parametrize(
    ("typed", "words"), [(("bug",), "'bug' has no equals sign"), (("a=b", "a=c"), "'a=c' describes a label again")]
)
def test_what_is_no_description_is_refused(typed: tuple[str, ...], words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        read_descriptions(DescribedLabels(typed))


def test_a_file_describes_labels_with_any_name_and_what_is_typed_holds_first(tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text('{"a=b": "first", "ü": "second"}', encoding="utf-8")
    assert read_descriptions(DescribedLabels(("ü=typed",), file)) == {"a=b": "first", "ü": "typed"}


@pytest.mark.parametrize("content", ["[]", '"text"', '{"a": 1}', '{"a": null}'])
def test_a_file_of_something_else_is_refused_with_an_example(tmp_path: Path, content: str) -> None:
    file = tmp_path / "labels.json"
    file.write_text(content)
    with pytest.raises(
        InvalidParameter, match=r'labels\.json is no object of labels and texts\. Write it like \{"billing"'
    ):
        read_descriptions(DescribedLabels((), file))


def test_a_file_that_is_no_json_or_missing_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "labels{0}.json"
    with pytest.raises(InvalidParameter, match="cannot be read"):
        read_descriptions(DescribedLabels((), file))
    file.write_text('{"a": "b", "a": "c"}')
    with pytest.raises(InvalidJson) as refused:
        read_descriptions(DescribedLabels((), file))
    assert "labels{0}.json" in refused.value.detail
