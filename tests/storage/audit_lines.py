"""Lines of the audit trail for tests, by their number of seconds."""

from datetime import UTC, datetime, timedelta
from typing import Any

from windrow.domain.audit import AuditLine

NOON = datetime(2025, 9, 15, 12, 0, tzinfo=UTC)


def audit_line(seconds: float = 0, **changes: Any) -> AuditLine:
    """Return a line of so many seconds after noon; ``verb`` tells one from another."""
    at = NOON + timedelta(seconds=seconds)
    values: dict[str, Any] = {
        "id": f"{round(at.timestamp() * 1e6):014x}-0a1b2c",
        "at": at.replace(microsecond=0),
        "key_name": "shop",
        "address": "10.0.0.1",
        "verb": "describe",
        "target": "tickets",
        "request_id": "abc",
    }
    return AuditLine(**values | changes)
