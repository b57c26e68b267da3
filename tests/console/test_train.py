"""Train: rows are read and shown before anything starts, a training is followed, and its report helps to correct."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch
from tests.console.conftest import Findings, OpenPage
from tests.files.workbooks import Cell, workbook
from tests.servers import TICKETS, Running, Start, fit
from tests.source_tree import PACKAGE

pytestmark = pytest.mark.slow
HOSTILE = "<script>window.ran = 1</script><img src=x onerror=window.ran=1>"
RIGHT_TO_LEFT = "\u202e\u05e9\u05dc\u05d5\u05dd\u202c 😀"
TRAINED_MS = 120_000


def written(
    folder: Path, name: str, rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = ("text", "label")
) -> Path:
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def tickets() -> list[tuple[str, str]]:
    return [(text, label) for label, texts in TICKETS.items() for text in texts]


def open_train(server: Running, page: Page, query: str = "num_iterations=0") -> Page:
    page.goto(f"{server.client.base_url}#/train?{query}")
    return page


def choose(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("heading", name="What was understood")).to_be_visible()


def train_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Train", exact=False).and_(page.locator("[type=submit]"))


def expect_trained(page: Page, reference: str) -> None:
    expect(page.get_by_role("heading", name=f"{reference} is trained")).to_be_visible(timeout=TRAINED_MS)
    expect(page.get_by_role("heading", name="What was chosen, and why")).to_be_visible()


def record(server: Running, name: str) -> dict[str, Any]:
    reply = server.client.get(f"/v1/classifier/models/{name}")
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def test_four_clicks_lead_from_an_empty_server_to_a_classifier_of_ones_own_csv(
    start: Start, open_page: OpenPage, tmp_path: Path
) -> None:
    server = start(tmp_path / "data")
    page = open_page(str(server.client.base_url))
    page.evaluate("window.clicks = 0; addEventListener('click', (event) => event.isTrusted && window.clicks++, true)")
    page.get_by_role("navigation").get_by_role("link", name="Train").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose a file").click()
    chooser.value.set_files(written(tmp_path, "My tickets.csv", tickets()))
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("My_tickets_v1")
    train_button(page).click()
    expect_trained(page, "My_tickets_v1@1")
    # A label's click is one of the input, too.
    assert page.evaluate("window.clicks") <= 4
    assert record(server, "My_tickets_v1")["num_examples"] == 12
    expect(page.get_by_text("held-out rows right")).to_be_visible()
    expect(page.get_by_text("of new texts like these right")).to_be_visible()


def test_what_was_understood_is_shown_and_other_columns_can_be_chosen(
    server: Running, page: Page, tmp_path: Path
) -> None:
    header = ("Ticket", "Subject", "Body", "Queue")
    rows = [(str(place), f"About {label}", text, label) for place, (text, label) in enumerate(tickets())]
    choose(open_train(server, page), written(tmp_path, "export.csv", rows, header))
    expect(
        page.get_by_text("12 rows: CSV, UTF-8, values apart by commas, the first line names the columns")
    ).to_be_visible()
    body, queue = page.get_by_label("Use of Body"), page.get_by_label("Use of Queue")
    body.select_option("text")
    queue.select_option("label")
    page.get_by_label("Use of Subject").select_option("text")
    expect(page.get_by_text("The columns Subject, Body are joined")).to_be_visible()
    preview = page.get_by_role("table", name="The rows as they were read")
    expect(preview.get_by_role("row", name="About refund give me my money back refund")).to_be_visible()
    expect(page.locator(".settings .cost")).to_contain_text("12 rows of 3 labels")


def test_a_file_that_does_not_say_which_column_is_which_asks(server: Running, page: Page, tmp_path: Path) -> None:
    rows = [(label, text) for text, label in tickets()]
    choose(open_train(server, page), written(tmp_path, "odd.csv", rows, ("first", "second")))
    expect(page.get_by_text("Does the first line name the columns?")).to_be_visible()
    expect(train_button(page)).to_be_disabled()
    page.get_by_role("button", name="It does").click()
    expect(page.get_by_text("Choose it below").first).to_be_visible()
    page.get_by_label("Use of second").select_option("text")
    expect(page.get_by_label("Use of second")).to_have_value("text")
    page.get_by_label("Use of first").select_option("label")
    expect(page.locator(".settings .cost")).to_contain_text("12 rows of 3 labels")
    expect(train_button(page)).to_be_enabled()


def test_a_file_without_rows_or_without_labels_says_what_it_lacks(server: Running, page: Page, tmp_path: Path) -> None:
    choose(open_train(server, page), written(tmp_path, "bare.csv", []))
    expect(page.get_by_text("There is no row in it.")).to_be_visible()
    expect(train_button(page)).to_be_disabled()
    (tmp_path / "prose.txt").write_text("One text.\nAnother text.\n")
    choose(page, tmp_path / "prose.txt")
    expect(page.get_by_text("There is no column of labels. Add one to the file")).to_be_visible()
    expect(page.get_by_text("Nothing is odd")).to_have_count(0)
    expect(train_button(page)).to_be_disabled()
    page.get_by_text("Read it differently").click()
    expect(page.get_by_label("Format")).to_have_value("txt")


def test_a_workbook_of_several_sheets_asks_which_one(server: Running, page: Page, tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["text", "label"]]
    rows += [[text, label] for text, label in tickets()]
    (tmp_path / "mails.xlsx").write_bytes(workbook(rows, rows[:3], names=["May", "June"]))
    choose(open_train(server, page), tmp_path / "mails.xlsx")
    expect(page.get_by_text("It has several sheets with rows, 'May', 'June'.")).to_be_visible()
    page.get_by_role("button", name="May", exact=True).click()
    expect(page.get_by_text(f"{len(tickets())} rows: XLSX")).to_contain_text("the sheet “May”")


def test_a_file_of_another_encoding_is_shown_and_asked_about(server: Running, page: Page, tmp_path: Path) -> None:
    (tmp_path / "mails.csv").write_bytes("text;label\nRückgabe;Retoure\nGerät läuft nicht;Technik\n".encode("cp1252"))
    choose(open_train(server, page), tmp_path / "mails.csv")
    expect(page.get_by_text("was read as cp1252, in which line 2 has 'Rückgabe;Retoure'.")).to_be_visible()
    page.get_by_role("button", name="It is right").click()
    expect(page.get_by_role("button", name="It is right")).to_have_count(0)
    expect(page.get_by_text("2 rows: CSV, CP1252")).to_be_visible()


def test_what_is_odd_names_its_rows_and_can_be_mended_before_the_training(
    server: Running, page: Page, tmp_path: Path
) -> None:
    rows = [*tickets(), tickets()[0], ("one more bill", "Invoice"), ("no label", "")]
    choose(open_train(server, page, "num_iterations=0&name=mended_v1"), written(tmp_path, "odd.csv", rows))
    expect(page.get_by_text("1 row is left out")).to_be_visible()
    expect(page.get_by_text("Line 16:")).to_be_visible()
    page.get_by_text("1 row repeats an earlier row").click()
    expect(page.locator(".behind li").filter(has_text=tickets()[0][0]).first).to_contain_text("Line 14")
    page.get_by_role("button", name="Leave out all that repeat").click()
    page.get_by_text("Some labels look alike").click()
    page.get_by_role("button", name="invoice", exact=True).and_(page.locator(".oddity button[aria-pressed]")).click()
    expect(page.locator(".settings .cost")).to_contain_text("13 rows of 3 labels")
    train_button(page).click()
    expect_trained(page, "mended_v1@1")
    assert record(server, "mended_v1")["rows_per_label"] == {"invoice": 5, "login": 4, "refund": 4}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("TSV", "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in tickets())),
        ("CSV", "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in tickets())),
        ("JSONL", "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in tickets())),
        ("JSON", json.dumps([{"text": text, "label": label} for text, label in tickets()])),
    ],
)
def test_rows_are_taken_as_they_are_pasted(server: Running, page: Page, kind: str, content: str) -> None:
    open_train(server, page, "from=paste")
    page.get_by_role("textbox", name="Rows, as copied").fill(content)
    expect(page.get_by_text(f"12 rows: {kind}")).to_be_visible()
    expect(page.locator(".settings .cost")).to_contain_text("12 rows of 3 labels")


def test_rows_are_typed_and_trained_on_with_the_keyboard_alone(server: Running, page: Page) -> None:
    open_train(server, page, "num_iterations=0&from=type&name=typed_v1")
    page.get_by_label("Text 1").focus()
    for text, label in tickets():
        page.keyboard.type(text)
        page.keyboard.press("Tab")
        page.keyboard.type(label)
        page.keyboard.press("Tab")
    expect(page.locator(".settings .cost")).to_contain_text("12 rows of 3 labels")
    page.keyboard.press("Control+Enter")
    expect_trained(page, "typed_v1@1")
    page.keyboard.press("t")
    expect(page).to_have_url(f"{server.client.base_url}/#/try?models=typed_v1")


def test_a_name_is_checked_and_one_that_exists_gets_a_revision(server: Running, page: Page, tmp_path: Path) -> None:
    fit(server, "known_v1", num_iterations=0)
    choose(open_train(server, page), written(tmp_path, "known.csv", tickets()))
    name = page.get_by_role("textbox", name="Name", exact=True)
    expect(name).to_have_value("known_v2")
    name.fill("known v3")
    expect(page.get_by_role("alert").filter(has_text="A name starts with a letter or digit")).to_be_visible()
    expect(train_button(page)).to_be_disabled()
    name.fill("known_v1")
    expect(page.get_by_text("known_v1 exists.")).to_be_visible()
    expect(page).to_have_url(f"{server.client.base_url}/#/train?num_iterations=0&name=known_v1")
    train_button(page).click()
    expect_trained(page, "known_v1@2")


def test_what_a_training_would_refuse_is_refused_before_it(
    server: Running, page: Page, watch: Watch, tmp_path: Path
) -> None:
    watch.allow("status of 409")
    choose(open_train(server, page), written(tmp_path, "one.csv", [("a text", "one"), ("another", "one")]))
    expect(page.get_by_text("A classifier needs rows of at least two labels.")).to_be_visible()
    expect(train_button(page)).to_be_disabled()
    fit(server, "pointed_v1", num_iterations=0)
    server.client.put("/v1/classifier/aliases/pointer", json={"model_name": "pointed_v1"}).raise_for_status()
    choose(page, written(tmp_path, "pointer.csv", tickets()))
    page.get_by_role("textbox", name="Name", exact=True).fill("pointer")
    expect(page.get_by_role("alert")).to_contain_text("name_taken")
    expect(train_button(page)).to_be_disabled()


def test_the_sample_is_a_click_away_and_its_time_is_told_before(server: Running, page: Page) -> None:
    open_train(server, page, "")
    page.get_by_role("button", name="sample tickets").click()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("demo_tickets_v1")
    expect(page.locator(".settings .cost")).to_contain_text("24 rows of 4 labels")
    expect(page.locator(".settings .cost b").first).to_contain_text("About")
    page.goto("about:blank")
    open_train(server, page, "demo=1")
    expect(page.get_by_text("24 rows: CSV")).to_be_visible()


def test_a_version_takes_over_the_rows_of_a_revision_and_corrects_them(
    server: Running, page: Page, tmp_path: Path
) -> None:
    fit(server, "grown_v1", num_iterations=0)
    open_train(server, page, "num_iterations=0&extends=grown_v1@1")
    expect(page.get_by_text("The 12 rows of grown_v1@1 are taken over")).to_be_visible()
    choose(page, written(tmp_path, "more.csv", [("a wholly new text", "login"), (tickets()[0][0], "login")]))
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("grown_v2")
    expect(page.locator(".settings .cost")).to_contain_text("11 taken over, 1 replaced")
    train_button(page).click()
    expect_trained(page, "grown_v2@1")
    found = record(server, "grown_v2")
    assert (found["extends"], found["taken_over_rows"], found["replaced_rows"]) == ("grown_v1@1", 11, 1)
    assert found["rows_per_label"] == {"invoice": 4, "login": 6, "refund": 3}


def test_a_key_that_may_train_but_not_look_extends_all_the_same(
    start: Start, open_page: OpenPage, watch: Watch, tmp_path: Path
) -> None:
    watch.allow("status of 40[13]")
    server = start(tmp_path / "data")
    fit(server, "hidden_v1", num_iterations=0)
    made = [{"name": "admin", "scopes": ["admin", "read"]}, {"name": "trainer", "scopes": ["train"]}]
    first = server.client.post("/v1/classifier/keys", json=made[0]).json()
    server.client.headers["Authorization"] = f"Bearer {first['key']}"
    key = server.client.post("/v1/classifier/keys", json=made[1]).json()["key"]
    page = open_page(f"{server.client.base_url}#/train?num_iterations=0&extends=hidden_v1@1&name=hidden_v2")
    page.get_by_label("API key", exact=True).fill(key)
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_text("The rows of hidden_v1@1 are taken over")).to_be_visible()
    choose(page, written(tmp_path, "more.csv", [("a wholly new text", "login")]))
    expect(page.locator(".settings .cost")).to_contain_text("12 taken over, 0 replaced")
    train_button(page).click()
    expect(page.get_by_role("heading", name="hidden_v2@1 is trained")).to_be_visible(timeout=TRAINED_MS)
    assert record(server, "hidden_v2")["taken_over_rows"] == 12


def demo_rows() -> list[tuple[str, str]]:
    rows = json.loads((PACKAGE / "console" / "demo_rows.json").read_text(encoding="utf-8"))
    return [(each["text"], each["label"]) for each in rows["first"] + rows["added"]]


def test_doubtful_rows_are_found_and_corrected_in_the_next_version(server: Running, page: Page, tmp_path: Path) -> None:
    wrong = "How do I print a return label?"
    rows = [(text, "payment" if text == wrong else label) for text, label in demo_rows()]
    choose(open_train(server, page), written(tmp_path, "mails.csv", rows))
    train_button(page).click()
    expect_trained(page, "mails_v1@1")
    page.get_by_role("button", name="Look for doubtful rows").click()
    doubt = page.locator(".doubt").filter(has_text=wrong)
    doubt.get_by_role("button", name="Make it returns").click()
    expect(doubt).to_contain_text("paymentreturns")
    page.get_by_role("button", name="Train again with 1 correction").click()
    expect_trained(page, "mails_v2@1")
    found = record(server, "mails_v2")
    assert (found["extends"], found["taken_over_rows"], found["replaced_rows"]) == ("mails_v1@1", 47, 1)
    assert found["rows_per_label"]["returns"] == record(server, "mails_v1")["rows_per_label"]["returns"] + 1


def test_a_doubtful_row_that_is_left_out_is_in_no_row_of_the_next_version(
    server: Running, page: Page, tmp_path: Path
) -> None:
    wrong = "How do I print a return label?"
    rows = [(text, "payment" if text == wrong else label) for text, label in demo_rows()]
    choose(open_train(server, page), written(tmp_path, "letters.csv", rows))
    train_button(page).click()
    expect_trained(page, "letters_v1@1")
    page.get_by_role("button", name="Look for doubtful rows").click()
    page.locator(".doubt").filter(has_text=wrong).get_by_role("button", name="Leave out").click()
    page.get_by_role("button", name="Train again with 1 correction").click()
    expect_trained(page, "letters_v2@1")
    found = record(server, "letters_v2")
    assert (found["extends"], found["num_examples"]) == (None, 47)


def test_a_report_that_is_opened_anew_says_that_the_rows_are_not_at_hand(
    server: Running, page: Page, tmp_path: Path
) -> None:
    choose(open_train(server, page), written(tmp_path, "anew.csv", tickets()))
    train_button(page).click()
    expect_trained(page, "anew_v1@1")
    expect(page.get_by_role("button", name="Look for doubtful rows")).to_be_visible()
    page.reload()
    expect_trained(page, "anew_v1@1")
    expect(page.get_by_text("this tab has them only after it has started the training itself")).to_be_visible()


def test_hostile_rows_are_text_and_break_nothing(
    server: Running, open_page: OpenPage, axe: Findings, tmp_path: Path
) -> None:
    rows = [(HOSTILE, HOSTILE), (RIGHT_TO_LEFT, RIGHT_TO_LEFT), ("x" * 20_000, HOSTILE), ("😀 " * 90, "l" * 200)]
    page = open_page(f"{server.client.base_url}#/train?num_iterations=0", width=NARROW)
    header = ("text", "label", HOSTILE)
    choose(page, written(tmp_path, "<b>&.csv", [(*row, "") for row in rows], header))
    page.get_by_role("button", name="It does").click()
    expect(page.locator(".settings .cost")).to_contain_text("4 rows of 3 labels")
    page.locator(".oddity summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
    train_button(page).click()
    expect(page.get_by_role("heading", name="What was chosen, and why")).to_be_visible(timeout=TRAINED_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
    assert page.evaluate("window.ran") is None
    assert axe(page) == []


@pytest.mark.parametrize("look", [("light", WIDE), ("dark", WIDE), ("light", NARROW), ("dark", NARROW)])
def test_axe_finds_nothing_serious_in_the_form_and_in_the_report(
    server: Running, open_page: OpenPage, axe: Findings, tmp_path: Path, look: tuple[Theme, int]
) -> None:
    theme, width = look
    page = open_page(f"{server.client.base_url}#/train?num_iterations=0", theme=theme, width=width)
    expect(page.get_by_text("Choose a file")).to_be_visible()
    assert axe(page) == []
    choose(page, written(tmp_path, "seen.csv", [*tickets(), tickets()[0], ("no label", "")]))
    expect(page.locator(".settings .cost")).to_contain_text("13 rows")
    for each in page.locator("details").all():
        each.evaluate("(details) => (details.open = true)")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    columns = page.get_by_role("table").filter(has=page.get_by_text("Used as"))
    assert columns.evaluate(
        "(table) => table.scrollWidth <= table.parentElement.clientWidth"
    )  # nothing of it is cut off
    train_button(page).click()
    expect(page.get_by_role("heading", name="What was chosen, and why")).to_be_visible(timeout=TRAINED_MS)
    page.get_by_role("button", name="Look for doubtful rows").click()
    expect(page.get_by_role("heading", name="What would help")).to_be_visible(timeout=TRAINED_MS)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
