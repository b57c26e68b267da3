"""What a monitor reads: every figure of the service, the time of each request, and few labels that a caller chose."""

import re
from collections.abc import Mapping

import httpx
import pytest

from tests.http.asking import wait_until
from tests.toy import STATS, Toy
from windrow import __version__
from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT
from windrow.domain.caller import Caller, calling
from windrow.http.app import endpoint_routes
from windrow.settings import Settings

FIT = {"model_name": EXAMPLE_NAME, "training_data": list(EXAMPLE_ROWS)}
PREDICT = {"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT}
MODEL = f"/v1/classifier/models/{EXAMPLE_NAME}"
TEMPLATE = "/v1/classifier/models/{model_name}"
TASK = '{node="local",outcome="done",task="fit"}'
JOB = '{kind="fit",outcome="failed"}'
COUNT = "windrow_request_duration_seconds_count"


def _samples(client: httpx.Client) -> dict[str, float]:
    """Return each sample's value by its name and labels."""
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def _label_values(client: httpx.Client, label: str) -> set[str]:
    return set(re.findall(rf'{label}="([^"]*)"', client.get("/metrics").text))


def test_every_vital_sign_is_shown(client: httpx.Client, operations: Toy) -> None:
    operations.shown = STATS
    found = _samples(client)
    shown = {name: value for name, value in found.items() if name.startswith("windrow_") and "_request_d" not in name}
    version = f'windrow_version_info{{version="{__version__}"}}'
    assert shown == {
        "windrow_queued_requests": 1,
        "windrow_queued_texts": 2,
        "windrow_running_batches": 3,
        "windrow_batches_total": 4,
        "windrow_tokens_total": 5,
        "windrow_refused_requests_total": 6,
        "windrow_client_closed_requests_total": 7,
        "windrow_running_fits": 8,
        "windrow_queued_fits": 9,
        "windrow_ready": 1,
        "windrow_free_bytes": 20,
        'windrow_cache_entries{cache="classifiers"}': 10,
        'windrow_cache_bytes{cache="classifiers"}': 11,
        'windrow_cache_max_bytes{cache="classifiers"}': 12,
        'windrow_cache_hits_total{cache="classifiers"}': 13,
        'windrow_cache_misses_total{cache="classifiers"}': 14,
        'windrow_cache_entries{cache="texts"}': 15,
        'windrow_cache_bytes{cache="texts"}': 16,
        'windrow_cache_max_bytes{cache="texts"}': 17,
        'windrow_cache_hits_total{cache="texts"}': 18,
        'windrow_cache_misses_total{cache="texts"}': 19,
        'windrow_store_requests_total{kind="create"}': 21,
        'windrow_store_requests_total{kind="get"}': 22,
        f"windrow_training_tasks_total{TASK}": 23,
        f"windrow_training_task_duration_seconds_count{TASK}": 23,
        f"windrow_training_task_duration_seconds_sum{TASK}": 24.5,
        f"windrow_training_task_attempts_total{TASK}": 25,
        "windrow_encode_seconds_total": 26.5,
        'windrow_queue_wait_seconds_bucket{le="0.5"}': 27,
        'windrow_queue_wait_seconds_bucket{le="1"}': 28,
        'windrow_queue_wait_seconds_bucket{le="+Inf"}': 29,
        "windrow_queue_wait_seconds_count": 29,
        "windrow_queue_wait_seconds_sum": 30.5,
        "windrow_running_file_predictions": 31,
        "windrow_queued_file_predictions": 32,
        "windrow_encoders": 33,
        "windrow_min_free_bytes": 34,
        'windrow_job_duration_seconds_bucket{kind="fit",le="60",outcome="failed"}': 35,
        'windrow_job_duration_seconds_bucket{kind="fit",le="+Inf",outcome="failed"}': 36,
        f"windrow_job_duration_seconds_count{JOB}": 36,
        f"windrow_job_duration_seconds_sum{JOB}": 37.5,
        'windrow_job_wait_seconds_bucket{kind="fit",le="60",outcome="failed"}': 36,
        'windrow_job_wait_seconds_bucket{kind="fit",le="+Inf",outcome="failed"}': 36,
        f"windrow_job_wait_seconds_count{JOB}": 36,
        f"windrow_job_wait_seconds_sum{JOB}": 1.5,
        'windrow_refused_keys_total{reason="unauthorized"}': 38,
        'windrow_classifier_texts_total{classifier="tickets_v1"}': 39,
        "windrow_classifiers": 40,
        "windrow_deleted_classifiers": 41,
        "windrow_revisions": 42,
        'windrow_stored_bytes{kind="base_models"}': 43,
        'windrow_stored_bytes{kind="other"}': 44,
        "windrow_measured_timestamp_seconds": 1_767_225_600,
        version: 1,
    }


def test_the_process_and_its_python_are_shown(client: httpx.Client) -> None:
    text = client.get("/metrics").text
    assert "python_info{" in text
    assert "process_resident_memory_bytes " in text
    assert "process_cpu_seconds_total " in text


@pytest.mark.parametrize(
    ("method", "path", "endpoint", "status"),
    [
        ("POST", "/v1/classifier/predict", "/v1/classifier/predict", 200),
        ("GET", "/v1/classifier/models?limit=3", "/v1/classifier/models", 200),
        ("GET", "/v1/classifier/models?limit=0", "/v1/classifier/models", 422),
        ("DELETE", f"{MODEL}", f"{TEMPLATE}", 200),
        ("DELETE", "/v1/classifier/models/unknown", f"{TEMPLATE}", 404),
        ("DELETE", "/v1/classifier/models", "/v1/classifier/models", 422),
        ("GET", f"{MODEL}", f"{TEMPLATE}", 200),
        ("GET", f"{MODEL}%401", f"{TEMPLATE}", 200),
        ("GET", "/v1/classifier/models/a/b", f"{TEMPLATE}", 422),
        ("PATCH", f"{MODEL}", f"{TEMPLATE}", 422),
        ("GET", f"{MODEL}/export", f"{TEMPLATE}/export", 200),
        ("POST", "/v1/classifier/models/import", "/v1/classifier/models/import", 415),
        ("POST", f"{MODEL}/restore", f"{TEMPLATE}/restore", 409),
        (
            "POST",
            f"{MODEL}/reproduce",
            f"{TEMPLATE}/reproduce",
            200,
        ),
        ("PUT", "/v1/classifier/aliases/live", "/v1/classifier/aliases/{alias}", 422),
        ("POST", "/v1/classifier/aliases/live/rollback", "/v1/classifier/aliases/{alias}/rollback", 422),
        ("GET", "/v1/classifier/aliases/live/history", "/v1/classifier/aliases/{alias}/history", 404),
        ("DELETE", "/v1/classifier/base-models/a/b", "/v1/classifier/base-models/{base_model}", 404),
        ("GET", "/v1/classifier/usage?colour=red", "/v1/classifier/usage", 422),
        ("GET", "/health", "/health", 200),
        ("HEAD", "/health", "/health", 200),
        ("HEAD", f"{MODEL}", f"{TEMPLATE}", 200),
    ],
)
def test_a_request_is_counted_under_its_endpoints_template(
    client: httpx.Client, method: str, path: str, endpoint: str, status: int
) -> None:
    client.post("/v1/classifier/fit", json=FIT)
    sample = f'{COUNT}{{endpoint="{endpoint}",method="{method}",status="{status}"}}'
    before = _samples(client).get(sample, 0)
    body = {} if path.endswith(("restore", "reproduce")) else PREDICT
    sent = body if method in {"POST", "PUT", "PATCH"} else None
    assert client.request(method, path, json=sent).status_code == status
    # A streamed answer is counted when its end is sent, just after its last byte.
    wait_until(lambda: _samples(client).get(sample, 0) == before + 1)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/never/heard/of", 404),
        ("POST", "/v1/classifier/models/some_name", 405),
        ("OPTIONS", "/v1/classifier/models", 405),
        ("PATCH", "/health", 405),
        ("PURGE", "/health", 405),
        ("GET", "/docs", 200),
    ],
)
def test_what_is_no_endpoint_is_counted_together(client: httpx.Client, method: str, path: str, status: int) -> None:
    sample = f'{COUNT}{{endpoint="other",method="other",status="{status}"}}'
    before = _samples(client).get(sample, 0)
    assert client.request(method, path).status_code == status
    assert _samples(client)[sample] == before + 1
    known = {*(route.path_format for route in endpoint_routes()), "other"}
    assert _label_values(client, "endpoint") <= known
    assert _label_values(client, "method") <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"}


def test_texts_are_counted_by_classifier_in_no_other_figure(client: httpx.Client) -> None:
    client.post("/v1/classifier/fit", json=FIT)
    for _ in range(3):
        client.post("/v1/classifier/predict", json=PREDICT)
    client.delete(f"{MODEL}")
    named = [line for line in client.get("/metrics").text.splitlines() if EXAMPLE_NAME in line]
    assert named == [f'windrow_classifier_texts_total{{classifier="{EXAMPLE_NAME}"}} 3.0']


def test_a_training_is_counted_by_how_it_ended(client: httpx.Client) -> None:
    client.post("/v1/classifier/fit", json=FIT)
    found = _samples(client)
    for figure in ("windrow_job_duration_seconds", "windrow_job_wait_seconds"):
        ended = {name: value for name, value in found.items() if name.startswith(f"{figure}_count")}
        assert ended == {f'{figure}_count{{kind="fit",outcome="succeeded"}}': 1}


def test_what_is_saved_is_measured_for_the_next_scrape(client: httpx.Client) -> None:
    client.post("/v1/classifier/fit", json=FIT)
    wait_until(lambda: "windrow_classifiers" in _samples(client))
    found = _samples(client)
    assert (found["windrow_classifiers"], found["windrow_deleted_classifiers"], found["windrow_revisions"]) == (1, 0, 1)
    assert found['windrow_stored_bytes{kind="classifiers"}'] > 0


def test_a_key_that_knows_some_names_sees_the_use_of_no_others() -> None:
    def texts(only: tuple[str, ...]) -> Mapping[str, int]:
        with calling(Caller("watcher", frozenset({"admin"}), only)):
            return toy.server_stats().classifier_texts

    toy = Toy(Settings())
    toy.dependencies.counters.count_predictions(["shop_v1", "mail_v1"], 2)
    toy.close()
    assert texts(("shop_*",)) == {"shop_v1": 2}
    assert texts(()) == {"mail_v1": 2, "shop_v1": 2}


@pytest.mark.parametrize(
    ("accept", "media_type", "end"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8", "\n"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1.0.0", "# EOF\n"),
    ],
)
def test_each_of_the_two_text_formats_is_spoken(client: httpx.Client, accept: str, media_type: str, end: str) -> None:
    reply = client.get("/metrics", headers={"Accept": accept})
    assert reply.headers["content-type"].startswith(media_type)
    assert reply.text.endswith(end)
