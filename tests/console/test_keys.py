"""API keys with few scopes: the page asks for one when it must, keeps it in its tab, and shows what the key may see."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.console.browsing import Traffic, Watch
from tests.console.conftest import OpenPage
from tests.console.judging import open_view
from tests.console.story import TRAINING_ROWS, drop_file, spreadsheet
from tests.servers import Running, Servers, fit

pytestmark = pytest.mark.slow
SCOPES = {
    "asker": ["predict"],
    "reader": ["read"],
    "trainer": ["train"],
    "promoter": ["promote"],
    "admin": ["admin"],
}
VIEWS = (
    "classifiers",
    "classifiers/tickets_v1",
    "classifiers?deleted=1",
    "train",
    "try?models=tickets_v1&text=my+code+is+refused",
    "correct?model=tickets_v1",
    "judge?model=tickets_v1",
    "compare",
    "aliases",
    "aliases/desk",
    "jobs",
    "disk",
    "keys",
    "audit",
)
# Of one view: the list of classifiers, that of aliases, and what is its own.
MOST_REFUSED = 6
MOST_ALERTS = 2


@dataclass(frozen=True)
class Closed:
    """A server that wants keys."""

    server: Running
    keys: dict[str, str]

    @property
    def url(self) -> str:
        """Its address."""
        return str(self.server.client.base_url)

    def asked(self, path: str, name: str = "all") -> int:
        """Return the status with which the server answers a key."""
        headers = {"Authorization": f"Bearer {self.keys[name]}"}
        return self.server.client.get(f"/v1/classifier/{path}", headers=headers).status_code


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """A server with two classifiers and an alias, made while it was open, and a key for each scope."""
    folder = tmp_path_factory.mktemp("keys")
    servers = Servers(folder)
    server = servers.start(folder / "data")
    fit(server, num_iterations=0)
    server.client.put("/v1/classifier/aliases/desk", json={"model_name": "tickets_v1"})
    keys: dict[str, str] = {}
    for name, scopes in {"all": ["predict", "read", "rows", "train", "promote", "admin"], **SCOPES}.items():
        headers = {"Authorization": f"Bearer {keys['all']}"} if keys else {}
        only = ["mine_*"] if name == "trainer" else []
        body = {"name": name, "scopes": scopes, "only": only}
        reply = server.client.post("/v1/classifier/keys", json=body, headers=headers)
        assert reply.status_code == 201, reply.text
        keys[name] = reply.json()["key"]
    yield Closed(server, keys)
    servers.stop()


@pytest.fixture(autouse=True)
def _refusals(watch: Watch) -> None:
    watch.allow("status of 40[13]")  # what the tests are about


def give(page: Page, key: str) -> None:
    """Answer the page's question for a key."""
    dialog = page.get_by_role("dialog", name="An API key is needed")
    dialog.get_by_label("API key").fill(key)
    dialog.get_by_role("button", name="Use this key").click()


def opened(open_page: OpenPage, closed: Closed, name: str, view: str = "classifiers") -> Page:
    """Return a page at a view, whose tab has a key."""
    page = open_page(f"{closed.url}/#/{view}")
    give(page, closed.keys[name])
    expect(page.get_by_role("dialog", name="An API key is needed")).to_have_count(0)
    return page


def test_a_key_is_kept_in_its_tab_and_stands_nowhere_else(closed: Closed, open_page: OpenPage) -> None:
    page = opened(open_page, closed, "all")
    key = closed.keys["all"]
    page.get_by_role("link", name="tickets_v1").click()
    expect(page.get_by_role("heading", name="How good it is")).to_be_visible()
    page.keyboard.press("r")
    drawer = page.get_by_role("complementary", name="The request behind this view")
    for form, variable in (("curl", "$WINDROW_API_KEY"), ("Python", 'os.environ["WINDROW_API_KEY"]'), ("Reply", "{")):
        drawer.get_by_role("tab", name=form).click()
        expect(drawer.locator("pre")).to_contain_text(variable)
        expect(drawer.locator("pre")).not_to_contain_text(key)
    assert key in page.evaluate("JSON.stringify({ ...sessionStorage })")
    assert key not in page.evaluate("JSON.stringify({ ...localStorage })") + page.url + page.evaluate("document.cookie")
    assert key not in page.evaluate("JSON.stringify(history.state)") + page.content()
    names = page.evaluate("(async () => JSON.stringify([await indexedDB.databases(), await caches.keys(), 'asked']))()")
    assert "asked" in names
    assert key not in names + _all_of_the_database(page)
    page.reload()
    expect(page.get_by_role("heading", name="How good it is")).to_be_visible()
    other = page.context.new_page()
    other.goto(closed.url)
    expect(other.get_by_role("dialog", name="An API key is needed")).to_be_visible()


def _all_of_the_database(page: Page) -> str:
    text: str = page.evaluate(
        """async () => {
          const opened = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
          const found = [];
          for (const { name } of await indexedDB.databases()) {
            const database = await opened(indexedDB.open(name));
            for (const store of database.objectStoreNames) {
              found.push(await opened(database.transaction(store).objectStore(store).getAll()));
            }
            database.close();
          }
          return JSON.stringify(found);
        }"""
    )
    return text


def test_a_wrong_key_is_told_and_the_right_one_is_taken(closed: Closed, open_page: OpenPage) -> None:
    page = open_page(closed.url)
    dialog = page.get_by_role("dialog", name="An API key is needed")
    expect(dialog).to_contain_text("key")
    before = dialog.locator("p").first.inner_text()
    give(page, f"wdr_{'0' * 64}")
    expect(dialog.locator("p").first).not_to_have_text(before)
    expect(dialog.locator("p").first).to_contain_text(re.compile("not|no such|unknown"))
    expect(dialog.get_by_label("API key")).to_be_focused()
    give(page, closed.keys["reader"])
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()


def test_who_has_no_key_is_told_why_nothing_is_shown_and_asked_when_they_try_again(
    closed: Closed, open_page: OpenPage
) -> None:
    page = open_page(f"{closed.url}/#/disk")
    dialog = page.get_by_role("dialog", name="An API key is needed")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("alert").first).to_contain_text("key")
    page.get_by_role("button", name="Try again").first.click()
    give(page, closed.keys["reader"])
    expect(page.get_by_role("table", name="Classifiers").get_by_text("tickets_v1")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_the_page_asks_by_itself_opens_the_question_once(closed: Closed, open_page: OpenPage) -> None:
    page = opened(open_page, closed, "reader", "jobs")
    row = page.get_by_role("table", name="Jobs").get_by_role("row", name="tickets_v1")
    expect(row).to_be_visible()
    page.evaluate("sessionStorage.clear()")  # as if the key had been revoked
    dialog = page.get_by_role("dialog", name="An API key is needed")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    for _ in range(2):  # the list goes on asking
        with page.expect_response(lambda reply: "/jobs" in reply.url and reply.status == 401):
            pass
        expect(dialog).to_have_count(0)
    expect(row).to_be_visible()


@pytest.mark.parametrize("name", SCOPES)
def test_each_view_shows_calmly_what_a_key_may_see(closed: Closed, open_page: OpenPage, name: str) -> None:
    page = opened(open_page, closed, name)
    traffic = Traffic(page)
    for view in VIEWS:
        traffic.refused.clear()
        open_view(page, view)
        traffic.settle()
        expect(page.locator(".waiting")).to_have_count(0)
        expect(page.locator("main h1")).to_be_visible()
        assert len(traffic.refused) <= MOST_REFUSED, (view, traffic.refused)
        alerts = page.get_by_role("alert").all_inner_texts()
        assert len(alerts) <= MOST_ALERTS, (view, alerts)
        assert [text for text in alerts if "scope" not in text] == [], view
        expect(page.get_by_role("dialog")).to_have_count(0)
        words = page.locator("main").inner_text()
        assert re.findall(r"\b(?:undefined|NaN|null|has a fault|Loading …)\b", words) == [], (view, words)


def test_a_key_for_predictions_alone_tries_a_classifier_whose_name_is_typed(
    closed: Closed, open_page: OpenPage, watch: Watch
) -> None:
    watch.allow("status of 404")
    page = opened(open_page, closed, "asker")
    open_view(page, "try")
    page.get_by_role("combobox", name="Add a classifier").press_sequentially("desk")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take out desk")).to_be_visible()
    page.get_by_role("textbox", name="Text").press_sequentially("my code is refused")
    expect(page.get_by_role("table", name="Scores").get_by_role("row").first).to_contain_text("login")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("combobox", name="Add a classifier").press_sequentially("desc")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("desc")
    page.get_by_role("button", name="Take out desc").click()
    expect(page.get_by_role("table", name="Scores").get_by_role("row").first).to_contain_text("login")


def test_a_key_that_only_reads_is_told_what_it_lacks(closed: Closed, open_page: OpenPage) -> None:
    page = opened(open_page, closed, "reader", "try?models=tickets_v1&text=my+code+is+refused")
    expect(page.get_by_role("alert")).to_contain_text("predict")
    open_view(page, "aliases?promote=tickets_v1")
    dialog = page.get_by_role("dialog", name="Promote")
    dialog.get_by_role("button", name="Promote").click()
    expect(dialog.get_by_role("alert")).to_contain_text("promote")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Bind a question").click()
    dialog = page.get_by_role("dialog", name="Bind a question")
    dialog.get_by_label("Question", exact=True).fill("team")
    dialog.get_by_label("Classifier or alias").fill("desk")
    dialog.get_by_role("button", name="Bind", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("promote")
    dialog.get_by_role("button", name="Cancel").click()
    open_view(page, "classifiers/tickets_v1")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("train")
    assert closed.asked("models/tickets_v1") == 200


def test_another_key_is_taken_where_one_may_not_do_something(closed: Closed, open_page: OpenPage) -> None:
    page = opened(open_page, closed, "asker", "classifiers")
    page.get_by_role("button", name="Use another key").click()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("read")  # the former key stays
    open_view(page, "keys")
    for name, shown in (("reader", "This is for keys with the scope admin"), ("all", "6 keys valid")):
        page.get_by_role("button", name="Use another key").click()
        give(page, closed.keys[name])
        expect(page.get_by_role("heading", name=shown)).to_be_visible()


def test_a_key_that_trains_some_names_trains_these_and_is_told_of_others(closed: Closed, open_page: OpenPage) -> None:
    page = opened(open_page, closed, "trainer", "train?num_iterations=0&name=tickets_v2")
    drop_file(page.locator(".drop"), spreadsheet(TRAINING_ROWS, "mine.csv"))
    expect(page.get_by_role("alert")).to_contain_text("mine_*")
    page.get_by_label("Name", exact=True).fill("mine_v1")
    expect(page.get_by_text(re.compile("^About "))).to_be_visible()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name="mine_v1@1 is trained")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("read")
    assert closed.asked("models/mine_v1") == 200
    assert closed.asked("models/tickets_v2") == 404
    open_view(page, "jobs")
    expect(page.get_by_role("table", name="Jobs").get_by_role("row", name="mine_v1")).to_contain_text("succeeded")


def test_a_key_that_only_promotes_does_so_by_names_that_are_typed(closed: Closed, open_page: OpenPage) -> None:
    page = opened(open_page, closed, "promoter", "aliases?promote=?")
    dialog = page.get_by_role("dialog", name="Promote")
    dialog.get_by_label("Classifier").fill("tickets_v1")
    dialog.get_by_label("Alias").fill("counter")
    dialog.get_by_role("button", name="Promote").click()
    expect(page.get_by_role("heading", name="counter", level=1)).to_be_visible()
    assert closed.asked("aliases/counter/history") == 200


def test_an_administrators_key_deals_with_keys_and_sees_who_did_what(closed: Closed, open_page: OpenPage) -> None:
    page = opened(open_page, closed, "admin", "keys")
    table = page.get_by_role("table", name="API keys")
    for name in SCOPES:
        expect(table.get_by_text(name, exact=True).first).to_be_visible()
    open_view(page, "audit?target=tickets_v1")
    expect(page.get_by_role("table", name="Audit trail")).to_contain_text("trained")
