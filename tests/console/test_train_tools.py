"""Train: files of labelling tools, and of those with rows for testing."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.test_train import choose, expect_trained, open_train, record, tickets, train_button, written
from tests.servers import TICKETS, Running
from tests.source_tree import PACKAGE
from windrow.domain.read_options import FORMATS, PLAIN_FORMATS, TOOL_FORMATS

pytestmark = pytest.mark.slow
SCREENS = PACKAGE / "console" / "js" / "screens"


def listed_in_console(name: str) -> list[str]:
    sources = "".join((SCREENS / module).read_text(encoding="utf-8") for module in ("test_set.js", "train_data.js"))
    found = re.search(rf"const {name} = (\[[^\]]*\]);", sources)
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


def test_where_annotators_of_a_tool_differ_a_text_may_be_left_out_as_wrong(
    server: Running, page: Page, tmp_path: Path
) -> None:
    chosen_by = [[label] for _, label in tickets()]
    chosen_by[3] = ["refund", "refund", "login"]
    tasks = [
        {"id": place, "data": {"text": text}, "annotations": [{"result": [chosen("team", each)]} for each in labels]}
        for place, ((text, _), labels) in enumerate(zip(tickets(), chosen_by, strict=True), start=1)
    ]
    file = tmp_path / "export.json"
    file.write_text(json.dumps(tasks), encoding="utf-8")
    choose(open_train(server, page), file)
    expect(page.get_by_text("12 rows: label studio")).to_be_visible()
    page.get_by_text("Read it differently").click()
    page.get_by_label("Where annotators differ").select_option("refuse")
    expect(page.get_by_text("11 rows: label studio")).to_be_visible()
    expect(page.get_by_text("its 3 annotators differ")).to_be_visible()
    expect(page.get_by_text("Line 4 (4)")).to_be_visible()
    expect(page.locator(".settings .cost")).to_contain_text("11 rows of 3 labels")


def test_labels_that_a_file_numbers_are_given_names(server: Running, page: Page, tmp_path: Path) -> None:
    numbers = {label: str(number) for number, label in enumerate(TICKETS)}
    file = written(tmp_path, "numbered.csv", [(text, numbers[label]) for text, label in tickets()])
    choose(open_train(server, page, "num_iterations=0&name=numbered_v1"), file)
    page.get_by_label("Name of 0").fill("money")
    page.get_by_label("Name of 1").fill("constructor")
    page.get_by_role("button", name="Use these names").click()
    expect(page.locator(".counts")).to_contain_text("money")
    expect(page.locator(".counts")).to_contain_text("constructor")
    expect(page.get_by_label("Name of 0")).to_have_value("money")
    page.get_by_label("Name of 2").fill("people")
    page.get_by_label("Name of 2").press("Enter")
    expect(page.locator(".counts")).to_contain_text("people")
    train_button(page).click()
    expect_trained(page, "numbered_v1@1")
    assert record(server, "numbered_v1")["labels"] == ["constructor", "money", "people"]


def test_names_of_labels_do_not_hold_for_another_column(server: Running, page: Page, tmp_path: Path) -> None:
    rows = [(text, str(place % 3), label) for place, (text, label) in enumerate(tickets())]
    file = written(tmp_path, "two_columns.csv", rows, ("text", "label", "team"))
    choose(open_train(server, page), file)
    page.get_by_label("Name of 0").fill("money")
    page.get_by_role("button", name="Use these names").click()
    expect(page.locator(".counts")).to_contain_text("money")
    page.get_by_label("Use of team").select_option("label")
    expect(page.locator(".counts")).to_contain_text("refund")
    expect(page.get_by_label("Name of 0")).to_have_count(0)
    expect(page.locator(".settings .cost")).to_contain_text("12 rows of 3 labels")


def test_columns_of_ids_and_of_parts_of_the_data_are_chosen(server: Running, page: Page, tmp_path: Path) -> None:
    rows = [
        (f"T-{place}", text, "" if place == 4 else label, "test" if place in (3, 7, 11) else "train")
        for place, (text, label) in enumerate(tickets())
    ]
    file = written(tmp_path, "parts.csv", rows, ("number", "text", "label", "part"))
    choose(open_train(server, page), file)
    expect(page.get_by_text("Line 6:")).to_be_visible()
    page.get_by_label("Use of number").select_option("id")
    expect(page.get_by_text("Line 6 (T-4):")).to_be_visible()
    page.get_by_label("Use of part").select_option("split")
    expect(page.get_by_text("8 rows for train, 3 rows for test.")).to_be_visible()
    expect(page.get_by_label("Use of number")).to_have_value("id")
    expect(page.get_by_text("Line 6 (T-4):")).to_be_visible()
    expect(page.locator(".settings .cost")).to_contain_text("8 rows of 3 labels")


def test_a_test_set_whose_labels_are_numbers_is_given_names(server: Running, page: Page, tmp_path: Path) -> None:
    numbers = dict(zip(TICKETS, ("0", "1.0", "\u0662"), strict=True))  # the last one is an Arabic 2
    file = written(tmp_path, "numbered.csv", [(text, numbers[label]) for text, label in tickets()])
    page.goto(f"{server.client.base_url}#/compare")
    page.get_by_text("Choose a test set").wait_for()
    page.locator("input[type=file]").set_input_files(file)
    for label, number in numbers.items():
        page.get_by_label(f"Name of {number}").fill(label)
    page.get_by_role("button", name="Use these names").click()
    expect(page.locator(".test-set")).to_contain_text("12 rows: 4 refund, 4 invoice, 4 login")


def test_a_file_of_yaml_and_a_zip_file_can_be_chosen(server: Running, page: Page, tmp_path: Path) -> None:
    accepted = open_train(server, page).locator("input[type=file]").get_attribute("accept") or ""
    assert {".yml", ".yaml", ".md", ".zip", ".gz", ".manifest", ".parquet", ".arrow"} <= {*accepted.split(",")}
    lines = "".join(f"- intent: {label}\n  examples: |\n    - {text}\n" for text, label in tickets())
    with zipfile.ZipFile(tmp_path / "bot.zip", "w") as archive:
        archive.writestr("data/nlu.yml", f'version: "3.1"\nnlu:\n{lines}')
    choose(page, tmp_path / "bot.zip")
    expect(page.get_by_text("12 rows: rasa")).to_be_visible()
