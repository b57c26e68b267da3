"""A process takes no more cores than it was given."""

import os
from pathlib import Path

import psutil
import pytest

from windrow.encoders.cores import ThreadAffinity, choose_affinity, usable_cores


@pytest.mark.parametrize(("text", "cores"), [("100000 100000\n", 1), ("50000 100000\n", 1), ("150000 100000\n", 2)])
def test_the_limit_of_the_control_group_counts(
    text: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(text)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical: 8)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert usable_cores(tmp_path / "cpu.max") == cores


@pytest.mark.parametrize("text", ["max 100000\n", "", "nonsense"])
def test_without_a_limit_the_physical_cores_that_are_allowed_count(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(text)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical: 4)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert usable_cores(tmp_path / "cpu.max") == 4
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3}, raising=False)
    assert usable_cores(tmp_path / "missing") == 1


def write_topology(path: Path, siblings: dict[int, str]) -> Path:
    for number, text in siblings.items():
        folder = path / f"cpu{number}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(text + "\n")
    return path


def allow(numbers: set[int], monkeypatch: pytest.MonkeyPatch) -> list[frozenset[int]]:
    """Let this process use such processors; return the list of what its threads are confined to from now on."""
    confined: list[frozenset[int]] = []
    monkeypatch.setattr("os.sched_getaffinity", lambda _: numbers, raising=False)
    monkeypatch.setattr("os.sched_setaffinity", lambda _, allowed: confined.append(frozenset(allowed)), raising=False)
    return confined


def test_each_thread_gets_a_core_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    confined = allow({0, 1, 2, 3, 4, 5}, monkeypatch)
    topology = write_topology(tmp_path, {0: "0,4", 1: "1,5", 2: "2-3", 3: "2-3", 4: "0,4", 5: "1,5"})
    affinity = choose_affinity(3, topology)
    assert affinity is not None
    assert affinity.worker_processors == "2,6;3,4"
    with affinity.pin_caller():
        assert confined == [frozenset({0, 4})]
    assert confined == [frozenset({0, 4}), frozenset(range(6))]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no thread affinity")
def test_a_missing_core_leaves_the_thread_unpinned() -> None:
    before = os.sched_getaffinity(0)
    with ThreadAffinity((frozenset({100_000}), frozenset({100_001}))).pin_caller():
        assert os.sched_getaffinity(0) == before
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize(("threads", "allowed"), [(1, {0}), (2, {0, 1, 2, 3}), (2, {0, 4})])
def test_a_process_that_does_not_use_all_its_cores_is_not_pinned(
    threads: int, allowed: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(allowed, monkeypatch)
    assert choose_affinity(threads, write_topology(tmp_path, {0: "0,4", 4: "0,4"})) is None


def test_processors_of_an_unknown_layout_count_as_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allow({2, 5}, monkeypatch)
    affinity = choose_affinity(2, write_topology(tmp_path, {2: "nonsense"}))
    assert affinity is not None
    assert (affinity.cores, affinity.worker_processors) == ((frozenset({2}), frozenset({5})), "6")


def test_a_system_without_thread_affinity_pins_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sched_setaffinity", raising=False)
    assert choose_affinity(2, tmp_path) is None
