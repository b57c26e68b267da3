"""Projects as Azure's services export them, and what is in them."""

import json
from typing import Any

from tests.files.formats.packing import zipped
from tests.files.formats.reading import NONE, Sample

TEXTS = {
    "ticket1.txt": "The invoice is wrong\n",
    "ticket2.txt": "The app crashes\r\nwhen I open it",
    "more/ticket3.txt": "I was charged twice",
}


def project(kind: str, documents: list[Any], **metadata: Any) -> dict[str, Any]:
    """Return a project of custom text classification."""
    return {
        "projectFileVersion": "2022-05-01",
        "stringIndexType": "Utf16CodeUnit",
        "metadata": {
            "projectKind": kind,
            "storageInputContainerName": "tickets",
            "settings": {},
            "projectName": "Tickets",
            "multilingual": False,
            "description": "Which team answers a ticket",
            "language": "en-us",
            **metadata,
        },
        "assets": {
            "projectKind": kind,
            "classes": [{"category": "billing"}, {"category": "technical"}],
            "documents": documents,
        },
    }


def document(location: str, dataset: str | None = None, **classes: Any) -> dict[str, Any]:
    """Return a document of a project."""
    part = {} if dataset is None else {"dataset": dataset}
    return {"location": location, "language": "en-us", **part, **classes}


SINGLE = project(
    "CustomSingleLabelClassification",
    [
        document("ticket1.txt", "Train", **{"class": {"category": "billing"}}),
        document("ticket2.txt", "Test", **{"class": {"category": "technical"}}),
        document("more/ticket3.txt", "Train", **{"class": {"category": "billing"}}),
    ],
)
MULTI = project(
    "customMultiLabelClassification",
    [
        document("ticket1.txt", "Train", classes=[{"category": "billing"}]),
        document("ticket2.txt", "Train", classes=[{"category": "technical"}, {"category": "billing"}]),
        document("more/ticket3.txt", "Test", classes=[]),
    ],
)
WITHOUT_DATASET = project(
    "customSingleLabelClassification",
    [
        document("ticket1.txt", None, **{"class": {"category": "billing"}}),
        document("ticket2.txt"),
        document("gone.txt", None, **{"class": {"category": "billing"}}),
    ],
)
UTTERANCES = [
    {"text": "book a table", "intent": "booking", "language": "en-us", "dataset": "Train", "entities": []},
    {"text": "what about the weather", "intent": "None", "language": "en-us", "dataset": "Test", "entities": []},
    {
        "text": "a table for two",
        "intent": "booking",
        "language": "en-us",
        "dataset": "Train",
        "entities": [{"category": "size", "offset": 12, "length": 3}],
    },
]


def conversation(utterances: list[Any], kind: str = "Conversation") -> dict[str, Any]:
    """Return a project of conversational language understanding."""
    return {
        "projectFileVersion": "2022-10-01-preview",
        "stringIndexType": "Utf16CodeUnit",
        "metadata": {"projectKind": kind, "projectName": "Restaurant", "language": "en-us", "settings": {}},
        "assets": {
            "projectKind": kind,
            "intents": [{"category": "booking"}, {"category": "None"}],
            "entities": [],
            "utterances": utterances,
        },
    }


def luis(utterances: list[Any], **more: Any) -> dict[str, Any]:
    """Return an application of LUIS."""
    return {
        "luis_schema_version": "7.0.0",
        "intents": [{"name": "booking", "features": []}, {"name": "None", "features": []}],
        "entities": [],
        "culture": "en-us",
        "utterances": utterances,
        "versionId": "0.1",
        "name": "Restaurant",
        "desc": "What a guest wants",
        **more,
    }


SPOKEN = [
    {"text": "book a table", "intent": "booking", "entities": []},
    {"text": "what about the weather", "intent": "None", "entities": []},
]
READ = [("book a table", ("booking",)), ("what about the weather", ("None",))]
OLD = """{
  "name": "Restaurant",
  "intents": [{"name": "booking"}],
  "luis_schema_version": "3.2.0",
  "utterances": [
    {"text": "book a table", "intent": "booking", "entities": [{"entity": "x", "startPos": 5, "endPos": 5}]},
    {"text": " ", "intent": "booking", "entities": []}
  ]
}
"""

SAMPLES = {
    "azure": (
        Sample(
            "one label each, zipped with a folder around it",
            "tickets.zip",
            zipped(
                {
                    "tickets/project.json": json.dumps(SINGLE),
                    **{f"tickets/{name}": text for name, text in TEXTS.items()},
                }
            ),
            [
                ("The invoice is wrong", ("billing",), "train"),
                ("The app crashes\r\nwhen I open it", ("technical",), "test"),
                ("I was charged twice", ("billing",), "train"),
            ],
            kind="single_label",
        ),
        Sample(
            "any number of labels, a small first letter",
            "export.zip",
            zipped({"labels.json": json.dumps(MULTI, indent=2), **TEXTS}),
            [
                ("The invoice is wrong", ("billing",), "train"),
                ("The app crashes\r\nwhen I open it", ("technical", "billing"), "train"),
                ("I was charged twice", NONE, "test"),
            ],
            kind="multi_label",
        ),
        Sample(
            "without datasets, a document that nobody labelled and a file that is missing",
            "export.zip",
            zipped({"labels.json": json.dumps(WITHOUT_DATASET), **TEXTS}),
            [("The invoice is wrong", ("billing",)), ("The app crashes\r\nwhen I open it", None)],
            num_left_out=1,
            kind="single_label",
        ),
    ),
    "clu": (
        Sample(
            "with datasets",
            "restaurant.json",
            json.dumps(conversation(UTTERANCES), indent=2).encode(),
            [
                ("book a table", ("booking",), "train"),
                ("what about the weather", ("None",), "test"),
                ("a table for two", ("booking",), "train"),
            ],
            kind="single_label",
        ),
        Sample(
            "on one line, without datasets, a broken utterance",
            "restaurant.json",
            json.dumps(conversation([*SPOKEN, {"intent": "booking"}], "conversation")).encode(),
            list(READ),
            num_left_out=1,
            kind="single_label",
        ),
        Sample(
            "with a byte-order mark, an utterance of no intent",
            "restaurant.json",
            json.dumps(conversation([{"text": "book a table", "dataset": "Train"}])).encode("utf-8-sig"),
            [("book a table", None, "train")],
            kind="single_label",
        ),
    ),
    "luis": (
        Sample("version 7", "app.json", json.dumps(luis(SPOKEN)).encode(), list(READ), kind="single_label"),
        Sample(
            "with patterns",
            "app.json",
            json.dumps(luis(SPOKEN, patterns=[{"pattern": "book {thing}", "intent": "booking"}]), indent=1).encode(),
            list(READ),
            kind="single_label",
        ),
        Sample(
            "version 3, a blank text",
            "app.json",
            OLD.encode(),
            [("book a table", ("booking",))],
            num_left_out=1,
            kind="single_label",
        ),
    ),
}
