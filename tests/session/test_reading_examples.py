"""The examples of a file, as Python has them."""

import io
import json
from pathlib import Path

import pytest

import windrow
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.session.inspecting import AnyFile

LINES = [
    {"text": "charged twice", "label": "billing", "part": "train"},
    {"text": "it crashes", "label": "technical", "part": "test"},
]
CONTENT = "".join(f"{json.dumps(line)}\n" for line in LINES).encode()


@pytest.mark.parametrize("how", ["path", "bytes", "file"])
def test_a_file_is_read_in_each_form_that_people_have_it_in(tmp_path: Path, how: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(CONTENT)
    forms: dict[str, AnyFile] = {"path": path, "bytes": CONTENT, "file": io.BytesIO(CONTENT)}
    found = windrow.read_examples(forms[how])
    assert (found.format, found.certainty, found.kind) == ("jsonl", 1.0, "single_label")
    assert found.texts == ("charged twice", "it crashes")
    assert found.labels == ("billing", "technical")
    assert (found.lines, found.splits) == ((1, 2), (None, None))


def test_the_parts_of_the_data_are_those_of_the_named_column() -> None:
    found = windrow.read_examples(CONTENT, split_column="part")
    assert found.splits == ("train", "test")
    assert found.only("test").texts == ("it crashes",)
    assert found.only("train", None).labels == ("billing",)


def test_the_file_of_a_tool_says_what_it_leaves_out() -> None:
    def task(number: int, choices: list[str]) -> dict[str, object]:
        result = [{"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": choices}}]
        annotations = [{"was_cancelled": number == 2, "result": result}] if choices else []
        return {"id": number, "data": {"text": f"text {number}"}, "annotations": annotations}

    content = json.dumps([task(1, ["a", "b"]), task(2, ["a"]), task(3, [])]).encode()
    found = windrow.read_examples(content)
    assert (found.format, found.kind, found.labels, found.ids) == ("label_studio", "multi_label", (("a", "b"),), ("1",))
    assert (found.num_left_out, found.num_unlabelled) == (1, 1)
    [left_out] = found.left_out
    assert (left_out.line, left_out.id) == (2, "2")
    assert "cancelled" in left_out.detail


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="There is no file"):
        windrow.read_examples(tmp_path / "none.csv")
    with pytest.raises(InvalidFile, match="there is nothing in it"):
        windrow.read_examples(b"")
    with pytest.raises(TypeError, match="Did you mean 'encoding'"):
        windrow.read_examples(CONTENT, encodin="utf-8")  # type: ignore[call-arg]
    with pytest.raises(InvalidFile, match="there is no column 'fold'"):
        windrow.read_examples(CONTENT, split_column="fold")


def test_an_empty_folder_is_no_project_of_a_tool(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="no project of a known tool"):
        windrow.read_examples(tmp_path)
