"""Files as AWS Comprehend takes them, and what is in them."""

import json
from typing import Any

from tests.files.formats.reading import NONE, Sample

CSV = """billing,"I was charged twice, please refund"
technical,The app crashes when I open it
billing,The invoice shows a wrong amount
account,Delete my profile
technical,Error 500 on the upload page
"""
SEVERAL = """COMEDY|DRAMA,"A widow opens a bakery, and laughs again"
DRAMA,A judge has one week left
COMEDY|ACTION|DRAMA,Two cooks rob a bank
"""
SEMICOLONS = """news;sport,The cup final was postponed
news,The bridge is open again
"""


def labelled(source: str, number: int, name: str, **more: Any) -> dict[str, Any]:
    """Return a row of a manifest whose text has one label."""
    metadata = {
        "confidence": 0,
        "job-name": "labeling-job/tickets",
        "class-name": name,
        "human-annotated": "yes",
        "creation-date": "2023-05-02T08:30:00.000000",
        "type": "groundtruth/text-classification",
    }
    return {"source": source, "tickets": number, "tickets-metadata": metadata, **more}


def marked(source: str, names: dict[int, str]) -> dict[str, Any]:
    """Return a row of a manifest whose text has any number of labels."""
    metadata = {
        "job-name": "labeling-job/films",
        "class-map": {str(number): name for number, name in names.items()},
        "human-annotated": "yes",
        "creation-date": "2023-05-02T08:30:00.000000",
        "confidence-map": {str(number): 0.9 for number in names},
        "type": "groundtruth/text-classification-multilabel",
    }
    return {"source": source, "films": list(names), "films-metadata": metadata}


FAILED = {
    "source": "Nobody could say what this is",
    "tickets-metadata": {
        "failure-reason": "ClientError: it took too long",
        "type": "groundtruth/text-classification",
    },
}


def manifest(*rows: dict[str, Any]) -> bytes:
    """Return a manifest."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


SAMPLES = {
    "comprehend": (
        Sample(
            "CSV, the label first",
            "train.csv",
            CSV.encode(),
            [
                ("I was charged twice, please refund", ("billing",)),
                ("The app crashes when I open it", ("technical",)),
                ("The invoice shows a wrong amount", ("billing",)),
                ("Delete my profile", ("account",)),
                ("Error 500 on the upload page", ("technical",)),
            ],
            options={"format": "comprehend"},
        ),
        Sample(
            "CSV, several labels",
            "train.csv",
            SEVERAL.encode(),
            [
                ("A widow opens a bakery, and laughs again", ("COMEDY", "DRAMA")),
                ("A judge has one week left", ("DRAMA",)),
                ("Two cooks rob a bank", ("COMEDY", "ACTION", "DRAMA")),
            ],
            options={"format": "comprehend"},
        ),
        Sample(
            "CSV, several labels with another delimiter",
            "train.csv",
            SEMICOLONS.encode(),
            [("The cup final was postponed", ("news", "sport")), ("The bridge is open again", ("news",))],
            kind="multi_label",
            options={"format": "comprehend", "label_separator": ";"},
        ),
        Sample(
            "a manifest of one label each, a row that nobody could label",
            "output.manifest",
            manifest(
                labelled("I was charged twice", 0, "billing"), FAILED, labelled("The app crashes", 1, "technical")
            ),
            [("I was charged twice", ("billing",)), ("The app crashes", ("technical",))],
            num_left_out=1,
            kind="single_label",
        ),
        Sample(
            "a manifest of any number of labels",
            "output.manifest",
            manifest(
                marked("Two cooks rob a bank", {0: "COMEDY", 3: "ACTION"}),
                marked("A judge has one week left", {1: "DRAMA"}),
                marked("A film of nothing", {}),
            ),
            [
                ("Two cooks rob a bank", ("COMEDY", "ACTION")),
                ("A judge has one week left", ("DRAMA",)),
                ("A film of nothing", NONE),
            ],
            kind="multi_label",
        ),
    )
}
