"""What the tests of judging and comparing share: classifiers of known worth, and test rows as a file."""

import csv
import io
from pathlib import Path
from typing import Final

from playwright.sync_api import FilePayload, Page, expect

from tests.servers import TICKETS, Running, fit

HOSTILE_TEXT: Final = "<script>document.title='ran'</script>\u202e<img src=x onerror=alert(1)> 🎫 " + "x" * 3_000
HOSTILE_LABEL: Final = "<b>\u202elabel</b>"
BEGINNINGS: Final = ("please", "hello,", "once more:", "today")
ROWS: Final = [
    *(
        {"text": f"{beginning} {text}", "label": label}
        for beginning in BEGINNINGS
        for label, texts in TICKETS.items()
        for text in texts
    ),
    {"text": HOSTILE_TEXT, "label": HOSTILE_LABEL},
]
NUM_ROWS: Final = len(ROWS)


def train_versions(server: Running) -> None:
    """Train version 1, which confuses two labels, and version 2, which does not; an alias points to the first."""
    fit(server, "tickets_v1", swapped=True, num_iterations=0)
    fit(server, "tickets_v2", num_iterations=0)
    reply = server.client.put("/v1/classifier/aliases/desk", json={"model_name": "tickets_v1"})
    assert reply.status_code == 200, reply.text


def as_file(rows: list[dict[str, str]] = ROWS, name: str = "may.csv", columns: tuple[str, ...] = ()) -> FilePayload:
    """Return rows as a CSV file that a page is given.

    Args:
        rows: The rows.
        name: The file's name.
        columns: What its columns are called; those of the rows where it is left out.
    """
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(columns or rows[0])
    writer.writerows(row.values() for row in rows)
    return {"name": name, "mimeType": "text/csv", "buffer": sink.getvalue().encode()}


def open_view(page: Page, address: str) -> None:
    """Show a view of the console that is open in a page."""
    page.evaluate("address => { location.hash = address; }", f"#/{address}")


def drop_test_set(page: Page, file: FilePayload | None = None) -> None:
    """Choose a file as the test set, and wait until the page has it."""
    page.locator(".test-set input[type=file]").set_input_files(file or as_file())
    expect(page.locator(".test-set b")).to_have_text(file["name"] if file else "may.csv")


def saved(page: Page, button: str, folder: Path) -> Path:
    """Press a button that gives a file, and return where it is kept."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path
