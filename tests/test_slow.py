"""What keeps `make quick` quick."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slow import pytest_ignore_collect


def test_a_test_that_is_not_marked_as_slow_cannot_start_a_process() -> None:
    for start in (lambda: os.system("true"), os.fork, lambda: subprocess.run(["true"])):
        with pytest.raises(pytest.fail.Exception, match=r"mark it with pytest\.mark\.slow"):
            start()


@pytest.mark.slow
def test_one_that_is_can() -> None:
    assert subprocess.run(["true"]).returncode == 0


@pytest.mark.parametrize(
    ("wanted", "mark", "is_left_out"),
    [
        ("not slow", "pytestmark = pytest.mark.slow", True),
        ("not slow", "pytestmark = pytest.mark.anything", None),
        ("not slow", "@pytest.mark.slow", None),
        ("not slow", "# pytestmark = pytest.mark.slow", None),
        ("slow", "pytestmark = pytest.mark.slow", None),
        ("", "pytestmark = pytest.mark.slow", None),
    ],
)
def test_only_a_module_all_of_whose_tests_are_slow_is_left_out_of_a_quick_run(
    wanted: str, mark: str, is_left_out: bool | None, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    module = tmp_path / "test_it.py"
    module.write_text(f"import pytest\n\n{mark}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request.config.option, "markexpr", wanted)
        assert pytest_ignore_collect(module, request.config) is is_left_out
        assert pytest_ignore_collect(tmp_path, request.config) is None


def test_what_was_collected_stays_out_of_the_garbage_collectors_way() -> None:
    assert gc.get_freeze_count() > 10_000


def test_compiled_modules_and_rewritten_assertions_are_kept_whatever_the_environment_says() -> None:
    assert not sys.dont_write_bytecode
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
