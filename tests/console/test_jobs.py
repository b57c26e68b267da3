"""Jobs: each training is listed, followed while it runs, cancelled, and tells why it made nothing."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch
from tests.console.conftest import Findings, OpenPage
from tests.ports import free_port
from tests.servers import Running, Start, fit, hard_rows

pytestmark = pytest.mark.slow
LONG = {"num_iterations": 1_000, "cross_validate": True}
ENDED_MS = 90_000


def start_fit(server: Running, name: str, num_rows: int = 900, **more: object) -> dict[str, Any]:
    """Start a training that takes minutes, unless it is a short one."""
    rows = hard_rows(num_rows)
    request = {"model_name": name, "training_data": rows, **LONG, **more}
    reply = server.client.post("/v1/classifier/fit", params={"wait": "false"}, json=request)
    assert reply.status_code == 202, reply.text
    job: dict[str, Any] = reply.json()
    return job


def cancel_all(server: Running) -> None:
    for job in server.client.get("/v1/classifier/jobs").json()["jobs"]:
        if job["state"] in ("queued", "running"):
            server.client.post(f"/v1/classifier/jobs/{job['id']}/cancel")


def open_jobs(server: Running, page: Page, query: str = "") -> Page:
    page.goto(f"{server.client.base_url}#/jobs{query}")
    return page


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name="Jobs").get_by_role("row").filter(has_text=name)


def test_a_server_without_jobs_says_what_a_job_is_and_how_to_begin(
    start: Start, open_page: OpenPage, tmp_path: Path
) -> None:
    server = start(tmp_path / "data")
    page = open_page(f"{server.client.base_url}#/jobs")
    expect(page.get_by_role("heading", name="No training yet")).to_be_visible()
    page.get_by_role("link", name="Train a classifier").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()


def test_a_job_leads_to_its_report_and_its_classifier(server: Running, page: Page) -> None:
    fit(server, "listed_v1", num_iterations=0)
    row = row_of(open_jobs(server, page), "listed_v1")
    expect(row).to_contain_text("succeeded")
    expect(row).to_contain_text("head only")
    expect(row.get_by_role("link", name="listed_v1", exact=True)).to_have_attribute("href", "#/classifiers/listed_v1")
    row.get_by_role("link", name="Report of listed_v1").click()
    expect(page.get_by_role("heading", name="listed_v1@1 is trained")).to_be_visible()


def test_running_and_waiting_jobs_are_followed_and_cancelled(server: Running, page: Page) -> None:
    try:
        open_jobs(server, page)
        start_fit(server, "first_v1")
        start_fit(server, "second_v1")
        expect(row_of(page, "first_v1")).to_contain_text("running", timeout=ENDED_MS)
        expect(row_of(page, "second_v1")).to_contain_text("queued")
        page.get_by_role("tab", name="Waiting and running").click()
        expect(page).to_have_url(f"{server.client.base_url}/#/jobs?state=active")
        row_of(page, "second_v1").get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Cancel the training").click()
        expect(row_of(page, "second_v1")).to_have_count(0)
        expect(row_of(page, "first_v1")).to_be_visible()
        page.get_by_role("tab", name="Not succeeded").click()
        expect(row_of(page, "second_v1")).to_contain_text("cancelled")
        # What the page asks of itself is no request of the person.
        expect(page.get_by_role("complementary")).to_contain_text("/cancel")
    finally:
        cancel_all(server)


def test_a_training_is_followed_and_cancelled_with_a_key_and_a_reload_goes_on(server: Running, page: Page) -> None:
    job = start_fit(server, "followed_v1")
    try:
        page.goto(f"{server.client.base_url}#/train/{job['id']}")
        expect(page.get_by_role("list", name="Stages").locator("[aria-current=step]")).to_be_visible(timeout=ENDED_MS)
        expect(page.get_by_text("so far")).to_be_visible()
        page.reload()
        expect(page.get_by_role("progressbar", name="Progress of the training")).to_be_visible()
        page.keyboard.press("x")
        page.get_by_role("button", name="Cancel the training").click()
        expect(page.locator(".notice")).to_contain_text("The training was cancelled.", timeout=ENDED_MS)
        page.get_by_role("link", name="Train with the same settings").click()
        expect(page).to_have_url(
            f"{server.client.base_url}/#/train?name=followed_v1&num_iterations=1000"
            "&base_model=sentence-transformers%2Fall-MiniLM-L6-v2"
        )
    finally:
        cancel_all(server)


def test_a_training_that_fails_says_why_and_what_to_do(server: Running, page: Page) -> None:
    job = start_fit(server, "failing_v1", num_rows=12, base_model="intfloat/multilingual-e5-small")
    page.goto(f"{server.client.base_url}#/train/{job['id']}")
    expect(page.locator(".notice")).to_contain_text("The training failed.", timeout=ENDED_MS)
    expect(page.get_by_text("is not on this machine")).to_be_visible()
    expect(page.get_by_text("base_model_unavailable")).to_be_visible()
    row = row_of(open_jobs(server, page, "?state=failed&q=FAILING"), "failing_v1")
    expect(row).to_contain_text("is not on this machine")
    expect(row.get_by_role("link", name="Why of failing_v1")).to_be_visible()


def test_a_training_that_a_restart_interrupts_is_begun_again_with_a_click(
    start: Start, open_page: OpenPage, watch: Watch, tmp_path: Path
) -> None:
    watch.allow("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    port = str(free_port())
    server = start(tmp_path / "data", "--port", port)
    page = open_page(f"{server.client.base_url}#/train?from=paste&num_iterations=1000&name=again_v1")
    rows = "".join(f"{row['text']}\t{row['label']}\n" for row in hard_rows())
    page.get_by_role("textbox", name="Rows, as copied").fill(f"text\tlabel\n{rows}")
    expect(page.locator(".settings .cost")).to_contain_text("900 rows of 3 labels")
    page.locator(".settings [type=submit]").click()
    expect(page.get_by_role("progressbar", name="Progress of the training")).to_be_visible(timeout=ENDED_MS)
    former = page.url
    server.process.kill()
    server.process.wait()
    expect(page.get_by_text("The server does not answer.")).to_be_visible()
    revived = start(tmp_path / "data", "--port", port)
    expect(page.locator(".notice")).to_contain_text("The training was interrupted.", timeout=ENDED_MS)
    page.get_by_role("button", name="Train again").click()
    expect(page.get_by_role("progressbar", name="Progress of the training")).to_be_visible(timeout=ENDED_MS)
    assert page.url != former
    cancel_all(revived)
    expect(page.locator(".notice")).to_contain_text("The training was cancelled.", timeout=ENDED_MS)
    page.get_by_role("link", name="Change the rows or settings").click()
    expect(page.get_by_text("900 rows: TSV")).to_be_visible()


def test_an_address_of_no_job_says_so(server: Running, page: Page, watch: Watch) -> None:
    watch.allow("status of 404")
    page.goto(f"{server.client.base_url}#/train/no-such-job")
    expect(page.get_by_role("alert")).to_contain_text("job_not_found")


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_jobs_and_a_running_training(
    server: Running, open_page: OpenPage, axe: Findings, theme: Theme, width: int
) -> None:
    job = start_fit(server, "seen_v1")
    try:
        page = open_page(f"{server.client.base_url}#/jobs", theme=theme, width=width)
        expect(row_of(page, "seen_v1").first).to_contain_text("running", timeout=ENDED_MS)
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.goto(f"{server.client.base_url}#/train/{job['id']}")
        expect(page.get_by_role("progressbar", name="Progress of the training")).to_be_visible(timeout=ENDED_MS)
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        cancel_all(server)
