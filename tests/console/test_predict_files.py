"""Files on the server: a form on a classifier's page starts a job, which is followed, cancelled, and started again."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.browsing import Watch
from tests.console.conftest import OpenPage
from tests.servers import Running, Start, fit

pytestmark = pytest.mark.slow
ENDED_MS = 90_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file of ten texts, and one with many more."""
    root = tmp_path / "srv"
    root.mkdir()
    for name, count in (("few", 10), ("many", 20_000)):
        with (root / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("text",))
            rows.writerows((f"bill {number} and some more words",) for number in range(count))
    return root


@pytest.fixture
def files_server(start: Start, tmp_path: Path, root: Path) -> Running:
    server = start(tmp_path / "data", WINDROW_FILE_ROOTS=str(root))
    fit(server, "tickets_v1", num_iterations=0)
    return server


def fill(page: Page, source: object, target: object) -> None:
    page.get_by_label("Read").fill(str(source))
    page.get_by_label("Write to").fill(str(target))
    page.get_by_role("button", name="Start").click()


def test_a_form_starts_a_job_and_shows_refusals_in_words(
    files_server: Running, open_page: OpenPage, root: Path, watch: Watch
) -> None:
    watch.allow("status of 403")
    page = open_page(f"{files_server.client.base_url}#/classifiers/tickets_v1")
    page.get_by_role("tab", name="Files").click()
    fill(page, "/etc/passwd", root / "out")
    expect(page.get_by_role("alert")).to_contain_text("lies below none of the places")
    fill(page, root / "few.csv", root / "out")
    expect(page.get_by_role("heading", name="Files, by tickets_v1")).to_be_visible()
    expect(page.get_by_text("10 rows of 1 file are classified")).to_be_visible(timeout=ENDED_MS)
    expect(page.get_by_text(str(root / "out"))).to_be_visible()
    assert [path.name for path in (root / "out").glob("part-*")] == ["part-00001-00001.csv"]
    page.get_by_role("link", name="All jobs").click()
    row = page.get_by_role("table", name="Jobs").get_by_role("row").filter(has_text="files")
    expect(row).to_contain_text("succeeded")
    expect(row).to_contain_text("10")
    row.get_by_role("link", name="Report of tickets_v1").click()
    expect(page.get_by_text("10 rows of 1 file are classified")).to_be_visible()


def test_a_job_is_followed_cancelled_and_started_again_with_what_it_was_asked_for(
    files_server: Running, open_page: OpenPage, root: Path
) -> None:
    request = {"model_name": "tickets_v1", "input": str(root / "many.csv"), "output": str(root / "out")}
    job = files_server.client.post("/v1/classifier/predict-files", json={**request, "shard_rows": 50}).json()
    page = open_page(f"{files_server.client.base_url}#/jobs")
    row = page.get_by_role("table", name="Jobs").get_by_role("row").filter(has_text="files")
    expect(row).to_contain_text("predicting", timeout=ENDED_MS)
    page.goto(f"{files_server.client.base_url}#/train/{job['id']}")
    expect(page.get_by_text("of 20,000 rows")).to_be_visible(timeout=ENDED_MS)
    expect(page.get_by_text("of 400 shards")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The shards that are done stay.")).to_be_visible()
    page.get_by_role("button", name="Cancel the prediction").click()
    expect(page.get_by_text("The prediction was cancelled.", exact=True).first).to_be_visible(timeout=ENDED_MS)
    page.get_by_role("link", name="Start it again").click()
    expect(page.get_by_label("Read")).to_have_value(str(root / "many.csv"))
    expect(page.get_by_label("Write to")).to_have_value(str(root / "out"))
