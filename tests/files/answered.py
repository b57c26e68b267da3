"""Two rows of a file and what a classifier makes of them, for the tests of what is written."""

from dataclasses import replace

from windrow.domain.prediction import Prediction
from windrow.files.reading import Record

SURE = Prediction(
    label="billing",
    scores={"account": 0.25, "billing": 0.75},
    model_name="tickets_v1",
    revision=3,
    truncated=False,
    in_scope=0.5,
)
UNSURE = Prediction(
    label=None, scores={"account": 0.5, "billing": 0.5}, model_name="tickets_v1", revision=3, truncated=True
)
RECORDS = [
    Record(2, "My bill", {"id": "7", "text": "My bill"}),
    Record(3, "two\nlines", {"id": "8", "text": "two\nlines"}),
]
# Of a multi-label classifier: two labels, none of the labels, and no answer.
SEVERAL, NONE_FITS, SEVERAL_UNSURE = (
    replace(SURE, kind="multi_label", label=None, labels=labels) for labels in (("billing", "account"), (), None)
)
