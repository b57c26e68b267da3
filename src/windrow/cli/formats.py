"""How figures look in a terminal: sizes, times, shares."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from windrow.domain.figures import counted, percent
from windrow.domain.prediction import ABSTAINED, NONE_OF_THE_LABELS

if TYPE_CHECKING:
    from windrow.domain.classifier import Trained
    from windrow.domain.interval import Interval
    from windrow.domain.job import FitEstimate, Job
    from windrow.domain.recipe import Recipe
    from windrow.domain.training_report import Estimate

# An interval of an accuracy that is at least so wide says nothing of it.
_WIDE_INTERVAL = 0.8


def size(size_bytes: int) -> str:
    """Return a size as people read it: ``688 kB``, ``1.2 MB``."""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    amount, units = size_bytes / 1_000, ["kB", "MB", "GB"]
    while amount >= 999.5 and len(units) > 1:
        amount /= 1_000
        del units[0]
    return f"{amount:.0f} {units[0]}" if amount >= 9.95 else f"{amount:.1f} {units[0]}"


def duration(seconds: float) -> str:
    """Return a time span as people read it: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60} min"


def when(at: datetime | None) -> str:
    """Return a time, UTC, to the second, and a dash where there is none."""
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def listed(words: Sequence[str]) -> str:
    """Return words as a list on one line, and a dash where there is none."""
    return one_line(", ".join(words)) or "-"


def better_or_worse(difference: "Interval", same: str) -> str:
    """Return in words where a difference of two shares lies: ``1.0 to 5.0 points better (95 % interval)``.

    Args:
        difference: The interval of the difference, from -1 to 1.
        same: What is said where there is none.
    """
    low, high = 100 * difference.low, 100 * difference.high
    if low == high == 0:
        return same
    if low < 0 < high:
        return f"between {-low:.1f} points worse and {high:.1f} points better (95 % interval)"
    nearer, farther = sorted((abs(low), abs(high)))
    return f"{nearer:.1f} to {farther:.1f} points {'better' if high > 0 else 'worse'} (95 % interval)"


def estimate_text(estimate: "Estimate") -> str:
    """Return an estimate of an accuracy: ``about 83.3 %, between 25.0 % and 100.0 %``, or that it is not known yet."""
    low, high = percent(estimate.interval.low), percent(estimate.interval.high)
    found = f"{percent(estimate.accuracy)}, between {low} and {high}"
    if estimate.interval.high - estimate.interval.low < _WIDE_INTERVAL:
        return f"about {found}"
    return f"not known yet: so few rows say next to nothing ({found})"


def extension_text(training: "Trained | Job | FitEstimate") -> str:
    """Return what a training has taken over: ``tickets_v2@3: 118 rows taken over, 2 replaced``; empty for nothing."""
    taken_over, replaced = training.taken_over_rows, training.replaced_rows
    if training.extends is None and not taken_over:
        return ""
    what = training.extends or "a classifier that this API key does not know"
    return f"{what}: {counted(taken_over, 'row')} taken over, {replaced:,} replaced"


def given_text(labels: Sequence[str] | None) -> str:
    """Return the labels that a text was given; in brackets that there are none, or with ``None`` that it abstained."""
    if labels is None:
        return f"({ABSTAINED})"
    return ", ".join(map(one_line, labels)) or f"({NONE_OF_THE_LABELS})"


def one_line(text: str) -> str:
    """Return a text without line ends and without characters that a terminal would obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def several_lines(text: str) -> str:
    """Return a text with its line ends, but without characters that a terminal would obey."""
    return "\n".join(map(one_line, text.splitlines()))


def recipe_text(recipe: "Recipe") -> str:
    """Return what decides how a training goes, in a few words."""
    return f"{recipe.num_iterations} iterations, batch size {recipe.batch_size}, seed {recipe.seed}"
