"""Files as Label Studio exports them, and what is in them."""

import json
from typing import Any

from tests.files.formats.reading import NONE, Sample


def annotated(*choices: str, control: str = "sentiment", **more: Any) -> dict[str, Any]:
    """Return an annotation with choices, as an export has it."""
    result = {
        "value": {"choices": list(choices)},
        "id": "Qz3x",
        "from_name": control,
        "to_name": "text",
        "type": "choices",
        "origin": "manual",
    }
    annotation = {
        "id": 7,
        "completed_by": 1,
        "result": [result] if choices else [],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-03-01T10:00:00.000000Z",
        "lead_time": 3.2,
    }
    return annotation | more


def task(number: int, text: object, *annotations: object, **more: Any) -> dict[str, Any]:
    """Return a task, as an export has it."""
    beside = {"predictions": [], "meta": {}, "created_at": "2026-03-01T09:00:00.000000Z", "project": 3}
    return {"id": number, "annotations": list(annotations), "data": {"text": text}, **beside, **more}


GUESS = {"result": annotated("Negative")["result"], "score": 0.9}

JSON = [
    task(1, "The delivery was fast", annotated("Positive")),
    task(2, "The box was empty", annotated("Negative"), predictions=[GUESS]),
    task(3, "asdf", annotated("Negative", was_cancelled=True)),
    task(4, "Nobody looked at this one", predictions=[GUESS]),
]
# A project with a control of several choices, and a text that is not called so.
SEVERAL = [
    {
        "id": number,
        "data": {"ticket_id": number, "mail": mail},
        "annotations": [
            annotated(*topics, control="topics"),
            annotated("Blurred", control="topics", was_cancelled=True),
        ],
    }
    for number, mail, topics in (
        (1, "Invoice wrong and app crashes", ("billing", "technical")),
        (2, "Refund please", ("billing",)),
        (3, "Hello", ()),
    )
]
MIN = [
    {
        "text": text,
        "id": number,
        "sentiment": sentiment,
        "annotator": 1,
        "annotation_id": 10 + number,
        "created_at": "2026-03-01T10:00:00.000000Z",
        "updated_at": "2026-03-01T10:00:00.000000Z",
        "lead_time": 2.5,
    }
    for number, text, sentiment in (
        (1, "The delivery was fast", "Positive"),
        (2, "The box was empty", "Negative"),
        (3, "Fast, but empty", {"choices": ["Positive", "Negative"]}),
    )
]
CSV = """annotation_id,annotator,created_at,id,lead_time,sentiment,text,updated_at
11,1,2026-03-01T10:00:00Z,1,2.5,Positive,The delivery was fast,2026-03-01T10:00:00Z
12,1,2026-03-01T10:00:00Z,2,2.5,Negative,"The box, again, was empty",2026-03-01T10:00:00Z
13,2,2026-03-01T10:00:00Z,2,9.1,Negative,"The box, again, was empty",2026-03-01T10:00:00Z
14,1,2026-03-01T10:00:00Z,3,2.5,"{""choices"": [""Positive"", ""Negative""]}","Fast, but empty",2026-03-01T10:00:00Z
"""

SAMPLES = {
    "label_studio": (
        Sample(
            "JSON",
            "project-3-at-2026-03-01.json",
            json.dumps(JSON).encode(),
            [
                ("The delivery was fast", ("Positive",)),
                ("The box was empty", ("Negative",)),
                ("Nobody looked at this one", None),
            ],
            num_left_out=1,
        ),
        Sample(
            "JSON with several choices",
            "export.json",
            json.dumps(SEVERAL, indent=2).encode(),
            [
                ("Invoice wrong and app crashes", ("billing", "technical")),
                ("Refund please", ("billing",)),
                ("Hello", NONE),
            ],
            kind="multi_label",
            options={"labels_column": "topics"},
        ),
        Sample(
            "tasks to be labelled",
            "tasks.json",
            b'[{"data": {"text": "The delivery was fast"}}, {"id": 8, "data": {"text": "The box was empty"}}]',
            [("The delivery was fast", None), ("The box was empty", None)],
        ),
        Sample(
            "JSON_MIN",
            "min.json",
            json.dumps(MIN).encode(),
            [
                ("The delivery was fast", ("Positive",)),
                ("The box was empty", ("Negative",)),
                ("Fast, but empty", ("Positive", "Negative")),
            ],
        ),
        Sample(
            "CSV",
            "export.csv",
            CSV.encode(),
            [
                ("The delivery was fast", ("Positive",)),
                ("The box, again, was empty", ("Negative",)),
                ("Fast, but empty", ("Positive", "Negative")),
            ],
        ),
        Sample(
            "TSV, one label each",
            "export.tsv",
            "".join(CSV.replace(",", "\t").splitlines(keepends=True)[:2]).encode(),
            [("The delivery was fast", ("Positive",))],
            kind="single_label",
            options={"label_column": "sentiment"},
        ),
    )
}
