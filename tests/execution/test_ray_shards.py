"""Shards that a cluster lost are classified again; the cluster is real in test_ray_file_prediction.py."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ray.exceptions import ActorUnavailableError, RayActorError, RayError, RayTaskError

from windrow.execution import ray_shards
from windrow.execution.ray_cluster import NOT_MADE
from windrow.execution.ray_shards import RETRIES, shard_results

pytestmark = pytest.mark.slow

JOB = {"parts": [(1, 1), (1, 2), (1, 3), (2, 1)], "threads": 1, "workers": 0, "actor": {}}
Told = dict[str, Any]
Parts = list[tuple[int, int]]
Run = Callable[[Parts], Iterator[Told]]
Ask = Callable[..., list[Parts]]


def unavailable() -> RayError:
    return ActorUnavailableError("no connection", None)


def told(part: tuple[int, int]) -> Told:
    return {"file": part[0], "shard": part[1], "problem": ""}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """What lets Ray's runs go as they are told, one after the other; returns the parts that each was asked for."""

    def go(*runs: Run) -> list[Parts]:
        parts: list[Parts] = []
        left = iter(runs)

        def run(job: dict[str, Any], archive: object, files: list[object]) -> Iterator[Told]:
            assert (archive, files, job["workers"]) == (b"archive", [], 0)
            parts.append(list(job["parts"]))
            return next(left)(job["parts"])

        monkeypatch.setattr(ray_shards, "_results_once", run)
        return parts

    return go


def whole(parts: Parts) -> Iterator[Told]:
    yield from map(told, parts)


def lost_after(number: int, error: Callable[[], Exception] = unavailable) -> Run:
    """Return a run that ends after so many shards, the last ones first."""

    def run(parts: Parts) -> Iterator[Told]:
        yield from map(told, parts[::-1][:number])
        raise error()

    return run


def results() -> Parts:
    return [(each["file"], each["shard"]) for each in shard_results(JOB, b"archive", [])]


def test_what_is_left_when_ray_gives_up_is_asked_for_again(asked: Ask) -> None:
    parts = asked(lost_after(1), lost_after(2), whole)
    assert results() == [(2, 1), (1, 3), (1, 2), (1, 1)]
    assert parts == [[(1, 1), (1, 2), (1, 3), (2, 1)], [(1, 1), (1, 2), (1, 3)], [(1, 1)]]


def test_nothing_is_asked_for_once_all_are_whole(asked: Ask) -> None:
    parts = asked(lost_after(4))
    assert len(results()) == 4
    assert len(parts) == 1


def test_losses_count_anew_after_each_shard_that_is_whole(asked: Ask) -> None:
    none = [lost_after(0)] * RETRIES
    parts = asked(*none, lost_after(1), *none[1:], lost_after(3))
    assert sorted(results()) == sorted(JOB["parts"])  # type: ignore[call-overload]
    assert len(parts) == 2 * RETRIES + 1


def test_losses_without_a_shard_in_between_end_it(asked: Ask) -> None:
    parts = asked(lost_after(1), *[lost_after(0)] * RETRIES)
    with pytest.raises(ActorUnavailableError):
        results()
    assert len(parts) == RETRIES + 1


@pytest.mark.parametrize(
    "error",
    [
        lambda: RayTaskError("map", "Traceback", ValueError("broken")),  # type: ignore[no-untyped-call]
        lambda: RayActorError(error_msg=f"its {NOT_MADE} failed: No module named 'windrow'"),
        lambda: ValueError("broken"),
    ],
    ids=["a defect there", "Windrow is missing there", "a defect here"],
)
def test_what_would_go_wrong_again_is_told_at_once(asked: Ask, error: Callable[[], Exception]) -> None:
    parts = asked(lost_after(1, error))
    with pytest.raises((RayError, ValueError)):
        results()
    assert len(parts) == 1
