"""The console's page in a real browser: it loads, from this server alone, and nothing goes wrong."""

import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch, wait_for_every_view
from tests.console.conftest import Findings, OpenPage
from tests.servers import Running, Start

pytestmark = pytest.mark.slow


def test_the_page_loads_from_this_server_alone_and_shows_what_it_is(page: Page) -> None:
    expect(page).to_have_title(re.compile("Windrow"))
    expect(page.locator("h1").first).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_the_window_and_axe_finds_nothing_serious(
    server: Running, open_page: OpenPage, axe: Findings, theme: Theme, width: int
) -> None:
    page = open_page(str(server.client.base_url), theme=theme, width=width)
    expect(page.locator("h1").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_axe_finds_what_nobody_can_read(page: Page, axe: Findings) -> None:
    page.evaluate("document.body.append(document.createElement('button'), document.createElement('img'))")
    assert {each.split(": ")[0] for each in axe(page)} >= {"critical button-name", "critical image-alt"}


def test_a_file_that_misses_its_place_does_not_open_in_place_of_the_page(server: Running, page: Page) -> None:
    page.goto(f"{server.client.base_url}#/train")
    dropped = """(element) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["text,label\\n"], "rows.csv"));
      return ["dragover", "drop"].map((kind) => {
        const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
        return element.dispatchEvent(event);
      });
    }"""
    expect(page.get_by_text("or drop it here")).to_be_visible()
    assert page.get_by_role("heading", name="Train").evaluate(dropped) == [False, False]
    expect(page.get_by_text("or drop it here")).to_be_visible()
    assert page.locator(".drop").evaluate(dropped) == [False, False]
    expect(page.get_by_text("rows.csv")).to_be_visible()


def test_a_browser_lets_a_file_fall_where_it_is_taken_and_nowhere_else(
    server: Running, page: Page, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("text,label\na,b\n")
    held = {"items": [], "files": [str(tmp_path / "rows.csv")], "dragOperationsMask": 1}
    pointer = page.context.new_cdp_session(page)

    def drop_on(target: Locator) -> None:
        box = target.bounding_box()
        assert box is not None
        for kind in ("dragEnter", "dragOver", "drop"):
            pointer.send(
                "Input.dispatchDragEvent",
                {"type": kind, "x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "data": held},
            )

    drop_on(page.get_by_role("heading", level=1))
    expect(page.get_by_text("rows.csv is no exported classifier").first).to_be_visible()
    page.goto(f"{server.client.base_url}#/train")
    drop_on(page.get_by_role("heading", name="Train"))
    expect(page.get_by_role("heading", name="What was understood")).to_have_count(0)
    drop_on(page.locator(".drop"))
    expect(page.get_by_role("heading", name="What was understood")).to_be_visible()


def test_a_second_visit_loads_no_file_again(server: Running, page: Page) -> None:
    wait_for_every_view(page)
    sent: list[str] = []
    page.on("response", lambda reply: sent.append(reply.url) if not reply.from_service_worker else None)
    page.goto("about:blank")
    with page.expect_response(str(server.client.base_url)) as first:
        page.goto(str(server.client.base_url))
    assert first.value.status == 304 or first.value.request.sizes()["responseBodySize"] == 0
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').filter((each) => each.name.includes('/console/'))"
        ".map((each) => each.transferSize)"
    )
    assert sizes
    assert set(sizes) == {0}


def test_the_bytes_before_the_first_view_are_at_most_80_kilobytes(server: Running, open_page: OpenPage) -> None:
    page = open_page(str(server.client.base_url))
    expect(page.locator("h1").first).to_be_visible()
    # What the page names; the modules of other views are loaded later.
    sizes = page.evaluate(
        """() => {
          const named = new Set(Array.from(document.querySelectorAll("link, script"), (each) => each.href || each.src));
          const loaded = performance.getEntriesByType("resource").filter((each) => named.has(each.name));
          return [...performance.getEntriesByType("navigation"), ...loaded].map((each) => each.encodedBodySize);
        }"""
    )
    num_bytes = sum(sizes)
    assert len(sizes) > 10
    print(f"\n{num_bytes} bytes before the first view")
    assert 0 < num_bytes <= 80_000


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (
            "const s = document.createElement('script'); s.text = 'window.ran = 1'; document.head.append(s)",
            "TrustedScr",
        ),
        ("document.body.innerHTML = '<p>text</p>'", "TrustedHTML"),
        ("eval('window.ran = 1')", "TrustedScript|unsafe-eval"),
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        ("fetch('https://windrow.example/').catch(() => {})", "windrow.example"),
        ("trustedTypes.createPolicy('mine', { createHTML: (text) => text })", "trusted-types"),
        ("document.body.append(Object.assign(new Image(), { src: 'https://windrow.example/i.png' }))", "img-src"),
    ],
    ids=["script", "html", "eval", "style", "request", "policy", "image"],
)
def test_the_policy_lets_a_page_do_no_more_than_it_must_and_the_watch_sees_the_attempt(
    page: Page, watch: Watch, script: str, problem: str
) -> None:
    session = page.context.new_cdp_session(page)
    # As a script of the page, for which the policy holds; one of the debugger's may do everything.
    session.send("Runtime.evaluate", {"expression": f"setTimeout(() => {{ {script} }}, 0); 0"})
    with pytest.raises(AssertionError, match=problem):
        _wait_for_problems(page, watch)
    assert page.evaluate("window.ran") is None
    watch.allow("")


def _wait_for_problems(page: Page, watch: Watch) -> None:
    for _ in range(600):
        if watch.problems:
            break
        page.wait_for_timeout(50)
    watch.check()


def test_below_a_prefix_that_a_proxy_keeps_everything_loads(start: Start, tmp_path: Path, open_page: OpenPage) -> None:
    server = start(tmp_path / "data", WINDROW_ROOT_PATH="/ai/windrow")
    root = f"{server.client.base_url}".rstrip("/")
    for address in (f"{root}/ai/windrow", f"{root}/ai/windrow/"):
        page = open_page(address)
        expect(page.locator("h1").first).to_be_visible()
        wait_for_every_view(page)
        loaded = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
        assert loaded
        assert [url for url in loaded if not url.startswith(f"{root}/ai/windrow/")] == []


def test_with_no_console_the_start_page_is_there(start: Start, tmp_path: Path, open_page: OpenPage) -> None:
    server = start(tmp_path / "data", "--no-console")
    page = open_page(str(server.client.base_url))
    expect(page.get_by_role("link", name="The classifiers")).to_be_visible()
    assert page.evaluate("performance.getEntriesByType('resource').filter((e) => e.name.includes('/console/'))") == []


def test_the_page_opens_without_a_key_where_the_api_needs_one(
    start: Start, tmp_path: Path, open_page: OpenPage, watch: Watch
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"wdr_{secrets.token_hex(32)}")
    server = start(tmp_path / "data", WINDROW_FIRST_KEY_FILE=str(key_file))
    watch.allow("status of 401")
    page = open_page(str(server.client.base_url))
    expect(page.locator("#app > *").first).to_be_visible()
    assert server.client.get("/v1/classifier/models").status_code == 401
