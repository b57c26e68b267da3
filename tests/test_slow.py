"""What keeps `make quick` quick."""

import os
import subprocess

import pytest


def test_a_test_that_is_not_marked_as_slow_cannot_start_a_process() -> None:
    for start in (lambda: os.system("true"), os.fork, lambda: subprocess.run(["true"])):
        with pytest.raises(pytest.fail.Exception, match=r"mark it with pytest\.mark\.slow"):
            start()


@pytest.mark.slow
def test_one_that_is_can() -> None:
    assert subprocess.run(["true"]).returncode == 0
