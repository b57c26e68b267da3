"""Replicas on one object store in any order of their requests, of which some get lost: one valid order of commits."""

import math
from pathlib import Path

import pytest

from tests.storage.examples import fast_folder
from tests.storage.object_store.interleaving import Interleaving
from windrow.storage.object_store import commit_log, object_files


@pytest.fixture(autouse=True)
def _many_checkpoints_and_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_log, "_MIN_CHANGES", 1)
    monkeypatch.setattr(commit_log, "_KEPT_CHECKPOINTS", 2)
    # Replicas follow where the test says so, and not by the time.
    monkeypatch.setattr(object_files, "MAX_AGE_S", math.inf)


def run(seeds: range, faults: float, steps: int = 200) -> None:
    for seed in seeds:
        with fast_folder() as folder:
            interleaving = Interleaving(seed, Path(folder), faults)
            try:
                interleaving.run(steps)
            except BaseException as error:
                error.add_note(f"seed {seed}, {faults} of the requests are lost:\n" + "\n".join(interleaving.history))
                raise


@pytest.mark.parametrize("faults", [0.0, 0.03, 0.15])
def test_acknowledged_changes_are_in_the_log_once_in_a_valid_order(faults: float) -> None:
    run(range(15), faults)


@pytest.mark.slow
@pytest.mark.parametrize("faults", [0.0, 0.01, 0.03, 0.15])
def test_acknowledged_changes_are_in_the_log_once_in_a_valid_order_at_length(faults: float) -> None:
    run(range(100, 250), faults)
