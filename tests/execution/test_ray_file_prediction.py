"""Files classified by a real Ray cluster of two nodes: what a run on this machine gives, also where a node dies."""

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clusters.ray_cluster import RayCluster, ask_as_client, ray_cluster
from tests.object_stores import servers
from windrow.bootstrap import open_exported, open_service
from windrow.domain.archive import ExportRequest
from windrow.domain.classifier import FitRequest, ModelRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import ClusterUnavailable, InvalidParameter, LimitExceeded, TrainingCancelled
from windrow.domain.file_prediction import FileProgress, PredictFilesReport, PredictFilesRequest, ignore_file_progress
from windrow.domain.prediction import PredictRequest
from windrow.domain.threshold import SetThresholdRequest
from windrow.encoders.folder import find_bundled
from windrow.execution.control import TrainingControl
from windrow.execution.exported_classifier import ExportedClassifier, find_opener
from windrow.execution.file_manifest import DONE
from windrow.execution.file_prediction import predict_files
from windrow.service.service import Service
from windrow.settings import read_settings
from windrow.storage.places import open_place

pytestmark = pytest.mark.slow

EXAMPLES = tuple(Row(f"I want money back {n}", "refund") for n in range(4)) + tuple(
    Row(f"The receipt is odd {n}", "invoice") for n in range(4)
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a classifier that has a threshold."""
    service = open_service(replace(read_settings(), data_dir=tmp_path_factory.mktemp("data")))
    service.fit(FitRequest("tickets", EXAMPLES, num_iterations=0))
    service.set_threshold(SetThresholdRequest("tickets", 0.6))
    yield service
    service.close()


@pytest.fixture(scope="module")
def moto() -> Iterator[servers.Store]:
    with servers.moto() as store:
        yield store


@pytest.fixture(scope="module")
def cluster(moto: servers.Store) -> Iterator[RayCluster]:
    """A cluster whose nodes have the credentials of an object store."""
    with ray_cluster(1, 1, log=None, has_clients=True, **moto.variables()) as cluster:
        yield cluster


@pytest.fixture
def on_cluster(cluster: RayCluster, monkeypatch: pytest.MonkeyPatch) -> RayCluster:
    for name, value in cluster.variables.items():
        monkeypatch.setenv(name, value)
    return cluster


def write(path: Path, texts: list[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text"), *((str(n), text) for n, text in enumerate(texts))])
    return path


def texts(count: int) -> list[str]:
    return [f"{'money back' if n % 3 else 'the receipt,'} order {n},\n{'please ' * (n % 60)}" for n in range(count)]


def request_of(source: Path, out: Path, **options: object) -> PredictFilesRequest:
    asked = PredictFilesRequest(model_name="tickets", input=str(source), output=str(out), shard_rows=40)
    return replace(asked, **options)  # type: ignore[arg-type]


def parts(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("part-*"))}


@contextmanager
def service_with_other_base_model(data_dir: Path, patch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service with a classifier whose base model no node has."""
    bundled, name = find_bundled(), "acme/other"
    assert bundled is not None
    folder = data_dir / "base_models" / "acme--other"
    shutil.copytree(bundled, folder)
    config = folder / "sentence_bert_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "max_seq_length": 64}))
    patch.setenv("WINDROW_DATA_DIR", str(data_dir))
    patch.setenv("WINDROW_ALLOWED_BASE_MODELS", name)
    service = open_service(read_settings())
    try:
        service.fit(FitRequest("tickets", EXAMPLES, base_model=name, num_iterations=0))
        yield service
    finally:
        service.close()


def on_ray(service: Service, source: Path, out: Path, **options: object) -> PredictFilesReport:
    return predict_files(service, request_of(source, out, runner="ray", **options))


def test_a_cluster_gives_what_this_machine_gives_and_goes_on_where_parts_are_missing(
    service: Service, on_cluster: RayCluster, tmp_path: Path
) -> None:
    source = write(tmp_path / "mails.csv", texts(300))
    here = predict_files(service, request_of(source, tmp_path / "here", scores=True))
    there = on_ray(service, source, tmp_path / "there", scores=True)
    assert parts(tmp_path / "there") == parts(tmp_path / "here")
    assert here.abstained > 0
    assert replace(there, seconds=here.seconds, output=here.output) == here
    lost = tmp_path / "there" / "part-00001-00003.csv"
    lost.unlink()
    again = on_ray(service, source, tmp_path / "there", scores=True, workers=1)
    assert (again.shards_before, again.rows_now) == (7, 40)
    assert parts(tmp_path / "there") == parts(tmp_path / "here")


def test_a_client_of_the_cluster_gives_the_same_with_a_base_model_of_its_own(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray Data does not run in a client, so it runs on the cluster."""
    with service_with_other_base_model(tmp_path / "data", monkeypatch) as service:
        source = write(tmp_path / "mails.csv", [*texts(100), "x" * 20_001])
        options = {"runner": cluster.client_address, "note_bad_rows": True}
        here = predict_files(service, request_of(source, tmp_path / "here", note_bad_rows=True))
        there = ask_as_client(lambda: predict_files(service, request_of(source, tmp_path / "there", **options)))
        assert replace(there, seconds=here.seconds, output=here.output) == here
        assert parts(tmp_path / "there") == parts(tmp_path / "here")
        source.write_text(source.read_text().replace("order 1,", "order one,"))
        with pytest.raises(InvalidParameter, match="is changed"):
            predict_files(service, request_of(source, tmp_path / "there", **options))


def test_each_row_is_there_once_where_a_node_dies(service: Service, on_cluster: RayCluster, tmp_path: Path) -> None:
    source = write(tmp_path / "mails.csv", texts(1_600))
    predict_files(service, request_of(source, tmp_path / "here"))
    killed: list[int] = []

    def kill_once(progress: FileProgress) -> None:
        if progress.stage == "predicting" and progress.shards >= 4 and not killed:
            killed.append(progress.shards)
            on_cluster.kill_node(1)

    try:
        report = predict_files(service, request_of(source, tmp_path / "there", runner="ray"), kill_once)
    finally:
        if killed:
            on_cluster.add_node(1)
    assert killed
    assert killed[0] < report.shards == 40
    assert parts(tmp_path / "there") == parts(tmp_path / "here")
    assert (report.rows, report.rows_now) == (1_600, 1_600)


def test_a_wrong_row_is_told_as_here_and_what_is_whole_stays(
    service: Service, on_cluster: RayCluster, tmp_path: Path
) -> None:
    source = write(tmp_path / "mails.csv", [*texts(40), "x" * 20_001])
    said = []
    for runner in ("local", "ray"):
        with pytest.raises(LimitExceeded) as error:
            predict_files(service, request_of(source, tmp_path / runner, runner=runner))
        said.append((error.value.detail, error.value.facts["line"]))
        assert not (tmp_path / runner / DONE).exists()
    assert said[0] == said[1]


def test_nodes_read_and_write_an_object_store_themselves(
    service: Service, on_cluster: RayCluster, moto: servers.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto.set_environment(monkeypatch)
    address = moto.new_data_dir()
    place, _ = open_place(f"{address}/in")
    for name in ("a", "b"):
        place.put(f"{name}.csv", write(tmp_path / f"{name}.csv", texts(60)).read_bytes())
    asked = request_of(tmp_path, tmp_path / "here")
    predict_files(service, asked)
    report = predict_files(service, replace(asked, input=f"{address}/in/*.csv", output=f"{address}/out", runner="ray"))
    assert (report.rows, report.shards, report.files) == (120, 4, 2)
    out, _ = open_place(f"{address}/out")
    assert {name: out.get(name) for name in out.names() if name.startswith("part-")} == parts(tmp_path / "here")


def test_a_base_model_that_nodes_lack_is_sent_along(
    on_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service_with_other_base_model(tmp_path / "data", monkeypatch) as service:
        source = write(tmp_path / "mails.csv", texts(60))
        predict_files(service, request_of(source, tmp_path / "here"))
        on_ray(service, source, tmp_path / "there", workers=1)
    assert parts(tmp_path / "there") == parts(tmp_path / "here")


def test_a_cancelled_run_ends_soon_and_can_go_on(service: Service, on_cluster: RayCluster, tmp_path: Path) -> None:
    source, control = write(tmp_path / "mails.csv", texts(2_400)), TrainingControl()

    def cancel(progress: FileProgress) -> None:
        if progress.shards:
            control.cancel()

    with pytest.raises(TrainingCancelled):
        predict_files(service, request_of(source, tmp_path / "out", runner="ray"), cancel, control)
    assert 1 <= len(parts(tmp_path / "out")) < 60
    report = predict_files(service, request_of(source, tmp_path / "out"))
    assert report.rows_now < 2_400
    assert len(parts(tmp_path / "out")) == 60


def test_a_cluster_that_is_not_there_is_told_and_nothing_is_classified(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    source = write(tmp_path / "mails.csv", texts(3))
    with pytest.raises(ClusterUnavailable, match="cannot be reached"):
        on_ray(service, source, tmp_path / "out")
    assert parts(tmp_path / "out") == {}
    assert predict_files(service, request_of(source, tmp_path / "out"), ignore_file_progress).rows_now == 3


def test_an_exported_classifier_answers_as_the_one_that_it_is_of(service: Service) -> None:
    exported = service.export(ExportRequest("tickets"))
    archive = b"".join(exported.chunks)
    asked = PredictRequest(model_name="tickets", texts=("money back", "the receipt", "nothing of the kind"))
    base_model = service.show(ModelRequest("tickets")).base_model
    assert find_opener() is open_exported
    with open_exported(ExportedClassifier(archive, base_model, None, 1, 20_000)) as opened:
        answers = opened.predict(asked)
    assert [answer.to_dict() for answer in answers] == [answer.to_dict() for answer in service.predict(asked)]
