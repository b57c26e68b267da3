"""Measure answers to statements and scores without a classifier, as `predicate`, `noul` and `score` questions get them.

Each label of a labelled set becomes a statement that applies to some rows and not to others. Encodes with the default
base model in this process.

Run: make bench-statements DATA=/path/to/sets
"""

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from report import markdown
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from zero_shot import (
    MULTI_LABEL_SETS,
    SINGLE_LABEL_SETS,
    Doubles,
    calibration_error,
    open_encoder,
    read_rows,
    sigmoid,
    vectors_of,
)
from zero_shot_descriptions import DESCRIPTIONS

from windrow.arrays import Bools, Floats
from windrow.encoders.bulk import encode
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.learning.head import softmax
from windrow.learning.model_selection import label_name_texts
from windrow.learning.zero_shot import BACKGROUND_TOPICS, multi_label_logits, two_sided_logits, zero_shot_logits

# What a statement is made of, given a label's name as words and its description.
WAYS: Final[Mapping[str, Callable[[str, str], str]]] = {
    "question": lambda name, _: f"Is this text about {name}?",
    "sentence": lambda name, _: f"This text is about {name}.",
    "name": lambda name, _: name,
    "description": lambda _, description: description,
}
# What is false, said beside the sentence.
OPPOSITES: Final[Mapping[str, str]] = {
    "and negation": "This text is not about {}.",
    "and anything else": "This text is about something else.",
}
# Statements that are about no topic: the label to which each applies, and what is true and what is false.
JUDGEMENTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "cr": ("positive", "The review is positive.", "The review is negative."),
    "subj": ("subjective", "The sentence says an opinion.", "The sentence tells a fact of the plot."),
    "amazon_cf_en": (
        "counterfactual",
        "It says what would have happened if something had been otherwise.",
        "It says what really happened.",
    ),
}
# Of a score of reviews, which are positive or negative, from the lowest.
LEVELS: Final = ("very negative review", "negative review", "neutral review", "positive review", "very positive review")
REVIEWS: Final = "cr"


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description="Measure statements without labelled rows (bench/README.md).")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, each with a test.jsonl")
    parser.add_argument("--rows", type=int, default=600, help="rows of each set to ask about [600]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        encoder = open_encoder(Path(folder))
        topics = vectors_of(encoder, [[topic] for topic in BACKGROUND_TOPICS])
        lines = [
            line
            for name in (*SINGLE_LABEL_SETS, *MULTI_LABEL_SETS)
            for line in statements(encoder, options.data / name, options.rows, topics)
        ]
        means = [line for way in (*WAYS, *OPPOSITES) for line in mean_of(lines, way)]
        head = ["set", "statement", "balanced accuracy, %", "AUC, %", "found, %", "wrongly said, %", "ECE, %"]
        print(markdown(head, [[*line[:2], *(f"{figure:.1f}" for figure in line[2:])] for line in (*lines, *means)]))
        print(f"\n{judgements(encoder, options.data, options.rows, topics)}")
        print(f"\n{scores(encoder, options.data / REVIEWS, options.rows)}")


def statements(encoder: OnnxEncoder, folder: Path, rows: int, topics: Floats) -> list[list[Any]]:
    """Return for each kind of statement the means of its figures over a set's labels."""
    labels = sorted(DESCRIPTIONS[folder.name])
    asked, _ = read_rows(encoder, folder / "test.jsonl", labels, rows)
    told = list(zip(label_name_texts(labels), (DESCRIPTIONS[folder.name][label] for label in labels), strict=True))
    lines = []
    for way, make in WAYS.items():
        vectors = vectors_of(encoder, [[make(*each)] for each in told])
        shares = [sigmoid(multi_label_logits(asked.features, vector[None], topics))[:, 0] for vector in vectors]
        lines.append([folder.name, way, *figures_of(shares, asked.truth)])
    sentences = vectors_of(encoder, [[WAYS["sentence"](*each)] for each in told])
    for way, opposite in OPPOSITES.items():
        negations = vectors_of(encoder, [[opposite.replace("{}", name)] for name, _ in told])
        pairs = zip(sentences, negations, strict=True)
        logits = [two_sided_logits(asked.features, true[None], false[None], topics) for true, false in pairs]
        lines.append([folder.name, way, *figures_of([sigmoid(each)[:, 0] for each in logits], asked.truth)])
    return lines


def figures_of(shares: Sequence[Doubles | Floats], truth: Bools) -> list[float]:
    """Return the figures of statements, in percent: means over those that apply to some rows and not to all."""
    found = []
    for share, applies in zip(shares, truth.T, strict=True):
        if 0 < applies.sum() < len(applies):
            said = share > 0.5
            found.append(
                (
                    balanced_accuracy_score(applies, said),
                    roc_auc_score(applies, share),
                    said[applies].mean(),
                    said[~applies].mean(),
                    calibration_error(np.asarray(share), applies) / 100,
                )
            )
    return [100 * float(column) for column in np.mean(found, axis=0)]


def mean_of(lines: Sequence[Sequence[Any]], way: str) -> list[list[Any]]:
    """Return the means of a kind of statement over all sets."""
    return [["mean", way, *np.mean([line[2:] for line in lines if line[1] == way], axis=0)]]


def judgements(encoder: OnnxEncoder, data: Path, rows: int, topics: Floats) -> str:
    """Return figures of statements that are about no topic: alone, and with what is false said too."""
    lines = []
    for name, (label, true, false) in JUDGEMENTS.items():
        features, applies = read_two_labels(encoder, data / name, label, rows)
        both = vectors_of(encoder, [[true], [false]])
        alone = sigmoid(multi_label_logits(features, both[:1], topics))[:, 0]
        two_sides = sigmoid(two_sided_logits(features, both[:1], both[1:], topics))[:, 0]
        compared = softmax(zero_shot_logits(features, both))[:, 0]
        for way, share in (("alone", alone), ("two sides", two_sides), ("as a choice of both", compared)):
            lines.append([name, way, *(f"{figure:.1f}" for figure in figures_of([share], applies[:, None])[:2])])
    return markdown(["no topic", "statement", "balanced accuracy, %", "AUC, %"], lines)


def read_two_labels(encoder: OnnxEncoder, folder: Path, label: str, rows: int) -> tuple[Floats, Bools]:
    """Return the features of the first rows of a shuffled set, and whether each has a label."""
    with (folder / "test.jsonl").open(encoding="utf-8") as file:
        read: list[dict[str, str]] = [json.loads(line) for line in file]
    random.Random(0).shuffle(read)
    features = encode(encoder, [row["text"] for row in read[:rows]]).features
    return features, np.array([row["label"] == label for row in read[:rows]])


def scores(encoder: OnnxEncoder, folder: Path, rows: int) -> str:
    """Return how well a score orders reviews: how often a positive one scores higher than a negative one."""
    features, is_positive = read_two_labels(encoder, folder, "positive", rows)
    lines = []
    for count, levels in ((2, (LEVELS[1], LEVELS[3])), (3, LEVELS[1:4]), (5, LEVELS)):
        shares = softmax(zero_shot_logits(features, vectors_of(encoder, [[each] for each in levels])))
        expected = shares @ np.arange(count)
        figures = roc_auc_score(is_positive, expected), balanced_accuracy_score(is_positive, expected > (count - 1) / 2)
        lines.append([f"{count} levels", *(f"{100 * figure:.1f}" for figure in figures)])
    return markdown([f"score of {REVIEWS}", "positive above negative (AUC), %", "balanced accuracy, %"], lines)


if __name__ == "__main__":
    main()
