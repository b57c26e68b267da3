"""Questions in a browser: what each is bound to, and how it is bound, changed and let go."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch
from tests.console.conftest import Findings, OpenPage
from tests.servers import Running, Servers, fit

pytestmark = pytest.mark.slow
BINDINGS = "/v1/classifier/bindings"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with a classifier of the labels refund, invoice and login, and an alias of it."""
    folder = tmp_path_factory.mktemp("questions")
    servers = Servers(folder)
    running = servers.start(folder / "data")
    fit(running, "tickets_v1", num_iterations=0)
    reply = running.client.put("/v1/classifier/aliases/desk", json={"model_name": "tickets_v1"})
    assert reply.status_code == 200, reply.text
    yield running
    servers.stop()


@pytest.fixture
def page(server: Running, open_page: OpenPage) -> Page:
    """The aliases, with no question bound."""
    for each in server.client.get(BINDINGS).json()["bindings"]:
        bound(server, each["question"])
    opened = open_page(f"{server.client.base_url}/#/aliases")
    expect(section(opened)).to_be_visible()
    return opened


def bound(server: Running, question: str, **more: object) -> None:
    reply = server.client.put(BINDINGS, json={"question": question, **more})
    assert reply.status_code == 200, reply.text


def binding(server: Running, question: str) -> dict[str, Any] | None:
    """Return what the server has bound a question to."""
    bindings = server.client.get(BINDINGS).json()["bindings"]
    return next((each for each in bindings if each["question"] == question), None)


def section(page: Page) -> Locator:
    return page.get_by_role("region", name="Questions", exact=True)


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def test_without_a_binding_a_sentence_says_what_one_is_and_leads_to_the_reference(server: Running, page: Page) -> None:
    expect(section(page)).to_contain_text("No question is bound yet")
    link = section(page).get_by_role("link", name="how a program binds one")
    link.click()
    expect(page).to_have_url(f"{server.client.base_url}/docs#/aliases/bind")
    expect(page.locator("#operations-aliases-bind")).to_be_visible()


def test_a_question_is_bound_with_a_label_of_the_classifier_that_is_named(server: Running, page: Page) -> None:
    section(page).get_by_role("button", name="Bind a question …").click()
    expect(dialog(page).get_by_role("button", name="Bind", exact=True)).to_be_disabled()
    dialog(page).get_by_label("Question", exact=True).fill("wants money back")
    dialog(page).get_by_label("Classifier or alias").fill("desk")
    page.keyboard.press("Tab")
    positive = dialog(page).get_by_label("Label that stands for true")
    expect(positive.get_by_role("option")).to_have_text(["As the labels say", "invoice", "login", "refund"])
    positive.select_option("refund")
    dialog(page).get_by_role("button", name="Bind", exact=True).click()
    expect(dialog(page)).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("wants money back is answered by desk now.")
    row = section(page).get_by_role("row", name="wants money back")
    expect(row).to_contain_text("refund")
    expect(row.get_by_role("link", name="desk")).to_be_visible()
    kept = binding(server, "wants money back")
    assert kept is not None
    assert (kept["model_name"], kept["positive_label"], kept["levels"]) == ("desk", "refund", [])


def test_levels_are_kept_in_the_order_in_which_their_labels_are_pressed(server: Running, page: Page) -> None:
    page.keyboard.press("b")
    expect(dialog(page).get_by_label("Question", exact=True)).to_be_focused()
    page.keyboard.type("urgency")
    dialog(page).get_by_label("Classifier or alias").fill("tickets_v1@1")
    dialog(page).get_by_text("Levels of a score").click()
    levels = dialog(page).get_by_role("group", name="Levels, the lowest first")
    for label in ("login", "refund", "invoice"):
        levels.get_by_role("button", name=label).click()
    expect(levels.get_by_role("button")).to_have_text(["1. login", "2. refund", "3. invoice"])
    levels.get_by_role("button", name="refund").click()
    expect(levels.get_by_role("button", pressed=True)).to_have_text(["1. login", "2. invoice"])
    dialog(page).get_by_role("button", name="Bind", exact=True).click()
    expect(section(page).get_by_role("row", name="urgency")).to_contain_text("login < invoice")
    kept = binding(server, "urgency")
    assert kept is not None
    assert (kept["model_name"], kept["positive_label"], kept["levels"]) == ("tickets_v1@1", None, ["login", "invoice"])


def test_a_removed_binding_comes_back_as_it_was_by_undo(server: Running, page: Page) -> None:
    levels = ["login", "invoice"]
    bound(server, "to return", model_name="desk", positive_label="refund", levels=levels)
    bound(server, "to keep", model_name="tickets_v1")
    page.reload()
    section(page).get_by_role("button", name="Remove to return").click()
    expect(section(page).get_by_role("row", name="to return")).to_have_count(0)
    expect(section(page).get_by_role("row", name="to keep")).to_be_visible()
    expect(page.locator(":focus")).to_have_count(1)
    assert binding(server, "to return") is None
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(section(page).get_by_role("row", name="to return")).to_contain_text("login < invoice")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_have_count(0)
    kept = binding(server, "to return")
    assert kept is not None
    assert (kept["model_name"], kept["positive_label"], kept["levels"]) == ("desk", "refund", levels)


def test_a_change_begins_with_what_is_bound_and_keeps_what_the_new_classifier_has_labels_for(
    server: Running, page: Page
) -> None:
    rows = [{"text": f"{label} {number}", "label": label} for label in ("refund", "praise") for number in range(4)]
    reply = server.client.post(
        "/v1/classifier/fit",
        json={"model_name": "mails_v1", "num_iterations": 0, "overwrite": True, "training_data": rows},
    )
    assert reply.status_code == 200, reply.text
    bound(server, "changed", model_name="desk", positive_label="refund", levels=["login", "refund"])
    page.reload()
    section(page).get_by_role("button", name="Change what answers changed").click()
    question = dialog(page).get_by_label("Question", exact=True)
    expect(question).to_have_value("changed")
    expect(question).not_to_be_editable()
    expect(dialog(page).get_by_label("Label that stands for true")).to_have_value("refund")
    expect(dialog(page).get_by_role("button", pressed=True)).to_have_text(["1. login", "2. refund"])
    dialog(page).get_by_label("Classifier or alias").fill("mails_v1")
    page.keyboard.press("Tab")
    expect(dialog(page).get_by_role("button", pressed=True)).to_have_text(["1. refund"])
    dialog(page).get_by_role("button", name="praise").click()
    dialog(page).get_by_role("button", name="Bind", exact=True).click()
    expect(section(page).get_by_role("row", name="changed")).to_contain_text("refund < praise")
    kept = binding(server, "changed")
    assert kept is not None
    assert (kept["model_name"], kept["positive_label"]) == ("mails_v1", "refund")


def test_what_the_server_refuses_stays_in_the_dialog_with_its_words(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 404")
    page.keyboard.press("b")
    dialog(page).get_by_label("Question", exact=True).fill("asked of nobody")
    dialog(page).get_by_label("Classifier or alias").fill("nobody_v1")
    page.keyboard.press("Enter")
    expect(dialog(page).get_by_role("alert").first).to_contain_text("nobody_v1")
    expect(dialog(page).get_by_label("Question", exact=True)).to_have_value("asked of nobody")
    assert binding(server, "asked of nobody") is None


def test_a_question_that_is_bound_already_says_so_before_it_is_bound_anew(server: Running, page: Page) -> None:
    bound(server, "known", model_name="tickets_v1")
    page.reload()
    expect(section(page).get_by_role("row", name="known")).to_be_visible()
    page.keyboard.press("b")
    dialog(page).get_by_label("Question", exact=True).fill("known")
    expect(dialog(page)).to_contain_text("It is answered by tickets_v1 now, which this replaces.")


def test_a_binding_whose_classifier_was_deleted_says_so(server: Running, page: Page) -> None:
    fit(server, "gone_v1", num_iterations=0)
    bound(server, "left alone", model_name="gone_v1")
    assert server.client.delete("/v1/classifier/models/gone_v1").status_code == 200
    page.reload()
    expect(section(page).get_by_role("row", name="left alone")).to_contain_text("not found")


def test_the_drawer_shows_the_request_that_bound_and_the_one_that_removed(server: Running, page: Page) -> None:
    bound(server, "drawn", model_name="desk", positive_label="refund")
    page.reload()
    remove = section(page).get_by_role("button", name="Remove drawn")
    expect(remove).to_be_visible()
    page.keyboard.press("r")
    drawer = page.get_by_role("complementary", name="The request behind this view")
    remove.click()
    expect(drawer.locator("pre")).to_contain_text('{"question": "drawn", "model_name": null}')
    drawer.get_by_role("tab", name="Python").click()
    expect(drawer.locator("pre")).to_contain_text('client.bind(question="drawn", model_name=None)')
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(drawer.locator("pre")).to_contain_text('positive_label="refund"')
    choice = drawer.get_by_label("Which request")
    expect(choice.get_by_role("option", name="GET /bindings").first).to_be_attached()


def test_a_question_is_bound_by_keys_alone(server: Running, page: Page) -> None:
    expect(section(page).get_by_role("button", name="Bind a question …")).to_be_visible()
    for key in ("b", *"by keys", "Tab", *"desk", "Tab"):
        page.keyboard.press(key if key != " " else "Space")
    expect(dialog(page).get_by_label("Label that stands for true")).to_be_focused()
    expect(dialog(page).get_by_role("option")).to_have_count(4)
    page.keyboard.type("ref")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(dialog(page).get_by_role("button", name="invoice")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(page.locator(":focus")).to_have_count(1)
    assert binding(server, "by keys") is None


LOOKS: tuple[tuple[Theme, int], ...] = (("light", WIDE), ("light", NARROW), ("dark", WIDE), ("dark", NARROW))


@pytest.mark.parametrize("num_bound", [0, 1, 130])
def test_nothing_is_wider_than_the_window_and_axe_finds_nothing_serious(
    server: Running, page: Page, open_page: OpenPage, axe: Findings, num_bound: int
) -> None:
    page.close()
    for number in range(num_bound):
        question = f"{number} {'long words ' * 10}<b>\u202e"
        bound(server, question, model_name="desk", positive_label="refund", levels=["login", "invoice"])
    for theme, width in LOOKS:
        opened = open_page(f"{server.client.base_url}/#/aliases", theme=theme, width=width)
        expected = section(opened).get_by_role("row") if num_bound else opened.get_by_text("No question is bound yet")
        expect(expected.first).to_be_visible()
        is_clean(opened, axe, width)
        opened.get_by_role("button", name="Change what answers" if num_bound else "Bind a question …").first.click()
        expect(dialog(opened)).to_be_visible()
        if num_bound:
            expect(dialog(opened).get_by_role("button", pressed=True)).to_have_count(2)
        is_clean(opened, axe, width)
        opened.close()


def is_clean(page: Page, axe: Findings, width: int) -> None:
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
