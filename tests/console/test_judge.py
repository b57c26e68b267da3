"""Judge: a test set that is dropped once, what a classifier makes of it, and the threshold that speaks for."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch
from tests.console.conftest import Findings, OpenPage
from tests.console.judging import (
    HOSTILE_LABEL,
    NUM_ROWS,
    ROWS,
    as_file,
    drop_test_set,
    open_view,
    saved,
    train_versions,
)
from tests.servers import Running, Servers, Start

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with two versions of a task."""
    folder = tmp_path_factory.mktemp("judge")
    servers = Servers(folder)
    running = servers.start(folder / "data")
    train_versions(running)
    yield running
    servers.stop()


@pytest.fixture
def judged(page: Page) -> Page:
    """A page on which version 2 has been evaluated, without keeping the score."""
    open_view(page, "judge?model=tickets_v2")
    drop_test_set(page)
    expect(verdict(page)).to_be_visible()
    return page


def verdict(page: Page) -> Locator:
    return page.get_by_text(re.compile(rf"\d+ of {NUM_ROWS} rows are right"))


def evaluated(server: Running, **more: object) -> dict[str, Any]:
    fields = {"model_name": "tickets_v2", "test_data": ROWS, "save": False, **more}
    answer: dict[str, Any] = server.client.post("/v1/classifier/evaluate", json=fields).json()
    return answer


def details(server: Running) -> dict[str, Any]:
    answer: dict[str, Any] = server.client.get("/v1/classifier/models/tickets_v2").json()
    return answer


def address(page: Page) -> dict[str, str]:
    _, _, query = page.evaluate("location.hash").partition("?")
    return {name: values[0] for name, values in parse_qs(query).items()}


def test_a_test_set_is_dropped_once_and_is_there_the_next_time(page: Page, server: Running) -> None:
    open_view(page, "judge")
    drop_test_set(page)
    assert address(page)["test"] == evaluated(server)["test_data_sha256"]
    page.goto(str(server.client.base_url))
    open_view(page, "judge")
    kept = page.get_by_label("Test sets that this browser keeps")
    expect(kept).to_contain_text(f"{NUM_ROWS} rows")
    kept.get_by_role("button", name="may.csv", exact=True).click()
    expect(page.locator(".test-set b")).to_have_text("may.csv")


def test_a_test_set_that_is_forgotten_can_be_brought_back(page: Page) -> None:
    open_view(page, "judge")
    drop_test_set(page)
    page.get_by_role("button", name="Choose another").click()
    page.get_by_role("button", name="Forget may.csv").click()
    expect(page.get_by_label("Test sets that this browser keeps")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Test sets that this browser keeps")).to_contain_text("may.csv")


def test_a_file_whose_columns_are_not_clear_is_asked_about(page: Page) -> None:
    open_view(page, "judge?model=tickets_v2")
    odd = as_file(ROWS[:8], "odd.csv", ("what they say", "what it is"))
    page.locator(".test-set input[type=file]").set_input_files(odd)
    page.get_by_role("button", name="It does").click()
    page.get_by_label("Use of what they say").select_option("text")
    expect(page.get_by_label("Use of what they say")).to_have_value("text")
    page.get_by_label("Use of what it is").select_option("label")
    expect(page.locator(".test-set b")).to_have_text("odd.csv")
    expect(page.get_by_text(re.compile(r"\d of 8 rows are right"))).to_be_visible()


def test_rows_that_cannot_be_used_are_named_before_the_others_are_taken(page: Page) -> None:
    open_view(page, "judge")
    holes = as_file([*ROWS[:4], {"text": "a row without a label", "label": ""}], "holes.csv")
    page.locator(".test-set input[type=file]").set_input_files(holes)
    expect(page.get_by_text("Line 6: the label is blank.")).to_be_visible()
    page.get_by_role("button", name="Take the 4 rows").click()
    expect(page.locator(".test-set")).to_contain_text("4 rows:")


def test_a_file_without_rows_is_told_and_no_test_set(page: Page) -> None:
    open_view(page, "judge")
    bare: FilePayload = {"name": "bare.csv", "mimeType": "text/csv", "buffer": b"text,label\n"}
    page.locator(".test-set input[type=file]").set_input_files(bare)
    expect(page.locator(".test-set")).to_contain_text("There is no row in it.")
    expect(page.get_by_role("button", name="bare.csv")).to_have_count(0)


def test_the_address_of_an_unknown_test_set_asks_for_its_file(page: Page) -> None:
    open_view(page, f"judge?model=tickets_v2&test={'a' * 64}")
    expect(page.get_by_text("This browser does not keep the test set of this address")).to_be_visible()


def test_the_figures_are_those_of_the_server_in_sentences(judged: Page, server: Running) -> None:
    report = evaluated(server)
    expect(verdict(judged)).to_contain_text(
        f"{100 * report['accuracy']:.1f} % right. {report['correct']} of {NUM_ROWS}"
    )
    labels = judged.get_by_role("table", name="How each label did")
    for each in report["labels"]:
        if each["total"]:
            expect(labels).to_contain_text(f"{each['recall']:.2f} ({each['correct']}/{each['total']})")
    expect(judged.get_by_text("Shown to be better than always answering")).to_be_visible()


def test_opening_an_address_keeps_no_score_and_the_button_does(judged: Page, server: Running) -> None:
    before = details(server)["test"]
    expect(judged.get_by_text("Score only shown" if before is None else "Score")).to_be_visible()
    judged.reload()
    expect(verdict(judged)).to_be_visible()
    assert details(server)["test"] == before
    judged.keyboard.press("e")
    expect(judged.get_by_text("Score kept")).to_be_visible()
    assert details(server)["test"]["total"] == NUM_ROWS


def test_a_cell_of_the_confusion_matrix_opens_its_rows_and_its_address(judged: Page, server: Running) -> None:
    report = evaluated(server)
    wrong = {each["row"] for each in report["misclassified"]}
    right = [row for row, each in enumerate(ROWS) if each["label"] == "login" and row not in wrong]
    judged.get_by_role("button", name=f"{len(right)} of login, read as login").click()
    rows = judged.get_by_role("table", name="Rows behind the cell").locator("tbody tr")
    expect(rows).to_have_count(len(right))
    expect(rows.first).to_contain_text(ROWS[right[0]]["text"])
    judged.reload()
    expect(rows).to_have_count(len(right))
    judged.keyboard.press("w")
    expect(judged.get_by_role("table", name="Misclassified rows").locator("tbody tr")).to_have_count(len(wrong))


def test_wrong_rows_go_to_the_corrections_with_the_label_of_the_file(judged: Page) -> None:
    judged.get_by_role("button", name=f"Send row {NUM_ROWS} to Correct").click()
    expect(judged.get_by_text("1 text went to Correct.")).to_be_visible()
    kept = judged.evaluate(
        """() => new Promise((resolve) => {
          const request = indexedDB.open("windrow");
          request.onsuccess = () => {
            const all = request.result.transaction("corrections").objectStore("corrections").getAll();
            all.onsuccess = () => { request.result.close(); resolve(all.result); };
          };
        })"""
    )
    (corrections,) = kept
    assert corrections["model_name"] == "tickets_v2"
    assert [(each["text"], each["expected"]) for each in corrections["items"]] == [(ROWS[-1]["text"], HOSTILE_LABEL)]


def test_the_arrow_keys_move_the_threshold_from_point_to_point(judged: Page, server: Running) -> None:
    coverage = evaluated(server)["coverage"]
    slider = judged.get_by_role("slider", name="Threshold")
    slider.press("End")
    expect(judged.locator(".coverage-says")).to_contain_text("Threshold 1.00:")
    slider.press("Home")
    for _ in range(12):
        slider.press("ArrowRight")
    point = coverage[12]
    says = f"{100 * point['share']:.1f} % of the texts would be answered, {100 * point['error']:.1f} % of these wrong"
    expect(judged.locator(".coverage-says")).to_contain_text(says)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(re.escape(says)))
    expect(judged).to_have_url(re.compile(re.escape(f"threshold={point['threshold']}")))
    judged.reload()
    expect(judged.locator(".coverage-says")).to_contain_text(says)


def test_a_threshold_that_is_proposed_is_used_and_cleared(judged: Page, server: Running) -> None:
    judged.get_by_label("Right answers wanted, in percent").fill("90")
    judged.get_by_role("button", name="Propose a threshold").click()
    proposed = evaluated(server, target_precision=0.9)["proposed_threshold"]
    expect(judged.locator(".coverage-says")).to_contain_text(f"Threshold {proposed['abstain_below']:.2f}:")
    judged.get_by_role("button", name="Use this threshold").click()
    judged.get_by_role("dialog").get_by_role("button", name="Use this threshold").click()
    expect(judged.get_by_text(f"Its threshold is {proposed['abstain_below']:.2f}.")).to_be_visible()
    record = details(server)
    assert record["threshold"]["abstain_below"] == proposed["abstain_below"]
    assert "may.csv" in record["threshold_changes"][-1]["reason"]
    judged.get_by_role("button", name="Clear it").click()
    judged.get_by_role("dialog").get_by_role("button", name="Clear it").click()
    expect(judged.get_by_text("It has no threshold: it always gives a label.")).to_be_visible()
    assert details(server)["threshold"] is None


def test_the_evaluation_is_given_as_one_page(judged: Page, tmp_path: Path) -> None:
    page_file = saved(judged, "Save as a page", tmp_path)
    assert page_file.name == "tickets_v2.report.html"
    content = page_file.read_text()
    assert "tickets_v2" in content
    assert "<script>document.title" not in content


def test_a_learning_curve_is_made_of_a_training_file(page: Page) -> None:
    open_view(page, "judge")
    page.get_by_text("Would more rows help?").click()
    page.locator(".learning input[type=file]").set_input_files(as_file(ROWS[:-1], "training.csv"))
    expect(page.locator(".learning").get_by_text("cross-validation estimates")).to_be_visible()
    expect(page.get_by_role("img", name="Accuracy with")).to_be_visible()


def test_a_key_that_may_not_keep_a_score_sees_it_all_the_same(
    start: Start, open_page: OpenPage, tmp_path: Path, watch: Watch
) -> None:
    watch.allow("status of 40[13]")
    server = start(tmp_path / "data")
    train_versions(server)
    reply = server.client.post("/v1/classifier/keys", json={"name": "reader", "scopes": ["read"]})
    page = open_page(str(server.client.base_url))
    page.get_by_role("dialog").get_by_label("API key").fill(reply.json()["key"])
    page.get_by_role("button", name="Use this key").click()
    open_view(page, "judge?model=tickets_v2")
    drop_test_set(page)
    expect(verdict(page)).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_text("The score could not be kept, only shown")).to_be_visible()
    expect(verdict(page)).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_window_and_axe_finds_nothing_serious(
    server: Running, open_page: OpenPage, axe: Findings, theme: Theme, width: int
) -> None:
    page = open_page(f"{server.client.base_url}/#/judge?model=tickets_v2", theme=theme, width=width)
    drop_test_set(page)
    expect(verdict(page)).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title() == "Judge · Windrow"
