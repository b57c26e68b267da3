"""Measure multi-label fits: F1, log loss, calibration, wall time and bytes, beside SetFit and yes/no classifiers.

Starts a real server on a new data directory and talks to it over HTTP. Each draw is fitted in turns: by one multi-label
classifier, by one yes/no classifier for each label (what one does without multi-label classifiers), and by SetFit with
``multi_target_strategy="one-vs-rest"``; with ``--described``, also by a multi-label classifier whose labels are
described.

Run: make bench-multi-label DATA=/path/to/sets ARGS="--setfit"
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
from draws import draw_tickets, read_lines
from report import markdown
from server import classifier_bytes, post, running_server
from setfit_side import setfit_fit_rows, setfit_python
from sklearn.metrics import f1_score, log_loss
from zero_shot_descriptions import DESCRIPTIONS

SETFIT_ITERATIONS = 20
TEXTS_A_REQUEST = 500
TIMEOUT_S = 3_600
BINS = 15
# Beyond this, a probability of 0 or 1 that is wrong would make the log loss infinite.
MIN_PROBABILITY = 1e-7
WINDROW, DESCRIBED = "Windrow", "Windrow, labels described"
YES_NO, SETFIT = "yes/no classifiers", "SetFit"

Rows = list[dict[str, Any]]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Draw:
    """Rows to train on and rows to ask about, and how they were drawn."""

    shots: int
    seed: int
    train: Rows
    test: Rows

    @property
    def labels(self) -> list[str]:
        """The labels of the rows, sorted."""
        return sorted({label for row in self.train or self.test for label in row["labels"]})


@dataclass(frozen=True, slots=True)
class Answers:
    """What one side answered for the test rows.

    Args:
        given: 1 where a label was given; shape [rows, labels].
        probabilities: Shape [rows, labels].
        fit_s: Wall seconds of the fit, to its first answer.
        size_bytes: Of what was saved.
    """

    given: Matrix
    probabilities: Matrix
    fit_s: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How one side did on one draw."""

    side: str
    shots: int
    seed: int
    macro_f1: float
    micro_f1: float
    log_loss: float
    ece: float
    fit_s: float
    size_bytes: int


def main() -> None:
    """Measure and print tables."""
    options = read_options()
    if options.setfit:
        setfit_python()  # installing it must not fall into a measurement
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (_, url, _):
        client = httpx.Client(base_url=url, timeout=TIMEOUT_S)
        post(client, "fit", {"model_name": "warm_up", "training_data": draw_tickets().train[::4]})
        measured = []
        for figures in measure(client, Path(folder), options):
            print(figures, file=sys.stderr, flush=True)
            measured.append(figures)
    print(table(measured))


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure multi-label fits (bench/README.md).")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, each with train.jsonl and test.jsonl")
    parser.add_argument("--set", default="go_emotions", help="a set whose rows have labels [go_emotions]")
    parser.add_argument("--shots", type=int, nargs="+", default=[8, 32], help="training rows of each label [8 32]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the draws [0 1 2]")
    parser.add_argument("--test-rows", type=int, default=600, help="rows to ask about [600]")
    parser.add_argument("--described", action="store_true", help="also fit with descriptions, or with 0 rows")
    parser.add_argument("--yes-no", action="store_true", help="also fit one yes/no classifier for each label")
    parser.add_argument("--setfit", action="store_true", help="also fit each draw with SetFit")
    return parser.parse_args()


def measure(client: httpx.Client, data_dir: Path, options: argparse.Namespace) -> Iterator[Figures]:
    """Fit every draw with each side in turns."""
    test = read_rows(options.data / options.set / "test.jsonl")
    random.Random(0).shuffle(test)
    test = test[: options.test_rows]
    for shots, seed in product(options.shots, options.seeds):
        rows = read_rows(options.data / options.set / "train.jsonl")
        chosen = Draw(shots, seed, draw_rows(rows, shots, seed), test)
        if shots:
            yield judge(WINDROW, chosen, ask_windrow(client, data_dir, chosen))
        if options.described:
            yield judge(DESCRIBED, chosen, ask_windrow(client, data_dir, chosen, DESCRIPTIONS[options.set]))
        if options.yes_no:
            yield judge(YES_NO, chosen, ask_yes_no(client, data_dir, chosen))
        if options.setfit:
            yield judge(SETFIT, chosen, ask_setfit(chosen))


def read_rows(path: Path) -> Rows:
    """Read the rows of a set."""
    rows: Rows = list(read_lines(path))
    return rows


def draw_rows(rows: Rows, shots: int, seed: int) -> Rows:
    """Draw ``shots`` rows of each label, and as many without labels; no row twice.

    One generator goes through the labels in sorted order, samples among the rows of the label that are not drawn yet in
    the file's order, and shuffles what came out.
    """
    chance, drawn = random.Random(seed), set[int]()
    for label in [*sorted({label for row in rows for label in row["labels"]}), None]:
        own = [
            number
            for number, row in enumerate(rows)
            if number not in drawn and (label in row["labels"] if label else not row["labels"])
        ]
        drawn.update(chance.sample(own, shots))
    chosen = [rows[number] for number in sorted(drawn)]
    chance.shuffle(chosen)
    return chosen


def ask_windrow(
    client: httpx.Client, data_dir: Path, draw: Draw, descriptions: Mapping[str, str] | None = None
) -> Answers:
    """Fit one multi-label classifier and ask it."""
    name = f"{'described' if descriptions else 'several'}_labels_{draw.shots}_{draw.seed}"
    started = time.perf_counter()
    fields = {"training_data": draw.train, "label_descriptions": descriptions, "multi_label": True}
    post(client, "fit", {"model_name": name, **fields})
    predict(client, name, [draw.test[0]["text"]])
    fit_s = time.perf_counter() - started
    replies = predict(client, name, [row["text"] for row in draw.test])
    given = [[label in reply["labels"] for label in draw.labels] for reply in replies]
    probabilities = [[reply["scores"][label] for label in draw.labels] for reply in replies]
    return Answers(np.array(given, float), np.array(probabilities), fit_s, classifier_bytes(data_dir, name))


def ask_yes_no(client: httpx.Client, data_dir: Path, draw: Draw) -> Answers:
    """Fit one yes/no classifier for each label and ask all of them."""
    fit_s, size_bytes, probabilities = 0.0, 0, []
    for label in draw.labels:
        name = f"is_{label}_{draw.shots}_{draw.seed}"
        rows = [{"text": row["text"], "label": "yes" if label in row["labels"] else "no"} for row in draw.train]
        started = time.perf_counter()
        post(client, "fit", {"model_name": name, "training_data": rows})
        predict(client, name, [draw.train[0]["text"]])
        fit_s += time.perf_counter() - started
        size_bytes += classifier_bytes(data_dir, name)
        replies = predict(client, name, [row["text"] for row in draw.test])
        probabilities.append([reply["scores"]["yes"] for reply in replies])
    matrix = np.array(probabilities).T
    return Answers((matrix >= 0.5).astype(float), matrix, fit_s, size_bytes)


def ask_setfit(draw: Draw) -> Answers:
    """Fit with SetFit and ask it."""
    result = setfit_fit_rows(
        texts=[row["text"] for row in draw.train],
        labels=[[int(label in row["labels"]) for label in draw.labels] for row in draw.train],
        test_texts=[row["text"] for row in draw.test],
        num_iterations=SETFIT_ITERATIONS,
    )
    return Answers(
        np.array(result["predicted"], float), np.array(result["probabilities"]), result["fit_s"], result["bytes"]
    )


def predict(client: httpx.Client, name: str, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Predict any number of texts."""
    replies: list[dict[str, Any]] = []
    for start in range(0, len(texts), TEXTS_A_REQUEST):
        body = {"model_name": name, "texts": list(texts[start : start + TEXTS_A_REQUEST])}
        replies += post(client, "predict", body)["predictions"]
    return replies


def judge(side: str, draw: Draw, answers: Answers) -> Figures:
    """Return how a side did."""
    truth = np.array([[label in row["labels"] for label in draw.labels] for row in draw.test], float)
    probabilities = np.clip(answers.probabilities, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return Figures(
        side=side,
        shots=draw.shots,
        seed=draw.seed,
        macro_f1=float(f1_score(truth, answers.given, average="macro", zero_division=0.0)),
        micro_f1=float(f1_score(truth, answers.given, average="micro", zero_division=0.0)),
        log_loss=float(log_loss(truth.ravel(), probabilities.ravel())),
        ece=calibration_error(truth.ravel(), probabilities.ravel()),
        fit_s=answers.fit_s,
        size_bytes=answers.size_bytes,
    )


def calibration_error(truth: Matrix, probabilities: Matrix) -> float:
    """Return the expected calibration error over all decisions about all labels, with bins of equal width."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    gaps = [
        abs(probabilities[bins == one].sum() - truth[bins == one].sum()) for one in range(BINS) if (bins == one).any()
    ]
    return float(sum(gaps) / len(truth))


def table(measured: Sequence[Figures]) -> str:
    """Return the means over the seeds, and the ratios of the sides to Windrow."""
    lines = []
    for shots in sorted({each.shots for each in measured}):
        own = [each for each in measured if each.shots == shots and each.side in (WINDROW, DESCRIBED)]
        seconds = statistics.median(each.fit_s for each in own if each.side == own[0].side)
        for side in (WINDROW, DESCRIBED, YES_NO, SETFIT):
            some = [each for each in measured if each.shots == shots and each.side == side]
            if not some:
                continue
            median_s = statistics.median(each.fit_s for each in some)
            size_bytes = statistics.mean(each.size_bytes for each in some)
            lines.append(
                (
                    str(shots),
                    side,
                    *(
                        " / ".join(f"{100 * getattr(each, name):.1f}" for each in some)
                        for name in ("macro_f1", "micro_f1")
                    ),
                    f"{statistics.mean(each.log_loss for each in some):.3f}",
                    f"{statistics.mean(each.ece for each in some):.3f}",
                    f"{median_s:.1f}",
                    f"{median_s / seconds:.1f}",
                    f"{size_bytes / 1e6:.2f}",
                )
            )
    heads = (
        *("rows of each label", "side", "macro F1, by seed", "micro F1, by seed", "log loss", "ECE"),
        *("fit, s (median)", "times Windrow's", "MB"),
    )
    return markdown(heads, lines)


if __name__ == "__main__":
    main()
