"""What goes wrong around the console: trainings that fail, servers that go and come back, others in their place."""

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.browsing import Watch, wait_for_every_view
from tests.console.conftest import OpenPage
from tests.console.judging import open_view
from tests.console.story import TRAINING_ROWS, drop_file, spreadsheet
from tests.servers import Running, Servers, Start, fit
from tests.source_tree import PACKAGE

pytestmark = pytest.mark.slow
NO_ANSWER = "The server does not answer"
# What a browser writes to its console of each request that fails or is refused.
REFUSED = "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|ERR_SOCKET"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that takes few labels, with one classifier."""
    folder = tmp_path_factory.mktemp("failures")
    servers = Servers(folder)
    running = servers.start(folder / "data", WINDROW_MAX_LABELS="3")
    fit(running, num_iterations=0)
    yield running
    servers.stop()


class Address:
    """An address at which one server comes after another, all on the same data.

    Args:
        servers: Starts them.
        data_dir: Their data directory.
    """

    def __init__(self, servers: Servers, data_dir: Path) -> None:
        self._servers, self._data_dir = servers, data_dir
        self.server = servers.start(data_dir)

    def end(self) -> None:
        """End the server at once, as a crash does."""
        self.server.process.kill()
        self.server.process.wait()

    def again(self, **variables: str) -> Running:
        """Start the next one."""
        port = str(self.server.client.base_url.port)
        self.server = self._servers.start(self._data_dir, "--port", port, **variables)
        return self.server


@pytest.fixture(scope="module")
def _address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    folder = tmp_path_factory.mktemp("lost")
    servers = Servers(folder)
    address = Address(servers, folder / "data")
    fit(address.server, num_iterations=0)
    yield address
    servers.stop()


@pytest.fixture
def lost(_address: Address, watch: Watch) -> Address:
    """An address whose server has one classifier, at least, and may be ended."""
    watch.allow(REFUSED)
    if _address.server.process.poll() is not None:
        _address.again()
    return _address


def fill_in(page: Page, server: Running, query: str = "") -> None:
    """Open Train with the tickets."""
    page.goto(f"{server.client.base_url}/#/train?num_iterations=0&{query}")
    drop_file(page.locator(".drop"), spreadsheet(TRAINING_ROWS, "tickets.csv"))
    expect(page.get_by_text(f"{len(TRAINING_ROWS)} rows: CSV")).to_be_visible()


def test_a_training_that_is_refused_says_why_before_it_starts(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 422")
    fill_in(page, server)
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("4 labels")
    expect(problem).to_contain_text("WINDROW_MAX_LABELS")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()


def test_a_training_that_fails_says_why_and_what_to_do_and_keeps_its_rows(
    start: Start, tmp_path: Path, open_page: OpenPage
) -> None:
    base_model = "sentence-transformers/all-mpnet-base-v2"
    server = start(tmp_path / "data")  # without the network, it cannot download what is not there
    page = open_page("about:blank")
    # Its answer would say beforehand that this cannot be done.
    page.route("**/fit?dry_run=true", lambda _: None)
    fill_in(page, server, f"base_model={base_model}")
    page.get_by_role("button", name="Train", exact=True).click()
    failed = page.locator("main .notice").filter(has_text="The training failed.")
    expect(failed).to_contain_text("Nothing of it was saved")
    expect(failed).to_contain_text(base_model)
    expect(page.get_by_role("button", name="Train again")).to_be_enabled()
    page.get_by_role("link", name="All jobs").click()
    expect(page.get_by_role("table", name="Jobs").get_by_role("row", name="tickets_v1")).to_contain_text("failed")
    page.get_by_role("link", name="Why of tickets_v1").click()
    page.get_by_role("link", name="Change the rows or settings").click()
    expect(page.get_by_text(f"{len(TRAINING_ROWS)} rows: CSV")).to_be_visible()
    expect(page.get_by_label("Base model")).to_have_value(base_model)
    expect(page.get_by_label("Name", exact=True)).to_have_value("tickets_v1")


@pytest.mark.parametrize(
    "view",
    [
        ("classifiers", "models?*", "tickets_v1"),
        ("classifiers/tickets_v1", "models/tickets_v1", "How good it is"),
        ("jobs", "jobs?*", "succeeded"),
        ("disk", "usage", "in all;"),
        ("audit", "audit*", "trained"),
        ("compare?models=tickets_v1", "aliases*", "There is nothing to compare yet"),
        ("aliases", "aliases*", "No alias yet"),
    ],
    ids=lambda view: view[0],
)
def test_a_view_whose_request_fails_shows_the_servers_words_and_mends_itself_at_a_press(
    server: Running, page: Page, watch: Watch, view: tuple[str, str, str]
) -> None:
    address, verb, shown = view
    watch.allow("status of 503")
    problem = {"code": "disk_full", "status": 503, "detail": "The disk is full. Free some of it.", "request_id": "r1"}
    page.route(f"**/v1/classifier/{verb}", lambda route: route.fulfill(status=503, json=problem))
    page.goto(f"{server.client.base_url}/#/{address}")
    page.reload()
    alert = page.get_by_role("alert").first
    expect(alert).to_contain_text("The disk is full. Free some of it.")
    expect(alert).to_contain_text("disk_full · request r1")
    page.unroute_all()
    page.get_by_role("button", name="Try again").first.click()
    expect(page.get_by_text(shown).first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_reply_that_is_no_problem_of_ours_is_told_by_its_status(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 502")

    def refuse(route: Route) -> None:
        route.fulfill(status=502, body="<html><script>alert(1)</script>Bad gateway</html>", content_type="text/html")

    page.route("**/v1/classifier/usage", refuse)
    open_view(page, "disk")
    expect(page.get_by_role("alert")).to_contain_text("The server answered with status 502.")


def test_an_address_that_names_nothing_says_so(page: Page) -> None:
    open_view(page, "nowhere")
    expect(page.get_by_role("heading", name="There is no such view")).to_be_visible()
    page.get_by_role("link", name="Go to the classifiers").click()
    expect(page.get_by_role("heading", name="Classifiers", level=1)).to_be_visible()


def test_a_reading_view_says_that_the_server_is_gone_and_goes_on_when_it_is_back(
    lost: Address, open_page: OpenPage
) -> None:
    server = lost.server
    page = open_page(str(server.client.base_url))
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    wait_for_every_view(page)
    lost.end()
    open_view(page, "disk")
    expect(page.get_by_text(NO_ANSWER)).to_be_visible()
    fit(lost.again(), "letters_v1", num_iterations=0)
    expect(page.get_by_text(NO_ANSWER)).to_have_count(0)
    expect(page.get_by_role("table", name="Classifiers").get_by_text("tickets_v1")).to_be_visible()
    open_view(page, "classifiers")
    expect(page.get_by_role("link", name="letters_v1")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_try_answers_again_what_was_typed_meanwhile(lost: Address, open_page: OpenPage) -> None:
    server = lost.server
    page = open_page(f"{server.client.base_url}/#/try?models=tickets_v1&text=my+code+is+refused")
    best = page.get_by_role("table", name="Scores").get_by_role("row").first
    expect(best).to_contain_text("login")
    lost.end()
    page.get_by_role("textbox", name="Text").fill("give me my money back")
    expect(page.get_by_text(NO_ANSWER)).to_be_visible()
    lost.again()
    expect(best).to_contain_text("refund")
    expect(page.get_by_text(NO_ANSWER)).to_have_count(0)
    expect(page.get_by_role("textbox", name="Text")).to_have_value("give me my money back")


def test_a_change_that_broke_off_is_not_done_twice_and_says_so(lost: Address, open_page: OpenPage) -> None:
    server = lost.server
    page = open_page(f"{server.client.base_url}/#/aliases?promote=tickets_v1")
    dialog = page.get_by_role("dialog", name="Promote")
    expect(dialog.get_by_text("A new alias.")).to_be_visible()
    lost.end()
    dialog.get_by_role("button", name="Promote").click()
    expect(dialog.get_by_role("alert")).to_contain_text("it is not known whether it was done")
    back = lost.again()
    assert back.client.get("/v1/classifier/aliases").json()["aliases"] == []
    dialog.get_by_role("button", name="Promote").click()
    expect(page.get_by_role("heading", name="tickets", level=1)).to_be_visible()
    assert [each["alias"] for each in back.client.get("/v1/classifier/aliases").json()["aliases"]] == ["tickets"]


def test_a_training_whose_server_ends_is_shown_as_interrupted_and_can_be_started_again(
    lost: Address, open_page: OpenPage
) -> None:
    server = lost.server
    page = open_page("about:blank")
    fill_in(page, server)
    page.get_by_label("num_iterations").fill("60")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("progressbar", name="Progress of the training")).to_be_visible()
    lost.end()
    expect(page.get_by_text(NO_ANSWER)).to_be_visible()
    back = lost.again()
    expect(page.locator("main .notice").filter(has_text="The training was interrupted.")).to_be_visible()
    expect(page.get_by_text(NO_ANSWER)).to_have_count(0)
    assert back.client.get("/v1/classifier/models/tickets_v2").status_code == 404
    page.get_by_role("link", name="Change the rows or settings").click()
    page.get_by_label("Head only").click()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile(r"^tickets_v\d@1 is trained"))).to_be_visible()


def test_a_server_that_hangs_is_told_and_waited_for(server: Running, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.clock.install()
    page.goto(f"{server.client.base_url}/#/try?models=tickets_v1")
    text = page.get_by_role("textbox", name="Text")
    text.fill("my code is refused")
    best = page.get_by_role("table", name="Scores").get_by_role("row").first
    expect(best).to_contain_text("login")
    server.process.send_signal(signal.SIGSTOP)
    try:
        text.fill("give me my money back")
        expect(page.get_by_text(NO_ANSWER)).to_have_count(0)
        page.clock.fast_forward(5_000)  # the request, which is made after a moment of typing
        page.clock.fast_forward(5_000)
        page.clock.fast_forward(5_000)
        expect(page.get_by_text(NO_ANSWER)).to_be_visible()
    finally:
        server.process.send_signal(signal.SIGCONT)
    expect(best).to_contain_text("refund")
    expect(page.get_by_text(NO_ANSWER)).to_have_count(0)


def test_a_page_of_another_release_says_that_it_is_out_of_date(
    lost: Address, tmp_path: Path, open_page: OpenPage, watch: Watch
) -> None:
    watch.allow("status of 404|ERR_FAILED")
    server = lost.server
    page = open_page("about:blank")
    # One of the modules that are loaded beforehand cannot be, and so none after it.
    page.route("**/js/screens/classifier.js", lambda route: route.abort())
    page.goto(str(server.client.base_url))
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    lost.end()
    lost.again(PYTHONPATH=str(_other_release(tmp_path)))
    page.get_by_role("link", name="Judge").click()
    expect(page.get_by_role("heading", name="This page is out of date")).to_be_visible()
    page.get_by_role("button", name="Load it again").click()
    expect(page.get_by_role("heading", name="Judge", level=1)).to_be_visible()


def test_a_page_whose_server_comes_back_as_another_release_asks_to_be_loaded_again(
    lost: Address, tmp_path: Path, open_page: OpenPage, watch: Watch
) -> None:
    watch.allow("status of 404")
    lost.end()  # it may be of another release, too
    page = open_page(str(lost.again().client.base_url))
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    wait_for_every_view(page)
    outdated = page.get_by_role("alert").filter(has_text="The server has another release than this page. Load")
    for variables, count in (({}, 0), ({"PYTHONPATH": str(_other_release(tmp_path))}, 1)):
        lost.end()
        open_view(page, "disk")
        expect(page.get_by_text(NO_ANSWER)).to_be_visible()
        lost.again(**variables)
        expect(page.get_by_text(NO_ANSWER)).to_have_count(0)
        expect(page.get_by_role("table", name="Classifiers").get_by_text("tickets_v1")).to_be_visible()
        expect(outdated).to_have_count(count)
        open_view(page, "classifiers")
    page.get_by_role("button", name="Load it again").click()
    expect(page.get_by_role("link", name="tickets_v1")).to_be_visible()
    expect(outdated).to_have_count(0)


def _other_release(folder: Path) -> Path:
    """Return where a copy of the package is whose console is not quite the same."""
    shutil.copytree(PACKAGE, folder / "other" / "windrow", ignore=shutil.ignore_patterns("__pycache__"))
    style = folder / "other" / "windrow" / "console" / "css" / "base.css"
    style.write_text(f"{style.read_text()}\n/* of another release */\n")
    return folder / "other"
