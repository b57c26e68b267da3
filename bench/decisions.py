"""What a question adds to a predict: one choice bound to a classifier, in turns with Windrow's own endpoint.

And 400 questions about one text in one request, bound to classifiers and without any. Texts are new each time, so that
each is encoded. Prints Markdown for bench/RESULTS.md.

Run: make bench-decisions
"""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from server import post, running_server

from windrow.api.examples import EXAMPLE_ROWS, EXAMPLE_TEXT

NAME = "tickets"
BLOCKS = 40
CALLS_IN_A_BLOCK = 25
ROUNDS = 7
QUESTIONS = 400
TARGET_RATIO = 1.15
LABELS = sorted({str(row["label"]) for row in EXAMPLE_ROWS})
CHOICE = {
    "type": "choice",
    "name": "team",
    "instructions": "Which team?",
    "choices": [{"value": label} for label in LABELS],
}


def in_turns(calls: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the milliseconds of each call, in blocks that alternate, each first every other time."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for block in range(BLOCKS):
        for name in list(calls)[:: 1 if block % 2 else -1]:
            calls[name]()
            for _ in range(CALLS_IN_A_BLOCK):
                started = time.perf_counter()
                calls[name]()
                times[name].append((time.perf_counter() - started) * 1e3)
    return times


def question(number: int, *, bound: bool) -> Mapping[str, Any]:
    """Return one of many questions."""
    if bound:
        return {**CHOICE, "name": f"team {number}"}
    kinds = (
        {"type": "predicate", "instructions": f"The customer asks for refund number {number}."},
        {
            "type": "choice",
            "instructions": "What is it about?",
            "choices": [{"value": f"a bill {number}"}, {"value": f"a login {number}"}, {"value": "a delivery"}],
        },
        {
            "type": "score",
            "instructions": "How angry?",
            "levels": [{"label": "calm"}, {"label": f"annoyed {number}"}, {"label": "furious"}],
        },
    )
    return kinds[number % len(kinds)]


def many(http: httpx.Client, texts: "itertools.count[int]", *, bound: bool) -> list[float]:
    """Return the milliseconds of requests with many questions, the first of which has all of its options encoded."""
    model = NAME if bound else "windrow"
    questions = [question(number, bound=bound) for number in range(QUESTIONS)]
    times = []
    for _ in range(ROUNDS + 1):
        body = {"model": model, "input": f"{EXAMPLE_TEXT} {next(texts)}", "questions": questions}
        started = time.perf_counter()
        http.post("/v1/decisions", json=body).raise_for_status()
        times.append((time.perf_counter() - started) * 1e3)
    return times


def main() -> None:
    """Measure and print."""
    texts = itertools.count()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder)) as (_, url, _),
        httpx.Client(base_url=url, timeout=60) as http,
    ):
        post(http, "fit", {"model_name": NAME, "training_data": EXAMPLE_ROWS, "num_iterations": 0})

        def predict() -> None:
            body = {"model_name": NAME, "text": f"{EXAMPLE_TEXT} {next(texts)}"}
            http.post("/v1/classifier/predict", json=body).raise_for_status()

        def decide() -> None:
            body = {"model": NAME, "input": f"{EXAMPLE_TEXT} {next(texts)}", "questions": [CHOICE]}
            http.post("/v1/decisions", json=body).raise_for_status()

        one = in_turns({"`/v1/classifier/predict`": predict, "one choice in `/v1/decisions`": decide})
        bound, compared = many(http, texts, bound=True), many(http, texts, bound=False)
    own, asked = (statistics.median(times) for times in one.values())
    print(
        "\n".join(
            [
                f"| {BLOCKS * CALLS_IN_A_BLOCK:,} new texts each, in turns | median | 90th percentile |",
                "|---|---|---|",
                *(
                    f"| {name} | {statistics.median(times):.2f} ms | {statistics.quantiles(times, n=10)[-1]:.2f} ms |"
                    for name, times in one.items()
                ),
                f"| ratio (target at most {TARGET_RATIO}) | {asked / own:.3f} | |",
                "",
                f"| {QUESTIONS} questions about one text | first | median of {ROUNDS} further texts |",
                "|---|---|---|",
                f"| bound to a classifier | {bound[0]:.0f} ms | {statistics.median(bound[1:]):.0f} ms |",
                f"| without a classifier | {compared[0]:.0f} ms | {statistics.median(compared[1:]):.0f} ms |",
            ]
        )
    )


if __name__ == "__main__":
    main()
