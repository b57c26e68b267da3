"""Measure the console in a real browser: the first view with 10,000 classifiers, and how long typing holds it up.

The classifiers are made up (fleet_data.py); the server, the browser (Chromium) and the loopback are real. Each visit is
in a fresh profile, so that nothing is cached. A page is held up where one task takes 50 ms or more.

Run: make bench-console
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from fleet_data import open_fleet
from playwright.sync_api import Browser, Page, sync_playwright
from report import markdown
from server import running_server

SETTLED_S = 2.5  # until the server trusts that a new folder does not change any more
TYPED = "task0777_v3"

Figure = tuple[str, str, str]  # the measure, what it came to, what is wanted
_NOTE_FIRST_ROW = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("tbody tr")) return;
  observer.disconnect();
  requestAnimationFrame(() => { window.firstRowMs = performance.now(); });
}).observe(document, { childList: true, subtree: true });
window.busyMs = [];
new PerformanceObserver((list) => window.busyMs.push(...list.getEntries().map((each) => each.duration)))
  .observe({ type: "longtask", buffered: true });
"""


def main() -> None:
    """Write the classifiers, visit, type, print a table."""
    parser = argparse.ArgumentParser(description="Measure the console (bench/README.md).")
    parser.add_argument("--classifiers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5, help="visits, each in a fresh profile [5]")
    options = parser.parse_args()
    names = [f"task{number // 4:04d}_v{number % 4 + 1}" for number in range(options.classifiers)]
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        with running_server(data_dir):
            pass  # the first start ever exports the graph
        open_fleet(data_dir).write(names)
        time.sleep(SETTLED_S)
        with running_server(data_dir) as (_, url, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            visits = [visit(browser, url) for _ in range(options.rounds)]
            browser.close()
        print(markdown(("measure", "measured", "wanted"), tuple(figures(visits, len(names)))), flush=True)


def visit(browser: Browser, url: str) -> dict[str, float]:
    """Open the console, wait until every classifier is known, and type a name into the filter."""
    with browser.new_context(bypass_csp=True) as context:
        context.add_init_script(_NOTE_FIRST_ROW)
        page = context.new_page()
        page.goto(url)
        page.wait_for_function("window.firstRowMs")
        page.wait_for_load_state("networkidle")
        found = {"first": page.evaluate("window.firstRowMs"), "loading": _busy(page)}
        search = page.locator("input[type=search]")
        search.focus()
        started = time.perf_counter()
        search.press_sequentially(TYPED)
        page.get_by_text(TYPED, exact=True).first.wait_for()
        found["typed"] = (time.perf_counter() - started) * 1_000
        found["typing"] = _busy(page)
        found["bytes"] = page.evaluate(
            "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))"
            ".filter((each) => !each.name.includes('/v1/') && each.startTime < window.firstRowMs)"
            ".reduce((sum, each) => sum + each.encodedBodySize, 0)"
        )
        return found


def _busy(page: Page) -> float:
    """Return the longest task since the last look, in milliseconds; 0 where none took 50."""
    longest: float = page.evaluate("Math.max(0, ...window.busyMs.splice(0))")
    return longest


def figures(visits: list[dict[str, float]], count: int) -> Iterator[Figure]:
    """Yield the lines of the table: medians, and the worst where that is what a person notices."""
    yield f"first rows of {count:,} classifiers", f"{_median(visits, 'first'):,.0f} ms", "< 1,500 ms"
    yield "longest task while the others come", f"{_worst(visits, 'loading'):,.0f} ms", ""
    yield f"{len(TYPED)} letters typed until the row stands there", f"{_median(visits, 'typed'):,.0f} ms", ""
    yield "longest task while typing", f"{_worst(visits, 'typing'):,.0f} ms", "< 100 ms"
    yield "bytes before the first view", f"{_median(visits, 'bytes') / 1_000:.1f} kB", "<= 80 kB"


def _median(visits: list[dict[str, float]], name: str) -> float:
    return statistics.median(each[name] for each in visits)


def _worst(visits: list[dict[str, float]], name: str) -> float:
    return max(each[name] for each in visits)


if __name__ == "__main__":
    main()
