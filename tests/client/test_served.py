"""A client of the application under a real server, which works with the product and a toy encoder."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.client.serving import serving
from tests.toy import Toy
from windrow.client.errors import FailedInServer, RefusedByServer
from windrow.client.remote import RemoteOperations
from windrow.domain.alias import PromoteRequest
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.classifier import DeleteRequest, FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import ClassifierExists, ClassifierInUse, ClassifierNotFound, InvalidText
from windrow.domain.job import Progress
from windrow.domain.prediction import IsWanted, PredictRequest
from windrow.settings import Settings

ROWS = (
    Row("I was charged twice", "billing"),
    Row("charged again, twice", "billing"),
    Row("The app crashes", "bug"),
    Row("it crashes again", "bug"),
)
FIT = FitRequest("tickets_v1", ROWS, num_iterations=0)
QUESTION = PredictRequest(model_name="tickets_v1", text="I was charged twice")


@pytest.fixture
def toy() -> Iterator[Toy]:
    toy = Toy(Settings(max_body_bytes=20_000))
    yield toy
    toy.close()


@pytest.fixture
def remote(toy: Toy) -> Iterator[RemoteOperations]:
    with serving(toy, toy.settings) as url:
        remote = RemoteOperations(url, timeout_s=30)
        yield remote
        remote.close()


def test_a_fit_tells_how_far_it_is_and_gives_what_was_trained(remote: RemoteOperations) -> None:
    told: list[Progress] = []
    result = remote.fit(FIT, told.append)
    assert (result.model_name, result.revision, result.num_examples) == ("tickets_v1", 1, 4)
    assert result.next_name == "tickets_v2"
    (answer,) = remote.predict(QUESTION)
    assert (answer.label, answer.model_name, answer.revision) == ("billing", "tickets_v1", 1)


def test_an_export_is_a_file_that_an_import_takes(remote: RemoteOperations) -> None:
    remote.fit(FIT)
    export = remote.export(ExportRequest("tickets_v1", training_rows=True))
    with tempfile.TemporaryFile() as file:
        for chunk in export.chunks:
            file.write(chunk)
        assert file.tell() == export.size_bytes
        imported = remote.import_classifier(file, ImportRequest("tickets_v2"))
    assert (imported.status, imported.name) == ("imported", "tickets_v2")
    with pytest.raises(ClassifierNotFound):  # before the first chunk
        remote.export(ExportRequest("tickets_v9"))


def test_errors_say_what_to_do_in_the_words_of_python(remote: RemoteOperations) -> None:
    remote.fit(FIT)
    with pytest.raises(ClassifierExists, match="overwrite=True"):
        remote.fit(FitRequest("tickets_v1", ROWS, overwrite=False))
    remote.promote(PromoteRequest("tickets", "tickets_v1"))
    with pytest.raises(ClassifierInUse, match="force=True") as caught:
        remote.delete(DeleteRequest("tickets_v1"))
    assert caught.value.facts["aliases"] == ["tickets"]
    with pytest.raises(InvalidText, match=r"^texts\[1\] is blank"):
        remote.predict(PredictRequest(model_name="tickets_v1", texts=("a", " ")))
    with pytest.raises(InvalidText, match="half of a surrogate pair"):
        remote.predict(PredictRequest(model_name="tickets_v1", text="\ud800"))


def test_errors_that_only_http_has_carry_the_servers_code(remote: RemoteOperations, toy: Toy) -> None:
    long = "x" * 500
    rows = tuple(Row(f"{long} {number}", str(number % 2)) for number in range(60))
    with pytest.raises(RefusedByServer, match="larger than the 20000 bytes") as caught:
        remote.fit(FitRequest("tickets_v1", rows))
    assert caught.value.code == "body_too_large"

    def fail(is_wanted: IsWanted) -> None:
        raise RuntimeError("a defect")

    remote.fit(FIT)
    toy.before_predict = fail
    with pytest.raises(FailedInServer, match="Something unexpected") as broken:
        remote.predict(QUESTION)
    assert broken.value.code == "internal_error"
    assert remote.list_aliases().aliases == ()


def test_many_threads_share_a_client(remote: RemoteOperations) -> None:
    remote.fit(FIT)
    alone = remote.predict(QUESTION)
    with ThreadPoolExecutor(16) as threads:
        assert set(map(repr, threads.map(lambda _: remote.predict(QUESTION), range(100)))) == {repr(alone)}
