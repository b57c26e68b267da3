"""What a bench kept: one value a fit, and the file of them.

Owns the form of a raw line; knows nothing of how it was measured or is shown.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

WINDROW, SETFIT = "windrow", "setfit"
# Side, set, shots, seed, num_iterations and repeat.
Fit = tuple[str, str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Run:
    """One fit. ``None`` stands for what was not measured.

    Args:
        side: ``windrow`` or ``setfit``.
        ds: The set's name.
        shots: Training rows a class.
        seed: Of the draw.
        num_iterations: As asked for.
        repeat: Counts the fits of one draw, from 0.
        acc: Share of the test rows that it got right, in [0, 1].
        mcc: Matthews' correlation coefficient on them, in [-1, 1].
        fit_s: Wall seconds from the request until it answered a first text.
        warm_up_s: What SetFit's process spent on a tiny first fit, which does not count.
        bytes: Of the classifier on disk, without its training rows.
        peak_bytes: Most resident memory: of the server, or of SetFit's process.
        training_peak_bytes: The same of the server's training process.
        interval: The lowest and the highest accuracy that the fit's own estimate expects, in [0, 1].
    """

    side: str
    ds: str
    shots: int
    seed: int
    num_iterations: int
    repeat: int = 0
    acc: float | None = None
    mcc: float | None = None
    fit_s: float | None = None
    warm_up_s: float | None = None
    bytes: int | None = None
    peak_bytes: int | None = None
    training_peak_bytes: int | None = None
    interval: list[float] | None = None

    @property
    def fit(self) -> Fit:
        """What tells it from other runs."""
        return self.side, self.ds, self.shots, self.seed, self.num_iterations, self.repeat

    @property
    def draw(self) -> tuple[str, int, int]:
        """What tells its draw from others."""
        return self.ds, self.shots, self.seed


def append_runs(path: Path, runs: Iterable[Run]) -> None:
    """Append runs to a file, one JSON object a line."""
    with path.open("a") as file:
        for run in runs:
            file.write(json.dumps({name: value for name, value in asdict(run).items() if value is not None}) + "\n")


def read_runs(path: Path) -> list[Run]:
    """Read a file that :func:`append_runs` wrote."""
    return [Run(**json.loads(line)) for line in path.read_text().splitlines()]


def read_scores(path: Path) -> list[Run]:
    """Read SetFit's scores: lines of {"ds", "shots", "seed", "acc", "mcc"}, or a bench's own raw lines.

    Times are left out: they were not measured beside this run's.
    """
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        Run(SETFIT, line["ds"], line["shots"], line["seed"], 20, acc=line["acc"], mcc=line.get("mcc"))
        for line in lines
        if line.get("side", SETFIT) == SETFIT and "acc" in line and line.get("repeat", 0) == 0
    ]


def scores_beside(measured: Sequence[Run], scores: Iterable[Run]) -> list[Run]:
    """Return the scores on draws that Windrow fitted and SetFit did not fit anew."""
    fitted, anew = ({run.draw for run in measured if run.side == side} for side in (WINDROW, SETFIT))
    return [score for score in scores if score.draw in fitted - anew]
