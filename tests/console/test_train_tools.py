"""Train: files of labelling tools, and of those with rows for testing."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.test_train import choose, expect_trained, open_train, record, tickets, train_button
from tests.servers import Running
from tests.source_tree import PACKAGE
from windrow.domain.read_options import FORMATS, PLAIN_FORMATS, TOOL_FORMATS

pytestmark = pytest.mark.slow
TRAIN_DATA = PACKAGE / "console" / "js" / "screens" / "train_data.js"


def listed_in_console(name: str) -> list[str]:
    found = re.search(rf"const {name} = (\[[^\]]*\]);", TRAIN_DATA.read_text(encoding="utf-8"))
    assert found is not None
    return list(json.loads(found[1]))


def test_the_console_offers_each_format_that_has_labels() -> None:
    assert [*listed_in_console("TABLES"), *listed_in_console("TOOLS")] == [each for each in FORMATS if each != "txt"]
    assert listed_in_console("TOOLS") == list(TOOL_FORMATS)
    assert {*listed_in_console("TABLES"), "txt"} == {*PLAIN_FORMATS}


def test_the_rows_for_testing_are_kept_from_the_training_and_say_how_good_it_is(
    server: Running, page: Page, tmp_path: Path
) -> None:
    rows = [
        {"textContent": text, "classificationAnnotation": {"displayName": label}, "dataItemResourceLabels": use(place)}
        for place, (text, label) in enumerate(tickets())
    ]
    file = tmp_path / "vertex.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    choose(open_train(server, page, "num_iterations=0&name=parts_v1"), file)
    expect(page.get_by_text("9 rows for training")).to_have_count(0)
    expect(page.get_by_text("9 rows for train, 3 rows for test.")).to_be_visible()
    expect(page.locator(".settings .cost")).to_contain_text("9 rows of 3 labels")
    train_button(page).click()
    expect_trained(page, "parts_v1@1")
    expect(page.get_by_role("heading", name="On the rows of the file for testing")).to_be_visible()
    expect(page.get_by_text("3 rows that it was not trained on.")).to_be_visible()
    assert record(server, "parts_v1")["num_examples"] == 9


def use(place: int) -> dict[str, str]:
    return {"aiplatform.googleapis.com/ml_use": "test" if place in (3, 7, 11) else "training"}


def test_what_a_tool_leaves_out_is_told_and_its_columns_are_not_asked_for(
    server: Running, page: Page, tmp_path: Path
) -> None:
    rows = [
        {"text": text, "label": label, "answer": "accept", "_input_hash": 1, "_task_hash": 2}
        for text, label in tickets()
    ]
    rows[4]["answer"] = "reject"
    file = tmp_path / "prodigy.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    choose(open_train(server, page), file)
    expect(page.get_by_text("11 rows: prodigy")).to_be_visible()
    page.get_by_text("1 row is no example, and left out.").click()
    expect(page.get_by_text("Row 5")).to_be_visible()
    expect(page.get_by_label("Use of text")).to_have_count(0)


def test_of_several_controls_of_a_labelling_tool_one_is_chosen(server: Running, page: Page, tmp_path: Path) -> None:
    tasks = [
        {
            "id": place,
            "data": {"text": text},
            "annotations": [{"result": [chosen("team", label), chosen("mood", "calm")]}],
        }
        for place, (text, label) in enumerate(tickets(), start=1)
    ]
    file = tmp_path / "export.json"
    file.write_text(json.dumps(tasks), encoding="utf-8")
    open_train(server, page).locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("labels of several controls")).to_be_visible()
    page.get_by_role("button", name="Each text has one label: team").click()
    expect(page.get_by_text("12 rows: label studio")).to_be_visible()
    expect(page.locator(".settings .cost")).to_contain_text("12 rows of 3 labels")


def chosen(control: str, choice: str) -> dict[str, object]:
    return {"from_name": control, "to_name": "text", "type": "choices", "value": {"choices": [choice]}}


def test_a_test_set_of_a_file_with_rows_for_testing_is_just_those(server: Running, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "parts.jsonl"
    rows = [
        {"textContent": text, "classificationAnnotation": {"displayName": label}, "dataItemResourceLabels": use(place)}
        for place, (text, label) in enumerate(tickets())
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    page.goto(f"{server.client.base_url}#/compare")
    page.get_by_text("Choose a test set").wait_for()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".test-set")).to_contain_text("3 rows:")
