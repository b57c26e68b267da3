"""The command line on FakeOperations."""

from pathlib import Path

import pytest

from tests.cli.asking import Ended, Run, run
from tests.fakes.operations import FakeOperations
from windrow.domain.classifier import FitRequest, NotesChange
from windrow.domain.dataset import Row
from windrow.domain.recipe import Recipe

SERVER = "http://shop.example"
TICKETS = (
    ("I want my money back", "refund"),
    ("Please return what I paid", "refund"),
    ("Send me the bill", "invoice"),
    ("The receipt is odd", "invoice"),
)


@pytest.fixture
def fake() -> FakeOperations:
    return FakeOperations()


class Client:
    """Asks the fake as a client asks a server, which outlives it.

    Args:
        fake: The server.
        left: Gets an entry when the client is closed.
    """

    def __init__(self, fake: FakeOperations, left: list[str]) -> None:
        self._fake = fake
        self._left = left

    def __getattr__(self, verb: str) -> object:
        return getattr(self._fake, verb)

    def close(self) -> None:
        self._left.append("left")


@pytest.fixture
def left() -> list[str]:
    """An entry for each client that was closed."""
    return []


@pytest.fixture
def ask(
    fake: FakeOperations, left: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a verb that asks a server, which is the fake."""
    asked: list[str] = []

    def open_server(url: str) -> Client:
        asked.append(url)
        return Client(fake, left)

    monkeypatch.setattr("windrow.cli.connect.open_server", open_server)

    def ask(*arguments: object) -> Ended:
        ended = run(monkeypatch, capsys, *arguments, "--url", SERVER)
        assert set(asked) <= {SERVER}
        return ended

    return ask


@pytest.fixture
def trained(fake: FakeOperations) -> FakeOperations:
    """A fake with tickets_v1 and tickets_v2."""
    rows = tuple(Row(text, label) for text, label in TICKETS)
    for name in ("tickets_v1", "tickets_v2"):
        fake.fit(FitRequest(name, rows, recipe=Recipe(num_iterations=0), notes=NotesChange("Of the shop.", ("live",))))
    return fake


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    """A CSV file of labelled rows."""
    file = tmp_path / "rows.csv"
    file.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in TICKETS))
    return file
