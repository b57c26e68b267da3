"""Files as Hugging Face saves datasets, and what is in them."""

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow
import pyarrow.parquet

from tests.files.formats.packing import zipped
from tests.files.formats.reading import NONE, Sample

ONE = {"names": ["negative", "positive"], "_type": "ClassLabel"}
SEVERAL = {"feature": {"names": ["billing", "app", "other"], "_type": "ClassLabel"}, "_type": "Sequence"}


def table(texts: list[Any], labels: list[Any], feature: dict[str, Any] | None = None, **more: list[Any]) -> Any:
    """Return a table of pyarrow with what datasets write into its schema."""
    made = pyarrow.table({"text": texts, "label": labels, **more})
    if feature is None:
        return made
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": feature}
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def parquet(made: Any) -> bytes:
    """Return a table as Parquet."""
    written = io.BytesIO()
    pyarrow.parquet.write_table(made, written)
    return written.getvalue()


def arrow(made: Any, new: Callable[..., Any] = pyarrow.ipc.new_stream) -> bytes:
    """Return a table as a stream of Arrow, or as a file of it."""
    written = io.BytesIO()
    with new(written, made.schema) as writer:
        writer.write_table(made)
    return written.getvalue()


TRAIN = table(["good", "bad", "not seen yet"], [1, 0, -1], ONE)
SAVED: dict[str, str | bytes] = {
    "tickets/dataset_dict.json": json.dumps({"splits": ["train", "test"]}),
    "tickets/train/data-00000-of-00001.arrow": arrow(table(["good", "bad"], [1, 0])),
    "tickets/train/dataset_info.json": json.dumps({"features": {"label": ONE}}),
    "tickets/test/data-00000-of-00001.arrow": arrow(table(["so so"], [0])),
    "tickets/test/dataset_info.json": json.dumps({"features": {"label": ONE}}),
}

SAMPLES = {
    "hugging_face": (
        Sample(
            "Parquet with names of classes, one row without a label",
            "train-00000-of-00001.parquet",
            parquet(TRAIN),
            [("good", ("positive",), "train"), ("bad", ("negative",), "train"), ("not seen yet", None, "train")],
            kind="single_label",
        ),
        Sample(
            "Parquet with several labels",
            "0000.parquet",
            parquet(table(["both", "one", "none"], [[0, 1], [2], []], SEVERAL)),
            [("both", ("billing", "app")), ("one", ("other",)), ("none", NONE)],
            kind="multi_label",
        ),
        Sample(
            "Parquet of other programs, labels as texts",
            "rows.parquet",
            parquet(table(["good", "", "bad"], ["up", "up", "down"], score=[0.5, 1.0, 2.0])),
            [("good", ("up",)), ("bad", ("down",))],
            num_left_out=1,
            kind="single_label",
        ),
        Sample(
            "an Arrow file, the class of a row is none of its names",
            "validation.arrow",
            arrow(table(["good", "bad"], [1, 7], ONE), pyarrow.ipc.new_file),
            [("good", ("positive",), "validation")],
            num_left_out=1,
            kind="single_label",
        ),
        Sample(
            "a saved dataset of two splits as streams of Arrow",
            "tickets.zip",
            zipped(SAVED),
            [("so so", ("negative",), "test"), ("good", ("positive",), "train"), ("bad", ("negative",), "train")],
            kind="single_label",
        ),
        Sample(
            "a repository's folder of Parquet",
            "tickets.zip",
            zipped(
                {
                    "README.md": "---\nlicense: mit\n---\n",
                    "data/train-00000-of-00002.parquet": parquet(table(["good"], [1], ONE)),
                    "data/train-00001-of-00002.parquet": parquet(table(["bad"], [0], ONE)),
                    "data/test-00000-of-00001.parquet": parquet(table(["so so"], [0], ONE)),
                }
            ),
            [("so so", ("negative",), "test"), ("good", ("positive",), "train"), ("bad", ("negative",), "train")],
            kind="single_label",
        ),
    )
}
