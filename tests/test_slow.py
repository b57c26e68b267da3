"""What keeps `make quick` quick."""

import gc
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.slow import pytest_ignore_collect, slow_first


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


@dataclass(frozen=True)
class Item:
    """A test, as far as its order needs it."""

    path: Path
    number: int
    is_slow: bool

    def get_closest_marker(self, name: str) -> object | None:
        return name if self.is_slow else None


@pytest.mark.parametrize("num_processes", [1, 3, 9])
def test_each_process_begins_with_slow_tests_and_those_of_a_module_stay_together(num_processes: int) -> None:
    items = [Item(Path(f"test_{number // 5:02}.py"), number, is_slow=number % 10 < 3) for number in range(90)]
    ordered = slow_first(cast(list[pytest.Item], items), num_processes)
    assert sorted(cast(list[Item], ordered), key=lambda item: item.number) == items
    size = len(items) // num_processes
    for first in range(0, len(items), size):
        part = cast(list[Item], ordered[first : first + size])
        num_slow = sum(item.is_slow for item in part)
        assert num_slow == 27 // num_processes
        assert [item.is_slow for item in part] == [True] * num_slow + [False] * (size - num_slow)
        modules = [item.path for item in part[:num_slow]]
        assert modules == sorted(modules)


def test_what_was_collected_stays_out_of_the_garbage_collectors_way() -> None:
    assert gc.get_freeze_count() > 10_000


def test_compiled_modules_and_rewritten_assertions_are_kept_whatever_the_environment_says() -> None:
    assert not sys.dont_write_bytecode
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
