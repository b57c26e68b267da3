"""`make audit` names licences that may not be shipped, known vulnerabilities, and what was not looked at."""

import json
from typing import Any

import pytest

from requirements.audit import findings, is_permitted, licences, objections, read_answer

GPL = {"name": "readline", "version": "6", "licenses": [{"license": {"id": "GPL-3.0-or-later"}}]}
MIT = {"name": "rich", "version": "15", "licenses": [{"license": {"id": "MIT"}}]}
SILENT: dict[str, Any] = {"name": "silent", "version": "1"}


@pytest.mark.parametrize("expression", ["MIT", "BSD-3-Clause AND Zlib", "GPL-2.0-only OR MIT", "(MIT AND 0BSD)"])
def test_a_licence_without_further_conditions_is_permitted(expression: str) -> None:
    assert is_permitted(expression)


@pytest.mark.parametrize("expression", ["GPL-3.0-or-later", "MIT AND GPL-2.0-only", "none named", "Proprietary"])
def test_any_other_licence_is_not_permitted(expression: str) -> None:
    assert not is_permitted(expression)


def test_each_package_with_a_licence_that_is_not_permitted_or_with_none_is_named() -> None:
    assert objections({"components": [GPL, MIT, SILENT]}) == ["readline 6: GPL-3.0-or-later", "silent 1: none named"]


def test_a_licence_is_read_from_a_classifier_where_metadata_have_no_expression() -> None:
    worded = {"name": "scipy", "licenses": [{"license": {"name": "License :: OSI Approved :: BSD License"}}]}
    assert licences(worded) == ["BSD-3-Clause"]


def test_a_database_that_gives_no_answer_or_knows_no_package_was_not_reached() -> None:
    assert read_answer("") is None
    assert read_answer(json.dumps({"dependencies": [{"name": "numpy", "skip_reason": "not found"}]})) is None


def test_each_known_vulnerability_is_told_with_the_version_that_mends_it() -> None:
    hole = {"id": "PYSEC-1", "fix_versions": ["2.1"], "description": ""}
    answer = {"dependencies": [{"name": "a", "version": "2.0", "vulns": [hole]}, {"name": "b", "skip_reason": "?"}]}
    packages = read_answer(json.dumps(answer))
    assert packages is not None
    assert findings(packages) == ["a 2.0: PYSEC-1, mended in 2.1"]
