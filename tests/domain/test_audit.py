"""What may be asked of the audit trail, and which lines are meant."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from windrow.domain.audit import AuditLine, AuditRequest, check_audit_request
from windrow.domain.errors import InvalidParameter

LINE = AuditLine(
    id="0006400000000a-0a1b2c",
    at=datetime(2025, 9, 15, 10, 30, tzinfo=UTC),
    key_name="shop",
    address="10.0.0.1",
    verb="delete",
    target="tickets@2",
)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"since": "2025-09-15"},
        {"since": "2025-09-15T10:30:00Z"},
        {"key_name": "shop"},
        {"target": "tickets"},
        {"target": "tickets@2"},
        {"verb": LINE.verb},
        {"key_name": "shop", "target": "tickets", "since": "2025-01-01"},
    ],
)
def test_a_line_is_meant_if_everything_applies_that_is_said(asked: dict[str, Any]) -> None:
    request = AuditRequest(**asked)
    check_audit_request(request)
    assert request.has(LINE)


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "2025-09-15T10:30:01Z"},
        {"since": "2025-09-16"},
        {"key_name": "other"},
        {"target": "ticket"},
        {"target": "tickets@1"},
        {"verb": LINE.verb[:-1]},
        {"verb": LINE.verb, "key_name": "other"},
        {"target": "tickets", "key_name": "other"},
    ],
)
def test_a_line_is_not_meant_if_something_does_not_apply(asked: dict[str, Any]) -> None:
    assert not AuditRequest(**asked).has(LINE)


def test_a_line_without_a_key_is_no_key_s() -> None:
    assert not AuditRequest(key_name="shop").has(replace(LINE, key_name=None))


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2025-02-30"}, "since"),
        ({"since": "2025-09-15T10:30:00+02:00"}, "since"),
        ({"since": ""}, "since"),
        ({"key_name": ""}, "key_name"),
        ({"target": ""}, "target"),
        ({"verb": ""}, "verb"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": ""}, "cursor"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_audit_request(AuditRequest(**asked))
    assert caught.value.facts["parameter"] == parameter
