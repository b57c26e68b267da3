"""A place for classifiers, on the disk and in memory, and the catalog of it."""

from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.examples import open_catalog
from tests.storage.tickets import AT
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files, LocalFiles


@pytest.fixture(params=["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return LocalFiles(tmp_path) if request.param == "local" else MemoryFiles()


@pytest.fixture
def catalog(files: Files) -> Catalog:
    return open_catalog(files, lambda: AT)
