"""Names, labels and texts of strangers: nothing of them runs, none widens the page, each stays the text that it is."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.console.browsing import NARROW, WIDE, Traffic, Watch
from tests.console.conftest import OpenPage
from tests.console.judging import open_view
from tests.console.story import drop_file, spreadsheet
from tests.servers import Running, Servers, fit

pytestmark = pytest.mark.slow
NAME = f"{'n' * 120}._-v2"  # close to the longest that the grammar allows, and without a place to break
ALIAS = "A" + "._-9" * 31
SCRIPT = "<script>document.title='ran'</script><img src=x onerror=document.title='ran'><svg onload=alert(1)>"
ENTITIES = "&lt;b&gt; &amp; &#x202e; ${7*7} {{7*7}} `x` '\"><b>bold</b> javascript:alert(1)"
RIGHT_TO_LEFT = "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u2067x\u2069 \u200f!"
MARKS = "Z" + "\u0301\u0323\u0336" * 60 + "algo"
EMOJI = "\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1e9\U0001f1ea" * 3
INVISIBLE = "zero\u200bwidth\u200d\ufeffjoined\u00ad soft"
LINES = "first line\nsecond line\ttab\r\nlast line"
LONG = "long " + "w" * 9_000 + " words" * 1_800  # 20,000 characters, the longest that a server takes at first
TEXTS = (SCRIPT, ENTITIES, RIGHT_TO_LEFT, MARKS, EMOJI, INVISIBLE, LINES, LONG[:20_000])
# The last two are names that every object of JavaScript has.
LABELS = (f"<b>{SCRIPT[:38]}", f"{RIGHT_TO_LEFT} {EMOJI[:15]}", "l" * 256, "constructor", "__proto__")
TAGS = ("<b>tag</b>", "\u05e9\u05dc\u05d5\u05dd!", "t" * 64)
COLUMN = "<img src=x onerror=alert(1)>"
FILE = f"<script>alert(1)<\u2215script> {RIGHT_TO_LEFT} {'f' * 120}.csv"
ROWS = [
    {"text": f"{number} {text}"[:20_000], "label": LABELS[number % len(LABELS)]}
    for number, text in enumerate(TEXTS * len(LABELS))
]
VIEWS = (
    "classifiers",
    "classifiers?tag=%3Cb%3Etag%3C%2Fb%3E&q=%3Cscript%3E",
    "classifiers?deleted=1",
    f"classifiers/{NAME}",
    f"classifiers/{NAME}?tab=revisions",
    f"classifiers/{NAME}?tab=record",
    f"classifiers/{NAME}?tab=request",
    "classifiers/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    f"train?extends={NAME}",
    "aliases",
    f"aliases/{ALIAS}",
    f"aliases/{ALIAS}?promote={NAME}",
    "aliases/%3Cimg%20src=x%20onerror=alert(1)%3E",
    "jobs",
    "disk",
    "keys",
    "audit",
    f"compare?models={NAME},{NAME}@1",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E/%2F%2Fx",
)

# Names the innermost elements that stand out of the window and may not be scrolled by themselves, for who mends it.
_TOO_WIDE = """(width) => {
  const scrolls = (each) => each && (getComputedStyle(each).overflowX !== "visible" || scrolls(each.parentElement));
  const own = (each) => `${each.localName}.${each.className}`;
  const path = (each) => each === document.body ? "" : `${path(each.parentElement)} > ${own(each)}`;
  return [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > width + 0.5 && !scrolls(each.parentElement))
    .filter((each, _, all) => !all.some((other) => other !== each && each.contains(other)))
    .map((each) => `${path(each)}: ${each.textContent.slice(0, 40)}`)
    .slice(0, 12);
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with all that in its rows, labels, descriptions, tags, reasons and gates."""
    folder = tmp_path_factory.mktemp("hostile")
    servers = Servers(folder)
    running = servers.start(folder / "data")
    described = {"description": f"{SCRIPT} {RIGHT_TO_LEFT} {MARKS} {'d' * 1_000}", "tags": TAGS, "num_iterations": 0}
    for more in ({}, {"overwrite": True}):
        ask(running, "POST", "fit", {"model_name": NAME, "training_data": ROWS, **described, **more})
    changed = {"reason": f"{SCRIPT} {RIGHT_TO_LEFT} {'r' * 200}", "author": f"<b>{RIGHT_TO_LEFT}</b>"}
    ask(running, "PUT", f"models/{NAME}/threshold", {"abstain_below": 0.01, **changed})
    ask(running, "PUT", f"aliases/{ALIAS}", {"model_name": NAME, **changed})
    ask(running, "PUT", f"aliases/{ALIAS}", {"model_name": f"{NAME}@2", **changed})
    for question in (SCRIPT, f"{RIGHT_TO_LEFT} {MARKS}", "q" * 256):
        bound: dict[str, object] = {
            "question": question[:256],
            "model_name": NAME,
            "positive_label": LABELS[2],
            "levels": LABELS,
        }
        ask(running, "PUT", "bindings", bound)
    fit(running, f"{NAME[:-3]}-d", num_iterations=0)
    ask(running, "DELETE", f"models/{NAME[:-3]}-d")
    yield running
    servers.stop()


def ask(server: Running, method: str, path: str, body: dict[str, object] | None = None) -> None:
    reply = server.client.request(method, f"/v1/classifier/{path}", json=body)
    assert reply.status_code == 200, reply.text[:2_000]


def is_harmless(page: Page, width: int) -> None:
    """See that nothing has run, that nothing was made of a text but text, and that the page fits its window."""
    assert "ran" not in page.title().split(" · ")[0].split()
    made = page.evaluate(
        "['script:not([src])', 'main img', 'main b[onload]', '[onerror]', '[onload]', 'iframe']"
        ".flatMap((each) => [...document.querySelectorAll(each)].map((found) => found.outerHTML.slice(0, 200)))"
    )
    assert made == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.evaluate(_TOO_WIDE, width)
    expect(page.get_by_text("This view has a fault")).to_have_count(0)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_view_of_it_is_harmless_and_fits(server: Running, open_page: OpenPage, watch: Watch, width: int) -> None:
    watch.allow("status of 4(04|22)")  # some addresses name nothing
    page = open_page(str(server.client.base_url), width=width)
    traffic = Traffic(page)
    for view in VIEWS:
        open_view(page, view)
        traffic.settle()
        expect(page.locator("main h1")).to_be_visible()
        is_harmless(page, width)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_file_of_it_is_read_trained_on_and_reported_and_its_labels_stay_as_they_are(
    server: Running, open_page: OpenPage, width: int
) -> None:
    page = open_page(f"{server.client.base_url}/#/train?num_iterations=0", width=width)
    more = {"__proto__": SCRIPT, RIGHT_TO_LEFT: LONG[:2_000]}
    rows = [{COLUMN: row["text"], "label": row["label"], **more} for row in ROWS]
    drop_file(page.locator(".drop"), spreadsheet(rows, FILE))
    expect(page.get_by_text(f"{len(rows)} rows: CSV")).to_be_visible()
    page.get_by_label(f"Use of {COLUMN}").select_option("the text")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
    counts = page.get_by_role("region", name="Rows of each label").get_by_role("listitem")
    expect(counts).to_have_count(len(LABELS))
    for label in LABELS:
        expect(counts.filter(has=page.get_by_role("button", name=label, exact=True))).to_contain_text("8")
    page.get_by_role("button", name="constructor").click()
    expect(page.get_by_role("heading", name="Rows of constructor")).to_be_visible()
    is_harmless(page, width)
    name = f"odd_v{width}"
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name=f"{name}@1 is trained")).to_be_visible()
    is_harmless(page, width)
    record = server.client.get(f"/v1/classifier/models/{name}").json()
    assert record["rows_per_label"] == dict.fromkeys(LABELS, 8)


def test_texts_that_are_tried_stay_text(server: Running, open_page: OpenPage) -> None:
    page = open_page(f"{server.client.base_url}/#/try?models={NAME}", width=NARROW)
    traffic = Traffic(page)
    field = page.get_by_role("textbox", name="Text")
    for text in TEXTS:
        with page.expect_response("**/v1/classifier/predict"):
            field.fill(text)
        traffic.settle()
        expect(page.get_by_role("table", name="Scores").get_by_role("row")).to_have_count(len(LABELS))
        is_harmless(page, NARROW)
    field.fill(SCRIPT)
    page.get_by_role("button", name="Why?").click()
    expect(page.locator(".explained")).to_have_text(SCRIPT)
    is_harmless(page, NARROW)
    page.get_by_role("button", name="Correct it").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name=LABELS[0], exact=True)).to_be_visible()
    dialog.get_by_label("or a new label").fill(SCRIPT)
    is_harmless(page, NARROW)
    dialog.get_by_role("button", name="Keep it for the next version").click()
    expect(page.get_by_text("Kept for the next version: this is")).to_contain_text(SCRIPT)
    open_view(page, f"correct?model={NAME}&step=train")
    expect(page.get_by_text("is a new label, with 1 row")).to_contain_text(SCRIPT)
    is_harmless(page, NARROW)


def test_a_file_that_is_tried_fits_beside_a_long_name(server: Running, open_page: OpenPage) -> None:
    page = open_page(f"{server.client.base_url}/#/try?models={NAME}", width=NARROW)
    drop_file(page.locator(".drop"), spreadsheet([{"text": text, "label": LABELS[0]} for text in TEXTS], FILE))
    button = page.get_by_role("button", name=f"Classify {len(TEXTS)} rows with {NAME}")
    expect(button).to_be_visible()
    is_harmless(page, NARROW)
    button.click()
    expect(page.get_by_role("button", name="Download CSV")).to_be_visible()
    is_harmless(page, NARROW)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_test_set_of_it_is_judged_corrected_and_compared(server: Running, open_page: OpenPage, width: int) -> None:
    page = open_page(f"{server.client.base_url}/#/judge?model={NAME}", width=width)
    labels = LABELS[1:] + LABELS[:1]  # so that most rows are read wrong
    rows = [{"text": row["text"], "label": labels[number % len(labels)]} for number, row in enumerate(ROWS)]
    drop_file(page.locator(".test-set .drop"), spreadsheet(rows, FILE))
    expect(page.get_by_text(f"of {len(rows)} rows are right")).to_be_visible()
    is_harmless(page, width)
    page.get_by_role("button", name="to Correct").first.click()
    is_harmless(page, width)
    for address in (f"correct?model={NAME}", f"compare?models={NAME}@1,{NAME}"):
        open_view(page, address)
        expect(page.get_by_text("It says" if address.startswith("correct") else FILE).first).to_be_visible()
        is_harmless(page, width)
    page.get_by_role("button", name=FILE, exact=True).click()
    expect(page.get_by_role("region", name="Rows whose answer changes").first).to_be_visible()
    is_harmless(page, width)
