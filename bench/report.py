"""Tables of runs, in Markdown.

Owns means, differences and columns; knows nothing of how a run was measured.
"""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from draws import measure_of
from runs import SETFIT, WINDROW, Run
from scipy import stats

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Group:
    """What both sides did on the draws of one set.

    Args:
        ds: The set's name.
        shots: Training rows a class.
        num_iterations: Windrow's.
        windrow: Its runs.
        setfit: SetFit's runs.
    """

    ds: str
    shots: int
    num_iterations: int
    windrow: Sequence[Run]
    setfit: Sequence[Run]

    @property
    def name(self) -> str:
        """The set's name, with the measure where it is not accuracy."""
        return f"{self.ds} (MCC)" if measure_of(self.ds) == "mcc" else self.ds

    @property
    def differences(self) -> list[float]:
        """Windrow's score minus SetFit's, for each draw that both fitted, in points."""
        ours, theirs = points(self.windrow), points(self.setfit)
        return [ours[seed] - theirs[seed] for seed in ours.keys() & theirs.keys()]


def points(runs: Iterable[Run]) -> dict[int, float]:
    """Return the quoted measure of a set's runs in points, by seed; of repeats the first."""
    found: dict[int, float] = {}
    for run in runs:
        score = run.mcc if measure_of(run.ds) == "mcc" else run.acc
        if score is not None:
            found.setdefault(run.seed, 100 * score)
    return found


def tables(measured: Sequence[Run], scores: Sequence[Run], averaged: set[str]) -> str:
    """Return a table of accuracies and one of costs.

    Args:
        measured: Runs of both sides.
        scores: SetFit's earlier runs, of the same draws.
        averaged: Names of the sets that the mean over sets is taken of.
    """
    groups = [
        Group(ds, shots, num_iterations, ours, [run for run in [*measured, *scores] if _same_set(run, ours[0])])
        for (ds, shots, num_iterations), ours in _by_set(run for run in measured if run.side == WINDROW).items()
    ]
    shown = [accuracy_table(groups, averaged), head_table(groups, averaged), cost_table(groups)]
    return "\n\n".join(filter(None, shown))


def _same_set(run: Run, other: Run) -> bool:
    return run.side == SETFIT and (run.ds, run.shots) == (other.ds, other.shots)


def _by_set(runs: Iterable[Run]) -> dict[tuple[str, int, int], list[Run]]:
    found: dict[tuple[str, int, int], list[Run]] = {}
    for run in runs:
        found.setdefault((run.ds, run.shots, run.num_iterations), []).append(run)
    return found


def accuracy_table(groups: Sequence[Group], averaged: set[str]) -> str:
    """Return accuracies in points: mean and standard deviation over the draws, paired difference, mean over sets."""
    header = ("set", "shots", "num_iterations", "draws", "Windrow", "SetFit", "draws of both", "difference")
    rows: list[Sequence[str]] = [
        (
            group.name,
            str(group.shots),
            str(group.num_iterations),
            str(len(points(group.windrow))),
            mean_and_std(list(points(group.windrow).values())),
            mean_and_std(list(points(group.setfit).values())),
            str(len(group.differences)),
            mean_and_std(group.differences, sign="+"),
        )
        for group in groups
        if points(group.windrow)
    ]
    for num_iterations in dict.fromkeys(group.num_iterations for group in groups):
        chosen = [group for group in groups if group.num_iterations == num_iterations and group.ds in averaged]
        if len(chosen) > 1:
            rows.append(_mean_row(num_iterations, chosen))
    return markdown(header, rows) if rows else "No accuracies: nothing was tested."


def _mean_row(num_iterations: int, groups: Sequence[Group]) -> tuple[str, ...]:
    """Average the sets' means; over draws of both sides where SetFit stands in it."""
    ours = [statistics.fmean(points(group.windrow).values()) for group in groups]
    theirs = [list(points(group.setfit).values()) for group in groups]
    differences = [group.differences for group in groups]
    return (
        "**mean over sets**",
        NOTHING,
        str(num_iterations),
        NOTHING,
        f"{statistics.fmean(ours):.1f}",
        f"{statistics.fmean(map(statistics.fmean, theirs)):.1f}" if all(theirs) else NOTHING,
        NOTHING,
        f"{statistics.fmean(map(statistics.fmean, differences)):+.1f}" if all(differences) else NOTHING,
    )


def head_table(groups: Sequence[Group], averaged: set[str]) -> str:
    """Return the head alone beside trainings, paired by draws; empty where one of the two is missing.

    The interval is that of the mean difference (Student's t, 95 %); "covered" counts the draws whose accuracy lies in
    the interval that the fit itself expected.
    """
    heads = {(group.ds, group.shots): group for group in groups if group.num_iterations == 0}
    pairs = [
        (heads[group.ds, group.shots], group)
        for group in groups
        if group.num_iterations > 0 and (group.ds, group.shots) in heads
    ]
    header = ("set", "shots", "num_iterations", "draws", "head alone", "default", "difference", "95 %", "covered")
    rows = [_head_row(head, group) for head, group in pairs]
    for shots, num_iterations in dict.fromkeys((group.shots, group.num_iterations) for _, group in pairs):
        chosen = [
            (points(head.windrow), points(group.windrow))
            for head, group in pairs
            if (group.shots, group.num_iterations) == (shots, num_iterations) and group.ds in averaged
        ]
        if len(chosen) > 1:
            means = [[statistics.fmean(each.values()) for each in pair] for pair in chosen]
            head, default = (statistics.fmean(column) for column in zip(*means, strict=True))
            mean = (f"{head:.1f}", f"{default:.1f}", f"{default - head:+.1f}", NOTHING, NOTHING)
            rows.append(("**mean over sets**", str(shots), str(num_iterations), NOTHING, *mean))
    return markdown(header, rows) if rows else ""


def _head_row(head: Group, group: Group) -> tuple[str, ...]:
    alone, trained = points(head.windrow), points(group.windrow)
    differences = [trained[seed] - alone[seed] for seed in sorted(alone.keys() & trained.keys())]
    low, high = mean_interval(differences)
    judged = [
        run.interval[0] <= run.acc <= run.interval[1]
        for run in group.windrow
        if run.interval is not None and run.acc is not None and run.repeat == 0
    ]
    return (
        group.name,
        str(group.shots),
        str(group.num_iterations),
        str(len(differences)),
        mean_and_std(list(alone.values())),
        mean_and_std(list(trained.values())),
        mean_and_std(differences, sign="+"),
        NOTHING if len(differences) < 2 else f"{low:+.1f} to {high:+.1f}",
        f"{sum(judged)} of {len(judged)}",
    )


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of a mean (Student's t); infinite for fewer than two values."""
    if len(values) < 2:
        return float("-inf"), float("inf")
    half = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return statistics.fmean(values) - half, statistics.fmean(values) + half


def cost_table(groups: Sequence[Group]) -> str:
    """Return wall times (medians), memory (the most of all runs) and bytes on disk (the most of all runs)."""
    what = ("set", "shots", "num_iterations", "Windrow's fit", "SetFit's fit", "ratio")
    header = (*what, "server's peak", "its training process's peak", "SetFit's peak", "on disk", "SetFit's on disk")
    return markdown(header, [_cost_row(group) for group in groups])


def _cost_row(group: Group) -> tuple[str, ...]:
    ours, theirs = (_values(runs, lambda run: run.fit_s) for runs in (group.windrow, group.setfit))
    return (
        group.ds,
        str(group.shots),
        str(group.num_iterations),
        f"{statistics.median(ours):.2f} s",
        f"{statistics.median(theirs):.1f} s" if theirs else NOTHING,
        f"{statistics.median(theirs) / statistics.median(ours):.1f}" if theirs else NOTHING,
        _mebibytes(group.windrow, lambda run: run.peak_bytes),
        _mebibytes(group.windrow, lambda run: run.training_peak_bytes),
        _mebibytes(group.setfit, lambda run: run.peak_bytes),
        _megabytes(group.windrow),
        _megabytes(group.setfit),
    )


def _values(runs: Iterable[Run], read: Callable[[Run], float | None]) -> list[float]:
    return [value for run in runs if (value := read(run)) is not None]


def _mebibytes(runs: Iterable[Run], read: Callable[[Run], float | None]) -> str:
    values = _values(runs, read)
    return f"{max(values) / 2**20:.0f} MiB" if values else NOTHING


def _megabytes(runs: Iterable[Run]) -> str:
    values = _values(runs, lambda run: run.bytes)
    return f"{max(values) / 1e6:.2f} MB" if values else NOTHING


def mean_and_std(values: Sequence[float], sign: str = "") -> str:
    """Return ``mean ± standard deviation`` (of the sample), or what there is of it."""
    if not values:
        return NOTHING
    mean = f"{statistics.fmean(values):{sign}.1f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.1f}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose columns line up."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
