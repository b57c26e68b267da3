"""Ten thousand classifiers: the first view comes at once, and a filter answers while one types."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.conftest import Findings, OpenPage
from tests.console.many import write_many
from tests.servers import Running, Servers

pytestmark = pytest.mark.slow
COUNT = 10_000
# Collects how long the page was busy at one stretch; only stretches of 50 ms and more are told.
_WATCH_BUSY = """
window.busyMs = [];
new PerformanceObserver((list) => window.busyMs.push(...list.getEntries().map((each) => each.duration)))
  .observe({ type: "longtask", buffered: true });
"""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server on a data directory of ten thousand classifiers."""
    folder: Path = tmp_path_factory.mktemp("many")
    write_many(folder / "data", COUNT)
    servers = Servers(folder)
    yield servers.start(folder / "data")
    servers.stop()


@pytest.fixture
def listed(full: Running, open_page: OpenPage) -> Page:
    page = open_page(f"{full.client.base_url}/#/classifiers")
    expect(page.get_by_text("task_0000_v1", exact=True)).to_be_visible()
    expect(page.get_by_text("10,000")).to_be_visible()
    return page


def test_the_first_classifiers_are_there_before_all_are_known(full: Running, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    held: list[Route] = []
    page.route("**/v1/classifier/models?*cursor=*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright takes no bound builtin; the later pages do not come
    page.goto(f"{full.client.base_url}/#/classifiers")
    expect(page.get_by_text("task_0000_v1", exact=True)).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")


def test_only_the_rows_in_view_are_drawn(listed: Page) -> None:
    assert listed.locator("tbody tr").count() < 200
    assert listed.get_by_text("task_2499_v1", exact=True).count() == 0
    listed.keyboard.press("End")
    listed.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(listed.get_by_text("task_2499_v1", exact=True)).to_be_visible()


def test_the_filter_finds_names_labels_tags_and_descriptions_among_them_all(listed: Page) -> None:
    search = listed.locator("input[type=search]")
    for words, there, gone in (
        ("task_1234", "task_1234_v2", "task_0000_v1"),
        ("team 3", "task_0000_v4", "task_0000_v1"),
        ("shop", "task_0000_v1", "task_0000_v2"),
    ):
        search.fill(words)
        expect(listed.get_by_text(there, exact=True)).to_be_visible()
        expect(listed.get_by_text(gone, exact=True)).to_have_count(0)


def test_typing_in_the_filter_shows_each_letter_and_the_address_keeps_it(listed: Page) -> None:
    listed.evaluate(_WATCH_BUSY)
    search = listed.locator("input[type=search]")
    search.press_sequentially("task_0777")
    expect(search).to_have_value("task_0777")
    expect(listed.get_by_text("task_0777_v3", exact=True)).to_be_visible()
    expect(listed).to_have_url(re.compile("q=task_0777"))
    assert listed.evaluate("Array.isArray(window.busyMs)")


def test_axe_finds_nothing_serious_among_many_rows(listed: Page, axe: Findings) -> None:
    assert axe(listed) == []
