"""Replicas on one object store in any order of their requests, of which some get lost: one valid order of commits."""

import math
from itertools import count
from pathlib import Path

import pytest

from tests.fakes.bucket import MemoryBucket
from tests.storage.examples import fast_folder
from tests.storage.object_store import bodies
from tests.storage.object_store.interleaving import Interleaving
from tests.storage.object_store.ledger import Attempted, Body, Ledger, Replica
from tests.storage.object_store.stepping import Fate, Task
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
    run(range(100, 300), faults)


PAIRS: dict[str, tuple[Body, Body]] = {
    "a classifier and an alias of one name": (bodies.give("classifiers", "a"), bodies.give("aliases", "a")),
    "two counters of which each may be ahead by one": (bodies.count("x", "y"), bodies.count("y", "x")),
    "two numbers of one log": (bodies.give("classifiers", "b"), bodies.give("classifiers", "b")),
    "a purge and a number of one log": (bodies.purge("classifiers", "b"), bodies.give("classifiers", "b")),
}


def overtaken_at(step: int, pair: tuple[Body, Body], fate: Fate, *, follows: bool) -> bool:
    """Let one change overtake another one at a step of it, and return whether there was such a step."""
    with fast_folder() as folder:
        ledger = Ledger(store := MemoryBucket())
        first, second = (Replica(store, Path(folder, name)) for name in ("first", "second"))
        for replica in (first, second):
            replica.open()
            ledger.attempts.append(Attempted(replica.files, bodies.give("classifiers", "b"), 0))
            ledger.attempts[-1].task.finish()
        attempts = [Attempted(replica.files, body, 1) for replica, body in zip((first, second), pair, strict=True)]
        ledger.attempts += attempts
        slow, fast = (attempt.task for attempt in attempts)
        slow.go_on(step)
        is_there = not slow.is_done
        fast.finish()
        if follows:
            follower = Task(first.files.follow)
            follower.go_on()
        if is_there:
            slow.step(fate)
        slow.finish()
        if follows:
            follower.finish()
        for replica in (first, second):
            replica.bucket.deliver_all()
            replica.files.follow()
            ledger.check_agreement(replica)
        ledger.check_refusals()
        return is_there


@pytest.mark.parametrize("follows", [False, True], ids=["", "and its process follows"])
@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_a_change_that_another_one_overtakes_at_any_moment_holds_in_order_or_not_at_all(
    pair: tuple[Body, Body], fate: Fate, follows: bool
) -> None:
    steps = next(step for step in count() if not overtaken_at(step, pair, fate, follows=follows))
    assert steps > 10
