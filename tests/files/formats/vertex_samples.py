"""Files as Google's Vertex AI and AutoML take them, and what is in them."""

import json
from typing import Any

from tests.files.formats.reading import Sample

USE = "aiplatform.googleapis.com/ml_use"


def row(text: str, use: str | None = None, **annotation: Any) -> dict[str, Any]:
    """Return a row of JSONL."""
    resource = {} if use is None else {"dataItemResourceLabels": {USE: use}}
    return {**annotation, "textContent": text, **resource}


def one(name: str) -> dict[str, Any]:
    """Return the annotation of a text with one label."""
    return {"classificationAnnotation": {"displayName": name}}


def several(*names: str) -> dict[str, Any]:
    """Return the annotations of a text with any number of labels."""
    return {"classificationAnnotations": [{"displayName": name} for name in names]}


def lines(*rows: dict[str, Any]) -> bytes:
    """Return rows as JSONL."""
    return "".join(json.dumps(each) + "\n" for each in rows).encode()


CSV = """TRAIN,"I was charged twice, please refund",billing
VALIDATION,The app crashes,technical
TEST,Delete my profile,account
UNASSIGNED,Error 500,technical
"""
CSV_SEVERAL = """Two cooks rob a bank,COMEDY,ACTION
A judge has one week left,DRAMA,
A widow opens a bakery,COMEDY,DRAMA
"""

SAMPLES = {
    "vertex": (
        Sample(
            "JSONL, one label each, with uses",
            "data.jsonl",
            lines(
                row("I was charged twice", "training", **one("billing")),
                row("The app crashes", "test", **one("technical")),
                row("Delete my profile", "validation", **one("account")),
                {"textGcsUri": "gs://bucket/4.txt", **one("billing")},
            ),
            [
                ("I was charged twice", ("billing",), "train"),
                ("The app crashes", ("technical",), "test"),
                ("Delete my profile", ("account",), "validation"),
            ],
            num_left_out=1,
        ),
        Sample(
            "JSONL, several labels, a row without any annotation",
            "data.jsonl",
            lines(
                row("Two cooks rob a bank", **several("COMEDY", "ACTION")),
                row("A film of nothing", **several()),
                row("Nobody has seen this one", "unassigned"),
            ),
            [
                ("Two cooks rob a bank", ("COMEDY", "ACTION")),
                ("A film of nothing", ()),
                ("Nobody has seen this one", None),
            ],
            kind="multi_label",
        ),
        Sample(
            "CSV with uses",
            "data.csv",
            CSV.encode(),
            [
                ("I was charged twice, please refund", ("billing",), "train"),
                ("The app crashes", ("technical",), "validation"),
                ("Delete my profile", ("account",), "test"),
                ("Error 500", ("technical",)),
            ],
        ),
        Sample(
            "CSV without uses, several labels",
            "data.csv",
            CSV_SEVERAL.encode(),
            [
                ("Two cooks rob a bank", ("COMEDY", "ACTION")),
                ("A judge has one week left", ("DRAMA",)),
                ("A widow opens a bakery", ("COMEDY", "DRAMA")),
            ],
            options={"format": "vertex"},
        ),
    )
}
