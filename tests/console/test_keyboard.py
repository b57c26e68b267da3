"""The console by keyboard alone: each view has its key, the focus is never lost, Esc closes, everything has a name."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.browsing import NARROW, WIDE, Traffic
from tests.console.conftest import OpenPage
from tests.console.judging import as_file, drop_test_set, open_view
from tests.servers import TICKETS, Running, Servers, fit, predict

pytestmark = pytest.mark.slow
PLACES = ("Classifiers", "Train", "Try", "Correct", "Judge", "Compare", "Aliases")
VIEWS = (
    "classifiers",
    "classifiers?deleted=1",
    "classifiers/tickets_v1",
    "classifiers/tickets_v1?tab=revisions",
    "classifiers/tickets_v1?tab=record",
    "classifiers/tickets_v1?tab=request",
    "train",
    "train?from=paste",
    "train?from=type",
    "train?from=describe",
    "train?demo=1",
    "try?models=tickets_v1,tickets_v2&text=my+code+is+refused&why=tickets_v1",
    "correct",
    "correct?model=tickets_v1",
    "judge?model=tickets_v1",
    "compare?models=tickets_v1,tickets_v2",
    "aliases",
    "aliases/desk",
    "jobs",
    "disk",
    "keys",
    "audit",
)
# Everything that can be pressed or filled in, and its role in the tree of what a screen reader reads.
_PRESSABLE = {"button", "link", "checkbox", "radio", "textbox", "searchbox", "combobox", "spinbutton", "tab", "slider"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with two versions of a task, and an alias."""
    folder = tmp_path_factory.mktemp("keyboard")
    servers = Servers(folder)
    running = servers.start(folder / "data")
    fit(running, "tickets_v1", num_iterations=0, tags=["shop"], description="The first tickets.")
    fit(running, "tickets_v2", num_iterations=0, swapped=True)
    running.client.put("/v1/classifier/aliases/desk", json={"model_name": "tickets_v1"})
    yield running
    servers.stop()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until something has the focus, as somebody does who has no mouse."""
    expect(target).to_be_visible()
    for _ in range(80):
        if target.evaluate("(each) => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {target}")


def keeps_focus(page: Page) -> None:
    """See that the focus is somewhere, so that the next Tab goes on from there."""
    expect(page.locator(":focus")).to_have_count(1)


def test_each_view_is_reached_by_its_key_and_its_heading_has_the_focus(server: Running, page: Page) -> None:
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    for number, title in [*enumerate(PLACES, start=1), *enumerate(PLACES[:2], start=1)]:
        press(page, str(number))
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text(title)
        if (number, title) != (1, PLACES[0]):  # where it begins
            expect(heading).to_be_focused()
        current = page.get_by_role("navigation", name="Main").locator("[aria-current=page]")
        expect(current).to_have_accessible_name(title)
        expect(current).to_have_attribute("aria-keyshortcuts", str(number))


def test_a_view_that_is_drawn_late_takes_the_focus_from_no_field(server: Running, page: Page) -> None:
    page.goto(f"{server.client.base_url}#/try?models=tickets_v1")
    field = page.get_by_role("textbox", name="Text", exact=True)
    field.focus()
    page.evaluate(
        """async () => {
            const { href } = document.querySelector("link[rel=modulepreload][href*=overlays]");
            (await import(href)).focusHeading();
        }"""
    )
    expect(field).to_be_focused()


def test_a_view_that_is_left_changes_no_address_any_more(server: Running, page: Page) -> None:
    page.goto(f"{server.client.base_url}#/try?models=tickets_v1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Try")
    page.evaluate(
        """async () => {
            const main = document.querySelector("script[type=module]").src;
            const { setQuery } = await import(main.replace("main.js", "router.js"));
            location.hash = "#/aliases";  // the event of which comes once this is done
            setQuery({ text: "what was typed last" });
        }"""
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("Aliases")
    expect(page).to_have_url(re.compile(r"#/aliases$"))


def test_no_key_works_while_something_is_typed(server: Running, page: Page) -> None:
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    press(page, "3")
    page.get_by_role("textbox", name="Text").focus()
    page.keyboard.type("1 2 3 ? r c w")
    expect(page.get_by_role("textbox", name="Text")).to_have_value("1 2 3 ? r c w")
    expect(page.get_by_role("heading", level=1)).to_have_text("Try")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_question_mark_lists_the_keys_of_the_view_and_esc_closes_the_list(server: Running, page: Page) -> None:
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="tickets_v1"))
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keyboard keys")
    for title in PLACES:
        expect(dialog.get_by_text(title, exact=True)).to_be_visible()
    expect(dialog.get_by_text("Choose all that are shown")).to_be_visible()
    press(page, "3")  # not while a dialog is open
    expect(dialog).to_be_visible()
    press(page, "Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("link", name="tickets_v1")).to_be_focused()
    press(page, "3", "?")
    expect(dialog.get_by_text("Choose all that are shown")).to_have_count(0)
    expect(dialog.get_by_text("Correct the first answer")).to_be_visible()


def test_every_key_that_is_shown_is_in_the_list(server: Running, page: Page) -> None:
    for view in VIEWS:
        open_view(page, view)
        Traffic(page).settle()
        shown = page.locator("main [aria-keyshortcuts]:visible, nav [aria-keyshortcuts]:visible")
        keys = {each.get_attribute("aria-keyshortcuts") or "" for each in shown.all()}
        press(page, "?")
        dialog = page.get_by_role("dialog", name="Keyboard keys")
        expect(dialog).to_be_visible()
        listed = dialog.locator("kbd").all_inner_texts()
        press(page, "Escape")
        expect(dialog).to_have_count(0)
        missing = {key for key in keys if key.replace("↵", "Enter") not in listed}
        assert missing == set(), view


def test_the_skip_link_is_first_and_leads_to_the_content(server: Running, page: Page) -> None:
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    press(page, "Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press(page, "Enter", "Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert page.url.endswith("/") or "#/" in page.url


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_everything_that_can_be_pressed_has_a_name(server: Running, open_page: OpenPage, width: int) -> None:
    page = open_page(str(server.client.base_url), width=width)
    traffic = Traffic(page)
    session = page.context.new_cdp_session(page)
    for view in VIEWS:
        open_view(page, view)
        traffic.settle()
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        pressable = [each for each in nodes if not each["ignored"] and each["role"]["value"] in _PRESSABLE]
        assert len(pressable) > len(PLACES), view
        nameless = [each["role"]["value"] for each in pressable if not each["name"]["value"].strip()]
        assert nameless == [], (view, page.url)


def test_what_opens_and_closes_a_dialog_keeps_the_focus(server: Running, page: Page) -> None:
    for view, button, title in (
        ("classifiers/tickets_v1", "Export", "Export tickets_v1"),
        ("classifiers/tickets_v1", "Copy", "Copy tickets_v1"),
        ("aliases", "Promote …", "Promote"),
        ("aliases", "Bind a question …", "Bind a question"),
        ("aliases/desk", "Remove", "Remove desk"),
        ("keys", "Create the first key", "Create the first key"),
        ("try?models=tickets_v1&text=my+code+is+refused", "Wrong? Correct it", "What is it?"),
    ):
        open_view(page, view)
        opener = page.get_by_role("button", name=button, exact=True).first
        tab_to(page, opener)
        press(page, "Enter")
        dialog = page.get_by_role("dialog", name=title)
        expect(dialog).to_be_visible()
        assert page.evaluate("document.querySelector('dialog[open]').contains(document.activeElement)"), title
        press(page, "Escape")
        expect(dialog).to_have_count(0)
        expect(opener).to_be_focused()


def test_classifiers_are_found_chosen_deleted_and_brought_back(server: Running, page: Page) -> None:
    expect(page.get_by_role("link", name="tickets_v2")).to_be_visible()
    press(page, "/")
    page.keyboard.type("tickets_v2")
    expect(page.get_by_role("link", name="tickets_v1")).to_have_count(0)
    box = page.get_by_role("checkbox", name="Choose tickets_v2")
    tab_to(page, box)
    press(page, "Space")
    expect(box).to_be_checked()
    press(page, "Delete")
    expect(page.locator(".toast", has_text="tickets_v2 deleted.")).to_be_visible()
    assert predict(server, "tickets_v2").status_code == 404
    keeps_focus(page)
    undo = page.get_by_role("button", name="Undo")
    tab_to(page, undo)
    press(page, "Enter")
    expect(page.get_by_role("link", name="tickets_v2")).to_be_visible()
    assert predict(server, "tickets_v2").status_code == 200
    keeps_focus(page)


def test_a_text_is_tried_corrected_and_waits_for_the_next_version(server: Running, page: Page) -> None:
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    press(page, "3")
    tab_to(page, page.get_by_role("combobox", name="Add a classifier"))
    page.keyboard.type("tickets_v2")
    press(page, "Enter")
    expect(page.get_by_role("button", name="Take out tickets_v2")).to_be_visible()
    keeps_focus(page)
    text = page.get_by_role("textbox", name="Text")
    tab_to(page, text)
    page.keyboard.type("my code is refused")
    expect(page.get_by_role("table", name="Scores").nth(1)).to_be_visible()
    press(page, "Tab", "c")
    dialog = page.get_by_role("dialog", name="What is it?")
    tab_to(page, dialog.get_by_role("button", name="invoice"))
    press(page, "Space")
    tab_to(page, dialog.get_by_role("button", name="Keep it for the next version"))
    press(page, "Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Kept for the next version: this is")).to_be_visible()
    keeps_focus(page)


def test_a_queue_is_worked_off_by_keys_and_nothing_is_lost_on_the_way(server: Running, page: Page) -> None:
    open_view(page, "correct?model=tickets_v1")
    rows = [{"text": f"please {text}"} for texts in TICKETS.values() for text in texts]
    page.locator(".drop input[type=file]").set_input_files(as_file(rows, "mails.csv"))
    tab_to(page, page.get_by_role("button", name=re.compile("^Classify 12 rows")))
    press(page, "Enter")
    tab_to(page, page.get_by_role("button", name=re.compile("^Review the 1")))
    press(page, "Enter")
    progress = page.get_by_role("status").filter(has_text=re.compile(r"\d+ of 1\d"))
    expect(progress).to_contain_text("0 of 1")
    for done, key in enumerate(("a", "2", "s"), start=1):
        press(page, key)
        expect(progress).to_contain_text(f"{done} of 1")
        keeps_focus(page)
    press(page, "u")
    expect(progress).to_contain_text("2 of 1")
    press(page, "n")
    expect(page.get_by_role("combobox", name="Label").or_(page.get_by_role("textbox", name="Label"))).to_be_focused()
    page.keyboard.type("greeting")
    press(page, "Enter")
    expect(progress).to_contain_text("3 of 1")
    keeps_focus(page)
    press(page, "t")
    expect(page.get_by_role("button", name=re.compile("^Train tickets_v"))).to_be_visible()
    keeps_focus(page)


def test_a_test_set_is_judged_and_its_threshold_moved(server: Running, page: Page) -> None:
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    press(page, "5")
    drop_test_set(page)
    tab_to(page, page.get_by_role("combobox", name="Classifier", exact=True))
    page.keyboard.type("tickets_v1")
    press(page, "Enter")
    expect(page.get_by_role("region", name="Evaluation")).to_be_visible()
    keeps_focus(page)
    tab_to(page, page.get_by_role("slider", name="Threshold"))
    press(page, "End")
    expect(page.get_by_text("Threshold 1.00:")).to_be_visible()
    cell = page.get_by_role("button", name=re.compile(r"\d+ of login, read as login"))
    tab_to(page, cell)
    press(page, "Enter")
    expect(page.get_by_role("table", name="Rows behind the cell")).to_be_visible()
    keeps_focus(page)


def test_tabs_are_changed_by_arrows(server: Running, page: Page) -> None:
    open_view(page, "classifiers/tickets_v1")
    tab_to(page, page.get_by_role("tab", name="Overview"))
    for name in ("Revisions (1)", "Record", "Request", "Files", "Overview"):
        press(page, "ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")


def test_the_drawer_is_opened_read_and_closed(server: Running, page: Page) -> None:
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    press(page, "r")
    drawer = page.get_by_role("complementary", name="The request behind this view")
    expect(drawer.locator("pre")).to_contain_text("curl")
    tab_to(page, drawer.get_by_role("button", name="✕"))
    press(page, "Enter")
    expect(drawer.locator("pre")).to_have_count(0)
    keeps_focus(page)
