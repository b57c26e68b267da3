"""A data directory that is gone: nothing is taken for removed, nothing is made in its place, and it may come back."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.hostile.conftest import StartVictim
from tests.http.asking import ALIASES, API, FIT, FIT_PATH, JOBS, MODELS, PREDICT_PATH, check_problem, fit, wait_until

pytestmark = pytest.mark.slow

CODE = "data_directory_unavailable"


def _put_another(data_dir: Path) -> None:
    for part in ("classifiers", "aliases", "jobs"):
        (data_dir / part).mkdir(parents=True)
    (data_dir / ".data_directory").write_text("0123456789abcdef0123456789abcdef\n")


WAYS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "moved away": ("missing", lambda data_dir: None),
    "an empty mount point": ("replaced", Path.mkdir),
    "another one in its place": ("replaced", _put_another),
    "a file": ("replaced", Path.touch),
}


def _everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*")) if folder.is_dir() else [folder] * folder.exists()


def _is_ready(client: httpx.Client) -> bool:
    return client.get("/health/ready").status_code == 200


def _check_refused(client: httpx.Client, archive: bytes) -> None:
    zipped = {"Content-Type": "application/zip"}
    for reply in (
        client.get(MODELS),
        client.get(f"{MODELS}/a"),
        client.get(f"{MODELS}/a/export"),
        client.get(f"{MODELS}/nobody"),
        client.get(ALIASES),
        client.get(f"{ALIASES}/live/history"),
        client.get(JOBS),
        client.get(f"{API}/usage"),
        client.get(f"{API}/base-models"),
        client.post(f"{API}/fsck", json={"repair": True}),
        client.post(FIT_PATH, json=FIT),
        client.post(f"{FIT_PATH}?wait=false", json=FIT),
        client.post(f"{FIT_PATH}?dry_run=true", json=FIT),
        client.post(f"{MODELS}/import", content=archive, headers=zipped),
        client.post(f"{MODELS}/import?model_name=c&dry_run=true", content=archive, headers=zipped),
        client.post(f"{MODELS}/a/copy", json={"new_name": "c"}),
        client.post(f"{MODELS}/a@1/restore"),
        client.patch(f"{MODELS}/a", json={"description": "gone"}),
        client.put(f"{MODELS}/a/threshold", json={"abstain_below": 0.5}),
        client.put(f"{ALIASES}/live", json={"model_name": "b"}),
        client.put(f"{ALIASES}/new", json={"model_name": "b"}),
        client.post(f"{ALIASES}/live/rollback"),
        client.delete(f"{ALIASES}/live"),
        client.delete(f"{MODELS}/a"),
        client.delete(f"{MODELS}/a?purge=true&force=true"),
        client.delete(f"{MODELS}?prefix=a&force=true"),
        client.post(PREDICT_PATH, json={"model_name": "nobody", "text": "hello"}),
        client.get("/health/ready"),
    ):
        problem = check_problem(reply, 503, CODE)
        assert "Bring it back" in str(problem["detail"])


def _listed(client: httpx.Client) -> list[dict[str, object]]:
    """Return the list of classifiers, but for how they are used meanwhile."""
    models = client.get(MODELS).json()["models"]
    return [
        {name: each[name] for name in each if name not in ("last_used_at", "recent_predictions")} for each in models
    ]


@pytest.mark.parametrize("way", WAYS)
def test_while_the_data_directory_is_gone_only_what_is_loaded_answers_and_then_all_is_as_before(
    way: str, start_victim: StartVictim, tmp_path: Path
) -> None:
    data_dir, aside = tmp_path / "data", tmp_path / "aside"
    client = start_victim(WINDROW_DATA_DIR=str(data_dir)).client
    fit(client, "a", "b")
    client.put(f"{ALIASES}/live", json={"model_name": "a"}).raise_for_status()
    archive = client.get(f"{MODELS}/a/export").content
    asked: list[dict[str, object]] = [{"model_name": name, "text": "hello"} for name in ("a", "b", "live")]
    asked += [{"model_names": ["a", "live"], "text": "hello"}, {"model_name": "a", "texts": ["hello", "you"]}]
    before = [client.post(PREDICT_PATH, json=each).json() for each in asked]
    listed = _listed(client)
    problem, put = WAYS[way]

    data_dir.rename(aside)
    put(data_dir)
    in_its_place = _everything(data_dir)
    # For a moment, nothing is in its place.
    wait_until(lambda: client.get("/health/ready").json().get("problem") == problem)
    assert client.get("/health").status_code == 200
    assert "windrow_ready 0.0" in client.get("/metrics").text
    _check_refused(client, archive)
    assert [client.post(PREDICT_PATH, json=each).json() for each in asked] == before
    assert _everything(data_dir) == in_its_place

    shutil.rmtree(data_dir) if data_dir.is_dir() else data_dir.unlink(missing_ok=True)
    aside.rename(data_dir)
    wait_until(lambda: _is_ready(client))
    assert _listed(client) == listed
    assert [client.post(PREDICT_PATH, json=each).json() for each in asked] == before
    fit(client, "a", "c")
    assert client.post(PREDICT_PATH, json=asked[0]).json()["revision"] == 2


def test_a_directory_that_is_restored_from_a_copy_is_the_same_one(start_victim: StartVictim, tmp_path: Path) -> None:
    data_dir, copy = tmp_path / "data", tmp_path / "copy"
    client = start_victim(WINDROW_DATA_DIR=str(data_dir)).client
    fit(client, "a")
    shutil.copytree(data_dir, copy)
    fit(client, "b")
    shutil.rmtree(data_dir)
    wait_until(lambda: not _is_ready(client))
    copy.rename(data_dir)
    wait_until(lambda: _is_ready(client))
    assert [model["name"] for model in client.get(MODELS).json()["models"]] == ["a"]
    wait_until(lambda: client.post(PREDICT_PATH, json={"model_name": "b", "text": "hello"}).status_code == 404)
    fit(client, "b")


def test_a_training_that_ends_while_the_directory_is_gone_is_saved_once_it_is_back(
    start_victim: StartVictim, tmp_path: Path
) -> None:
    data_dir, aside = tmp_path / "data", tmp_path / "aside"
    victim = start_victim("--pause", WINDROW_DATA_DIR=str(data_dir))
    replies: list[httpx.Response] = []
    fitting = threading.Thread(target=lambda: replies.append(victim.client.post(FIT_PATH, json=FIT)))
    fitting.start()
    assert victim.process.stdout is not None
    assert victim.process.stdin is not None
    while "fit is running" not in victim.process.stdout.readline():
        pass
    data_dir.rename(aside)
    wait_until(lambda: httpx.get(f"http://127.0.0.1:{victim.port}/health/ready").status_code == 503)
    victim.process.stdin.write("\n")
    victim.process.stdin.flush()
    wait_until(lambda: "waits to be saved" in (tmp_path / "log0").read_text())
    assert not data_dir.exists()
    aside.rename(data_dir)
    fitting.join(60)
    assert [reply.status_code for reply in replies] == [200]
    (job,) = victim.client.get(JOBS).json()["jobs"]
    assert job["state"] == "succeeded"
