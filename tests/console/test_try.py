"""Try: what is typed is answered at once and explained, wrong answers are kept, and files come back classified."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch
from tests.console.conftest import Findings, OpenPage
from tests.servers import TICKETS, Running, fit

pytestmark = pytest.mark.slow
ADDED = ["predicted_label", "score", "in_scope", "abstained", "truncated"]
MAILS = [
    ("1", 'my "secret", code is refused', "2026"),
    ("2", "send me the bill\nat once", "2026"),
    ("3", "repay me", ""),
    ("4", "Zucchini grow in the garden", "2027"),
]


@pytest.fixture(scope="module", autouse=True)
def _classifiers(server: Running) -> None:
    fit(server, "tickets_v1", num_iterations=0)
    fit(server, "tickets_v2", num_iterations=0, swapped=True)
    server.client.put("/v1/classifier/aliases/tickets", json={"model_name": "tickets_v1"}).raise_for_status()
    more = {"refund": ["urgent"]}
    rows = [
        {"text": text, "labels": [label, *more.get(label, ())]} for label, texts in TICKETS.items() for text in texts
    ]
    several = {"model_name": "several_v1", "training_data": rows, "num_iterations": 0}
    server.client.post("/v1/classifier/fit", json=several).raise_for_status()


def open_try(server: Running, page: Page, query: str = "models=tickets_v1") -> Page:
    page.goto(f"{server.client.base_url}#/try?{query}")
    return page


def body(request: Request) -> dict[str, Any]:
    """What a request sends."""
    sent: dict[str, Any] = json.loads(request.post_data or "")
    return sent


def type_text(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Text").fill(text)


def press(page: Page, key: str) -> None:
    """Press a key outside of every field."""
    page.locator("h1").click()
    page.keyboard.press(key)


def best(page: Page, place: int = 0) -> Any:
    """The label with the highest score of one of the classifiers."""
    return page.get_by_role("table", name="Scores").nth(place).get_by_role("row").first


def choose_file(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)


def mails(folder: Path, rows: list[tuple[str, str, str]] | None = None) -> Path:
    path = folder / "mails.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text", "year"), *(MAILS if rows is None else rows)])
    return path


def test_the_bars_move_while_one_types(server: Running, page: Page) -> None:
    open_try(server, page)
    type_text(page, "give me my money back")
    expect(best(page)).to_contain_text("refund")
    expect(page.get_by_role("status", name="Time")).to_contain_text("ms")
    type_text(page, "my code is refused")
    expect(best(page)).to_contain_text("login")


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(server: Running, page: Page) -> None:
    open_try(server, page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "money" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/v1/classifier/predict", hold)
    with page.expect_request("**/v1/classifier/predict"):
        type_text(page, "give me my money back")
    type_text(page, "my code is refused")
    expect(best(page)).to_contain_text("login")
    assert len(held) == 1
    assert held[0].request.failure is not None  # nobody waits for it


def test_several_classifiers_answer_side_by_side_by_one_request(server: Running, page: Page) -> None:
    open_try(server, page)
    page.get_by_role("combobox", name="Add a classifier").fill("tickets_v2")
    page.keyboard.press("Enter")
    with page.expect_request("**/v1/classifier/predict") as sent:
        type_text(page, "give me my money back")
    assert body(sent.value)["model_names"] == ["tickets_v1", "tickets_v2"]
    expect(best(page, 0)).to_contain_text("refund")
    expect(best(page, 1)).to_contain_text("login")


def test_a_name_that_begins_like_another_one_can_be_typed(server: Running, page: Page) -> None:
    open_try(server, page, "models=tickets_v2")
    page.get_by_role("combobox", name="Add a classifier").press_sequentially("tickets_v1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take out tickets_v1")).to_be_visible()
    expect(page.get_by_role("button", name="Take out tickets", exact=True)).to_have_count(0)


def test_the_alias_is_proposed_at_first_and_later_what_was_tried_last(server: Running, page: Page) -> None:
    open_try(server, page, "")
    expect(page.get_by_role("button", name="Take out tickets", exact=True)).to_be_visible()
    page.get_by_role("combobox", name="Add a classifier").fill("tickets_v2")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take out tickets", exact=True).click()
    page.goto("about:blank")
    open_try(server, page, "")
    expect(page.get_by_role("button", name="Take out tickets_v2")).to_be_visible()
    expect(page.get_by_role("button", name="Take out tickets", exact=True)).to_have_count(0)


def test_the_address_keeps_the_text_and_what_explains_it(server: Running, page: Page) -> None:
    open_try(server, page)
    type_text(page, "my code is refused")
    expect(best(page)).to_contain_text("login")
    press(page, "w")
    expect(page.get_by_text("Words that count")).to_be_visible()
    page.wait_for_url("**text=my+code+is+refused*")
    page.reload()
    expect(page.get_by_role("textbox", name="Text")).to_have_value("my code is refused")
    expect(page.get_by_text("Words that count")).to_be_visible()


def test_an_answer_is_explained_by_words_and_by_the_nearest_rows(server: Running, page: Page) -> None:
    open_try(server, page, "models=tickets_v1&text=🙂+my+code+is+refused")
    page.get_by_role("button", name="Why?").click()
    expect(page.locator(".explained")).to_have_text("🙂 my code is refused")
    expect(page.locator(".explained mark").first).to_be_visible()
    expect(page.locator("ul.plain li").first).to_contain_text("my code is refused")
    expect(page.locator("ul.plain li").first).to_contain_text("login")
    type_text(page, "another text")
    expect(page.get_by_text("Words that count")).to_have_count(0)


def test_it_says_whether_a_text_is_like_the_training_data(server: Running, page: Page) -> None:
    open_try(server, page, "models=tickets_v1&text=give+me+my+money+back")
    expect(page.get_by_text("Like the training data: more than")).to_be_visible()
    type_text(page, "Zucchini grow in the garden of my aunt")
    expect(page.get_by_text("Unlike the training data")).to_be_visible()


def test_a_score_below_the_threshold_gives_no_label(server: Running, page: Page) -> None:
    fit(server, "unsure_v1", num_iterations=0)
    threshold = {"abstain_below": 0.999}
    server.client.put("/v1/classifier/models/unsure_v1/threshold", json=threshold).raise_for_status()
    open_try(server, page, "models=unsure_v1&text=the+weather+is+fine")
    expect(page.get_by_text("is below the threshold of 1.00")).to_be_visible()


def test_a_text_that_is_too_long_is_said_to_be_cut(server: Running, page: Page) -> None:
    open_try(server, page)
    type_text(page, "give me my money back " * 400)
    expect(page.get_by_text("Only its beginning was read")).to_be_visible()


def test_a_wrong_answer_is_corrected_by_keys_and_kept_in_this_browser(server: Running, page: Page) -> None:
    open_try(server, page, "models=tickets&text=who+changed+my+bill")
    expect(best(page)).to_be_visible()
    press(page, "c")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="login").click()
    dialog.get_by_role("button", name="Keep it for the next version").click()
    expect(page.get_by_text("Kept for the next version: this is login")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Kept for the next version: this is login")).to_be_visible()


def test_a_correction_is_said_to_be_kept_once_the_browser_has_it(server: Running, page: Page) -> None:
    open_try(server, page, "models=tickets&text=who+changed+my+bill")
    expect(best(page)).to_be_visible()
    page.evaluate(
        """() => {
          const { set } = Object.getOwnPropertyDescriptor(IDBTransaction.prototype, "oncomplete");
          Object.defineProperty(IDBTransaction.prototype, "oncomplete", {
            set(handler) {
              const isChange = this.mode === "readwrite";
              set.call(this, isChange ? (event) => { window.complete = () => handler(event); } : handler);
            },
          });
        }"""
    )
    press(page, "c")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="login").click()
    dialog.get_by_role("button", name="Keep it for the next version").click()
    for _ in range(300):
        if page.evaluate("Boolean(window.complete)"):
            break
        page.wait_for_timeout(100)
    expect(page.get_by_text("Kept for the next version")).to_have_count(0)
    expect(page.get_by_text("1 row waits")).to_have_count(0)
    page.evaluate("window.complete()")
    expect(page.get_by_text("Kept for the next version: this is login")).to_be_visible()
    expect(page.get_by_text("1 row waits")).to_be_visible()


def test_what_was_tried_before_is_among_the_examples(server: Running, page: Page) -> None:
    open_try(server, page)
    type_text(page, "give me my money back")
    page.wait_for_url("**text=give*")
    type_text(page, "my code is refused")
    page.wait_for_url("**text=my+code*")
    page.get_by_role("combobox", name="Examples").focus()
    page.get_by_role("combobox", name="Examples").select_option("give me my money back")
    expect(page.get_by_role("textbox", name="Text")).to_have_value("give me my money back")
    expect(best(page)).to_contain_text("refund")


def test_markup_and_other_scripts_are_shown_as_the_text_that_they_are(server: Running, page: Page) -> None:
    text = "<img src=x onerror=alert(1)> مرحبا 🎉"
    open_try(server, page)
    type_text(page, text)
    page.get_by_role("button", name="Why?").click()
    expect(page.locator(".explained")).to_have_text(text)
    assert page.locator("main img").count() == 0


def test_a_classifier_that_is_not_there_is_told_in_the_servers_words(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 404")
    open_try(server, page, "models=nobody&text=hello")
    expect(page.get_by_role("alert")).to_contain_text("There is no classifier named nobody")


def test_the_labels_of_a_multi_label_classifier_are_shown_and_each_is_explained(server: Running, page: Page) -> None:
    asked = {"model_name": "several_v1", "text": TICKETS["refund"][0]}
    labels = server.client.post("/v1/classifier/predict", json=asked).json()["labels"]
    assert sorted(labels) == ["refund", "urgent"]
    open_try(server, page, "models=several_v1")
    type_text(page, TICKETS["refund"][0])
    expect(page.locator("p.chips .chip.good")).to_have_text(labels)
    expect(page.get_by_role("button", name="Why?")).to_be_visible()
    expect(page.get_by_role("button", name="Wrong? Correct it")).to_be_visible()
    page.get_by_role("button", name="Why?").click()
    expect(page.get_by_role("heading", name="Words that count")).to_have_count(2)
    expect(page.get_by_role("listitem").filter(has_text="refund, urgent").first).to_be_visible()


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
@pytest.mark.parametrize("name", ["tickets_v1", "several_v1"])
def test_a_file_comes_back_as_the_command_line_writes_it(
    server: Running, page: Page, tmp_path: Path, format_: str, name: str
) -> None:
    path = mails(tmp_path)
    open_try(server, page, f"models={name}")
    choose_file(page, path)
    page.get_by_role("button", name=f"Classify 4 rows with {name}").click()
    expect(page.get_by_text("4 rows classified")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name={"csv": "Download CSV", "jsonl": "Download JSON Lines"}[format_]).click()
    assert download.value.suggested_filename == f"mails.predicted.{format_}"
    out = tmp_path / f"out.{format_}"
    command = [sys.executable, "-m", "windrow", "predict", name, str(path), "--out", str(out)]
    address = {"WINDROW_URL": str(server.client.base_url)}
    subprocess.run(command, check=True, env={**os.environ, **address}, capture_output=True)
    given, written = read(Path(download.value.path()), format_), read(out, format_)
    first = "predicted_labels" if name == "several_v1" else ADDED[0]
    assert [*given[0]] == ["id", "text", "year", first, *ADDED[1:]]
    assert [*written[0]] == [*given[0]]
    assert given == written


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("excel.csv", '\ufeffsep=;\r\ntext;Größe\r\n"Geld; zurück";1\r\n"in ""zwei""\nZeilen";2\r\n'.encode()),
        ("excel.csv", "\ufeffGröße;text\r\n1;Geld\r\n2;zurück\r\n".encode("utf-16-le")),
        ("mails.tsv", b'"id"\t"text"\n"1"\t"money"\n"2"\t"bill"\n'),
    ],
    ids=["utf-8 with a mark", "utf-16", "tsv"],
)
def test_a_table_comes_back_in_the_form_in_which_it_came(
    server: Running, page: Page, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    open_try(server, page)
    choose_file(page, path)
    page.get_by_role("button", name="Classify 2 rows with tickets_v1").click()
    expect(page.get_by_text("2 rows classified")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {path.suffix[1:].upper()}").click()
    assert download.value.suggested_filename == f"{path.stem}.predicted{path.suffix}"
    out = tmp_path / f"out{path.suffix}"
    command = [sys.executable, "-m", "windrow", "predict", "tickets_v1", str(path), "--out", str(out)]
    subprocess.run(
        command, check=True, env={**os.environ, "WINDROW_URL": str(server.client.base_url)}, capture_output=True
    )
    assert Path(download.value.path()).read_bytes() == out.read_bytes()


def test_a_table_of_an_encoding_with_a_byte_a_character_comes_back_in_it(server: Running, page: Page) -> None:
    open_try(server, page)
    form = {"encoding": "cp1252", "has_byte_order_mark": False}
    script = """async ([text, form]) => {
        const main = document.querySelector("script[type=module]").src;
        const { encoded } = await import(main.replace("main.js", "format.js"));
        const { content, replaced } = encoded(text, form);
        return [[...new Uint8Array(await content.arrayBuffer())], replaced];
    }"""
    for text, expected in (("Größe 5 €", "Größe 5 €".encode("cp1252")), ("żółty", b"\xef\xbb\xbf" + "żółty".encode())):
        content, replaced = page.evaluate(script, [text, form])
        assert (bytes(content), replaced) == (expected, text == "żółty")


def test_a_label_that_holds_what_stands_between_labels_is_given_back_as_json_lines_alone(
    server: Running, page: Page, tmp_path: Path
) -> None:
    rows = [{"text": text, "labels": [f"{label};x"]} for label, texts in TICKETS.items() for text in texts]
    several = {"model_name": "apart_v1", "training_data": rows, "num_iterations": 0}
    server.client.post("/v1/classifier/fit", json=several).raise_for_status()
    open_try(server, page, "models=apart_v1")
    choose_file(page, mails(tmp_path, [("1", TICKETS["refund"][0], "2026")]))
    page.get_by_role("button", name="Classify 1 row with apart_v1").click()
    page.get_by_role("button", name="Download CSV").click()
    refusal = page.get_by_role("alert").filter(has_text="The label refund;x holds ;, which stands between")
    expect(refusal).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON Lines").click()
    assert read(Path(download.value.path()), "jsonl")[0]["predicted_labels"] == ["refund;x"]
    expect(refusal).to_have_count(0)


def test_a_file_counts_rows_of_none_of_the_labels_apart_from_those_where_it_abstained(
    server: Running, page: Page, tmp_path: Path
) -> None:
    rows = [{"text": text, "labels": [label]} for label, texts in TICKETS.items() for text in texts]
    asked = {"model_name": "unsure_v1", "training_data": [*rows, {"text": "zebra", "labels": []}], "num_iterations": 0}
    server.client.post("/v1/classifier/fit", json=asked).raise_for_status()
    threshold = {"abstain_below": 0.999, "label_thresholds": dict.fromkeys(TICKETS, 0.4)}
    server.client.put("/v1/classifier/models/unsure_v1/threshold", json=threshold).raise_for_status()
    texts = [TICKETS["refund"][0], "zebra"]
    reply = server.client.post("/v1/classifier/predict", json={"model_name": "unsure_v1", "texts": texts}).json()
    assert [(each["abstained"], each["labels"]) for each in reply["predictions"]] == [(True, None), (False, [])]
    open_try(server, page, "models=unsure_v1")
    choose_file(page, mails(tmp_path, [("1", texts[0], "2026"), ("2", texts[1], "2026")]))
    page.get_by_role("button", name="Classify 2 rows with unsure_v1").click()
    expect(page.get_by_text("It abstained for 1 row.")).to_be_visible()
    expect(page.locator(".file-run dl.facts dt")).to_have_text(["abstained", "none of the labels"])
    expect(page.locator(".file-run dl.facts dd")).to_contain_text(["1 row", "1 row"])
    answers = page.get_by_role("table", name="Rows with their answers").locator("tbody tr")
    expect(answers.nth(0)).to_contain_text("abstained")
    expect(answers.nth(1)).to_contain_text("none of the labels")


def read(path: Path, format_: str) -> list[dict[str, Any]]:
    """Return a file's rows, with scores as numbers."""
    text = path.read_bytes().decode("utf-8")
    if format_ == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [{**row, "score": float(row["score"]), "in_scope": float(row["in_scope"])} for row in rows]


def test_rows_that_cannot_be_read_are_named_and_left_out(server: Running, page: Page, tmp_path: Path) -> None:
    open_try(server, page)
    choose_file(page, mails(tmp_path, [*MAILS, ("5", " ", "2026")]))
    expect(page.get_by_text("1 row is left out")).to_be_visible()
    expect(page.get_by_text("Line 7 (5): the text is blank")).to_be_visible()
    expect(page.get_by_role("button", name="Classify 4 rows")).to_be_visible()


def test_a_file_without_rows_is_told(server: Running, page: Page, tmp_path: Path) -> None:
    open_try(server, page)
    choose_file(page, mails(tmp_path, []))
    expect(page.get_by_text("There is no row in it.")).to_be_visible()
    expect(page.get_by_role("button", name="Classify 0 rows")).to_be_disabled()


def test_a_person_says_which_column_holds_the_text_where_it_is_not_clear(
    server: Running, page: Page, tmp_path: Path
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("one,two\nrepay me,x\nsend me the bill,y\n", encoding="utf-8")
    open_try(server, page)
    choose_file(page, path)
    expect(page.get_by_text("Does the first line name the columns?")).to_be_visible()
    expect(page.get_by_role("button", name="Classify")).to_be_disabled()
    page.get_by_label("Use of one").select_option("text")
    page.get_by_role("button", name="Classify 2 rows").click()
    expect(page.get_by_text("2 rows classified by tickets_v1@1")).to_be_visible()


def test_the_column_of_labels_of_a_file_is_shown_as_such(server: Running, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "labelled.csv"
    path.write_text("text,label\nsend me the bill,invoice\nrepay me,refund\n", encoding="utf-8")
    open_try(server, page)
    choose_file(page, path)
    expect(page.get_by_label("Use of text")).to_have_value("text")
    expect(page.get_by_label("Use of label")).to_have_value("label")


def test_a_file_goes_on_after_a_lost_connection(server: Running, page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.allow("ERR_CONNECTION_RESET")
    rows = [(str(number), f"repay me {number} times", "") for number in range(300)]
    open_try(server, page)
    choose_file(page, mails(tmp_path, rows))
    asked: list[str] = []

    def lose_the_second(route: Route) -> None:
        asked.append(body(route.request)["model_name"])
        if len(asked) == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/v1/classifier/predict", lose_the_second)
    page.get_by_role("button", name="Classify 300 rows").click()
    expect(page.get_by_text("300 rows classified")).to_be_visible()
    assert asked == ["tickets_v1", "tickets_v1@1", "tickets_v1@1"]  # one revision answers all rows


def test_a_file_is_cancelled_and_taken_up_again_where_it_stood(server: Running, page: Page, tmp_path: Path) -> None:
    rows = [(str(number), f"repay me {number} times", "") for number in range(300)]
    open_try(server, page)
    choose_file(page, mails(tmp_path, rows))
    counts: list[int] = []

    def hold_the_second(route: Route) -> None:
        counts.append(len(body(route.request)["texts"]))
        if len(counts) != 2:
            route.continue_()

    page.route("**/v1/classifier/predict", hold_the_second)
    page.get_by_role("button", name="Classify 300 rows").click()
    expect(page.get_by_text("256 of 300 rows")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("300 rows classified")).to_be_visible()
    assert counts == [256, 44, 44]


def test_the_least_certain_rows_of_a_file_become_a_queue(server: Running, page: Page, tmp_path: Path) -> None:
    open_try(server, page, "models=tickets")
    choose_file(page, mails(tmp_path))
    page.get_by_role("button", name="Classify 4 rows").click()
    page.get_by_role("button", name="Review the 4").click()
    page.wait_for_url("**#/correct?model=tickets_v1")
    expect(page.locator(".said")).to_have_text("Zucchini grow in the garden")
    expect(page.get_by_text("0 of 4, 0 corrected")).to_be_visible()


@pytest.mark.parametrize("look", [("light", WIDE), ("dark", NARROW)])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_window(
    server: Running, open_page: OpenPage, axe: Findings, tmp_path: Path, look: tuple[Theme, int]
) -> None:
    theme, width = look
    page = open_page(str(server.client.base_url), theme=theme, width=width)
    open_try(server, page, "models=tickets_v1,tickets_v2&text=my+code+is+refused&why=tickets_v1")
    choose_file(page, mails(tmp_path))
    page.get_by_role("button", name="Classify 4 rows").click()
    expect(page.get_by_text("4 rows classified")).to_be_visible()
    expect(page.get_by_text("Words that count")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
