"""Correct: one card at a time by keys alone, kept in the browser, and learned by the next version."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch
from tests.console.conftest import Findings, OpenPage
from tests.servers import Running, fit, hard_rows

pytestmark = pytest.mark.slow
TEST_ROWS = [
    {"text": "pay me back at once", "label": "refund"},
    {"text": "where is the bill", "label": "invoice"},
    {"text": "my password is not taken", "label": "login"},
]
PUT = """async ([store, value]) => {
  const database = await new Promise((resolve) => {
    const asked = indexedDB.open("windrow", 1);
    asked.onsuccess = () => resolve(asked.result);
  });
  await new Promise((resolve) => {
    const transaction = database.transaction(store, "readwrite");
    transaction.objectStore(store).put(value);
    transaction.oncomplete = resolve;
  });
  database.close();
}"""


@pytest.fixture(scope="module", autouse=True)
def _classifier(server: Running) -> None:
    fit(server, "tickets_v1", num_iterations=0)


def body(request: Request) -> dict[str, Any]:
    """What a request sends."""
    sent: dict[str, Any] = json.loads(request.post_data or "")
    return sent


def item(text: str, predicted: str | None = "refund", **more: Any) -> dict[str, Any]:
    plain = {"score": 0.5, "margin": 0.2, "in_scope": 0.9, "revision": 1, "label": None, "state": "waiting"}
    return {"text": text, "predicted": predicted, **plain, **more}


def open_queue(server: Running, page: Page, items: list[dict[str, Any]], model: str = "tickets_v1") -> Page:
    """Open a queue in which texts wait."""
    page.goto(f"{server.client.base_url}#/correct")
    expect(page.get_by_role("heading", name="Of which classifier?")).to_be_visible()
    page.evaluate(PUT, ["corrections", {"model_name": model, "items": items}])
    page.goto("about:blank")
    page.goto(f"{server.client.base_url}#/correct?model={model}")
    if any(each["state"] == "waiting" for each in items):
        expect(page.get_by_text("What it weighs")).to_be_visible()
        expect(page.get_by_role("button", name="login", exact=True)).to_be_visible()
    else:
        expect(page.get_by_text(re.compile("You have looked at all of it|No text waits here"))).to_be_visible()
    return page


def card(page: Page) -> Any:
    return page.locator(".said")


def kept(page: Page, model: str = "tickets_v1") -> Any:
    """What the browser's own database has."""
    script = """async (model) => {
      const database = await new Promise((resolve) => {
        const asked = indexedDB.open("windrow", 1);
        asked.onsuccess = () => resolve(asked.result);
      });
      const found = await new Promise((resolve) => {
        const asked = database.transaction("corrections").objectStore("corrections").get(model);
        asked.onsuccess = () => resolve(asked.result);
      });
      database.close();
      return found?.items ?? [];
    }"""
    return page.evaluate(script, model)


def labels(page: Page) -> dict[str, tuple[str | None, str]]:
    return {each["text"]: (each["label"], each["state"]) for each in kept(page)}


def train(page: Page) -> None:
    page.keyboard.press("t")
    page.get_by_role("button", name="Train tickets").click()
    expect(page.get_by_text("is trained")).to_be_visible()


def test_a_queue_is_worked_through_by_keys_alone(server: Running, page: Page) -> None:
    texts = ["give me money", "send the bill", "my code", "the weather is fine"]
    open_queue(server, page, [item(text, margin=place / 10) for place, text in enumerate(texts)])
    expect(card(page)).to_have_text(texts[0])
    page.keyboard.press("a")
    expect(card(page)).to_have_text(texts[1])
    page.keyboard.press("1")  # a label's key, not the one that goes to Classifiers
    expect(card(page)).to_have_text(texts[2])
    page.keyboard.press("s")
    expect(card(page)).to_have_text(texts[3])
    page.keyboard.press("n")
    page.get_by_role("combobox", name="Label").fill("small talk")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You have looked at all of it")).to_be_visible()
    expect(page.get_by_text("4 of 4")).to_be_visible()
    decided = labels(page)
    assert decided[texts[1]][0] == "invoice"
    assert decided[texts[2]] == (None, "skipped")
    assert decided[texts[3]] == ("small talk", "corrected")
    page.get_by_role("button", name="Look at 1 skipped text again").click()
    expect(card(page)).to_have_text(texts[2])


def test_the_least_certain_text_and_one_that_a_file_contradicts_come_first(server: Running, page: Page) -> None:
    items = [
        item("quite sure", margin=0.9),
        item("unsure", margin=0.1),
        item("new", margin=0.9, in_scope=0.01),
        item("contradicted", margin=0.9, expected="login"),
    ]
    open_queue(server, page, items)
    expect(card(page)).to_have_text("contradicted")
    expect(page.get_by_text("The file says login")).to_be_visible()
    for text in ("new", "unsure", "quite sure"):
        page.keyboard.press("s")
        expect(card(page)).to_have_text(text)


def test_decisions_survive_a_reload_and_the_last_one_is_undone_also_then(server: Running, page: Page) -> None:
    open_queue(server, page, [item("one", margin=0.1), item("two", margin=0.2), item("three", margin=0.3)])
    page.keyboard.press("2")
    expect(card(page)).to_have_text("two")
    page.keyboard.press("s")
    expect(card(page)).to_have_text("three")
    page.reload()
    expect(card(page)).to_have_text("three")
    expect(page.get_by_text("2 of 3")).to_be_visible()
    page.keyboard.press("Backspace")
    expect(card(page)).to_have_text("two")
    page.keyboard.press("u")
    expect(card(page)).to_have_text("one")
    expect(page.get_by_text("0 of 3, 0 corrected")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_texts_that_are_alike_are_decided_at_once_and_undone_at_once(server: Running, page: Page) -> None:
    first = "the parcel from Oslo is late"
    said = server.client.post("/v1/classifier/predict", json={"model_name": "tickets_v1", "text": first}).json()
    other = next(label for label in said["scores"] if label != said["label"])
    items = [
        item(first, said["label"], margin=0.1),
        item("again the parcel from Oslo is late", said["label"], margin=0.2),
        item("parcel from Oslo late since Monday", said["label"], margin=0.3),
        item("the parcel from Oslo is late too", other, margin=0.4),
        item("what colour has grass", said["label"], margin=0.5),
    ]
    open_queue(server, page, items)
    page.keyboard.press("b")
    expect(page.get_by_text("2 texts in the queue are like this one")).to_be_visible()
    page.locator(".alike li").last.get_by_role("checkbox").uncheck()
    page.get_by_role("combobox").select_option(other)
    page.get_by_role("button", name="Decide on 2 texts").click()
    expect(page.get_by_text("2 of 5, 2 corrected")).to_be_visible()
    assert [text for text, (label, _) in labels(page).items() if label == other] == [first, items[1]["text"]]
    page.keyboard.press("u")
    expect(page.get_by_text("0 of 5, 0 corrected")).to_be_visible()


def test_the_keys_of_the_labels_are_listed_in_place_of_those_of_the_navigation(server: Running, page: Page) -> None:
    open_queue(server, page, [item("one")])
    page.keyboard.press("?")
    listed = page.get_by_role("dialog")
    expect(listed.get_by_text("It is invoice")).to_be_visible()
    expect(listed.get_by_text("Classifiers", exact=True)).to_have_count(0)
    expect(listed.get_by_text("Judge", exact=True)).to_be_visible()


def test_a_file_with_labels_shows_them_on_the_cards(server: Running, page: Page, tmp_path: Path) -> None:
    page.goto(f"{server.client.base_url}#/correct?model=tickets_v1")
    path = tmp_path / "rows.jsonl"
    rows = [{"text": "give me my money back", "label": "login"}, {"text": "my code is refused", "label": "login"}]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Classify 2 rows with tickets_v1").click()
    expect(page.get_by_text("The file's own label is the same in 1 of 2 rows")).to_be_visible()
    page.get_by_role("button", name="Review the 2").click()
    expect(card(page)).to_have_text("give me my money back")
    expect(page.get_by_text("The file says login")).to_be_visible()


def test_an_alias_leads_to_the_queue_of_what_it_points_to(server: Running, page: Page) -> None:
    open_queue(server, page, [item("one")])
    server.client.put("/v1/classifier/aliases/desk", json={"model_name": "tickets_v1"}).raise_for_status()
    page.goto("about:blank")
    page.goto(f"{server.client.base_url}#/correct?model=desk")
    expect(card(page)).to_have_text("one")
    server.client.delete("/v1/classifier/aliases/desk").raise_for_status()


def test_the_next_version_extends_the_revision_that_answered_and_learns_what_was_decided(
    server: Running, page: Page
) -> None:
    fit(server, "tickets_v1", num_iterations=0, seed=1)  # meanwhile, another revision answers
    decided: dict[str, Any] = {"at": 1, "revision": 1}
    items = [
        item("who broke the door", label="login", state="corrected", **decided),
        item("give it back", label="refund", state="accepted", **decided),
        item("still waiting"),
    ]
    open_queue(server, page, items)
    page.keyboard.press("t")
    expect(page.get_by_text("It extends tickets_v1@1")).to_be_visible()
    page.get_by_role("checkbox", name="Also learn 1 accepted row").uncheck()
    page.wait_for_url("**accepted=no*")
    page.reload()
    with page.expect_request("**/v1/classifier/fit?wait=false") as sent:
        page.get_by_role("button", name="Train tickets_v2").click()
    assert body(sent.value)["extends"] == "tickets_v1@1"
    assert body(sent.value)["training_data"] == [{"text": "who broke the door", "label": "login"}]
    expect(page.get_by_text("tickets_v2 is trained")).to_be_visible()
    record = server.client.get("/v1/classifier/models/tickets_v2").json()
    assert (record["extends"], record["num_examples"], record["num_iterations"]) == ("tickets_v1@1", 13, 0)
    # Only what was learned has left the queue.
    assert set(labels(page)) == {"give it back", "still waiting"}


def test_without_a_test_set_the_estimates_are_shown_and_said_to_be_no_comparison(server: Running, page: Page) -> None:
    open_queue(server, page, [item("one"), item("who broke in", label="login", state="corrected", at=1)])
    train(page)
    expect(page.get_by_text("on the corrected rows a comparison would not be honest")).to_be_visible()
    expect(page.get_by_text("before (")).to_be_visible()
    expect(page.get_by_role("link", name="Promote it")).to_have_attribute("href", "#/aliases?promote=" + _name(page))
    page.reload()
    expect(page.get_by_text("is trained")).to_be_visible()
    page.get_by_role("button", name="Go on with 1 text").click()
    page.wait_for_url("**#/correct?model=tickets_v*")
    expect(card(page)).to_have_text("one")


def _name(page: Page) -> str:
    return page.locator(".notice.good b bdi").inner_text()


def test_with_a_test_set_old_and_new_are_compared_and_the_alias_is_at_hand(server: Running, page: Page) -> None:
    server.client.put("/v1/classifier/aliases/desk", json={"model_name": "tickets_v1"}).raise_for_status()
    open_queue(server, page, [item("who broke in", label="login", state="corrected", at=1)])
    test_set = {"sha256": "ab", "name": "desk.csv", "rows": TEST_ROWS, "added": 1}
    page.evaluate(PUT, ["test_sets", test_set])
    train(page)
    expect(page.get_by_role("heading", name="Old and new on a test set")).to_be_visible()
    expect(page.get_by_text("Keep tickets_v1@1").or_(page.get_by_text("Promote tickets_v"))).to_be_visible()
    accuracies = page.get_by_role("table", name="Accuracy of each classifier").locator("tbody tr")
    expect(accuracies).to_contain_text(["tickets_v1@1", f"{_name(page)}@1"])
    promote = page.get_by_role("link", name="Promote it to desk")
    expect(promote).to_have_attribute("href", f"#/aliases/desk?promote={_name(page)}&test=ab")
    # It is the next step only where the comparison speaks for it.
    is_better = page.get_by_text("Promote tickets_v").is_visible()
    expect(promote).to_have_class(re.compile("primary" if is_better else r"^button\s*$"))
    server.client.delete("/v1/classifier/aliases/desk").raise_for_status()


def test_a_training_that_is_refused_keeps_the_corrections(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 422")
    open_queue(server, page, [item("who broke in", label="login", state="corrected", at=1)])
    page.keyboard.press("t")
    page.get_by_label("Name", exact=True).fill("not/a/name")
    page.get_by_role("button", name="Train not/a/name").click()
    expect(page.get_by_role("alert")).to_contain_text("not/a/name")
    assert labels(page) == {"who broke in": ("login", "corrected")}


def test_a_training_that_is_cancelled_gives_the_corrections_back(server: Running, page: Page) -> None:
    open_queue(server, page, [item("who broke in", label="login", state="corrected", at=1)])
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="Train tickets")).to_be_visible()

    def lengthen(route: Route) -> None:
        asked = body(route.request)
        asked |= {"training_data": [*asked["training_data"], *hard_rows()], "num_iterations": 1000}
        route.continue_(post_data=json.dumps(asked))

    page.route("**/v1/classifier/fit?wait=false", lengthen)
    page.get_by_role("button", name="Train tickets").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the training").click()
    expect(page.get_by_text("Your corrections are still there")).to_be_visible()
    page.get_by_role("button", name="Back to the form").click()
    expect(page.get_by_role("button", name="Train tickets")).to_be_enabled()
    assert labels(page) == {"who broke in": ("login", "corrected")}


def test_a_training_whose_page_was_left_is_found_again_from_the_queue(server: Running, page: Page) -> None:
    open_queue(server, page, [item("one"), item("who broke in", label="login", state="corrected", at=1)])
    page.keyboard.press("t")
    page.get_by_role("button", name="Train tickets").click()
    page.wait_for_url("**job=*")
    job = page.url.split("job=")[1]
    learned = item("who broke in", label="login", state="corrected", at=1, job=job)
    open_queue(server, page, [item("one"), learned])  # as it was before the training ended
    expect(page.get_by_role("button", name="Train the next version")).to_be_disabled()
    page.get_by_role("link", name="See how it goes").click()
    expect(page.get_by_text("is trained")).to_be_visible()
    page.get_by_role("link", name="Back to the queue").click()
    expect(card(page)).to_have_text("one")
    assert set(labels(page)) == {"one"}


def test_a_training_that_the_server_does_not_know_gives_the_corrections_back(
    server: Running, page: Page, watch: Watch
) -> None:
    watch.allow("status of 404")
    open_queue(server, page, [item("who broke in", label="login", state="corrected", at=1, job="0-0")])
    page.get_by_role("link", name="See how it goes").click()
    expect(page.get_by_text("The server no longer knows this training")).to_be_visible()
    page.get_by_role("button", name="Back to the form").click()
    expect(page.get_by_role("button", name="Train tickets")).to_be_enabled()


def test_a_new_label_with_few_rows_is_warned_of(server: Running, page: Page) -> None:
    open_queue(server, page, [item("nice work", label="<b>praise</b>", state="corrected", at=1)])
    page.keyboard.press("t")
    expect(page.get_by_text("is a new label, with 1 row. From fewer than 4 it can hardly be learned")).to_be_visible()
    expect(page.get_by_text("<b>praise</b>").first).to_be_visible()


def test_a_queue_is_emptied_after_a_question(server: Running, page: Page) -> None:
    open_queue(server, page, [item("one"), item("two")])
    page.get_by_role("button", name="Empty the queue").click()
    page.get_by_role("dialog").get_by_role("button", name="Empty it").click()
    expect(page.get_by_text("No text waits here")).to_be_visible()
    assert kept(page) == []


@pytest.mark.parametrize(("theme", "width"), [("dark", WIDE), ("light", NARROW)])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_window(
    server: Running, open_page: OpenPage, axe: Findings, theme: Theme, width: int
) -> None:
    page = open_page(str(server.client.base_url), theme=theme, width=width)
    items = [item("a parcel is late", margin=0.1, in_scope=0.01), item(f"a parcel is late {'x' * 3_000}", margin=0.2)]
    open_queue(server, page, [*items, item("مرحبا 🎉", label="l" * 200, state="corrected", at=1)])
    page.keyboard.press("b")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("t")
    expect(page.get_by_text("It extends tickets_v1@1")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
