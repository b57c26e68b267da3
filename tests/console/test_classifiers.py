"""The list of classifiers and a classifier's record, as a person deals with them in a browser."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch
from tests.console.conftest import Findings, OpenPage
from tests.servers import TICKETS, Running, Servers, Start, fit, predict

pytestmark = pytest.mark.slow
HOSTILE = "<script>document.title='ran'</script><img src=x onerror=alert(1)> \u202eabc 🎫"
TEST_ROWS = [{"text": f"please {text}", "label": label} for label, texts in TICKETS.items() for text in texts]
# Lets a file fall on the page, as a person does who drags it there.
_DROP = """([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with two versions of a task, one of them measured and behind an alias that keeps a row; and another."""
    folder = tmp_path_factory.mktemp("classifiers")
    servers = Servers(folder)
    running = servers.start(folder / "data")
    fit(running, "tickets_v9", num_iterations=0, tags=["shop"], description="The first tickets.")
    fit(running, "tickets_v10", num_iterations=0, tags=["shop", "may"], description=HOSTILE)
    fit(running, "mood", num_iterations=0, tags=["reviews"])
    fit(running, "mood", num_iterations=0, overwrite=True, swapped=True)
    ask(running, "POST", "evaluate", model_name="tickets_v10", test_data=TEST_ROWS)
    row = {"text": "send me the bill", "label": "invoice"}
    ask(running, "PUT", "aliases/desk", model_name="tickets_v10", author="ana", must_pass=[row])
    predict(running, "tickets_v10")
    yield running
    servers.stop()


def ask(server: Running, method: str, path: str, **fields: object) -> dict[str, object]:
    body = fields if method not in ("GET", "DELETE") else None
    reply = server.client.request(method, f"/v1/classifier/{path}", json=body)
    assert reply.status_code == 200, reply.text
    answer: dict[str, object] = reply.json()
    return answer


def copy(server: Running, *names: str) -> None:
    for name in names:
        ask(server, "POST", "models/tickets_v9/copy", new_name=name)


def show(page: Page, server: Running, address: str) -> None:
    page.goto(f"{server.client.base_url}/#/{address}")
    page.reload()


def name_column(page: Page) -> list[str]:
    return page.locator("table tbody td:nth-child(2) a:not(.chip)").all_inner_texts()


def drop(page: Page, name: str, content: bytes) -> None:
    page.evaluate(_DROP, [name, base64.b64encode(content).decode()])


def toast(page: Page, text: str) -> None:
    expect(page.locator(".toast", has_text=text)).to_be_visible()


def test_an_empty_server_says_how_to_begin_and_leads_there(start: Start, tmp_path: Path, open_page: OpenPage) -> None:
    page = open_page(str(start(tmp_path / "data").client.base_url))
    expect(page.get_by_role("heading", name="Train the first classifier")).to_be_visible()
    expect(page.get_by_role("link", name="Try it with sample tickets")).to_have_attribute("href", "#/train?demo=1")
    page.get_by_role("link", name="Train on my rows").click()
    expect(page).to_have_url(re.compile("#/train$"))


def test_versions_stand_under_their_task_the_highest_first(server: Running, page: Page) -> None:
    show(page, server, "classifiers?q=tickets_v")
    expect(page.get_by_role("rowheader", name="tickets 2 versions")).to_be_visible()
    assert name_column(page) == ["tickets_v10", "tickets_v9"]


def test_a_measured_accuracy_and_an_estimate_are_told_apart_each_with_its_interval(server: Running, page: Page) -> None:
    show(page, server, "classifiers?q=tickets_v")
    expect(page.get_by_role("row", name="tickets_v10")).to_contain_text(re.compile(r"measured, \d+ to \d+ %"))
    expect(page.get_by_role("row", name="tickets_v9")).to_contain_text(re.compile(r"estimated, \d+ to \d+ %"))


def test_an_alias_that_keeps_rows_has_a_lock(server: Running, page: Page) -> None:
    show(page, server, "classifiers")
    row = page.get_by_role("row", name="tickets_v10")
    expect(row.get_by_role("img", name="protected by a gate")).to_be_visible()
    row.get_by_role("link", name="desk").click()
    expect(page.get_by_role("heading", name="desk", level=1)).to_be_visible()


@pytest.mark.parametrize("words", ["tickets_v10", "MAY", "desk", "<script>", "refund desk"])
def test_a_search_finds_names_tags_aliases_descriptions_and_labels(server: Running, page: Page, words: str) -> None:
    show(page, server, "classifiers")
    expect(page.get_by_role("link", name="mood")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type(words)
    expect(page.get_by_role("link", name="mood")).to_have_count(0)
    assert name_column(page) == ["tickets_v10"]
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value(words)
    expect(page.locator("table tbody td:nth-child(2) a:not(.chip)")).to_have_text(["tickets_v10"])


def test_a_tag_is_a_filter_that_the_address_keeps_and_a_click_takes_back(server: Running, page: Page) -> None:
    show(page, server, "classifiers")
    page.get_by_role("button", name="reviews").click()
    expect(page).to_have_url(re.compile("tag=reviews"))
    assert name_column(page) == ["mood"]
    page.get_by_role("button", name="Show all tags").click()
    expect(page.get_by_role("link", name="tickets_v10")).to_be_visible()


def test_what_nobody_used_is_shown_alone(server: Running, page: Page) -> None:
    show(page, server, "classifiers")
    page.get_by_role("button", name="Unused for 30 days").click()
    expect(page.get_by_role("link", name="tickets_v10")).to_have_count(0)
    expect(page.get_by_role("link", name="tickets_v9")).to_be_visible()


def test_a_column_sorts_and_again_in_reverse(server: Running, page: Page) -> None:
    for name, rows in (("order_a", 6), ("order_b", 2), ("order_c", 4)):
        training_data = [{"text": f"word {number}", "label": str(number % 2)} for number in range(rows)]
        ask(server, "POST", "fit", model_name=name, training_data=training_data, num_iterations=0)
    show(page, server, "classifiers?q=order_")
    heading = page.get_by_role("columnheader", name="Rows")
    page.get_by_role("button", name="Rows").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    assert name_column(page) == ["order_b", "order_c", "order_a"]
    page.get_by_role("button", name="Rows").click()
    expect(page).to_have_url(re.compile("sort=-rows"))
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert name_column(page) == ["order_a", "order_c", "order_b"]
    for name in ("order_a", "order_b", "order_c"):
        ask(server, "DELETE", f"models/{name}?purge=true")


def test_several_are_deleted_by_keys_alone_and_undo_brings_them_back(server: Running, page: Page) -> None:
    copy(server, "gone_a", "gone_b", "gone_c")
    show(page, server, "classifiers?q=gone_")
    page.get_by_label("Choose gone_a").focus()
    page.keyboard.press("Space")
    page.get_by_label("Choose gone_c").click(modifiers=["Shift"])
    expect(page.get_by_role("region", name="Chosen")).to_contain_text("3 classifiers chosen")
    page.locator("h1").focus()
    page.keyboard.press("Delete")
    toast(page, "gone_a, gone_b, gone_c deleted.")
    expect(page.get_by_text("Nothing is like that")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    toast(page, "restored.")
    expect(page.locator("table tbody td:nth-child(2) a:not(.chip)")).to_have_text(["gone_a", "gone_b", "gone_c"])


def test_an_undo_that_came_too_late_goes_with_what_took_its_place(server: Running, page: Page) -> None:
    copy(server, "back_again")
    show(page, server, "classifiers?q=back_again")
    for restored in (True, False):
        page.get_by_label("Choose back_again").click()
        page.get_by_role("region", name="Chosen").get_by_role("button", name="Delete").click()
        toast(page, "back_again deleted.")
        if restored:
            page.get_by_role("link", name="Deleted ones").click()
            page.get_by_label("Choose back_again").click()
            page.get_by_role("button", name="Restore 1").click()
            toast(page, "back_again restored.")
            expect(page.get_by_role("button", name="Undo")).to_have_count(0)
            show(page, server, "classifiers?q=back_again")
    expect(page.locator(".toast")).to_have_text([re.compile("^back_again deleted")])


def test_two_that_are_chosen_are_compared(server: Running, page: Page) -> None:
    show(page, server, "classifiers?q=tickets_v")
    page.get_by_label("Choose all that are shown").check()
    page.get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile(r"#/compare\?models=tickets_v10%2Ctickets_v9"))


def test_what_an_alias_points_to_is_deleted_only_after_a_question(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 409")
    copy(server, "pointed_to")
    ask(server, "PUT", "aliases/pointer", model_name="pointed_to")
    show(page, server, "classifiers/pointed_to")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("pointer will answer no more")
    dialog.get_by_role("button", name="Delete all the same").click()
    toast(page, "pointed_to deleted.")
    assert server.client.get("/v1/classifier/models/pointed_to").status_code == 404


def test_a_deleted_one_is_restored_from_its_own_address(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 404")
    copy(server, "back_again")
    ask(server, "DELETE", "models/back_again")
    show(page, server, "classifiers/back_again")
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    assert ask(server, "GET", "models/back_again")["deleted_at"] is None


def test_a_purge_needs_the_name_typed(server: Running, page: Page) -> None:
    copy(server, "for_good", "not_yet")
    ask(server, "DELETE", "models/for_good")
    ask(server, "DELETE", "models/not_yet")
    show(page, server, "classifiers?deleted=1")
    page.get_by_label("Choose for_good").check()
    page.get_by_role("button", name="Purge").click()
    button = page.get_by_role("dialog").get_by_role("button", name="Purge")
    expect(button).to_be_disabled()
    page.keyboard.type("for_good")
    button.click()
    toast(page, "for_good purged.")
    expect(page.get_by_label("Choose for_good")).to_have_count(0)
    page.get_by_label("Choose not_yet").check()
    page.get_by_role("button", name="Restore").click()
    toast(page, "not_yet restored.")
    left = [each["name"] for each in ask(server, "GET", "models?deleted=true")["models"]]  # type: ignore[attr-defined]
    assert not {"for_good", "not_yet"} & set(left)


def test_an_exported_file_that_is_dropped_is_imported_under_another_name(
    server: Running, page: Page, watch: Watch, tmp_path: Path
) -> None:
    watch.allow("status of 409")
    show(page, server, "classifiers/tickets_v9")
    page.get_by_role("button", name="Export").click()
    page.get_by_label("With its 12 training rows").check()
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "tickets_v9.windrow"
    download.value.save_as(tmp_path / "file")
    show(page, server, "classifiers")
    expect(page.get_by_role("link", name="tickets_v9")).to_be_visible()
    drop(page, "tickets_v9.windrow", (tmp_path / "file").read_bytes())
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_contain_text("tickets_v9")
    dialog.get_by_label("Name here").fill("dropped_here")
    dialog.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", name="dropped_here", level=1)).to_be_visible()
    imported = ask(server, "GET", "models/dropped_here")
    assert imported["keeps_training_data"] is True
    ask(server, "DELETE", "models/dropped_here")


def test_what_is_no_exported_classifier_is_refused_in_words(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 4")
    show(page, server, "classifiers")
    expect(page.get_by_role("link", name="mood")).to_be_visible()
    drop(page, "rows.csv", b"text,label\n")
    toast(page, "rows.csv is no exported classifier")
    drop(page, "broken.windrow", b"no archive")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("invalid_archive")


def test_a_hostile_description_is_shown_as_it_is_and_runs_nothing(server: Running, page: Page) -> None:
    show(page, server, "classifiers/tickets_v10")
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    expect(page).to_have_title("tickets_v10 · Windrow")


def test_the_record_says_how_good_it_is_and_what_to_do_next(server: Running, page: Page) -> None:
    show(page, server, "classifiers/tickets_v10")
    quality = page.get_by_role("region", name="How good it is")
    expect(quality).to_contain_text(re.compile(r"it read \d+ of 12 test rows right.*\d+ to \d+ % are to be expected"))
    estimate = page.get_by_role("region", name="How good it should be")
    expect(estimate).to_contain_text(re.compile(r"estimated by cross-validation: \d+ of 12 held-out rows right"))
    expect(page.get_by_role("link", name="Correct answers")).to_be_visible()
    expect(page.get_by_role("link", name="Train tickets_v11")).to_have_attribute(
        "href", re.compile(r"#/train\?extends=tickets_v10%40\d")
    )
    show(page, server, "classifiers/tickets_v9")
    expect(page.get_by_role("link", name="Judge it", exact=True)).to_be_visible()


def test_description_and_tags_are_edited_in_place(server: Running, page: Page) -> None:
    copy(server, "edited")
    show(page, server, "classifiers/edited")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Description").fill("What people write.")
    page.get_by_label("Tags").fill("two words, shop,")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("What people write.")).to_be_visible()
    kept = ask(server, "GET", "models/edited")
    assert (kept["description"], kept["tags"]) == ("What people write.", ["shop", "two words"])


def test_a_threshold_is_set_with_a_reason_and_cleared(server: Running, page: Page) -> None:
    copy(server, "careful")
    show(page, server, "classifiers/careful")
    sheet = page.get_by_role("region", name="Threshold")
    sheet.get_by_label("No label below").fill("0.8")
    sheet.get_by_label("because").fill("Better none than a wrong one.")
    sheet.get_by_role("button", name="Set").click()
    expect(sheet).to_contain_text("It gives no label where its best score is below 0.8")
    expect(sheet.get_by_role("listitem")).to_contain_text("Better none than a wrong one.")
    sheet.get_by_role("button", name="Clear").click()
    expect(sheet).to_contain_text("It always gives a label")
    assert ask(server, "GET", "models/careful")["threshold"] is None


def test_an_older_revision_is_shown_and_made_to_answer_again(server: Running, page: Page) -> None:
    show(page, server, "classifiers/mood?tab=revisions")
    page.get_by_role("link", name="mood@1").click()
    expect(page.get_by_text("By the name mood a later revision answers")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Restore").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    toast(page, "mood@1 restored.")
    rows = ask(server, "GET", "models/mood@1")
    assert ask(server, "GET", "models/mood")["training_data_sha256"] == rows["training_data_sha256"]


def test_the_whole_record_is_listed_and_downloaded(server: Running, page: Page) -> None:
    show(page, server, "classifiers/tickets_v9")
    page.get_by_role("tab", name="Record").click()
    expect(page).to_have_url(re.compile("tab=record"))
    record = ask(server, "GET", "models/tickets_v9")
    expect(page.get_by_role("row", name="training_data_sha256")).to_contain_text(str(record["training_data_sha256"]))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    assert json.loads(Path(download.value.path()).read_text()) == record


def test_the_request_tab_asks_this_classifier(server: Running, page: Page) -> None:
    show(page, server, "classifiers/tickets_v9?tab=request")
    expect(page.locator("pre.code")).to_contain_text(f"{server.client.base_url}/v1/classifier/predict")
    page.get_by_role("tab", name="Python").click()
    expect(page.locator("pre.code")).to_contain_text('client.predict(model_name="tickets_v9"')


def test_a_copy_gets_the_name_that_was_typed(server: Running, page: Page) -> None:
    show(page, server, "classifiers/tickets_v9")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_label("Name of the copy")).to_have_value("tickets_v11")
    page.get_by_label("Name of the copy").fill("copied_here")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="copied_here", level=1)).to_be_visible()
    expect(page.get_by_text("tickets_v9@1")).to_be_visible()


def test_training_again_says_in_words_whether_the_same_came_out(server: Running, page: Page) -> None:
    show(page, server, "classifiers/tickets_v9")
    page.get_by_role("button", name="Reproduce").click()
    page.get_by_role("button", name="Train again").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("The same came out, bit for bit")


@pytest.mark.parametrize("look", [("light", WIDE), ("light", NARROW), ("dark", WIDE), ("dark", NARROW)])
@pytest.mark.parametrize("address", ["classifiers", "classifiers/tickets_v10", "classifiers/mood?tab=revisions"])
def test_nothing_is_wider_than_the_window_and_axe_finds_nothing_serious(
    server: Running, open_page: OpenPage, axe: Findings, look: tuple[Theme, int], address: str
) -> None:
    theme, width = look
    page = open_page(f"{server.client.base_url}/#/{address}", theme=theme, width=width)
    expect(page.locator("table").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
