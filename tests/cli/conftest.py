"""The command line on the product itself, with a toy encoder."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.asking import Ended, Run, run
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.settings import Settings

if TYPE_CHECKING:
    from tests.toy import Toy

SERVER = "http://shop.example"
TICKETS = (
    ("I want my money back", "refund"),
    ("Please return what I paid", "refund"),
    ("Send me the bill", "invoice"),
    ("The receipt is odd", "invoice"),
)


@pytest.fixture
def toy() -> "Iterator[Toy]":
    """The product, with a toy encoder."""
    # Not above: most tests of the command line need no product at all.
    from tests.toy import Toy

    toy = Toy()
    toy.start()
    yield toy
    toy.close()


class Client:
    """Asks as a client asks a server, which outlives it.

    Args:
        server: Who answers.
        left: Gets an entry when the client is closed.
    """

    def __init__(self, server: object, left: list[str]) -> None:
        self._server = server
        self._left = left

    def __getattr__(self, verb: str) -> object:
        return getattr(self._server, verb)

    def close(self) -> None:
        self._left.append("left")


@pytest.fixture
def left() -> list[str]:
    """An entry for each client that was closed."""
    return []


@pytest.fixture
def ask(toy: "Toy", left: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a verb that asks a server, which is the toy."""
    asked: list[str] = []

    def open_server(url: str, api_key: object) -> Client:
        asked.append(url)
        return Client(toy, left)

    monkeypatch.setattr("windrow.cli.connect.open_server", open_server)

    def ask(*arguments: object) -> Ended:
        ended = run(monkeypatch, capsys, *arguments, "--url", SERVER)
        assert set(asked) <= {SERVER}
        return ended

    return ask


@pytest.fixture(scope="session")
def trained_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with tickets_v1 and tickets_v2, to be copied."""
    from tests.toy import Toy

    folder = tmp_path_factory.mktemp("trained")
    toy = Toy(Settings(data_dir=folder))
    rows = tuple(Row(text, label) for text, label in TICKETS)
    for name in ("tickets_v1", "tickets_v2"):
        toy.fit(FitRequest(name, rows, num_iterations=0, description="Of the shop.", tags=("live",)))
    toy.close()
    return folder


@pytest.fixture
def trained(toy: "Toy", trained_dir: Path) -> "Toy":
    """The product with tickets_v1 and tickets_v2."""
    for part in ("classifiers", "jobs"):
        shutil.copytree(trained_dir / part, toy.settings.local_dir / part, dirs_exist_ok=True)
    return toy


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    """A CSV file of labelled rows."""
    file = tmp_path / "rows.csv"
    file.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in TICKETS))
    return file
