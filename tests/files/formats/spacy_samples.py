"""Texts with spaCy's ``cats`` as JSON, and what is in them."""

import json

from tests.files.formats.reading import NONE, Sample

EXCLUSIVE = """{"text": "The delivery was fast", "cats": {"POSITIVE": 1.0, "NEGATIVE": 0.0}}
{"text": "The box was empty", "cats": {"POSITIVE": 0.0, "NEGATIVE": 1.0}, "meta": {"source": "mail"}}
"""
SEVERAL = """{"text": "Invoice wrong, app crashes", "cats": {"billing": 1, "app": 1, "other": 0}}
{"text": "Refund please", "cats": {"billing": 0.8, "app": 0.1, "other": 0.3}}
{"text": "Hello", "cats": {"billing": false, "app": false, "other": false}}
"""
PAIRS = [
    ["The delivery was fast", {"cats": {"POSITIVE": True, "NEGATIVE": False}}],
    ["It is what it is", {"cats": {"POSITIVE": 0.3, "NEGATIVE": 0.3, "NEUTRAL": 0.4}}],
    ["Nobody looked at this one", {"entities": []}],
]

SAMPLES = {
    "spacy": (
        Sample(
            "one label each",
            "textcat.jsonl",
            EXCLUSIVE.encode(),
            [("The delivery was fast", ("POSITIVE",)), ("The box was empty", ("NEGATIVE",))],
        ),
        Sample(
            "any number of labels",
            "textcat.jsonl",
            SEVERAL.encode(),
            [("Invoice wrong, app crashes", ("billing", "app")), ("Refund please", ("billing",)), ("Hello", NONE)],
        ),
        Sample(
            "pairs",
            "train.json",
            json.dumps(PAIRS).encode(),
            [
                ("The delivery was fast", ("POSITIVE",)),
                ("It is what it is", ("NEUTRAL",)),
                ("Nobody looked at this one", None),
            ],
        ),
    )
}
