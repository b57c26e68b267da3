"""Measure fits on draws of labelled sets: accuracy, wall time, memory and bytes, beside SetFit.

Starts a real server on a new data directory and talks to it over HTTP. SetFit fits the same draws in turns with it.

Run: make bench-fit DATA=/path/to/sets ARGS="--setfit"
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import httpx
import psutil
from draws import Draw, draw, draw_made_up, draw_mails, draw_tickets
from report import tables
from runs import SETFIT, WINDROW, Fit, Run, append_runs, read_runs, read_scores, scores_beside
from server import classifier_bytes, post, running_server, watch_memory
from setfit_side import setfit_fit, setfit_python
from sklearn.metrics import accuracy_score, matthews_corrcoef

SETS = ("trec6", "subj", "cr", "emotion", "amazon_cf_en", "ag_news")
PLOTTED_ITERATIONS = (0, 5, 10, 20, 40, 100)
SETFIT_ITERATIONS = 20  # SetFit's default
BANKING_SHOTS = 16
PREDICT_THREADS = 4
TIMEOUT_S = 3_600


def main() -> None:
    """Measure, keep the raw lines, print tables, draw."""
    options = read_options()
    if options.setfit or options.plot:
        setfit_python()  # installing it must not fall into a measurement
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (process, url, _):
        side = WindrowSide(httpx.Client(base_url=url, timeout=TIMEOUT_S), process, Path(folder))
        side.warm_up()
        measured = read_runs(options.json) if options.json and options.json.exists() else []
        for run in alternating_runs(side, options, {each.fit for each in measured}):
            print(run, file=sys.stderr, flush=True)
            measured.append(run)
            if options.json:
                append_runs(options.json, [run])
    scores = scores_beside(measured, read_scores(options.scores)) if options.scores else []
    print(tables(measured, scores, set(options.sets)))
    if options.plot:
        draw_plot([*measured, *scores], options.plot, options.sets)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure fits beside SetFit (bench/README.md).")
    parser.add_argument("--data", type=Path, help="folder of sets, each with train.jsonl and test.jsonl")
    parser.add_argument("--sets", type=_words, default=None, help=f"names, with commas between [{','.join(SETS)}]")
    parser.add_argument("--seeds", type=_numbers, default=[0, 1, 2, 3, 4], help="of the draws [0,1,2,3,4]")
    parser.add_argument(
        "--shots", type=_numbers, default=[8], help="training rows a class, with commas between; 0 for all [8]"
    )
    parser.add_argument("--iterations", type=_numbers, help="Windrow's num_iterations [20; with --plot 0,5,…,100]")
    parser.add_argument("--test-rows", type=int, default=600, help="rows to ask about [600]")
    parser.add_argument("--repeats", type=int, default=1, help="fits of each draw [1]")
    parser.add_argument("--tickets", action="store_true", help="also time 24 short made-up tickets in 3 classes")
    parser.add_argument("--mails", type=int, metavar="ROWS", help="also fit that many made-up e-mails in 6 classes")
    parser.add_argument("--made-up", type=int, metavar="ROWS", help="also fit that many made-up texts in 20 classes")
    parser.add_argument("--banking", action="store_true", help="also fit banking77 with 16 rows an intent")
    parser.add_argument("--setfit", action="store_true", help="fit each draw with SetFit too")
    parser.add_argument("--scores", type=Path, help="file of SetFit's scores, for draws that it does not fit here")
    parser.add_argument(
        "--json", type=Path, help="file to append one JSON line a fit to; fits in it are not made again"
    )
    parser.add_argument("--plot", type=Path, help="PNG file: accuracy over time")
    options = parser.parse_args()
    if options.sets is None:
        options.sets = [] if options.tickets or options.banking or options.mails or options.made_up else list(SETS)
    options.iterations = options.iterations or (list(PLOTTED_ITERATIONS) if options.plot else [20])
    if options.data is None and (options.sets or options.banking):
        parser.error("--data is missing: the folder that holds the sets (make bench-fit DATA=/path/to/sets)")
    return options


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _numbers(text: str) -> list[int]:
    return [int(word) for word in _words(text)]


def alternating_runs(side: "WindrowSide", options: argparse.Namespace, known: set[Fit]) -> Iterator[Run]:
    """Fit every draw with both, in turns, so that a drift of the machine's speed hits both; but for known fits."""
    for chosen in draws(options):
        for repeat in range(options.repeats):
            for num_iterations in options.iterations:
                if (WINDROW, *chosen.key, num_iterations, repeat) not in known:
                    yield side.fit(chosen, num_iterations, repeat)
            if options.setfit and (SETFIT, *chosen.key, SETFIT_ITERATIONS, repeat) not in known:
                yield fit_with_setfit(chosen, repeat)


def draws(options: argparse.Namespace) -> Iterator[Draw]:
    """Yield what the options ask for."""
    if options.tickets:
        yield draw_tickets()
    if options.mails:
        for seed in options.seeds:
            yield draw_mails(options.mails, seed, options.test_rows)
    if options.made_up:
        for seed in options.seeds:
            yield draw_made_up(options.made_up, seed, options.test_rows)
    for shots, ds, seed in product(options.shots, options.sets, options.seeds):
        yield draw(options.data / ds, shots, seed, options.test_rows)
    if options.banking:
        for seed in options.seeds:
            yield draw(options.data / "banking77", BANKING_SHOTS, seed, None)


class WindrowSide:
    """Fits by a running server.

    Args:
        client: Knows the server's address.
        process: The server.
        data_dir: Where it writes.
    """

    def __init__(self, client: httpx.Client, process: psutil.Process, data_dir: Path) -> None:
        self._client = client
        self._process = process
        self._data_dir = data_dir

    def warm_up(self) -> None:
        """Make one small fit that does not count."""
        post(self._client, "fit", {"model_name": "warm_up", "training_data": draw_tickets().train[::4]})

    def fit(self, chosen: Draw, num_iterations: int, repeat: int) -> Run:
        """Fit a draw, ask about a first text, then about every test row."""
        name = f"{chosen.ds}_{chosen.shots}_{chosen.seed}_{num_iterations}_{repeat}"
        body = {"model_name": name, "training_data": chosen.train, "num_iterations": num_iterations}
        with watch_memory(self._process) as peak:
            started = time.perf_counter()
            estimate = post(self._client, "fit", body)["report"]["estimate"]
            self._predict(name, chosen.train[0]["text"])
            fit_s = time.perf_counter() - started
            with ThreadPoolExecutor(PREDICT_THREADS) as pool:
                predicted = list(pool.map(lambda row: self._predict(name, row["text"]), chosen.test))
        acc, mcc = scored(chosen, predicted)
        return Run(
            side=WINDROW,
            ds=chosen.ds,
            shots=chosen.shots,
            seed=chosen.seed,
            num_iterations=num_iterations,
            repeat=repeat,
            fit_s=fit_s,
            bytes=classifier_bytes(self._data_dir, name),
            peak_bytes=peak.own_bytes,
            training_peak_bytes=peak.children_bytes,
            acc=acc,
            mcc=mcc,
            interval=None if estimate is None else [estimate["interval"]["low"], estimate["interval"]["high"]],
        )

    def _predict(self, name: str, text: str) -> str:
        label: str = post(self._client, "predict", {"model_name": name, "text": text})["label"]
        return label


def fit_with_setfit(chosen: Draw, repeat: int) -> Run:
    """Fit a draw with SetFit."""
    result = setfit_fit(chosen, SETFIT_ITERATIONS)
    acc, mcc = scored(chosen, result["predicted"])
    return Run(
        side=SETFIT,
        ds=chosen.ds,
        shots=chosen.shots,
        seed=chosen.seed,
        num_iterations=SETFIT_ITERATIONS,
        repeat=repeat,
        fit_s=result["fit_s"],
        warm_up_s=result["warm_up_s"],
        bytes=result["bytes"],
        peak_bytes=result["peak_bytes"],
        acc=acc,
        mcc=mcc,
    )


def draw_plot(shown: Sequence[Run], png: Path, sets: Sequence[str]) -> None:
    """Draw accuracy over time, by the interpreter that has matplotlib."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "runs.jsonl")
        append_runs(raw, shown)
        subprocess.run(
            [setfit_python(), str(Path(__file__).with_name("plot.py")), str(raw), str(png), *sets], check=True
        )


def scored(chosen: Draw, predicted: Sequence[str]) -> tuple[float | None, float | None]:
    """Return accuracy and Matthews' correlation coefficient; ``None`` where there was no test."""
    if not chosen.test:
        return None, None
    truth = [row["label"] for row in chosen.test]
    return float(accuracy_score(truth, predicted)), float(matthews_corrcoef(truth, predicted))


if __name__ == "__main__":
    main()
