"""Files as Prodigy's ``db-out`` writes them, and what is in them."""

import json
from typing import Any

from tests.files.formats.reading import NONE, Sample

BINARY = """\
{"text":"The delivery was fast","label":"PRAISE","_input_hash":11,"_task_hash":21,"answer":"accept"}
{"text":"The box was empty","label":"PRAISE","_input_hash":12,"_task_hash":22,"answer":"reject"}
{"text":"asdf","label":"PRAISE","_input_hash":13,"_task_hash":23,"answer":"ignore"}
{"text":"Where is my parcel?","label":"QUESTION","_input_hash":14,"_task_hash":24,"answer":"accept"}
"""


def choice(number: int, text: str, accept: list[Any], answer: str = "accept", style: str = "single") -> dict[str, Any]:
    """Return an answered task with options."""
    return {
        "text": text,
        "meta": {"id": f"m{number}"},
        "_input_hash": number,
        "_task_hash": -number,
        "options": [{"id": "billing", "text": "Billing"}, {"id": "app", "text": "The app"}, {"id": 3, "text": "other"}],
        "_view_id": "choice",
        "accept": accept,
        "config": {"choice_style": style},
        "answer": answer,
        "_timestamp": 1_700_000_000,
        "_annotator_id": "2026-03-01_10-00-00",
    }


SINGLE = [
    choice(1, "Refund please", ["billing"]),
    choice(2, "It crashes", ["app"]),
    choice(3, "Hello", [3]),
    choice(4, "???", [], answer="ignore"),
    choice(5, "Nothing fits", []),
]
MULTIPLE = [
    choice(1, "Refund please, it crashes", ["billing", "app"], style="multiple"),
    choice(2, "Hello", [], style="multiple"),
]

SAMPLES = {
    "prodigy": (
        Sample(
            "one label, accepted or not",
            "annotations.jsonl",
            BINARY.encode(),
            [("The delivery was fast", ("PRAISE",)), ("Where is my parcel?", ("QUESTION",))],
            num_left_out=2,
        ),
        Sample(
            "one of several options",
            "choices.jsonl",
            "".join(json.dumps(row) + "\n" for row in SINGLE).encode(),
            [("Refund please", ("billing",)), ("It crashes", ("app",)), ("Hello", ("other",))],
            num_left_out=2,
        ),
        Sample(
            "any number of options",
            "choices.jsonl",
            "".join(json.dumps(row) + "\n" for row in MULTIPLE).encode(),
            [("Refund please, it crashes", ("billing", "app")), ("Hello", NONE)],
        ),
        Sample(
            "JSON without hashes",
            "rows.json",
            b'[{"text": "a", "label": "A", "answer": "accept"}, {"text": "b", "label": "B", "answer": "reject"}]',
            [("a", ("A",))],
            num_left_out=1,
        ),
    )
}
