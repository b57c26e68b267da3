"""A process takes no more cores than it was given."""

from pathlib import Path

import psutil
import pytest

from windrow.encoders.cores import usable_cores


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
