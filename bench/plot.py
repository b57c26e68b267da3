"""Draw accuracy over time from a bench's raw lines; runs in bench/.venv-setfit, which has matplotlib.

Owns the picture; knows nothing of how a run was measured.
"""

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from report import points
from runs import SETFIT, WINDROW, Run, read_runs

BLUE, ORANGE = "#1f5fa8", "#c8641b"


def main(raw_file: str, png_file: str, *sets: str) -> None:
    """Draw one point for each num_iterations, and SetFit's."""
    runs = read_runs(Path(raw_file))
    figure = Figure(figsize=(7, 4.2), dpi=100)
    axes = figure.subplots()
    draw_windrow(axes, [run for run in runs if run.side == WINDROW and run.ds in sets])
    draw_setfit(axes, [run for run in runs if run.side == SETFIT and run.ds in sets], sets)
    axes.margins(y=0.12)  # room for the numbers above the points
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda seconds, _: f"{seconds:g}")
    axes.set_xlabel("wall time of a fit, request to answering, seconds (median, mean over sets)")
    axes.set_ylabel("accuracy, points (mean over sets)")
    axes.set_title(", ".join(sets), fontsize=9)
    axes.grid(alpha=0.25, which="both")
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(png_file)


def draw_windrow(axes: Axes, runs: Sequence[Run]) -> None:
    """Draw a line through the points, each with its num_iterations."""
    steps = sorted({run.num_iterations for run in runs})
    places = [place([run for run in runs if run.num_iterations == step]) for step in steps]
    axes.plot(*zip(*places, strict=True), "o-", color=BLUE, label="Windrow, by num_iterations")
    for step, where in zip(steps, places, strict=True):
        axes.annotate(str(step), where, xytext=(0, 7), textcoords="offset points", ha="center", color=BLUE)


def draw_setfit(axes: Axes, runs: Sequence[Run], sets: Sequence[str]) -> None:
    """Draw a point where its time was measured on every set, else a line at its accuracy, where that is known."""
    if {run.ds for run in runs} != set(sets):
        return
    if {run.ds for run in runs if run.fit_s is not None} == set(sets):
        seconds, score = place(runs)
        axes.plot([seconds], [score], "D", color=ORANGE, label="SetFit 1.2.0, num_iterations=20")
    else:
        axes.axhline(accuracy(runs), ls="--", color=ORANGE, label="SetFit 1.2.0, num_iterations=20 (time not measured)")


def place(runs: Sequence[Run]) -> tuple[float, float]:
    """Return seconds (mean over sets of the median fit) and points."""
    by_set = {ds: [run.fit_s for run in runs if run.ds == ds and run.fit_s is not None] for ds in names(runs)}
    return statistics.fmean(map(statistics.median, by_set.values())), accuracy(runs)


def accuracy(runs: Sequence[Run]) -> float:
    """Return the mean over sets of the mean over draws, in points."""
    by_set = [points(run for run in runs if run.ds == ds) for ds in names(runs)]
    return statistics.fmean(statistics.fmean(scores.values()) for scores in by_set)


def names(runs: Sequence[Run]) -> list[str]:
    """Return the sets that the runs are of."""
    return sorted({run.ds for run in runs})


if __name__ == "__main__":
    main(*sys.argv[1:])
