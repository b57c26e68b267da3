"""Training data as Cohere's classify took it, and what is in it."""

import json

from tests.files.formats.reading import NONE, Sample

JSONL = """{"text": "The delivery was fast", "label": "positive"}
{"text": "The box was empty", "label": "negative"}
"""
SEVERAL = """{"text": "Invoice wrong, app crashes", "label": ["billing", "app"]}
{"text": "Refund please", "label": ["billing"]}
{"text": "Hello", "label": []}
"""
REQUEST = {
    "model": "embed-english-v2.0",
    "inputs": ["Where is it?"],
    "examples": [
        {"text": "The delivery was fast", "label": "positive"},
        {"text": "The box was empty", "label": "negative"},
    ],
}

SAMPLES = {
    "cohere": (
        Sample(
            "JSONL",
            "train.jsonl",
            JSONL.encode(),
            [("The delivery was fast", ("positive",)), ("The box was empty", ("negative",))],
            options={"format": "cohere"},
        ),
        Sample(
            "JSONL with several labels",
            "train.jsonl",
            SEVERAL.encode(),
            [("Invoice wrong, app crashes", ("billing", "app")), ("Refund please", ("billing",)), ("Hello", NONE)],
            options={"format": "cohere"},
        ),
        Sample(
            "JSONL with labels in the plural, as others write it",
            "train.jsonl",
            SEVERAL.replace('"label"', '"labels"').encode(),
            [("Invoice wrong, app crashes", ("billing", "app")), ("Refund please", ("billing",)), ("Hello", NONE)],
            kind="multi_label",
            options={"format": "cohere", "labels_column": "labels"},
        ),
        Sample(
            "request",
            "request.json",
            json.dumps(REQUEST, indent=1).encode(),
            [("The delivery was fast", ("positive",)), ("The box was empty", ("negative",))],
        ),
        Sample(
            "CSV with a header",
            "train.csv",
            b'text,label\n"Fast, and whole",positive\nThe box was empty,negative\n',
            [("Fast, and whole", ("positive",)), ("The box was empty", ("negative",))],
            options={"format": "cohere"},
        ),
        Sample(
            "CSV without a header",
            "train.csv",
            b'"Fast, and whole",positive\nThe box was empty,negative\n',
            [("Fast, and whole", ("positive",)), ("The box was empty", ("negative",))],
            options={"format": "cohere"},
        ),
    )
}
