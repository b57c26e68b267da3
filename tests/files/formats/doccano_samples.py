"""Files as doccano exports them, and what is in them."""

import json

from tests.files.formats.reading import NONE, Sample

JSONL = """{"id": 31, "text": "The delivery was fast", "label": ["positive"], "Comments": []}
{"id": 32, "text": "The box was empty", "label": ["negative"], "Comments": ["sure?"]}
{"id": 33, "text": "Nobody looked at this one", "label": [], "Comments": []}
"""
OLD = """{"id": 5, "text": "Invoice wrong, bug", "meta": {}, "annotation_approver": null, "labels": ["billing", "app"]}
{"id": 6, "text": "Refund please", "meta": {}, "annotation_approver": "admin", "labels": ["billing"]}
{"id": 7, "text": "Hello", "meta": {}, "annotation_approver": null, "labels": []}
"""
JSON = [
    {"id": 1, "text": "book a table", "cats": ["booking"], "entities": [[7, 12, "thing"]], "Comments": []},
    {"id": 2, "text": "good morning", "cats": ["greeting"], "entities": [], "Comments": []},
]
PLAIN = """{"id": 31, "text": "The delivery was fast", "label": ["positive"]}
{"id": 32, "text": "The box was empty", "label": "negative"}
"""

SAMPLES = {
    "doccano": (
        Sample(
            "JSONL",
            "admin.jsonl",
            JSONL.encode(),
            [("The delivery was fast", ("positive",)), ("The box was empty", ("negative",))],
            num_left_out=1,
        ),
        Sample(
            "JSONL of an old release, several labels",
            "file.json1",
            OLD.encode(),
            [("Invoice wrong, bug", ("billing", "app")), ("Refund please", ("billing",)), ("Hello", NONE)],
            kind="multi_label",
            options={"labels_column": "labels"},
        ),
        Sample(
            "JSON with intents and slots",
            "all.json",
            json.dumps(JSON).encode(),
            [("book a table", ("booking",)), ("good morning", ("greeting",))],
        ),
        Sample(
            "JSONL that anybody could have written",
            "rows.jsonl",
            PLAIN.encode(),
            [("The delivery was fast", ("positive",)), ("The box was empty", ("negative",))],
            options={"format": "doccano"},
        ),
    )
}
