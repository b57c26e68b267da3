"""Aliases in a browser: promotion with a reason and a gate, the history, and the way back."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch
from tests.console.conftest import Findings, OpenPage
from tests.servers import TICKETS, Running, Servers, fit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with a good first version and a second one that gives wrong labels."""
    folder = tmp_path_factory.mktemp("aliases")
    servers = Servers(folder)
    running = servers.start(folder / "data")
    fit(running, "tickets_v1", num_iterations=0)
    fit(running, "tickets_v2", num_iterations=0, swapped=True)
    yield running
    servers.stop()


def promoted(server: Running, alias: str, *names: str, **more: object) -> None:
    for name in names:
        reply = server.client.put(f"/v1/classifier/aliases/{alias}", json={"model_name": name, "author": "ana", **more})
        assert reply.status_code == 200, reply.text


def points_to(server: Running, alias: str) -> str | None:
    aliases = server.client.get("/v1/classifier/aliases").json()["aliases"]
    return next((each["points_to"] for each in aliases if each["alias"] == alias), None)


def show(page: Page, server: Running, address: str) -> None:
    page.goto(f"{server.client.base_url}/#/{address}")
    page.reload()


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def test_a_record_leads_to_a_promotion_that_proposes_the_task_as_the_alias(server: Running, page: Page) -> None:
    show(page, server, "classifiers/tickets_v1")
    page.get_by_role("link", name="Promote").click()
    expect(page).to_have_url(re.compile(r"#/aliases\?promote=tickets_v1"))
    expect(dialog(page).get_by_label("Classifier")).to_have_value("tickets_v1")
    expect(dialog(page).get_by_label("Alias")).to_have_value("tickets")
    expect(dialog(page)).to_contain_text("A new alias.")
    page.keyboard.type("It is the first one.")
    dialog(page).get_by_label("Author").fill("ana")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="tickets", level=1)).to_be_visible()
    line = page.get_by_role("listitem").first
    expect(line).to_contain_text("Promoted: tickets_v1")
    expect(line).to_contain_text("by ana")
    expect(line).to_contain_text("It is the first one.")
    page.get_by_role("button", name="Promote").click()
    expect(dialog(page).get_by_label("Author")).to_have_value("ana")


def test_each_alias_is_listed_with_target_author_reason_and_lock(server: Running, page: Page) -> None:
    row = {"text": "send me the bill", "label": "invoice"}
    promoted(server, "listed", "tickets_v1@1", reason="Checked by hand.", must_pass=[row])
    show(page, server, "aliases")
    line = page.get_by_role("row", name="listed")
    for text in ("tickets_v1@1", "ana", "Checked by hand."):
        expect(line).to_contain_text(text)
    expect(line.get_by_role("img", name="protected by a gate")).to_be_visible()


def test_what_is_typed_before_the_aliases_are_there_stays(server: Running, page: Page) -> None:
    promoted(server, "typed", "tickets_v1")
    held: list[Route] = []
    may_go_on = False

    def hold(route: Route) -> None:
        if may_go_on:
            route.continue_()
        else:
            held.append(route)

    page.route("**/v1/classifier/aliases*", hold)
    show(page, server, "aliases/typed?promote=tickets_v1")
    page.get_by_text("Rows that must be read right, now").click()
    dialog(page).get_by_label("Text", exact=True).fill("send me the bill")
    may_go_on = True
    for route in held[-1:]:  # those before belong to the page that was loaded anew
        route.continue_()
    expect(dialog(page)).to_contain_text("Points to tickets_v1 now.")
    expect(dialog(page).get_by_label("Text", exact=True)).to_have_value("send me the bill")
    expect(dialog(page).get_by_label("Text", exact=True)).to_be_visible()


def test_rows_that_an_alias_keeps_refuse_a_version_that_reads_them_wrong_and_say_which(
    server: Running, page: Page, watch: Watch
) -> None:
    watch.allow("status of 409")
    promoted(server, "guarded", "tickets_v1")
    show(page, server, "aliases/guarded?promote=tickets_v1")
    page.get_by_text("Rows that must be read right, now").click()
    dialog(page).get_by_label("Text", exact=True).fill("send me the bill")
    dialog(page).get_by_label("Its label").fill("invoice")
    dialog(page).get_by_role("button", name="Add").click()
    dialog(page).get_by_role("button", name="Promote", exact=True).click()
    expect(dialog(page)).to_contain_text("Every condition is met.")
    dialog(page).get_by_role("button", name="See its history").click()
    expect(page.get_by_role("region", name="Gate")).to_contain_text("It keeps 1 row")

    fit(server, "tickets_v3", num_iterations=0, swapped=True)
    show(page, server, "aliases/guarded?promote=tickets_v3")
    swapped = dict(zip(TICKETS, reversed(TICKETS), strict=True))
    expect(dialog(page).get_by_role("listitem")).to_contain_text("send me the bill")
    dialog(page).get_by_label("Text", exact=True).fill("reimburse the fee")
    dialog(page).get_by_label("Its label").fill("refund")
    dialog(page).get_by_role("button", name="Add").click()
    dialog(page).get_by_role("button", name="Promote", exact=True).click()
    expect(dialog(page).get_by_role("alert")).to_contain_text("Not promoted: guarded stays as it is.")
    expect(dialog(page)).to_contain_text("not met")
    expect(dialog(page)).to_contain_text(f"reimburse the fee is refund, and was read as {swapped['refund']}")
    assert points_to(server, "guarded") == "tickets_v1"


def test_a_test_set_refuses_what_is_worse_and_passes_what_is_not(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 409")
    promoted(server, "measured", "tickets_v1")
    show(page, server, "aliases/measured?promote=tickets_v2")
    sheet = io.StringIO()
    rows = [(f"please {text}", label) for label, texts in TICKETS.items() for text in texts]
    csv.writer(sheet).writerows([("text", "label"), *rows])
    file = FilePayload(name="may.csv", mimeType="text/csv", buffer=sheet.getvalue().encode())
    dialog(page).locator("input[type=file]").set_input_files([file])
    expect(dialog(page)).to_contain_text("12 rows")
    page.get_by_text("Least recall of a label").click()
    dialog(page).get_by_label("Least recall of refund").fill("50")
    page.get_by_text("Least F1 of a label").click()
    dialog(page).get_by_label("Least F1 of login").fill("50")
    dialog(page).get_by_role("button", name="Promote", exact=True).click()
    expect(dialog(page)).to_contain_text("Not promoted")
    expect(dialog(page)).to_contain_text(re.compile(r"Least recall\. Recall of 'refund' is"))
    expect(dialog(page)).to_contain_text(re.compile(r"Least F1\. F1 of 'login' is"))
    expect(dialog(page)).to_contain_text(re.compile(r"The new one: \d+ of 12 test rows right"))
    assert points_to(server, "measured") == "tickets_v1"
    dialog(page).get_by_label("Classifier").fill("tickets_v1@1")
    dialog(page).get_by_role("button", name="Promote", exact=True).click()
    expect(dialog(page)).to_contain_text("Every condition is met.")
    assert points_to(server, "measured") == "tickets_v1@1"


def test_an_alias_is_rolled_back_with_a_reason_that_the_history_keeps(server: Running, page: Page) -> None:
    promoted(server, "undone", "tickets_v1", "tickets_v2")
    show(page, server, "aliases/undone")
    page.get_by_role("button", name="Roll back …").click()
    expect(dialog(page)).to_contain_text("It points to tickets_v1 again at once")
    page.keyboard.type("It took refunds for bills.")
    dialog(page).get_by_role("button", name="Roll back").click()
    line = page.get_by_role("listitem").first
    expect(line).to_contain_text("Rolled back: tickets_v2 → tickets_v1")
    expect(line).to_contain_text("It took refunds for bills.")
    assert points_to(server, "undone") == "tickets_v1"
    expect(page.get_by_role("button", name="Roll back …")).to_be_disabled()


def test_the_drawer_shows_what_was_done_and_not_what_the_view_read_after_it(server: Running, page: Page) -> None:
    promoted(server, "drawn", "tickets_v1", "tickets_v2")
    show(page, server, "aliases/drawn")
    page.get_by_role("button", name="Roll back …").click()
    dialog(page).get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("listitem").first).to_contain_text("Rolled back: tickets_v2 → tickets_v1")
    page.keyboard.press("r")
    drawer = page.get_by_role("complementary", name="The request behind this view")
    expect(drawer.locator("pre")).to_contain_text("/aliases/drawn/rollback")
    drawer.get_by_role("combobox", name="Which request").select_option(label="GET /aliases/drawn/history")
    expect(drawer.locator("pre")).to_contain_text("/aliases/drawn/history")


def test_a_removed_alias_keeps_its_history(server: Running, page: Page) -> None:
    promoted(server, "removed", "tickets_v1")
    show(page, server, "aliases/removed")
    page.get_by_role("button", name="Remove").click()
    dialog(page).get_by_role("button", name="Remove").click()
    expect(page.get_by_text("This alias points nowhere.")).to_be_visible()
    expect(page.get_by_role("listitem").first).to_contain_text("Removed: tickets_v1 → nowhere")
    assert points_to(server, "removed") is None


def test_a_name_that_a_classifier_has_cannot_be_an_alias(server: Running, page: Page) -> None:
    show(page, server, "aliases?promote=tickets_v1")
    dialog(page).get_by_label("Alias").fill("tickets_v2")
    expect(dialog(page)).to_contain_text("A classifier has this name")
    expect(dialog(page).get_by_role("button", name="Promote", exact=True)).to_be_disabled()


def test_a_promotion_is_begun_and_given_up_by_keys(server: Running, page: Page) -> None:
    promoted(server, "by_keys", "tickets_v1")
    show(page, server, "aliases")
    expect(page.get_by_role("row", name="by_keys")).to_be_visible()
    page.keyboard.press("p")
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(page).to_have_url(re.compile("#/aliases$"))


@pytest.mark.parametrize("look", [("light", WIDE), ("light", NARROW), ("dark", WIDE), ("dark", NARROW)])
@pytest.mark.parametrize("address", ["aliases", "aliases/looked_at", "aliases/looked_at?promote=tickets_v2"])
def test_nothing_is_wider_than_the_window_and_axe_finds_nothing_serious(
    server: Running, open_page: OpenPage, axe: Findings, look: tuple[Theme, int], address: str
) -> None:
    theme, width = look
    promoted(server, "looked_at", "tickets_v1", must_pass=[{"text": "send me the bill", "label": "invoice"}])
    page = open_page(f"{server.client.base_url}/#/{address}", theme=theme, width=width)
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("looked_at").first).to_be_attached()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
