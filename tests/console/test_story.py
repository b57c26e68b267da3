"""The whole story, as a person lives it who never wrote a line of code: from a spreadsheet to a classifier in use."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.browsing import TIMEOUT_MS
from tests.console.conftest import Findings, OpenPage
from tests.console.story import (
    CORRECTED,
    NEW_LABEL,
    NUM_VOUCHERS,
    TEST_ROWS,
    TRAINING_ROWS,
    drop_file,
    spreadsheet,
)
from tests.servers import Running, Start, predict

pytestmark = pytest.mark.slow
Serve = Callable[[pytest.FixtureRequest, Path], Running]
MAX_CLICKS = 4
# Counts what a person's hand does; choosing in a list takes one press.
_COUNT_CLICKS = """
window.presses = 0;
addEventListener("pointerdown", () => { window.presses += 1; }, true);
"""


@dataclass(frozen=True)
class Person:
    """Somebody in front of the console, and what only the server can confirm."""

    page: Page
    server: Running
    axe: Findings

    def asks(self, path: str) -> dict[str, Any]:
        """Return what the server says by itself."""
        reply = self.server.client.get(f"/v1/classifier/{path}")
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def goes_to(self, place: str) -> None:
        """Choose a view in the navigation."""
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=place, exact=True).click()
        expect(self.page.get_by_role("heading", name=place, exact=True, level=1)).to_be_visible()

    def presses(self, name: str) -> None:
        """Press a button by its name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def confirms(self, name: str) -> None:
        """Press a button of the dialog that is open, and see it close."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("button", name=name, exact=True).click()
        expect(dialog).to_have_count(0)

    def reads(self, name: str | re.Pattern[str]) -> None:
        """See a heading, and a page on which axe finds nothing serious."""
        expect(self.page.get_by_role("heading", name=name).first).to_be_visible()
        assert self.axe(self.page) == []

    def is_told(self, text: str) -> None:
        """See a message at the foot of the page."""
        expect(self.page.locator(".toast", has_text=text)).to_be_visible()


def from_the_sources(request: pytest.FixtureRequest, folder: Path) -> Running:
    start: Start = request.getfixturevalue("start")
    return start(folder)


def from_the_wheel(request: pytest.FixtureRequest, folder: Path) -> Running:
    start: Start = request.getfixturevalue("start")
    return start(folder, PYTHONPATH=str(request.getfixturevalue("installed")))


@pytest.mark.parametrize("serve", [from_the_sources, from_the_wheel])
def test_a_person_goes_from_an_empty_server_to_a_classifier_in_use_and_back(
    request: pytest.FixtureRequest, tmp_path: Path, open_page: OpenPage, axe: Findings, serve: Serve
) -> None:
    server = serve(request, tmp_path / "data")
    page = open_page("about:blank")
    page.add_init_script(_COUNT_CLICKS)
    page.goto(str(server.client.base_url))
    person = Person(page, server, axe)
    trains_on_a_spreadsheet(person, by_dropping=serve is from_the_sources)
    reads_the_report_and_tries_it(person)
    corrects_three_texts(person)
    trains_the_second_version(person)
    judges_both(person)
    compares_and_promotes(person)
    rolls_back(person)
    deletes_and_restores(person)
    moves_it_through_a_file(person, tmp_path)


def trains_on_a_spreadsheet(person: Person, *, by_dropping: bool) -> None:
    page = person.page
    person.reads("Train the first classifier")
    page.get_by_role("link", name="Train on my rows").click()
    person.reads("Your rows")
    file = spreadsheet(TRAINING_ROWS, "tickets.csv")
    if by_dropping:
        drop_file(page.get_by_text("or drop it here"), file)
    else:
        with page.expect_file_chooser() as choice:
            page.get_by_text("Choose a file", exact=True).click()
        choice.value.set_files(file)
    expect(page.get_by_text(f"{len(TRAINING_ROWS)} rows: CSV, UTF-8")).to_be_visible()
    expect(page.get_by_label("Use of body")).to_have_value("text")
    expect(page.get_by_label("Use of label")).to_have_value("label")
    presses = 0
    if by_dropping:  # the other one leaves out the subject, as it is proposed
        page.get_by_label("Use of subject").select_option("the text")
        presses = 1
        expect(page.get_by_text("are joined to one text")).to_be_visible()
    expect(page.get_by_text("Nothing is odd about these rows")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("tickets_v1")
    person.reads("What was understood")
    page.get_by_label("Head only").click()
    person.presses("Train")
    person.reads("tickets_v1@1 is trained")
    presses += page.evaluate("window.presses")
    assert 0 < presses <= MAX_CLICKS
    record = person.asks("models/tickets_v1")
    assert (record["num_examples"], record["num_iterations"]) == (len(TRAINING_ROWS), 0)
    assert set(record["labels"]) == {row["label"] for row in TRAINING_ROWS}


def reads_the_report_and_tries_it(person: Person) -> None:
    page = person.page
    expect(page.get_by_text(re.compile(r"It should get \d+ to \d+ % of new texts like these right"))).to_be_visible()
    person.presses("Try it")
    expect(page.get_by_role("button", name="Take out tickets_v1")).to_be_visible()
    text = page.get_by_role("textbox", name="Text")
    text.press_sequentially("Why was my card charged twice?")
    expect(best(page)).to_contain_text("billing")
    text.fill("")
    text.press_sequentially("The courier has not brought my parcel.")
    expect(best(page)).to_contain_text("delivery")
    expect(page.get_by_role("status", name="Time")).to_contain_text("ms")
    person.reads("Try")


def best(page: Page) -> Locator:
    return page.locator(".answers section").first.get_by_role("status")


def corrects_three_texts(person: Person) -> None:
    page = person.page
    for count, text in enumerate(CORRECTED, start=1):
        assert predict(person.server, "tickets_v1", text).json()["label"] != NEW_LABEL
        page.get_by_role("textbox", name="Text").fill(text)
        expect(best(page)).to_be_visible()
        person.presses("Wrong? Correct it")
        dialog = page.get_by_role("dialog", name="What is it?")
        expect(dialog.get_by_text(text)).to_be_visible()
        if count == 1:
            person.reads("What is it?")
        dialog.get_by_label("or a new label").fill(NEW_LABEL)
        person.confirms("Keep it for the next version")
        person.is_told(f"Kept. {count} row")


def trains_the_second_version(person: Person) -> None:
    page = person.page
    page.get_by_role("link", name="Train it").click()
    expect(page.get_by_label("Name")).to_have_value("tickets_v2")
    for text in CORRECTED:
        expect(page.get_by_role("region", name="Rows to learn").get_by_text(text)).to_be_visible()
    person.reads("Train it")
    person.presses("Train tickets_v2")
    expect(page.get_by_text("tickets_v2 is trained")).to_be_visible()
    person.reads("Old and new, as estimated")
    record = person.asks("models/tickets_v2")
    assert record["extends"] == "tickets_v1@1"
    assert (record["taken_over_rows"], record["num_examples"]) == (len(TRAINING_ROWS), len(TRAINING_ROWS) + 3)
    assert NEW_LABEL in record["labels"]


def judges_both(person: Person) -> None:
    page = person.page
    person.goes_to("Judge")
    drop_file(page.locator(".test-set .drop"), spreadsheet(TEST_ROWS, "june.csv"))
    expect(page.locator(".test-set")).to_contain_text(f"{len(TEST_ROWS)} rows")
    for name, reads_vouchers in (("tickets_v1", False), ("tickets_v2", True)):
        page.get_by_role("combobox", name="Classifier", exact=True).fill(name)
        person.presses("Evaluate")
        expect(page.get_by_role("region", name="Evaluation").get_by_role("link", name=name)).to_be_visible()
        expect(page.get_by_text("Score kept")).to_be_visible()
        test = person.asks(f"models/{name}")["test"]
        assert test["total"] == len(TEST_ROWS)
        assert (test["correct_per_label"].get(NEW_LABEL, 0) == NUM_VOUCHERS) is reads_vouchers
        expect(page.get_by_text(f"{test['correct']} of {len(TEST_ROWS)} rows are right")).to_be_visible()
    person.reads("Judge")


def compares_and_promotes(person: Person) -> None:
    page = person.page
    person.goes_to("Classifiers")
    page.get_by_role("link", name="tickets_v1").click()
    page.get_by_role("link", name="Promote", exact=True).click()
    promotes(person, "tickets_v1", "It is the first one.")
    person.goes_to("Compare")
    person.presses("tickets")
    expect(page.get_by_label("Test sets that this browser keeps")).to_contain_text("june.csv")
    person.presses("june.csv")
    expect(page.get_by_role("tab", name=re.compile(r"^\d got better$"))).to_contain_text(str(NUM_VOUCHERS))
    flips = page.get_by_role("table", name="Rows whose answer changes")
    for row in TEST_ROWS[:NUM_VOUCHERS]:
        expect(flips.get_by_role("row", name=row["text"])).to_contain_text(f"became {NEW_LABEL} (right)")
    expect(page.locator("main .notice").first).to_contain_text("tickets_v2")
    person.reads("Rows whose answer changes")
    page.get_by_role("link", name="Promote tickets_v2").click()
    promotes(person, "tickets_v2", "It knows vouchers.", is_gated=True)
    history = person.asks("aliases/tickets/history")["changes"]
    assert [(each["points_to"], each["reason"], each["author"]) for each in history] == [
        ("tickets_v1", "It is the first one.", "ana"),
        ("tickets_v2", "It knows vouchers.", "ana"),
    ]
    assert predict(person.server, "tickets", CORRECTED[0]).json()["label"] == NEW_LABEL


def promotes(person: Person, name: str, reason: str, *, is_gated: bool = False) -> None:
    dialog = person.page.get_by_role("dialog", name="Promote")
    expect(dialog.get_by_label("Classifier")).to_have_value(name)
    expect(dialog.get_by_label("Alias")).to_have_value("tickets")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_label("Author").fill("ana")
    person.reads("Promote")
    if is_gated:  # by the test set on which the versions were compared
        expect(dialog).to_contain_text("june.csv")
        dialog.get_by_role("button", name="Promote", exact=True).click()
        expect(person.page.get_by_role("dialog")).to_contain_text("Every condition is met.")
        person.confirms("See its history")
    else:
        person.confirms("Promote")
        person.is_told(f"tickets points to {name} now.")
    expect(person.page.get_by_text(reason)).to_be_visible()
    person.reads("History")


def rolls_back(person: Person) -> None:
    person.presses("Roll back …")
    person.page.get_by_role("dialog").get_by_label("Reason").fill("Too many vouchers.")
    person.confirms("Roll back")
    person.is_told("tickets points to tickets_v1 again.")
    expect(person.page.get_by_text("Too many vouchers.")).to_be_visible()
    assert predict(person.server, "tickets", CORRECTED[0]).json()["model_name"] == "tickets_v1"


def deletes_and_restores(person: Person) -> None:
    page = person.page
    person.goes_to("Classifiers")
    row = page.get_by_role("row", name="tickets_v2")
    for is_undone in (True, False):
        page.get_by_role("checkbox", name="Choose tickets_v2").click()
        page.get_by_role("region", name="Chosen classifiers").get_by_role("button", name="Delete").click()
        expect(row).to_have_count(0)
        person.is_told("tickets_v2 deleted.")
        assert predict(person.server, "tickets_v2").status_code == 404
        if is_undone:
            person.presses("Undo")
            expect(row).to_be_visible()
            assert predict(person.server, "tickets_v2").status_code == 200
    person.reads("Classifiers")
    page.get_by_role("link", name="Deleted ones").click()
    page.get_by_role("checkbox", name="Choose tickets_v2").click()
    person.reads("Deleted classifiers")
    person.presses("Restore 1")
    expect(page.get_by_role("heading", name="Nothing is deleted")).to_be_visible()
    assert predict(person.server, "tickets_v2").status_code == 200


def moves_it_through_a_file(person: Person, folder: Path) -> None:
    page = person.page
    page.get_by_role("link", name="All classifiers").click()
    page.get_by_role("link", name="tickets_v2").click()
    person.reads("tickets_v2")
    person.presses("Export")
    page.get_by_role("dialog").get_by_label("For").select_option("onnx")
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="Export", exact=True).click()
    assert download.value.suggested_filename == "tickets_v2.onnx.zip"
    with zipfile.ZipFile(download.value.path()) as elsewhere:
        assert "tickets_v2-onnx/predict.py" in elsewhere.namelist()
    person.presses("Export")
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="Export", exact=True).click()
    exported = folder / download.value.suggested_filename
    download.value.save_as(exported)
    assert exported.name == "tickets_v2.windrow"
    person.presses("Delete")
    person.is_told("tickets_v2 deleted.")
    page.get_by_role("link", name="Deleted ones").click()
    page.get_by_role("checkbox", name="Choose tickets_v2").click()
    person.presses("Purge …")
    page.get_by_role("dialog").get_by_label("to confirm").fill("tickets_v2")
    person.confirms("Purge")
    assert person.asks("models?deleted=true")["models"] == []
    page.get_by_role("link", name="All classifiers").click()
    file = {"name": exported.name, "mimeType": "application/zip", "buffer": exported.read_bytes()}
    drop_file(page.locator("main"), file)  # type: ignore[arg-type]  # it is a FilePayload
    expect(page.get_by_role("heading", name="tickets_v2", level=1)).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_text("Comes from")).to_be_visible()
    page.get_by_role("link", name="Try", exact=True).last.click()
    page.get_by_role("textbox", name="Text").fill(CORRECTED[1])
    expect(best(page)).to_contain_text(NEW_LABEL)
    assert predict(person.server, "tickets_v2", CORRECTED[1]).json()["label"] == NEW_LABEL
    page.goto("about:blank")  # so that it asks nothing of a server that ends
