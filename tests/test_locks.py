"""What `make` installs: exact versions whose files are known by their hashes, and the sources to test."""

import re
import tomllib

import pytest

import windrow
from tests.source_tree import ROOT

LOCKS = ("serve", "test", "build", "openapi", "docs", "fuzz", "release", "container")
PIN = re.compile(r"([\w.-]+)==[\w.!-]+( ; .+?)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def read(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_made_of_pins_with_hashes(lock: str) -> None:
    text = "".join(line for line in read(lock).splitlines(keepends=True) if not line.startswith(("#", "-r ")))
    assert PIN.sub("", text) == ""
    assert PIN.findall(text)


def test_torch_alone_has_no_hash_and_stands_in_no_other_lock() -> None:
    assert [line for line in read("torch").splitlines() if not line.startswith("#")] == [
        line for line in _dependencies() if line.startswith("torch==")
    ]
    assert [lock for lock in LOCKS if "\ntorch==" in read(lock)] == []


def test_the_server_gets_nothing_that_builds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    served = {name.lower() for name, *_ in PIN.findall(read("serve"))}
    assert served.isdisjoint({*project["build-system"]["requires"], "pip", "wheel", "build", "uv"})


def test_what_is_tested_are_the_sources() -> None:
    """A wheel that `make serve` installed would be tested in their place; `make tests` links them again."""
    assert windrow.__file__ == str(ROOT / "src" / "windrow" / "__init__.py")


def _dependencies() -> list[str]:
    dependencies: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return dependencies
