"""Files as doccano exports them, and what is in them."""

import io
import json
import zipfile

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


def zipped(**files: str) -> bytes:
    """Return a zip file as doccano packs it, of JSONL by the name of whoever labelled it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name if "." in name else f"{name}.jsonl", content)
    return packed.getvalue()


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
            "zip file",
            "5f2e.zip",
            zipped(all=JSONL),
            [("The delivery was fast", ("positive",)), ("The box was empty", ("negative",))],
            num_left_out=1,
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
