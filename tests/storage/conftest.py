"""A place for classifiers, on the disk, in memory and in an object store, and the catalog of it."""

from functools import cache
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.examples import object_files, open_catalog
from tests.storage.tickets import AT
from windrow.storage import name_check, namespace
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files, LocalFiles
from windrow.storage.revision import alias_from_json, entry_from_json


@pytest.fixture(params=["local", "memory", "object store"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "object store":
        return object_files(tmp_path)
    return LocalFiles(tmp_path) if request.param == "local" else MemoryFiles()


@pytest.fixture
def catalog(files: Files) -> Catalog:
    return open_catalog(files, lambda: AT)


@pytest.fixture(scope="package")
def parsed_once() -> tuple[object, object]:
    """What parses a classifier's and an alias's documents, equal bytes once."""
    return cache(entry_from_json), cache(alias_from_json)


@pytest.fixture
def parsing_once(parsed_once: tuple[object, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse equal documents once: after each call that fails, a new server reads the same few, from its own files."""
    for module in (namespace, name_check):
        for parse, once in zip((entry_from_json, alias_from_json), parsed_once, strict=True):
            monkeypatch.setattr(module, parse.__name__, once)
