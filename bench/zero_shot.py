"""Measure answers without labelled rows: by names, a template and descriptions of labels, on labelled sets.

Encodes with the default base model in this process; no server is asked, since scores are what counts here.

Run: make bench-zero-shot DATA=/path/to/sets
"""

import argparse
import json
import math
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from report import markdown
from scipy.optimize import minimize, minimize_scalar
from sklearn.metrics import f1_score, precision_score, recall_score
from zero_shot_descriptions import DESCRIPTIONS

from windrow.arrays import Bools, Floats
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.bulk import encode
from windrow.encoders.folder import find_encoder_folder
from windrow.encoders.onnx_encoder import OnnxEncoder, load_encoder
from windrow.learning.head import softmax
from windrow.learning.zero_shot import (
    BACKGROUND_TOPICS,
    label_texts,
    label_vectors,
    multi_label_logits,
    multi_label_temperature,
    multi_label_threshold,
    multi_label_zero_shot_head,
    rival_margins,
    zero_shot_logits,
)

SINGLE_LABEL_SETS = ("ag_news", "trec6", "emotion", "banking77", "clinc150")
MULTI_LABEL_SETS = ("go_emotions",)
TEMPLATE = "This text is about {}"
# Of the cosines between two different topics, for the default base model.
USUAL_DEVIATION = 0.0971
BINS = 15
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows.

    Args:
        features: Shape [rows, width].
        truth: Whether each row has each label; shape [rows, labels].
    """

    features: Floats
    truth: Bools


@dataclass(frozen=True, slots=True)
class Set:
    """A labelled set.

    Args:
        name: What it is called.
        vectors: The labels' vectors by what they are made of.
        test: Rows to measure.
        train: Rows to fit constants to.
        joined: Pairs of the test rows, each as one text with the labels of both.
        joined_train: The same of the training rows.
    """

    name: str
    vectors: Mapping[str, Floats]
    test: Rows
    train: Rows
    joined: Rows
    joined_train: Rows


def main() -> None:
    """Measure and print tables."""
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        encoder = open_encoder(Path(folder))
        sets = [read_set(encoder, options.data / name, options.rows) for name in options.sets]
        topics = vectors_of(encoder, [[topic] for topic in BACKGROUND_TOPICS])
    single = [each for each in sets if each.name not in MULTI_LABEL_SETS]
    print(accuracies(single), calibration(single), several(sets, topics), linear(sets, topics), sep="\n\n")
    if options.fit:
        print(f"\n{fitted(sets, single, topics)}")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure answers without labelled rows (bench/README.md).")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, each with train.jsonl and test.jsonl")
    known = (*SINGLE_LABEL_SETS, *MULTI_LABEL_SETS)
    parser.add_argument("--sets", type=lambda text: text.split(","), default=known, help=f"names [{','.join(known)}]")
    parser.add_argument("--rows", type=int, default=600, help="rows of each set to ask about [600]")
    parser.add_argument("--fit", action="store_true", help="print the constants that training rows suggest too")
    return parser.parse_args()


def open_encoder(data_dir: Path) -> OnnxEncoder:
    """Open the default base model."""
    folder = find_encoder_folder(DEFAULT_BASE_MODEL, data_dir=data_dir, allowed=[DEFAULT_BASE_MODEL], offline=True)
    return load_encoder(folder, data_dir)


def read_set(encoder: OnnxEncoder, folder: Path, rows: int) -> Set:
    """Read and encode a set."""
    descriptions = DESCRIPTIONS[folder.name]
    labels = sorted(descriptions)
    names = label_texts(labels)
    texts = {
        "template": [[TEMPLATE.replace("{}", name)] for [name] in names],
        "names": names,
        "names and template": label_texts(labels, template=TEMPLATE),
        "descriptions": label_texts(labels, descriptions),
    }
    vectors = {what: vectors_of(encoder, each, what == "descriptions") for what, each in texts.items()}
    (test, joined), (train, joined_train) = (
        read_rows(encoder, folder / f"{part}.jsonl", labels, rows) for part in ("test", "train")
    )
    return Set(folder.name, vectors, test, train, joined, joined_train)


def vectors_of(encoder: OnnxEncoder, texts: Sequence[Sequence[str]], described: bool = False) -> Floats:
    """Return the vectors of labels by their texts."""
    features = [encode(encoder, own).features for own in texts]
    return label_vectors(features, encoder.folder.hidden_size, [described] * len(texts))


def read_rows(encoder: OnnxEncoder, path: Path, labels: Sequence[str], count: int) -> tuple[Rows, Rows]:
    """Return the first rows of a shuffled file, and pairs of them joined; of rows with several labels those alone."""
    with path.open(encoding="utf-8") as file:
        rows: list[dict[str, Any]] = [json.loads(line) for line in file]
    random.Random(0).shuffle(rows)
    rows = rows[:count]
    texts = [row["text"] for row in rows]
    truth = np.array([[label in (row.get("labels") or [row.get("label")]) for label in labels] for row in rows])
    alone = Rows(encode(encoder, texts).features, truth)
    if "labels" in rows[0]:
        chosen = truth.sum(axis=1) > 1
        return alone, Rows(alone.features[chosen], truth[chosen])
    half = len(rows) // 2
    pairs = [f"{first} {second}" for first, second in zip(texts[:half], texts[half:], strict=False)]
    return alone, Rows(encode(encoder, pairs).features, truth[:half] | truth[half : 2 * half])


def accuracies(sets: Sequence[Set]) -> str:
    """Return a table of accuracies, in percent."""
    ways = list(sets[0].vectors)
    figures = {each.name: [100 * accuracy(each.test, each.vectors[way]) for way in ways] for each in sets}
    figures["mean"] = [float(np.mean(column)) for column in zip(*figures.values(), strict=True)]
    return markdown(["accuracy, %", *ways], [[name, *(f"{each:.1f}" for each in row)] for name, row in figures.items()])


def accuracy(rows: Rows, vectors: Floats) -> float:
    """Return the share of the rows whose most similar label is right."""
    best = zero_shot_logits(rows.features, vectors).argmax(axis=1)
    return float(rows.truth[np.arange(len(best)), best].mean())


def calibration(sets: Sequence[Set]) -> str:
    """Return a table of the expected calibration error of the best label's score, in percent."""
    ways = ("names", "descriptions")
    figures = {each.name: [best_score_error(each.test, each.vectors[way]) for way in ways] for each in sets}
    figures["mean"] = [float(np.mean(column)) for column in zip(*figures.values(), strict=True)]
    return markdown(["ECE, %", *ways], [[name, *(f"{each:.1f}" for each in row)] for name, row in figures.items()])


def best_score_error(rows: Rows, vectors: Floats) -> float:
    """Return the expected calibration error of the best label's score, in percent."""
    scores = softmax(zero_shot_logits(rows.features, vectors))
    best = scores.argmax(axis=1)
    return calibration_error(scores.max(axis=1), rows.truth[np.arange(len(best)), best])


def several(sets: Sequence[Set], topics: Floats) -> str:
    """Return a table of what labels above 0.5 are worth, where several may apply."""
    lines = []
    for each in sets:
        kinds = ("all", "several labels") if each.name in MULTI_LABEL_SETS else ("one label", "two joined")
        for kind, rows in zip(kinds, (each.test, each.joined), strict=True):
            for way in ("names", "descriptions"):
                scores = sigmoid(multi_label_logits(rows.features, each.vectors[way], topics))
                given = scores > 0.5
                found = [
                    100 * measure(rows.truth, given, average="micro", zero_division=0.0)
                    for measure in (precision_score, recall_score, f1_score)
                ]
                error = calibration_error(scores.ravel(), rows.truth.ravel())
                figures = [*found, given.sum(axis=1).mean(), rows.truth.sum(axis=1).mean(), error]
                lines.append([each.name, kind, way, *(f"{figure:.1f}" for figure in figures)])
    head = ["set", "rows", "by", "precision, %", "recall, %", "F1, %", "labels given", "labels true", "ECE, %"]
    return markdown(head, lines)


def linear(sets: Sequence[Set], topics: Floats) -> str:
    """Return a table of the linear head of classifiers without rows, beside the rule of :func:`several`."""
    lines = []
    for each in sets:
        kinds = ("all", "several labels") if each.name in MULTI_LABEL_SETS else ("one label", "two joined")
        for kind, rows in zip(kinds, (each.test, each.joined), strict=True):
            for way in ("names", "descriptions"):
                vectors = each.vectors[way]
                head = sigmoid(multi_label_zero_shot_head(vectors).logits(rows.features))
                rivals = sigmoid(multi_label_logits(rows.features, vectors, topics))
                given = head >= multi_label_threshold(len(vectors))
                f1 = 100 * f1_score(rows.truth, given, average="micro", zero_division=0.0)
                losses = [decision_loss(scores, rows.truth) for scores in (rivals, head)]
                error = calibration_error(head.ravel(), rows.truth.ravel())
                lines.append([each.name, kind, way, *(f"{loss:.3f}" for loss in losses), f"{error:.1f}", f"{f1:.1f}"])
    head_line = ["set", "rows", "by", "log loss by rivals", "log loss", "ECE, %", "F1 at its threshold, %"]
    return markdown(head_line, lines)


def decision_loss(scores: Doubles, truth: Bools) -> float:
    """Return the mean log loss of all decisions about a label."""
    return float(-np.log(np.clip(np.where(truth, scores, 1 - scores), 1e-7, 1)).mean())


def sigmoid(logits: Floats) -> Doubles:
    """Return the scores of logits."""
    scores: Doubles = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return scores


def calibration_error(scores: npt.NDArray[Any], right: Bools) -> float:
    """Return the expected calibration error in percent, over bins of equal width."""
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = [abs(float(scores[bins == each].mean() - right[bins == each].mean())) for each in np.unique(bins)]
    return 100 * float(np.average(gaps, weights=[(bins == each).sum() for each in np.unique(bins)]))


def fitted(sets: Sequence[Set], single: Sequence[Set], topics: Floats) -> str:
    """Return the constants of ``learning/zero_shot.py`` that training rows suggest, each set with the same weight."""
    found = {
        way: minimize_scalar(partial(log_loss, single, way), bounds=(0.01, 0.3), method="bounded").x
        for way in ("names", "descriptions")
    }
    cosines = (topics @ topics.T)[~np.eye(len(topics), dtype=bool)]
    slope, intercept, per_label = fit_margins(sets, partial(rival_margins, topics=topics))
    of_mean = fit_margins(sets, margins_over_mean)
    return "\n".join(
        (
            f"temperature: {', '.join(f'{value:.3f} by {way}' for way, value in found.items())}",
            f"cosines between topics: mean {cosines.mean():.4f}, deviation {cosines.std():.4f}",
            f"rivals: slope {slope:.3f}, intercept {intercept:.3f}, by the logarithm of labels {per_label:.3f}",
            f"mean of the others: slope {of_mean[0]:.3f}, intercept {of_mean[1]:.3f}, by the logarithm of labels "
            f"{of_mean[2]:.3f}",
        )
    )


def log_loss(sets: Sequence[Set], way: str, temperature: float) -> float:
    """Return the mean log loss on training rows at a temperature."""
    losses = []
    for each in sets:
        scores = softmax(each.train.features @ each.vectors[way].T / np.float32(temperature))
        losses.append(-np.log(np.maximum(scores[each.train.truth], 1e-12)).mean())
    return float(np.mean(losses))


def margins_over_mean(features: Floats, vectors: Floats) -> Floats:
    """Return how much more similar each text is to each label than to the other labels in the mean."""
    head = multi_label_zero_shot_head(vectors)
    margins: Floats = features @ head.weights.T * np.float32(multi_label_temperature() / USUAL_DEVIATION)
    return margins


def fit_margins(sets: Sequence[Set], margins: Callable[[Floats, Floats], Floats]) -> tuple[float, float, float]:
    """Return the logistic regression of whether a label applies, over rows alone and joined.

    It is one on the margin, 1, and the logarithm of the number of labels.
    """
    inputs, truth, weights = [], [], []
    for each in sets:
        for way in ("names", "descriptions"):
            for rows in (each.train, each.joined_train):
                own = margins(rows.features, each.vectors[way])
                count = np.full(own.size, math.log(own.shape[1]))
                inputs.append(np.stack([own.ravel().astype(np.float64), np.ones(own.size), count], axis=1))
                truth.append(rows.truth.ravel())
                weights.append(np.full(own.size, 1 / len(own)))
    x, y, w = (np.concatenate(parts) for parts in (inputs, truth, weights))

    def loss(line: Doubles) -> float:
        logits = x @ line
        return float(np.average(np.logaddexp(0, logits) - y * logits, weights=w))

    slope, intercept, per_label = minimize(loss, [1.5, -0.5, 0.0]).x
    return float(slope), float(intercept), float(per_label)


if __name__ == "__main__":
    main()
