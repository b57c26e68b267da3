"""Predictions of files by a real server: whole and in order, cancelled, and going on where it was killed."""

import csv
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clusters.ray_cluster import ray_cluster
from tests.servers import Running, Servers, Start, fit
from windrow.client.remote import RemoteOperations
from windrow.domain.job import JobRequest

pytestmark = pytest.mark.slow
START = "/v1/classifier/predict-files"
JOBS = "/v1/classifier/jobs"
NUM_ROWS, SHARD_ROWS = 600, 20
# So many that no machine is done with them before a test has done something else.
NUM_MANY = 30_000
TIMEOUT_S = 240


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers = Servers(tmp_path)
    yield servers.start
    servers.stop()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file of many different texts, which take a while to encode."""
    root = tmp_path / "srv"
    write_mails(root, NUM_ROWS)
    return root


def write_mails(root: Path, num_rows: int) -> None:
    (root / "mails").mkdir(parents=True, exist_ok=True)
    with (root / "mails" / "may.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("number", "text"))
        rows.writerows((number, f"bill {number} " + "and one more word " * 12) for number in range(num_rows))


def serve(start: Start, tmp_path: Path, root: Path, **variables: str) -> Running:
    return start(tmp_path / "data", WINDROW_FILE_ROOTS=str(root), **variables)


def asked(root: Path, **more: object) -> dict[str, object]:
    request = {"model_name": "tickets_v1", "input": f"{root}/mails/*.csv", "output": f"{root}/labelled"}
    return {**request, "shard_rows": SHARD_ROWS, **more}


def begin(server: Running, request: dict[str, object]) -> dict[str, Any]:
    reply = server.client.post(START, json=request)
    assert reply.status_code == 202, reply.text
    job: dict[str, Any] = reply.json()
    assert reply.headers["location"] == f"{JOBS}/{job['id']}"
    return job


def ended(server: Running, job: dict[str, Any]) -> dict[str, Any]:
    """Wait until a job has ended, and return it."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while (found := server.client.get(f"{JOBS}/{job['id']}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < deadline_s, found
        time.sleep(0.05)
    shown: dict[str, Any] = found
    return shown


def parts(root: Path, output: str = "labelled") -> list[Path]:
    return sorted((root / output).glob("part-*"))


def wait_for_parts(root: Path, number: int, output: str = "labelled") -> None:
    deadline_s = time.monotonic() + TIMEOUT_S
    while len(parts(root, output)) < number:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def check_whole(root: Path, num_rows: int = NUM_ROWS) -> None:
    """Check that every row is there once, in its order, with a label; of a file with more rows, the first ones are."""
    found = [row for part in parts(root) for row in csv.DictReader(part.read_text("utf-8").splitlines())]
    assert [int(row["number"]) for row in found] == list(range(num_rows))
    assert all(row["predicted_label"] for row in found)


def cancel(server: Running, job: dict[str, Any]) -> None:
    cancelled = server.client.post(f"{JOBS}/{job['id']}/cancel").json()
    assert (cancelled["state"], cancelled["problem"]["code"]) == ("cancelled", "file_prediction_cancelled")


def test_files_are_classified_as_a_job_with_progress_and_once(start: Start, tmp_path: Path, root: Path) -> None:
    server = serve(start, tmp_path, root)
    fit(server, num_iterations=0)
    job = begin(server, asked(root))
    remote = RemoteOperations(str(server.client.base_url))
    seen = list(remote.follow_job(JobRequest(job["id"])))
    remote.close()
    rows = [each.progress.step for each in seen if each.progress is not None and each.progress.stage == "predicting"]
    assert rows == sorted(rows)
    assert any(0 < each < NUM_ROWS for each in rows)
    assert {each.progress.num_shards for each in seen if each.progress is not None} >= {NUM_ROWS // SHARD_ROWS}
    assert any(each.progress.seconds_left is not None for each in seen if each.progress is not None)
    done = ended(server, job)
    assert (done["state"], done["revision"], done["kind"]) == ("succeeded", 1, "predict_files")
    report = done["files"]["report"]
    assert (report["rows"], report["shards"], report["shards_before"]) == (NUM_ROWS, NUM_ROWS // SHARD_ROWS, 0)
    check_whole(root)
    again = ended(server, begin(server, asked(root)))["files"]["report"]
    assert (again["shards_before"], again["rows_now"]) == (NUM_ROWS // SHARD_ROWS, 0)


def test_a_job_of_a_killed_server_is_interrupted_and_the_same_request_goes_on(
    start: Start, tmp_path: Path, root: Path
) -> None:
    write_mails(root, NUM_MANY)
    server = serve(start, tmp_path, root)
    fit(server, num_iterations=0)
    job = begin(server, asked(root))
    wait_for_parts(root, 2)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    kept = {part: part.stat().st_mtime_ns for part in parts(root)}
    again = serve(start, tmp_path, root)
    found = again.client.get(f"{JOBS}/{job['id']}").json()
    assert (found["state"], found["problem"]["code"]) == ("interrupted", "shutting_down")
    going_on = begin(again, asked(root))
    wait_for_parts(root, len(kept) + 2)
    cancel(again, going_on)
    left = parts(root)
    assert {part: part.stat().st_mtime_ns for part in left[: len(kept)]} == kept
    check_whole(root, len(left) * SHARD_ROWS)


def test_a_cancelled_job_ends_within_seconds_while_the_server_trains_and_predicts(
    start: Start, tmp_path: Path, root: Path
) -> None:
    write_mails(root, NUM_MANY)
    server = serve(start, tmp_path, root)
    fit(server, num_iterations=0)
    job = begin(server, asked(root))
    wait_for_parts(root, 1)
    fit(server, "tickets_v2", num_iterations=0)
    answer = server.client.post("/v1/classifier/predict", json={"model_name": "tickets_v1", "text": "send the bill"})
    assert answer.status_code == 200
    cancel(server, job)
    kept = parts(root)
    again = begin(server, asked(root))
    wait_for_parts(root, len(kept) + 2)
    cancel(server, again)
    left = parts(root)
    assert left[: len(kept)] == kept
    check_whole(root, len(left) * SHARD_ROWS)


def test_what_is_wrong_with_a_file_is_told_by_the_job_and_names_no_other_place(
    start: Start, tmp_path: Path, root: Path
) -> None:
    server = serve(start, tmp_path, root)
    fit(server, num_iterations=0)
    (root / "mails" / "june.csv").write_text("number,text\n1,a\n2, \n", encoding="utf-8")
    for request in (asked(root, input=f"{root}/none/*.csv"), asked(root, input=f"{root}/mails/june.csv")):
        failed = ended(server, begin(server, request))
        assert failed["state"] == "failed"
        assert failed["problem"]["code"] in ("invalid_parameter", "invalid_text", "invalid_file")
        assert str(tmp_path) not in failed["problem"]["detail"].replace(str(root), "")
    refused = server.client.post(START, json=asked(root, output=str(tmp_path / "data" / "out")))
    assert (refused.status_code, refused.json()["code"]) == (403, "place_not_allowed")


def test_where_the_server_has_a_cluster_that_classifies_and_each_row_counts_once(
    start: Start, tmp_path: Path, root: Path
) -> None:
    with ray_cluster(1, 1) as cluster:
        variables = {**cluster.variables, "WINDROW_RUNNER": "ray"}
        server = serve(start, tmp_path, root, **variables)
        fit(server, num_iterations=0)
        done = ended(server, begin(server, asked(root)))
        assert done["state"] == "succeeded", done["problem"]
        check_whole(root)
        for part in parts(root)[3:8]:
            part.unlink()
        report = ended(server, begin(server, asked(root)))["files"]["report"]
        assert (report["shards_before"], report["rows_now"]) == (NUM_ROWS // SHARD_ROWS - 5, 5 * SHARD_ROWS)
        check_whole(root)
        used = server.client.get("/v1/classifier/models/tickets_v1").json()["recent_predictions"]
        assert 0 <= used - (NUM_ROWS + 5 * SHARD_ROWS) <= 2  # each run asks once which revision answers
        write_mails(root, NUM_MANY)
        job = begin(server, asked(root, output=f"{root}/more"))
        wait_for_parts(root, 1, "more")
        cancel(server, job)
        assert len(parts(root, "more")) < NUM_MANY // SHARD_ROWS
