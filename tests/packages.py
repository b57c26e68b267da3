"""What is given to people: the wheel and the source archive of these sources, and an environment with the wheel alone.

Everything is made without the network, from what `make` has installed.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

import pytest
from packaging.requirements import Requirement

from requirements.shipped import normalised
from tests.conftest import made_once
from tests.source_tree import ROOT

BUILD = ROOT / ".venv-build" / "bin" / "python"
SERVED = ("serve.txt", "torch.txt")


def leave_out(reason: str) -> NoReturn:
    """Leave a test out where something is not installed, but never in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windrow's wheel, built from these sources with what `make` has installed for that, without the network."""
    return next(made_once("wheel", _builder("wheel"), tmp_path_factory).glob("*.whl"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windrow's source archive, built likewise."""
    return next(made_once("sdist", _builder("sdist"), tmp_path_factory).glob("*.tar.gz"))


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and the packages of the lock, and nothing of the tests."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copy(wheel, folder)
    create, install, _ = install_commands()
    # The page's python3 is this one. The packages are there already; pip would ask an index for them.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    offline = {**os.environ, "PATH": path, "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_QUIET": "1"}
    subprocess.run(["bash", "-euc", create], cwd=folder, env=offline, check=True)
    python = folder / "windrow" / "bin" / "python"
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    found = subprocess.run(where, capture_output=True, text=True, check=True)
    link_packages(locked(), Path(found.stdout.strip()))
    subprocess.run(["bash", "-euc", install], cwd=folder, env=offline, check=True)
    return python


def install_commands() -> list[str]:
    """Return the commands by which the page about it installs the wheel: make an environment, install, serve."""
    page = (ROOT / "docs" / "how-to" / "install.md").read_text().partition("\n## Install the wheel\n")[2]
    return page.partition("```sh\n")[2].partition("```")[0].strip().splitlines()


def locked() -> list[str]:
    """Return the names of the packages that a server needs on this platform, torch's own among them."""
    lines = [line for lock in SERVED for line in (ROOT / "requirements" / lock).read_text().splitlines()]
    pins = [Requirement(line.removesuffix(" \\")) for line in lines if "==" in line and not line.startswith("#")]
    names = [pin.name for pin in pins if pin.marker is None or pin.marker.evaluate()]
    needed = [Requirement(line) for line in importlib.metadata.requires("torch") or []]
    return names + [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]


def link_packages(names: Iterable[str], folder: Path) -> None:
    """Link installed packages into a folder from which an interpreter imports, each with its metadata.

    Args:
        names: The packages.
        folder: Of the other environment; packages that share a namespace, as ``google``, are linked below it.
    """
    source = Path(sysconfig.get_path("purelib"))
    for name in {normalised(each) for each in names}:
        files = importlib.metadata.distribution(name).files or []
        for parts in {_linked_parts(source, file.parts) for file in files if file.parts[0] != ".."}:
            link = folder.joinpath(*parts)
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists():
                link.symlink_to(source.joinpath(*parts))


def _linked_parts(source: Path, parts: tuple[str, ...]) -> tuple[str, ...]:
    first = source / parts[0]
    is_whole = first.is_file() or first.suffix == ".dist-info" or (first / "__init__.py").exists() or len(parts) < 2
    return parts[:1] if is_whole else parts[:2]


def _builder(target: str) -> Callable[[Path], None]:
    if not BUILD.exists():
        leave_out("needs what builds the wheel: make .venv-build/.hatchling")

    def build(folder: Path) -> None:
        hatchling = [str(BUILD), "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
        subprocess.run(hatchling, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    return build
