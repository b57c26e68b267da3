"""Take the pictures of the console that the README shows, of a real server with the demo's rows in a real browser.

Run: make pictures
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT: Final = Path(__file__).parent.parent.parent
FOLDER: Final = ROOT / "docs" / "images"
SIZE: Final = ViewportSize(width=1180, height=760)
_ROWS: Final = json.loads((ROOT / "src" / "windrow" / "console" / "demo_rows.json").read_text(encoding="utf-8"))
_TEXT: Final = "The zip broke after two weeks. Do I get my money back?"


def main() -> None:
    """Fill a server, look at it, keep the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as url, sync_playwright() as playwright:
        with httpx.Client(base_url=f"{url}/v1/classifier", timeout=600) as client:
            _fill(client)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce", color_scheme="light")
        test_set = Path(folder) / "test_tickets.csv"
        test_set.write_text("".join(f'"{row["text"]}",{row["label"]}\n' for row in _rows_with_header()))
        _try(page, url)
        _compare(page, url, test_set)
        _judge(page, url)
        _list(page, url)
        browser.close()


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "windrow", "serve", "--port", "0", "--data-dir", str(folder / "data")]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process:
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", (folder / "log").read_text())):
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
            yield found[0]
        finally:
            process.terminate()


def _rows_with_header() -> list[dict[str, str]]:
    return [{"text": "text", "label": "label"}, *_ROWS["test"]]


def _fill(client: httpx.Client) -> None:
    first, added = _ROWS["first"], _ROWS["added"]
    versions = [
        (first[:12], 0, "The first dozen"),
        (first, 0, "A day of mail"),
        (first + added, 20, "With corrections"),
    ]
    for number, (rows, iterations, description) in enumerate(versions, 1):
        fit = {"training_data": rows, "num_iterations": iterations, "description": description, "tags": ["shop"]}
        _done(client.post("/fit", json={**fit, "model_name": f"shop_mail_v{number}"}))
    rows = [{"text": row["text"], "label": "urgent" if row["label"] == "payment" else "later"} for row in first]
    _done(client.post("/fit", json={"model_name": "urgency_v1", "training_data": rows, "num_iterations": 0}))
    promotion = {"model_name": "shop_mail_v2", "reason": "good enough to begin with", "author": "Ada"}
    _done(client.put("/aliases/shop_mail", json={**promotion, "must_pass": first[:2]}))
    _done(client.put("/aliases/staging", json={"model_name": "shop_mail_v3"}))
    for name in ("shop_mail_v3", "shop_mail"):
        _done(client.post("/predict", json={"model_name": name, "text": _TEXT}))


def _done(reply: httpx.Response) -> Any:
    assert reply.is_success, reply.text
    return reply.json()


def _open(page: Page, url: str, address: str, title: str) -> None:
    page.goto(f"{url}/#/{address}")
    page.get_by_role("heading", level=1, name=re.compile(f"^{title}")).wait_for()


def _try(page: Page, url: str) -> None:
    _open(page, url, "try?models=shop_mail_v3,shop_mail_v2", "Try")
    page.locator("textarea").fill(_TEXT)
    page.locator(".bars").nth(1).wait_for()
    _keep(page, "console-try")


def _compare(page: Page, url: str, test_set: Path) -> None:
    _open(page, url, "compare?models=shop_mail_v2,shop_mail_v3", "Compare")
    page.locator("input[type=file]").set_input_files(test_set)
    page.get_by_role("heading", name="Rows whose answer changes").wait_for()
    _keep(page, "console-compare")


def _judge(page: Page, url: str) -> None:
    """Evaluate the newest version, so that the list shows what was measured."""
    _open(page, url, "judge?model=shop_mail_v3", "Judge")
    page.get_by_text("test_tickets.csv").first.click()
    page.get_by_role("button", name=re.compile("^Evaluate")).click()
    page.locator(".matrix").wait_for()
    page.wait_for_load_state("networkidle")


def _list(page: Page, url: str) -> None:
    _open(page, url, "classifiers", "Classifiers")
    page.get_by_text("shop_mail_v1").first.wait_for()
    _keep(page, "console-classifiers")


def _keep(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
