"""Files of Argilla's records, and what is in them."""

import json
from typing import Any

from tests.files.formats.reading import NONE, Sample


def record(number: int, text: object, *values: object, **more: Any) -> dict[str, Any]:
    """Return a record of release 2 with a response by each of several people."""
    responses = {"label": [{"value": value, "user_id": f"u{user}"} for user, value in enumerate(values)]}
    return {
        "id": f"r{number}",
        "fields": {"text": text},
        "metadata": {"source": "mail"},
        "suggestions": {},
        "responses": responses if values else {},
        "vectors": {},
        "status": "completed" if values else "pending",
        "_server_id": f"5f2e-{number}",
        **more,
    }


GUESS = {"label": {"value": "positive", "score": 0.9, "agent": "robot"}}
NESTED = [
    record(1, "The delivery was fast", "positive"),
    record(2, "The box was empty", "negative", suggestions=GUESS),
    record(3, "It is what it is", "positive", "negative"),
    record(4, "Nobody looked at this one"),
    record(5, "Only a machine looked at this one", suggestions=GUESS),
]
SEVERAL = [
    record(1, "Invoice wrong, app crashes", ["billing", "app"], ["billing", "app", "other"], ["app", "billing"]),
    record(2, "Refund please", ["billing"]),
    record(3, "Hello", []),
]
FLAT = [
    {
        "id": f"r{number}",
        "status": "completed",
        "_server_id": f"5f2e-{number}",
        "text": text,
        "source": "mail",
        "label.responses": values,
        "label.responses.users": [f"u{user}" for user in range(len(values))],
        "label.responses.status": statuses,
        "label.suggestion": "positive",
        "label.suggestion.score": 0.9,
        "label.suggestion.agent": "robot",
    }
    for number, text, values, statuses in (
        (1, "The delivery was fast", ["positive"], ["submitted"]),
        (2, "The box was empty", ["positive", "negative"], ["discarded", "submitted"]),
        (3, "Half done", ["positive"], ["draft"]),
    )
]
FEEDBACK = [
    {
        "id": f"{number}",
        "fields": {"text": text},
        "metadata": {},
        "external_id": None,
        "responses": [{"user_id": "u1", "values": {"topic": {"value": value}}, "status": status}],
        "suggestions": [],
    }
    for number, text, value, status in (
        (1, "Refund please", "billing", "submitted"),
        (2, "It crashes", "app", "submitted"),
        (3, "???", "app", "discarded"),
    )
]

SAMPLES = {
    "argilla": (
        Sample(
            "records",
            "records.json",
            json.dumps(NESTED).encode(),
            [
                ("The delivery was fast", ("positive",)),
                ("The box was empty", ("negative",)),
                ("Nobody looked at this one", None),
            ],
            num_left_out=2,
        ),
        Sample(
            "records with several labels",
            "records.json",
            json.dumps(SEVERAL).encode(),
            [("Invoice wrong, app crashes", ("billing", "app")), ("Refund please", ("billing",)), ("Hello", NONE)],
            kind="multi_label",
            options={"labels_column": "label"},
        ),
        Sample(
            "flat records",
            "records.jsonl",
            "".join(json.dumps(row) + "\n" for row in FLAT).encode(),
            [("The delivery was fast", ("positive",)), ("The box was empty", ("negative",))],
            num_left_out=1,
        ),
        Sample(
            "feedback task before release 2",
            "feedback.json",
            json.dumps(FEEDBACK).encode(),
            [("Refund please", ("billing",)), ("It crashes", ("app",))],
            num_left_out=1,
        ),
    )
}
