"""The pages for those who come from elsewhere: their commands are run as they stand, on files as people bring them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.migrating import (
    write_azure,
    write_cohere,
    write_comprehend,
    write_label_studio,
    write_openai,
    write_rasa,
)
from tests.pages import Reader, shown_blocks, write_command
from tests.servers import Servers

pytestmark = pytest.mark.slow


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


@pytest.mark.parametrize(
    ("page", "write", "told"),
    [
        ("azure", lambda folder: write_azure(folder / "tickets"), ("Azure custom text", "24", "18 rows", "of 6 rows")),
        ("comprehend", write_comprehend, ("3 labels, 18 rows", "of 6 rows", "4 labels, 24 rows")),
        ("cohere", write_cohere, ("3 labels, 18 rows", "of 6 rows", "4 labels, 24 rows")),
        ("label-studio", write_label_studio, ("Label Studio", "3 labels, 18 rows", "cancelled", "high")),
        ("openai", write_openai, ("OpenAI fine-tuning", "Which team answers the ticket?", "3 labels, 18 rows", "of 6")),
        ("rasa", write_rasa, ("Rasa training data", "3 labels, 24 rows", "3 labels, 18 rows", "of 6 rows")),
    ],
)
def test_who_follows_a_page_has_a_classifier_that_answers_over_http(
    page: str, write: Callable[[Path], None], told: tuple[str, ...], servers: Servers, tmp_path: Path
) -> None:
    write(tmp_path)
    write_command(tmp_path)
    reader = Reader(tmp_path)
    blocks = shown_blocks(f"from-{page}", "sh")
    local, remote = ([each for each in blocks if each.startswith("curl") is is_remote] for is_remote in (False, True))
    printed = "".join(map(reader.run, local))
    assert [words for words in told if words not in printed] == []
    server = servers.start(tmp_path / "windrow-data")
    [asked] = [replace(reader, address=server.client.base_url.netloc.decode()).run(block) for block in remote]
    answer = json.loads(asked)
    labels = [each["label"] for each in answer.get("predictions", [answer])]
    assert labels[0] == "billing"


def test_predictions_of_documents_are_written_as_the_page_says(tmp_path: Path) -> None:
    write_comprehend(tmp_path)
    write_command(tmp_path)
    first, *_ = shown_blocks("from-comprehend", "sh")
    Reader(tmp_path).run(first.replace("train.csv", "train.csv --num-iterations 0"))
    written = (tmp_path / "predictions.csv").read_text().splitlines()
    assert written[0].split(",")[:2] == ["text", "predicted_label"]
    assert len(written) == 7


def test_predictions_go_back_to_label_studio_as_the_page_says(tmp_path: Path) -> None:
    write_label_studio(tmp_path)
    write_command(tmp_path)
    first, *_ = shown_blocks("from-label-studio", "sh")
    Reader(tmp_path).run(first.replace("fit tickets_v1", "fit tickets_v1 --num-iterations 0"))
    tasks = json.loads((tmp_path / "predictions.json").read_text())
    results = [task["predictions"][0]["result"][0] for task in tasks]
    assert {(each["from_name"], each["to_name"], each["type"]) for each in results} == {("team", "text", "choices")}
    assert [each["value"]["choices"] for each in results][:2] == [["billing"], ["billing"]]
