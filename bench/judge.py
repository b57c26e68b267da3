"""Measure what judging is worth and takes: calibration, scope and estimates on labelled sets, and wall times.

Starts a real server on a new data directory and talks to it over HTTP.

Run: make bench-judge DATA=/path/to/sets
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from bare import Bare
from draws import Draw, Rows, draw, read_lines, tickets
from report import markdown
from server import post, running_server
from sklearn.metrics import roc_auc_score

SETS = ("trec6", "ag_news", "subj", "emotion")
FURTHER_SETS = ("cr", "amazon_cf_en")
TIMEOUT_S = 3_600
TEXTS_A_REQUEST = 500
TIMED_ROWS, TIMED_TOKENS = 1_000, 20
CROSS_VALIDATED_ROWS = 500
VERSIONS = 10
BINS = 15

Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one draw gave.

    Args:
        ds: The set.
        accuracy: On the test rows.
        raw_ece: Expected calibration error of the head as it was fitted.
        ece: The same of what the server answers.
        estimate: The cross-validated accuracy of the fit's report.
        is_covered: Whether the accuracy on the test rows lies in the estimate's own interval.
    """

    ds: str
    accuracy: float
    raw_ece: float
    ece: float
    estimate: float
    is_covered: bool


class Side:
    """Asks a running server.

    Args:
        client: Knows its address.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def fit(self, name: str, rows: Rows, **more: object) -> Reply:
        """Fit and return the reply."""
        reply: Reply = post(self._client, "fit", {"model_name": name, "training_data": rows, **more})
        return reply

    def predict(self, name: str, texts: Sequence[str]) -> list[Reply]:
        """Predict any number of texts."""
        answers: list[Reply] = []
        for start in range(0, len(texts), TEXTS_A_REQUEST):
            body = {"model_name": name, "texts": list(texts[start : start + TEXTS_A_REQUEST])}
            answers += post(self._client, "predict", body)["predictions"]
        return answers

    def record(self, name: str) -> Reply:
        """Return a classifier's record."""
        reply: Reply = self._client.get(f"/v1/classifier/models/{name}").json()
        return reply

    def seconds(self, verb: str, body: Mapping[str, object], repeats: int) -> list[float]:
        """Return the wall seconds of some requests."""
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            post(self._client, verb, body)
            times.append(time.perf_counter() - started)
        return times


def main() -> None:
    """Measure and print tables."""
    options = read_options()
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (_, url, _):
        side = Side(httpx.Client(base_url=url, timeout=TIMEOUT_S))
        side.fit("warm_up", tickets())
        if "quality" in options.parts:
            print(quality_table([judge_draw(side, each) for each in draws(options)]), flush=True)
        if "scope" in options.parts:
            print(scope_table(side, options), flush=True)
        if "time" in options.parts:
            print(time_table(side, options), flush=True)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure judging (bench/README.md).")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, each with train.jsonl and test.jsonl")
    parser.add_argument("--seeds", type=_numbers, default=[0, 1, 2, 3, 4], help="of the draws [0,1,2,3,4]")
    parser.add_argument("--shots", type=int, default=8, help="training rows a class [8]")
    parser.add_argument("--iterations", type=int, default=20, help="num_iterations of the fits [20]")
    parser.add_argument("--clinc-seeds", type=_numbers, default=[0], help="draws of clinc150, 10 rows an intent [0]")
    parser.add_argument("--repeats", type=int, default=5, help="of each timed request [5]")
    parser.add_argument("--parts", type=_words, default=["quality", "scope", "time"], help="[quality,scope,time]")
    return parser.parse_args()


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _numbers(text: str) -> list[int]:
    return [int(word) for word in _words(text)]


def draws(options: argparse.Namespace) -> list[tuple[Draw, int]]:
    """Return the draws, and how long each is trained."""
    sets = (*SETS, *FURTHER_SETS)
    return [
        (draw(options.data / ds, options.shots, seed, 600), options.iterations) for ds in sets for seed in options.seeds
    ]


def judge_draw(side: Side, asked: tuple[Draw, int]) -> Figures:
    """Fit a draw, predict its test rows, and compare with what the fit said of itself."""
    chosen, num_iterations = asked
    name = f"{chosen.ds}_{chosen.seed}"
    estimate = side.fit(name, chosen.train, num_iterations=num_iterations)["report"]["estimate"]
    answers = side.predict(name, [row["text"] for row in chosen.test])
    right = np.array([answer["label"] == row["label"] for answer, row in zip(answers, chosen.test, strict=True)])
    scores = np.array([list(answer["scores"].values()) for answer in answers])
    raw = scores ** side.record(name)["scores"]["temperature"]  # what the head said before its logits were divided
    raw /= raw.sum(axis=1, keepdims=True)
    accuracy = float(right.mean())
    covered = estimate["interval"]["low"] <= accuracy <= estimate["interval"]["high"]
    figures = Figures(chosen.ds, accuracy, ece(raw, right), ece(scores, right), estimate["accuracy"], covered)
    print(figures, file=sys.stderr, flush=True)
    return figures


def ece(scores: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error of the best scores, in bins of equal width."""
    best = scores.max(axis=1)
    bins = np.minimum((best * BINS).astype(int), BINS - 1)
    return float(
        sum((bins == each).mean() * abs(best[bins == each].mean() - right[bins == each].mean()) for each in set(bins))
    )


def quality_table(figures: Sequence[Figures]) -> str:
    """Show calibration and estimates by set; the last line averages the four sets that the targets name."""
    sets = dict.fromkeys(each.ds for each in figures)
    lines = [_quality_line(ds, [each for each in figures if each.ds == ds]) for ds in sets]
    lines.append(_quality_line("mean of the first four", [each for each in figures if each.ds in SETS]))
    lines.append(_quality_line("mean of all", figures))
    return markdown(
        ["set", "accuracy", "ECE, head as fitted", "ECE, as answered", "estimate", "estimate - accuracy", "covered"],
        lines,
    )


def _quality_line(name: str, figures: Sequence[Figures]) -> list[str]:
    def mean(of: Callable[[Figures], float]) -> float:
        return statistics.fmean(map(of, figures))

    return [
        name,
        f"{mean(lambda each: each.accuracy):.3f}",
        f"{mean(lambda each: each.raw_ece):.3f}",
        f"{mean(lambda each: each.ece):.3f}",
        f"{mean(lambda each: each.estimate):.3f}",
        f"{mean(lambda each: each.estimate - each.accuracy):+.3f}",
        f"{sum(each.is_covered for each in figures)} of {len(figures)}",
    ]


def scope_table(side: Side, options: argparse.Namespace) -> str:
    """Show how well in_scope and the best score tell texts in scope from others (area under the ROC curve)."""
    lines = []
    for seed in options.clinc_seeds:
        chosen = draw(options.data / "clinc150", 10, seed, None)
        lines.append(_scope_line(side, f"clinc150, 10 an intent, draw {seed}", chosen, options))
    folder = options.data / "hint3_sofmattress"
    whole = Draw(folder.name, 0, 0, read_lines(folder / "train.jsonl"), read_lines(folder / "test.jsonl"))
    lines.append(_scope_line(side, "hint3_sofmattress, all rows", whole, options))
    return markdown(
        ["set", "accuracy", "AUROC, in_scope", "AUROC, best score", "in scope below 0.05", "out of scope below 0.05"],
        lines,
    )


def _scope_line(side: Side, title: str, chosen: Draw, options: argparse.Namespace) -> list[str]:
    side.fit(chosen.ds, chosen.train, num_iterations=options.iterations)
    within = side.predict(chosen.ds, [row["text"] for row in chosen.test])
    outside = side.predict(chosen.ds, [row["text"] for row in read_lines(options.data / chosen.ds / "oos_test.jsonl")])
    truth = [1] * len(within) + [0] * len(outside)
    answers = within + outside
    right = [answer["label"] == row["label"] for answer, row in zip(within, chosen.test, strict=True)]
    return [
        title,
        f"{statistics.fmean(right):.3f}",
        f"{roc_auc_score(truth, [answer['in_scope'] for answer in answers]):.3f}",
        f"{roc_auc_score(truth, [max(answer['scores'].values()) for answer in answers]):.3f}",
        f"{statistics.fmean(answer['in_scope'] < 0.05 for answer in within):.3f}",
        f"{statistics.fmean(answer['in_scope'] < 0.05 for answer in outside):.3f}",
    ]


def time_table(side: Side, options: argparse.Namespace) -> str:
    """Time evaluations, comparisons and cross-validation beside the bare encoder, in turns."""
    rows = timed_rows(options.data)
    texts = [row["text"] for row in rows[:TIMED_ROWS]]
    train = rows[TIMED_ROWS : TIMED_ROWS + 60]
    names = [f"version_{number}" for number in range(VERSIONS)]
    for number, name in enumerate(names):
        side.fit(name, train[number:], num_iterations=0)
    test = rows[:TIMED_ROWS]
    judged = rows[TIMED_ROWS : TIMED_ROWS + CROSS_VALIDATED_ROWS]
    judged_texts = [row["text"] for row in judged]
    with ThreadPoolExecutor(1) as pool:  # its session is its own
        bare = pool.submit(Bare, 2, spinning=False).result()
        requests: dict[str, Callable[[], float]] = {
            "bare": lambda: TIMED_ROWS / bare.texts_per_s(texts, 32, TIMEOUT_S),
            "evaluate": lambda: side.seconds("evaluate", {"model_name": names[0], "test_data": test, "save": False}, 1)[
                0
            ],
            "compare": lambda: side.seconds("compare", {"model_names": names, "test_data": test}, 1)[0],
            "bare, 500": lambda: CROSS_VALIDATED_ROWS / bare.texts_per_s(judged_texts, 32, TIMEOUT_S),
            "cross-validate": lambda: side.seconds("cross-validate", {"training_data": judged, "num_iterations": 0}, 1)[
                0
            ],
        }
        for request in requests.values():  # libraries are loaded with the first report
            request()
        times = [{name: request() for name, request in requests.items()} for _ in range(options.repeats)]
    median = {name: statistics.median(each[name] for each in times) for name in requests}

    def ratio(one: str, other: str) -> str:
        return f"{statistics.median(each[one] / each[other] for each in times):.2f}"

    return markdown(
        ["measure", "seconds, median", "ratio", "wanted"],
        [
            ["1,000 rows of 20 tokens through the bare encoder", f"{median['bare']:.2f}", "", ""],
            ["evaluate them", f"{median['evaluate']:.2f}", ratio("evaluate", "bare"), "<= 1.1 of bare"],
            ["compare 10 versions on them", f"{median['compare']:.2f}", ratio("compare", "evaluate"), "<= 1.3 of one"],
            ["500 rows through the bare encoder", f"{median['bare, 500']:.2f}", "", ""],
            [
                "cross-validate them, head only, 5 folds",
                f"{median['cross-validate']:.2f}",
                ratio("cross-validate", "bare, 500"),
                "< 2 of bare",
            ],
        ],
    )


def timed_rows(data: Path) -> Rows:
    """Return different rows of about the wanted number of tokens, made from the words of real ones."""
    rows = read_lines(data / "trec6" / "train.jsonl")
    words = [word for row in rows for word in row["text"].split()]
    count = TIMED_ROWS + CROSS_VALIDATED_ROWS
    per_row = TIMED_TOKENS * 4 // 5  # a word of these is 1.1 tokens, and a text has two more
    made = []
    for number in range(count):
        start = number * per_row % (len(words) - per_row)
        made.append({"text": " ".join(words[start : start + per_row]), "label": rows[number]["label"]})
    return made


if __name__ == "__main__":
    main()
