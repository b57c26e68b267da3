"""Rows of System One and its kin, and what is in them."""

import json
from typing import Any

from tests.files.formats.reading import Sample


def asked(label: object, **more: Any) -> dict[str, Any]:
    """Return a question with its answer."""
    return {
        "type": "choice",
        "instructions": "Which team is to answer?",
        "criteria": {"billing": "Invoices and payments", "app": "The app does not work"},
        "label": label,
        **more,
    }


ROWS = [
    {"state": "Refund please", "questions": {"team": asked("billing")}},
    {"state": "It crashes", "questions": {"team": asked("app")}},
    {"state": "Nobody looked at this one", "questions": {"team": {"type": "choice"}}},
]
EXPECTED = [
    {
        "state": {"mail": text, "number": number},
        "questions": {"team": {"type": "choice"}, "urgent": {"type": "boolean"}},
        "expected": {"team": team, "urgent": urgent},
    }
    for number, (text, team, urgent) in enumerate((("Refund please", "billing", False), ("It crashes", "app", True)))
]


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


SAMPLES = {
    "system_one": (
        Sample(
            "one question",
            "rows.jsonl",
            _jsonl(ROWS),
            [("Refund please", ("billing",)), ("It crashes", ("app",)), ("Nobody looked at this one", None)],
        ),
        Sample(
            "one of several questions, answers apart",
            "rows.jsonl",
            _jsonl(EXPECTED),
            [("Refund please", ("billing",)), ("It crashes", ("app",))],
            kind="single_label",
            options={"label_column": "team"},
        ),
        Sample(
            "a question of yes or no",
            "rows.json",
            json.dumps(EXPECTED).encode(),
            [("Refund please", ("false",)), ("It crashes", ("true",))],
            kind="single_label",
            options={"label_column": "urgent", "text_column": ("state.mail",)},
        ),
    )
}
