"""Several labels and descriptions of labels: trained, tried, judged, compared and promoted in the console."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.console.browsing import NARROW, WIDE, Theme
from tests.console.conftest import Findings, OpenPage
from tests.console.judging import open_view
from tests.servers import Running, Servers

pytestmark = pytest.mark.slow
BEGINNINGS: Final = ("", "please: ", "hello, ", "once more: ")
MAILS: Final = (
    ("I was charged twice and need the money today", ("billing", "urgent")),
    ("refund my last invoice", ("billing",)),
    ("the whole shop is down, nobody can order", ("technical", "urgent")),
    ("the search returns no results", ("technical",)),
    ("which hours are you open on Sunday", ()),
)
ROWS: Final = [{"text": start + text, "labels": [*labels]} for start in BEGINNINGS for text, labels in MAILS]
LABELS: Final = ("billing", "urgent", "technical")  # in the order in which the rows have them
# Rows that no training has seen; the labels of some of them are not those of the words.
TEST_ROWS: Final = [
    {"text": "send the bill once more", "labels": ["billing"]},
    {"text": "nothing works and we lose orders every minute", "labels": ["technical", "urgent"]},
    {"text": "the search is broken", "labels": ["billing", "urgent"]},
    {"text": "my invoice needs a refund", "labels": ["technical"]},
    {"text": "on which days are you open", "labels": []},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with two versions of a multi-label classifier; the first has learned fewer rows."""
    folder = tmp_path_factory.mktemp("several")
    servers = Servers(folder)
    running = servers.start(folder / "data")
    fit(running, "mails_v1", ROWS[:5])
    fit(running, "mails_v2", ROWS)
    yield running
    servers.stop()


def fit(server: Running, name: str, rows: list[dict[str, Any]]) -> None:
    fields = {"model_name": name, "training_data": rows, "num_iterations": 0}
    server.client.post("/v1/classifier/fit", json=fields).raise_for_status()


def as_json_lines(rows: list[dict[str, Any]], name: str) -> FilePayload:
    content = "".join(f"{json.dumps(row)}\n" for row in rows)
    return {"name": name, "mimeType": "application/jsonl", "buffer": content.encode()}


def as_csv(name: str, separator: str = ";") -> FilePayload:
    content = "text,labels\n" + "".join(f'"{row["text"]}",{separator.join(row["labels"])}\n' for row in ROWS)
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode()}


def as_matrix(name: str) -> FilePayload:
    """Return the rows with a column of 1 and 0 for each label."""
    lines = [f'"{row["text"]}",' + ",".join(str(int(label in row["labels"])) for label in LABELS) for row in ROWS]
    content = "\n".join([f"text,{','.join(LABELS)}", *lines])
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode()}


def record(server: Running, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = server.client.get(f"/v1/classifier/models/{name}").json()
    return answer


def evaluated(server: Running) -> dict[str, Any]:
    fields = {"model_name": "mails_v2", "test_data": TEST_ROWS, "save": False}
    answer: dict[str, Any] = server.client.post("/v1/classifier/evaluate", json=fields).json()
    return answer


def drop_test_set(page: Page) -> None:
    page.locator(".test-set input[type=file]").set_input_files(as_json_lines(TEST_ROWS, "june.jsonl"))
    expect(page.locator(".test-set b")).to_have_text("june.jsonl")


def train(page: Page) -> None:
    """Press the button that trains, by the keyboard: the estimate that comes meanwhile moves it."""
    button = page.get_by_role("button", name="Train").last
    expect(button).to_be_enabled()
    button.press("Enter")


@pytest.fixture
def judged(page: Page) -> Page:
    """A page on which version 2 has been evaluated, without keeping the score."""
    open_view(page, "judge?model=mails_v2")
    drop_test_set(page)
    expect(page.get_by_role("table", name="Misclassified rows")).to_be_visible()
    return page


def test_a_file_of_several_labels_is_understood_and_trained(page: Page, server: Running) -> None:
    open_view(page, "train?num_iterations=0&name=dropped_v1")
    page.locator("input[type=file]").set_input_files(as_json_lines(ROWS, "rows.jsonl"))
    understood = page.get_by_role("region", name="What was understood")
    expect(understood).to_contain_text("20 rows")
    expect(understood).to_contain_text("multi-label classifier. 4 rows have none of them.")
    expect(understood.get_by_label("Use of labels")).to_have_value("labels")
    counts = page.get_by_role("region", name="Rows of each label").get_by_role("listitem")
    expect(counts).to_have_text([re.compile(rf"{label}\s*8") for label in LABELS])
    expect(page.get_by_text("4 rows have no label. They count as texts that no label fits")).to_be_visible()
    page.get_by_role("button", name="urgent").press("Enter")
    rows = page.get_by_role("table", name="The rows as they were read").locator("tbody tr")
    expect(rows).to_have_count(8)
    expect(rows.first).to_contain_text("billing, urgent")
    train(page)
    expect(page.get_by_role("heading", name="dropped_v1@1 is trained")).to_be_visible()
    expect(page.get_by_text("exactly right: all of their labels, and no other one")).to_be_visible()
    trained = record(server, "dropped_v1")
    assert trained["kind"] == "multi_label"
    assert trained["training_data_sha256"] == record(server, "mails_v2")["training_data_sha256"]
    asked = {"model_name": "dropped_v1", "text": MAILS[0][0]}
    labels = server.client.post("/v1/classifier/predict", json=asked).json()["labels"]
    assert sorted(labels) == ["billing", "urgent"]
    page.get_by_role("button", name="Try it").press("Enter")
    page.get_by_role("textbox", name="Text").fill(MAILS[0][0])
    expect(page.locator("p.chips .chip.good")).to_have_text(labels)


def test_a_label_that_a_row_perhaps_lacks_is_added_in_the_next_version(page: Page, server: Running) -> None:
    rows = [{**ROWS[0], "labels": ["urgent"]}, *ROWS[1:]]
    fields = {"training_data": rows, "num_iterations": 0}
    found = server.client.post("/v1/classifier/cross-validate", json=fields).json()["probable_label_errors"]
    assert [(each["label"], each["row"], each["is_missing"]) for each in found] == [("billing", 0, True)]
    open_view(page, "train?num_iterations=0&name=doubted_v1")
    page.locator("input[type=file]").set_input_files(as_json_lines(rows, "rows.jsonl"))
    train(page)
    page.get_by_role("button", name="Look for doubtful rows").click()
    expect(page.get_by_text("perhaps lacks billing")).to_be_visible()
    page.get_by_role("button", name="Add billing").click()
    page.get_by_role("button", name="Train again with 1 correction").click()
    expect(page.get_by_role("heading", name="doubted_v2@1 is trained")).to_be_visible()
    trained = record(server, "doubted_v2")
    assert (trained["kind"], trained["replaced_rows"]) == ("multi_label", 1)
    assert trained["rows_per_label"] == dict.fromkeys(sorted(LABELS), 8)


@pytest.mark.parametrize("separator", [";", "|"])
def test_what_stands_between_labels_of_csv_is_asked(page: Page, separator: str) -> None:
    open_view(page, "train")
    page.locator("input[type=file]").set_input_files(as_csv("rows.csv", separator))
    page.get_by_role("button", name=f"Labels are apart by {separator}").click()
    understood = page.get_by_role("region", name="What was understood")
    expect(understood).to_contain_text("4 rows have none of them.")
    # What was said about labels stays when another column is assigned.
    understood.get_by_label("Use of text").select_option("")
    understood.get_by_label("Use of text").select_option("text")
    expect(understood).to_contain_text("4 rows have none of them.")


def test_columns_of_1_and_0_are_labels(page: Page) -> None:
    open_view(page, "train")
    page.locator("input[type=file]").set_input_files(as_matrix("matrix.csv"))
    for label in LABELS:
        page.get_by_label(f"Use of {label}").select_option("indicator")
        expect(page.get_by_label(f"Use of {label}")).to_have_value("indicator")
    counts = page.get_by_role("region", name="Rows of each label").get_by_role("listitem")
    expect(counts).to_have_text([re.compile(rf"{label}\s*8") for label in LABELS])


def test_columns_that_are_chosen_before_the_server_has_answered_stay_chosen(page: Page) -> None:
    held: list[Route] = []
    open_view(page, "train")
    page.locator("input[type=file]").set_input_files(as_matrix("matrix.csv"))
    uses = [page.get_by_label(f"Use of {label}") for label in LABELS]
    expect(uses[0]).to_be_visible()
    page.route("**/v1/classifier/inspect**", lambda route: held.append(route))  # noqa: PLW0108 - a builtin is refused
    for use in uses:
        use.select_option("indicator")
    for use in uses:
        expect(use).to_have_value("indicator")
    for _ in range(300):  # until the last request is held, too
        if len(held) == len(LABELS):
            break
        page.wait_for_timeout(100)
    assert len(held) == len(LABELS)
    counts = page.get_by_role("region", name="Rows of each label").get_by_role("listitem")
    # The first request is answered last: what it says is out of date.
    for route in reversed(held):
        with page.expect_response("**/v1/classifier/inspect**"):
            route.continue_()
    expect(counts).to_have_text([re.compile(rf"{label}\s*8") for label in LABELS])
    for use in uses:
        expect(use).to_have_value("indicator")


def test_a_classifier_begins_with_descriptions_alone(page: Page, server: Running) -> None:
    open_view(page, "train?from=describe&name=described_v1")
    page.get_by_label("Label 1").fill("billing")
    page.get_by_label("Description 1").fill("Money: invoices, refunds, charges")
    expect(page.get_by_text("Describe at least two labels.")).to_be_visible()
    expect(page.get_by_role("button", name="Train").last).to_be_disabled()
    page.get_by_label("Label 2").fill("question")
    expect(page.get_by_text("It has seen no labelled row: it knows the names and descriptions")).to_be_visible()
    train(page)
    expect(page.get_by_role("heading", name="described_v1@1 is trained")).to_be_visible()
    expect(page.get_by_text("nothing says how often it is right").first).to_be_visible()
    trained = record(server, "described_v1")
    assert trained["source"] == "zero_shot"
    assert trained["label_descriptions"] == {"billing": "Money: invoices, refunds, charges", "question": ""}
    open_view(page, "classifiers/described_v1")
    expect(page.get_by_text("No row: names and descriptions of its labels alone")).to_be_visible()
    open_view(page, "try?models=described_v1&text=refund+my+invoice")
    expect(page.get_by_role("status").filter(has_text="billing")).to_have_count(1)


def test_descriptions_alone_make_a_classifier_of_any_number_of_labels(page: Page, server: Running) -> None:
    open_view(page, "train?from=describe&name=described_several_v1")
    page.get_by_label("Label 1").fill("billing")
    page.get_by_label("Label 2").fill("technical")
    page.get_by_label("A text may have several of these labels, or none").check()
    expect(page.get_by_text("Each label is given from a score of 0.42 on")).to_be_visible()
    train(page)
    expect(page.get_by_role("heading", name="described_several_v1@1 is trained")).to_be_visible()
    trained = record(server, "described_several_v1")
    assert (trained["source"], trained["kind"]) == ("zero_shot", "multi_label")


def test_the_first_rows_are_added_to_descriptions(page: Page, server: Running) -> None:
    fields = {"model_name": "begun_v1", "training_data": [], "label_descriptions": {"billing": "Money", "search": ""}}
    server.client.post("/v1/classifier/fit", json=fields).raise_for_status()
    open_view(page, "train?extends=begun_v1&num_iterations=0")
    expect(page.get_by_text("has learned no row. Its descriptions go on to hold")).to_be_visible()
    rows = [{"text": "refund my last invoice", "label": "billing"}, {"text": "it finds nothing", "label": "search"}]
    page.locator("input[type=file]").set_input_files(as_json_lines(rows, "first.jsonl"))
    expect(page.get_by_text("What was understood")).to_be_visible()
    train(page)
    expect(page.get_by_role("heading", name="begun_v2@1 is trained")).to_be_visible()
    trained = record(server, "begun_v2")
    assert (trained["source"], trained["num_examples"]) == ("examples", 2)
    assert trained["label_descriptions"] == fields["label_descriptions"]


def test_the_figures_of_several_labels_are_those_of_the_server(judged: Page, server: Running) -> None:
    report = evaluated(server)
    exact = f"{report['correct']} of 5 rows were given all of their labels and no other one."
    expect(judged.get_by_text(exact)).to_be_visible()
    figures = judged.get_by_role("region", name="All decisions about labels")
    for name in ("micro_f1", "macro_f1"):
        low, high = report[f"{name}_interval"]["low"], report[f"{name}_interval"]["high"]
        expect(figures).to_contain_text(f"{report[name]:.2f} ({low:.2f} to {high:.2f})")
    expect(figures).to_contain_text(f"{report['hamming_loss']:.3f}")
    labels = judged.get_by_role("table", name="How each label did")
    for each in report["labels"]:
        expect(labels).to_contain_text(f"{each['recall']:.2f} ({each['correct']}/{each['total']})")
    rows = judged.get_by_role("table", name="Misclassified rows").locator("tbody tr")
    expect(rows).to_have_count(len(report["misclassified"]))
    for place, each in enumerate(report["misclassified"]):
        for label in {*each["labels"], *each["predicted"]}:
            expect(rows.nth(place)).to_contain_text(label)
    confused = judged.get_by_role("table", name="Labels that were confused").locator("tbody tr")
    expect(confused).to_have_count(len(report["confused_labels"]))
    assert report["confused_labels"]


def test_figures_that_there_are_not_are_dashes(page: Page) -> None:
    # It is given none of the labels, so there is no precision.
    open_view(page, "judge?model=mails_v2")
    rows = [{**TEST_ROWS[-1], "labels": ["billing"]}]
    page.locator(".test-set input[type=file]").set_input_files(as_json_lines(rows, "none.jsonl"))
    figures = page.get_by_role("region", name="All decisions about labels")
    expect(figures).to_contain_text("precision \N{EN DASH}, recall 0.00")


def test_the_thresholds_that_test_rows_speak_for_are_set_and_cleared(judged: Page, server: Running) -> None:
    proposed = evaluated(server)["proposed_thresholds"]
    judged.get_by_role("button", name="Fill in the proposed ones").click()
    judged.get_by_role("button", name="Set the thresholds").click()
    expect(judged.get_by_text(f"mails_v2 gives {len(proposed)} labels by the thresholds that you set.")).to_be_visible()
    changed = record(server, "mails_v2")
    assert changed["threshold"]["label_thresholds"] == {each["label"]: each["threshold"] for each in proposed}
    assert "june.jsonl" in changed["threshold_changes"][-1]["reason"]
    judged.get_by_role("button", name="As trained").click()
    expect(judged.get_by_text("mails_v2 gives each label by the threshold of its training.")).to_be_visible()
    assert record(server, "mails_v2")["threshold"] is None


def test_thresholds_are_proposed_for_a_precision_that_is_wanted(judged: Page, server: Running) -> None:
    fields = {"model_name": "mails_v2", "test_data": TEST_ROWS, "save": False, "target_precision": 0.6}
    report = server.client.post("/v1/classifier/evaluate", json=fields).json()
    judged.get_by_label("Precision wanted of each label, in percent").fill("60")
    judged.get_by_role("button", name="Propose thresholds").click()
    expect(judged).to_have_url(re.compile("target=0.6"))
    table = judged.get_by_role("table", name="Threshold of each label")
    proposed = {each["label"]: each for each in report["proposed_thresholds"]}
    assert set(proposed) != set(LABELS)
    for label in LABELS:
        found = proposed.get(label)
        says = f"{found['threshold']:.2f} precision {found['precision']:.2f}" if found else "none"
        expect(table.get_by_role("row").filter(has=judged.get_by_label(f"Threshold of {label}"))).to_contain_text(says)


def test_thresholds_are_proposed_for_a_recall_that_is_wanted(judged: Page, server: Running) -> None:
    fields = {"model_name": "mails_v2", "test_data": TEST_ROWS, "save": False, "target_recall": 0.9}
    report = server.client.post("/v1/classifier/evaluate", json=fields).json()
    judged.get_by_label("Precision wanted of each label, in percent").fill("60")
    judged.get_by_label("or recall, in percent").fill("90")
    expect(judged.get_by_label("Precision wanted of each label, in percent")).to_have_value("")
    judged.get_by_role("button", name="Propose thresholds").click()
    expect(judged).to_have_url(re.compile("recall=0.9"))
    table = judged.get_by_role("table", name="Threshold of each label")
    for each in report["proposed_thresholds"]:
        row = table.get_by_role("row").filter(has=judged.get_by_label(f"Threshold of {each['label']}"))
        expect(row).to_contain_text(f"{each['threshold']:.2f} precision {each['precision']:.2f}")


def test_a_threshold_of_a_label_leaves_the_one_of_all_as_it_is(page: Page, server: Running) -> None:
    open_view(page, "classifiers/mails_v1")
    page.get_by_label("No label below").fill("0.2")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_text("It gives no label where its best score is below 0.2.")).to_be_visible()
    page.get_by_label("Threshold of urgent").fill("0.35")
    page.get_by_role("button", name="Set the thresholds").click()
    row = page.get_by_role("table", name="Threshold of each label").get_by_role("row", name="urgent")
    expect(row).to_contain_text("0.35")
    assert record(server, "mails_v1")["threshold"] == {"abstain_below": 0.2, "label_thresholds": {"urgent": 0.35}}
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("It gives no label where its best score is below")).to_have_count(0)
    assert record(server, "mails_v1")["threshold"] == {"abstain_below": 0, "label_thresholds": {"urgent": 0.35}}
    page.get_by_role("button", name="As trained").click()
    expect(page.get_by_role("button", name="As trained")).to_have_count(0)
    assert record(server, "mails_v1")["threshold"] is None


def test_the_list_and_the_page_of_a_classifier_say_its_kind(page: Page) -> None:
    open_view(page, "classifiers?q=multi-label")
    expect(page.get_by_role("row").filter(has_text="mails_v1")).to_contain_text("multi-label")
    open_view(page, "classifiers/mails_v1")
    expect(page.get_by_text("Any number of labels a text")).to_be_visible()


def test_two_multi_label_classifiers_are_compared(page: Page, server: Running) -> None:
    open_view(page, "compare?models=mails_v1,mails_v2")
    drop_test_set(page)
    fields = {"model_names": ["mails_v1", "mails_v2"], "test_data": TEST_ROWS}
    found = server.client.post("/v1/classifier/compare", json=fields).json()
    (pair,) = found["pairs"]
    expect(page.get_by_text(pair["verdict"])).to_be_visible()
    differ = page.get_by_role("region", name="Labels that differ", exact=True)
    expect(differ).to_contain_text("Micro F1 differs by")
    expect(differ.locator("tbody tr")).to_have_count(len(pair["labels"]))
    changes = page.get_by_role("region", name="Rows whose answer changes")
    expect(changes.locator("tbody tr")).to_have_count(len(found["disagreements"]))


def test_a_row_of_several_labels_is_a_condition_of_a_promotion(page: Page, server: Running) -> None:
    open_view(page, "aliases?promote=mails_v2")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Alias").fill("mails")
    dialog.get_by_text("Rows that must be read right").click()
    dialog.get_by_label("Text", exact=True).fill("refund my last invoice")
    dialog.get_by_role("button", name="billing", exact=True).click()
    dialog.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_text("Every condition is met.")).to_be_visible()
    (alias,) = server.client.get("/v1/classifier/aliases").json()["aliases"]
    assert alias["must_pass"] == [{"text": "refund my last invoice", "labels": ["billing"]}]
    open_view(page, "aliases/mails")
    expect(page.get_by_role("region", name="Gate")).to_contain_text("billing")


def test_several_labels_of_a_text_are_corrected_and_the_next_version_learns_them(page: Page, server: Running) -> None:
    open_view(page, "try?models=mails_v2&text=refund+my+last+invoice+today")
    page.get_by_role("button", name="Wrong? Correct it").click()
    dialog = page.get_by_role("dialog")
    for label in LABELS:
        button = dialog.get_by_role("button", name=label, exact=True)
        if (button.get_attribute("aria-pressed") == "true") != (label in {"billing", "urgent"}):
            button.click()
    dialog.get_by_role("button", name="Keep it for the next version").click()
    expect(page.get_by_text("Kept for the next version: this is")).to_contain_text("billing, urgent")
    open_view(page, "correct?model=mails_v2&step=train")
    page.get_by_label("Name").fill("mails_corrected_v1")
    page.get_by_role("button", name="Train mails_corrected_v1").click()
    expect(page.get_by_text("mails_corrected_v1 is trained")).to_be_visible(timeout=60_000)
    made = record(server, "mails_corrected_v1")
    assert (made["kind"], made["num_examples"] - made["taken_over_rows"]) == ("multi_label", 1)


def test_the_queue_marks_labels_and_decides_on_them_by_keys(judged: Page) -> None:
    judged.get_by_role("button", name=re.compile("^Send ")).click()
    expect(judged.get_by_text(re.compile("went to Correct"))).to_be_visible()
    open_view(judged, "correct?model=mails_v2")
    card = judged.locator(".card")
    expect(card).to_contain_text("The file says")
    expect(card.get_by_role("button", name=re.compile("^Decide: "))).to_be_visible()
    marked = card.get_by_role("group", name="Labels").get_by_role("button", pressed=True)
    before = marked.count()
    judged.locator("h1").click()
    judged.keyboard.press("1")
    expect(marked).not_to_have_count(before)
    judged.keyboard.press("d")
    expect(judged.get_by_role("status").filter(has_text="1 of ")).to_be_visible()
    judged.keyboard.press("u")
    expect(judged.get_by_role("status").filter(has_text="0 of ")).to_be_visible()


def test_a_text_is_classified_by_labels_that_are_typed(page: Page, server: Running) -> None:
    open_view(page, "try?models=mails_v2&text=refund+my+last+invoice")
    page.get_by_text("Without a classifier: by labels that you type").click()
    page.get_by_label("Labels, apart by commas").fill("billing, weather, music")
    page.get_by_role("button", name="Classify", exact=True).click()
    found = page.get_by_role("region", name="By labels alone")
    expect(found.locator(".chip").first).to_have_text("billing")
    with page.expect_request(lambda request: request.url.endswith("/v1/classify")) as asked:
        page.get_by_label("A text may have several of them, or none").check()
    assert asked.value.post_data_json == {
        "text": "refund my last invoice",
        "labels": ["billing", "weather", "music"],
        "multi_label": True,
    }


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_window_and_axe_finds_nothing_serious(
    server: Running, open_page: OpenPage, axe: Findings, theme: Theme, width: int
) -> None:
    page = open_page(f"{server.client.base_url}/#/judge?model=mails_v2", theme=theme, width=width)
    drop_test_set(page)
    expect(page.get_by_role("table", name="Threshold of each label")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    open_view(page, "train?from=describe")
    expect(page.get_by_label("Description 1")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
