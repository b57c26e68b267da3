"""Compare: which answers would change, whether that is for the better, and the way to promote."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.browsing import NARROW, WIDE, Theme
from tests.console.conftest import Findings, OpenPage
from tests.console.judging import NUM_ROWS, ROWS, as_file, drop_test_set, open_view, train_versions
from tests.servers import TICKETS, Running, Servers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with two versions of a task, and a copy of the second one."""
    folder = tmp_path_factory.mktemp("compare")
    servers = Servers(folder)
    running = servers.start(folder / "data")
    train_versions(running)
    running.client.post("/v1/classifier/models/tickets_v2/copy", json={"new_name": "twin"}).raise_for_status()
    yield running
    servers.stop()


@pytest.fixture
def compared(page: Page) -> Page:
    """A page on which version 1, which is in use, is compared with version 2."""
    open_view(page, "compare?models=tickets_v1,tickets_v2")
    drop_test_set(page)
    expect(page.get_by_role("heading", name="Rows whose answer changes")).to_be_visible()
    return page


def comparison(server: Running, *names: str) -> dict[str, Any]:
    fields = {"model_names": names or ["tickets_v1", "tickets_v2"], "test_data": ROWS}
    answer: dict[str, Any] = server.client.post("/v1/classifier/compare", json=fields).json()
    return answer


def test_the_versions_of_a_task_are_proposed_the_one_in_use_first(page: Page) -> None:
    open_view(page, "compare")
    page.get_by_role("button", name="tickets", exact=True).click()
    expect(page).to_have_url(re.compile(r"models=tickets_v1%2Ctickets_v2"))
    expect(page.get_by_text("On which rows?")).to_be_visible()


def test_the_verdict_is_that_of_the_server_in_its_words(compared: Page, server: Running) -> None:
    found = comparison(server)
    notice = compared.locator("main .notice[role=status]").first
    expect(notice).to_contain_text(found["pairs"][0]["verdict"])
    expect(notice).to_contain_text(found["recommendation"]["reason"])
    for each in found["models"]:
        row = compared.get_by_role("table", name="Accuracy of each classifier").get_by_role(
            "row", name=each["reference"]
        )
        expect(row).to_contain_text(f"{100 * each['accuracy']:.1f} %")
        expect(row).to_contain_text(f"{each['correct']} of {NUM_ROWS}")


def test_a_difference_of_fewer_rows_than_each_was_measured_on_says_of_how_many(page: Page, server: Running) -> None:
    learned = {"text": TICKETS["invoice"][0], "label": "invoice"}
    fields = {"model_names": ["tickets_v1", "tickets_v2"], "test_data": [*ROWS, learned]}
    (pair,) = server.client.post("/v1/classifier/compare", json=fields).json()["pairs"]
    assert pair["total"] < len(ROWS) + 1
    open_view(page, "compare?models=tickets_v1,tickets_v2")
    drop_test_set(page, as_file([*ROWS, learned], "june.csv"))
    difference = page.get_by_role("table", name="Accuracy of each classifier").get_by_role("row", name="tickets_v2")
    expect(difference).to_contain_text(f"of {NUM_ROWS + 1}")
    expect(difference).to_contain_text(f") on {pair['total']} rows")


def test_the_rows_that_change_are_shown_and_only_those_that_got_worse_on_demand(
    compared: Page, server: Running
) -> None:
    flips = [each["predicted"] | {"label": each["label"]} for each in comparison(server)["disagreements"]]
    worse = [each for each in flips if each["tickets_v1"] == each["label"]]
    better = [each for each in flips if each["tickets_v2"] == each["label"]]
    assert better
    rows = compared.get_by_role("table", name="Rows whose answer changes").locator("tbody tr")
    expect(rows).to_have_count(len(flips))
    compared.get_by_role("tab", name=f"{len(better)} got better").click()
    expect(rows).to_have_count(len(better))
    compared.get_by_role("tab", name=f"{len(worse)} got worse").click()
    expect(rows).to_have_count(len(worse))
    expect(compared).to_have_url(re.compile("show=worse"))
    compared.reload()
    expect(compared.get_by_role("tab", name=f"{len(worse)} got worse")).to_have_attribute("aria-selected", "true")


def test_promoting_leads_to_the_alias_of_the_one_in_use(compared: Page) -> None:
    compared.get_by_role("link", name="Promote tickets_v2").click()
    expect(compared).to_have_url(re.compile(r"#/aliases/desk\?promote=tickets_v2&test=[0-9a-f]{64}$"))


def test_a_cell_of_the_confusion_matrix_opens_its_rows_in_judge(compared: Page) -> None:
    compared.get_by_role("region", name="Confusion matrix").get_by_role(
        "button", name="of login, read as login"
    ).click()
    expect(compared.get_by_role("table", name="Rows behind the cell")).to_be_visible()
    compared.go_back()
    expect(compared.get_by_role("heading", name="Rows whose answer changes")).to_be_visible()


def test_of_several_rivals_one_is_looked_at_by_its_address(page: Page, server: Running) -> None:
    open_view(page, "compare?models=tickets_v2,twin,tickets_v1")
    drop_test_set(page)
    expect(page.get_by_text("Both give the same answers to all rows.")).to_be_visible()
    page.get_by_role("tab", name="tickets_v1", exact=True).click()
    expect(page).to_have_url(re.compile("against=tickets_v1"))
    pairs = comparison(server, "tickets_v2", "twin", "tickets_v1")["pairs"]
    verdict = next(
        each["verdict"] for each in pairs if each["second"] == "tickets_v1" and each["first"] == "tickets_v2"
    )
    page.reload()
    expect(page.locator("main .notice[role=status]").first).to_contain_text(verdict)


def test_of_several_rivals_the_recommended_one_is_looked_at_first(page: Page) -> None:
    open_view(page, "compare?models=tickets_v1,tickets_v1@1,tickets_v2")
    drop_test_set(page)
    expect(page.get_by_role("tab", name="tickets_v2", exact=True)).to_have_attribute("aria-selected", "true")


def test_the_learning_curve_of_each_is_made_of_its_training_file(compared: Page) -> None:
    expect(compared.locator(".learning summary")).to_have_text(
        ["Would more rows help tickets_v1?", "Would more rows help tickets_v2?"]
    )
    compared.get_by_text("Would more rows help tickets_v2?").click()
    curve = compared.locator(".learning").nth(1)
    with compared.expect_request("**/cross-validate") as asked:
        curve.locator("input[type=file]").set_input_files(as_file(ROWS[:-1], "training.csv"))
    assert json.loads(asked.value.post_data or "")["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    expect(curve.get_by_role("img", name="Accuracy with")).to_be_visible()


def test_classifiers_are_added_taken_out_and_change_places(compared: Page) -> None:
    field = compared.get_by_role("combobox", name="Add a classifier")
    field.fill("twin")
    field.press("Enter")
    expect(compared).to_have_url(re.compile(r"models=tickets_v1%2Ctickets_v2%2Ctwin"))
    compared.get_by_role("button", name="Take out tickets_v2").click()
    expect(compared).to_have_url(re.compile(r"models=tickets_v1%2Ctwin&"))
    compared.get_by_role("button", name="Change places").click()
    expect(compared.get_by_role("heading", name="Compare twin with tickets_v1")).to_be_visible()
    compared.go_back()
    expect(compared.get_by_role("heading", name="Compare tickets_v1 with twin")).to_be_visible()


def test_what_is_not_there_is_told_in_the_words_of_the_server(page: Page, server: Running, watch: Any) -> None:
    watch.allow("status of 404")
    open_view(page, "compare?models=tickets_v1,nowhere")
    drop_test_set(page)
    expect(page.get_by_role("alert")).to_contain_text("nowhere")
    expect(page.get_by_role("alert")).to_contain_text("classifier_not_found")


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_window_and_axe_finds_nothing_serious(
    server: Running, open_page: OpenPage, axe: Findings, theme: Theme, width: int
) -> None:
    page = open_page(f"{server.client.base_url}/#/compare?models=tickets_v1,tickets_v2,twin", theme=theme, width=width)
    drop_test_set(page)
    expect(page.get_by_role("heading", name="Rows whose answer changes")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
