"""Real deaths and real races: for a moment here, for as long as you like with ``python -m tests.storage.torture``."""

import os
import secrets
import subprocess
import sys

import pytest

from tests.storage.dying import ONE_THREAD, ROOT

pytestmark = pytest.mark.slow


def torture(*arguments: str) -> None:
    """Run it in a process of its own, which has no threads when it forks; what it prints names the seed."""
    command = [sys.executable, "-W", "error", "-m", "tests.storage.torture", *arguments]
    seed = ["--seed", str(secrets.randbelow(10**6))]
    done = subprocess.run([*command, *seed], cwd=ROOT, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_killed_processes_leave_the_old_or_the_new_state_and_lose_nothing_that_they_acknowledged() -> None:
    torture("--kills", "100")


def test_processes_that_race_for_the_same_names_are_all_told_the_truth() -> None:
    torture("--race-seconds", "6")


def test_servers_that_are_killed_two_at_a_time_lose_nothing_that_they_acknowledged() -> None:
    torture("--server-kills", "12")


def test_replicas_that_are_killed_and_lose_replies_lose_nothing_that_they_acknowledged() -> None:
    torture("--replica-kills", "6")


def test_replicas_whose_writers_race_acknowledge_what_is_in_the_logs_once() -> None:
    torture("--replica-seconds", "5")


def test_a_damaged_file_is_named_and_never_answered_from() -> None:
    torture("--mutants", "60")
