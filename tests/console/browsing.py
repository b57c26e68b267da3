"""Pages of a real browser that a test looks at, and what nobody may see go wrong in them."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browsers import find_chromium
from tests.source_tree import PACKAGE, ROOT

Theme = Literal["light", "dark"]
WIDE, NARROW = 1440, 390
AXE: Final = ROOT / ".venv-console" / "node_modules" / "axe-core" / "axe.min.js"
TIMEOUT_MS = 30_000
# Names lead nowhere, so that a request to another host also fails on a machine that is online.
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
# By then, a view that was opened has asked for what it needs.
_TWO_FRAMES: Final = (
    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
)
_SCREENS: Final = PACKAGE / "console" / "js" / "screens"
_HAVE_COME: Final = """(modules) => {
  const come = performance.getEntriesByType("resource").filter((each) => each.responseEnd > 0).map((each) => each.name);
  return modules.every((module) => come.some((name) => name.endsWith(module)));
}"""
_LOCAL_SCHEMES: Final = ("data", "blob", "about")
# Runs in each page before its own scripts; the policy does not hold for it.
_TELL_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""


class Watch:
    """Notes what goes wrong in the pages of a context: errors, violations of the policy, requests to other hosts."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._allowed: list[re.Pattern[str]] = []

    def allow(self, pattern: str) -> None:
        """Let something go wrong that the test is about, such as ``status of 401`` or ``ERR_CONNECTION_REFUSED``.

        Args:
            pattern: Found in the problem's text.
        """
        self._allowed.append(re.compile(pattern))

    def follow(self, context: BrowserContext) -> None:
        """Listen to every page of a context from now on."""
        context.on("request", self._on_request)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.problems.append(f"uncaught: {error.error}"))

    def check(self) -> None:
        """Fail if anything went wrong that may not."""
        found = [each for each in self.problems if not any(allowed.search(each) for allowed in self._allowed)]
        if found:
            raise AssertionError("\n".join(found))

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in _LOCAL_SCHEMES and address.hostname not in ("127.0.0.1", "localhost"):
            self.problems.append(f"a request to another host: {request.method} {request.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


class Traffic:
    """What a page asks of the server from now on.

    Args:
        page: The page.
    """

    def __init__(self, page: Page) -> None:
        self.refused: list[str] = []
        """The addresses that were refused, or led nowhere."""
        self._page = page
        self._under_way: set[Request] = set()
        page.on("request", self._on_request)
        page.on("requestfinished", self._on_finished)
        page.on("requestfailed", self._on_failed)

    def settle(self) -> None:
        """Wait until the page has drawn what it shows, and has a reply to all that it asked."""
        self._page.evaluate(_TWO_FRAMES)
        while self._under_way:
            self._page.evaluate(_TWO_FRAMES)

    def _on_request(self, request: Request) -> None:
        self._under_way.add(request)

    def _on_failed(self, request: Request) -> None:
        self._under_way.discard(request)

    def _on_finished(self, request: Request) -> None:
        self._on_failed(request)
        reply = request.response()
        if reply is None or reply.status >= 400:
            self.refused.append(request.url)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the browser that the system has."""
    expect.set_options(timeout=TIMEOUT_MS)  # what is expected may take as long as what is done, on a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser: Browser, watch: Watch, theme: Theme = "light", width: int = WIDE) -> BrowserContext:
    """Return a fresh profile of the browser, which keeps nothing of others.

    Args:
        browser: The browser.
        watch: Listens to its pages.
        theme: What its user prefers.
        width: Of the window, in pixels.
    """
    height = 844 if width <= NARROW else 900
    context = browser.new_context(
        color_scheme=theme,
        viewport={"width": width, "height": height},
        has_touch=width <= NARROW,
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="UTC",
        accept_downloads=True,
    )
    context.set_default_timeout(TIMEOUT_MS)
    context.add_init_script(_TELL_VIOLATIONS)
    watch.follow(context)
    return context


def wait_for_every_view(page: Page) -> None:
    """Wait until the modules of all views have come, which the page loads one after the other once the first stands.

    That no request is under way says less: on a busy machine, there are pauses between two of them.
    """
    modules = [f"/js/screens/{path.name}" for path in sorted(_SCREENS.glob("*.js"))]
    assert modules
    page.wait_for_function(_HAVE_COME, arg=modules)


def accessibility_findings(page: Page, least: tuple[str, ...] = ("serious", "critical")) -> list[str]:
    """Return what axe finds in a page as it is now, with the elements concerned.

    axe runs in a world of its own beside the page's scripts, where the page's policy does not hold.

    Args:
        page: The page.
        least: The impacts that count.
    """
    session = page.context.new_cdp_session(page)
    try:
        frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})["executionContextId"]

        def evaluate(expression: str) -> Any:
            asked = {"expression": expression, "contextId": world, "awaitPromise": True, "returnByValue": True}
            answer = session.send("Runtime.evaluate", asked)
            assert "exceptionDetails" not in answer, json.dumps(answer["exceptionDetails"])[:2_000]
            return answer["result"].get("value")

        evaluate(AXE.read_text(encoding="utf-8") + "\n;0")
        found = evaluate('axe.run(document, { resultTypes: ["violations"] }).then((found) => found.violations)')
    finally:
        session.detach()
    return [
        f"{each['impact']} {each['id']}: {each['help']}: {node['target']} {node['html'][:200]}"
        for each in found
        if each["impact"] in least
        for node in each["nodes"]
    ]
