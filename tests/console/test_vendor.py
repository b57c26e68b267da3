"""The console's libraries are what npm has, and a browser finds all that they import."""

import hashlib
import json
import tomllib

import pytest

from requirements.vendor import FILES, served_text, tarball
from tests.console.imports import imports
from tests.source_tree import PACKAGE, ROOT

VENDOR = PACKAGE / "console" / "vendor"
VERSIONS = tomllib.loads((VENDOR / "VERSIONS").read_text())
LOCKED = json.loads((ROOT / "tests" / "console" / "package-lock.json").read_text())["packages"]


def test_the_folder_holds_the_libraries_their_types_versions_and_licences_and_nothing_else() -> None:
    types = {file.replace(".js", ".d.ts") for file in VERSIONS}
    assert {path.name for path in VENDOR.iterdir()} == {*VERSIONS, *types, "VERSIONS", "LICENSES"}
    assert VERSIONS.keys() == FILES.keys()


@pytest.mark.parametrize("file", VERSIONS)
def test_a_library_has_the_digest_that_versions_names(file: str) -> None:
    assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == VERSIONS[file]["sha256"]


@pytest.mark.parametrize("file", VERSIONS)
def test_a_library_is_the_version_whose_types_are_checked(file: str) -> None:
    entry, locked = VERSIONS[file], LOCKED[f"node_modules/{VERSIONS[file]['package']}"]
    assert (entry["version"], entry["integrity"], entry["licence"]) == (
        locked["version"],
        locked["integrity"],
        locked["license"],
    )
    assert entry["tarball"] == tarball(entry["package"], entry["version"])


@pytest.mark.parametrize("file", VERSIONS)
def test_a_library_imports_files_beside_it_alone_and_names_no_source_map(file: str) -> None:
    text = (VENDOR / file).read_text(encoding="utf-8")
    assert {name.removeprefix("./") for name in imports(text)} <= VERSIONS.keys()
    assert all(name.startswith("./") for name in imports(text))
    assert "sourceMappingURL" not in text
    assert len(text) > 1_000  # and something is left


def test_the_licence_of_each_library_is_kept() -> None:
    texts = (VENDOR / "LICENSES").read_text(encoding="utf-8")
    packages = {entry["package"] for entry in VERSIONS.values()}
    assert all(f"{package}\n{'=' * len(package)}\n" in texts for package in packages)
    assert texts.count("Permission is hereby granted") == 3
    assert "Apache License" in texts


def test_imports_are_rewritten_and_a_source_map_behind_the_code_goes_alone() -> None:
    source = 'import{h as t}from"preact";export{signal}from"@preact/signals-core";t();//# sourceMappingURL=x.mjs.map'
    assert served_text(source) == 'import{h as t}from"./preact.js";export{signal}from"./signals-core.js";t();\n'


def test_an_import_that_nothing_serves_stops_the_copying() -> None:
    with pytest.raises(KeyError, match="preact/compat"):
        served_text('import{memo}from"preact/compat";')
