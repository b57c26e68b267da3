"""Progress bars for trainings, transfers and rows, on standard error and only in a terminal."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windrow.cli.formats import duration
from windrow.cli.output import notes_console
from windrow.domain.job import Job, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn, Task

    from windrow.files.decoding import Source
    from windrow.files.reading import Record

_STAGES = {
    "encoding": "Encoding the texts",
    "training": "Training the encoder",
    "validating": "Judging by trainings on parts",
    "finishing": "Fitting the head",
    "saving": "Saving",
    "planning": "Reading the files",
    "predicting": "Predicting",
}


class TrainingBar:
    """One line that says what a job does, how far it is and how long it still takes.

    Args:
        bars: What draws it.
    """

    def __init__(self, bars: "Bars") -> None:
        self._bars = bars
        self._task = bars.add_task("Waiting", total=None, steps="", note="")

    def show(self, progress: Progress) -> None:
        """Show how far a job is; called from any thread."""
        words = [] if progress.loss is None else [f"loss {progress.loss:.3f}"]
        if progress.seconds_left is not None:
            words.append(f"about {duration(progress.seconds_left)} left")
        if progress.num_shards:
            words.insert(0, f"{progress.shards} of {progress.num_shards} shards")
        # A stage without steps is one step, which no number shows; a total of ``None`` would keep the one before.
        self._bars.update(
            self._task,
            description=_STAGES[progress.stage],
            total=progress.num_steps or 1,
            completed=progress.step,
            steps=f"{progress.step}/{progress.num_steps}" if progress.num_steps else "",
            note=", ".join(words),
        )

    def show_job(self, job: Job) -> None:
        """Show how far a job is."""
        if job.state == "queued":
            note = f"{job.ahead} before it" if job.ahead else ""
            self._bars.update(self._task, description="Waiting for its turn", note=note)
        elif job.progress is not None:
            self.show(job.progress)
        else:
            self._bars.update(self._task, description=job.state.capitalize(), note="")


@contextmanager
def training_bar() -> Iterator[TrainingBar]:
    """Draw a bar for a job until the end of the block, then take it away."""
    from rich.progress import BarColumn

    steps = ("{task.description}", BarColumn(), "{task.fields[steps]}")
    with drawn(*steps, elapsed_column(), "{task.fields[note]}") as bars:
        yield TrainingBar(bars)


@contextmanager
def transfer_bar(words: str, total_bytes: int) -> "Iterator[Bars]":
    """Draw a bar for bytes until the end of the block; ``advance`` its only task.

    Args:
        words: What is being done.
        total_bytes: How many bytes there are.
    """
    from rich.progress import BarColumn, DownloadColumn, TransferSpeedColumn

    with drawn("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn()) as bars:
        bars.add_task(words, total=total_bytes)
        yield bars


@contextmanager
def row_bar(source: "Source", *, is_shown: bool) -> "Iterator[RowBar]":
    """Draw a bar for rows until the end of the block, then take it away.

    Args:
        source: The file that is read.
        is_shown: Whether to draw it.
    """
    if not is_shown:
        yield RowBar(source)
        return
    from rich.progress import BarColumn, TimeRemainingColumn

    counts = ("Predicting", BarColumn(), "{task.completed:,.0f} rows", "{task.fields[rate]}")
    with drawn(*counts, elapsed_column(), TimeRemainingColumn()) as bars:
        bars.add_task("Predicting", total=None, rate="")
        yield RowBar(source, bars)


def drawn(*columns: "ProgressColumn | str") -> "Bars":
    """Return what draws bars on standard error, in a terminal alone, until the end of a block."""
    from rich.progress import Progress

    console = notes_console()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def elapsed_column() -> "ProgressColumn":
    """Return a column with the time since a bar was drawn.

    Rich's own stands still for ever once all steps are done, and so through each stage after the first.
    """
    from datetime import timedelta

    from rich.progress import ProgressColumn
    from rich.text import Text

    class Elapsed(ProgressColumn):
        def render(self, task: "Task") -> Text:
            return Text(str(timedelta(seconds=int(task.elapsed or 0))), style="progress.elapsed")

    return Elapsed()


@dataclass(slots=True)
class RowBar:
    """Counts rows, and draws a progress bar in a terminal."""

    source: "Source"
    """The file that is read, whose size tells about how many rows there are."""
    bars: "Bars | None" = None
    """What draws; ``None`` to draw nothing."""
    read: int = 0
    """Rows that were read."""
    done: int = 0
    """Rows that are done."""

    def counted(self, records: "Iterable[Record]") -> "Iterator[Record]":
        """Yield rows as they are, and count them."""
        for record in records:
            self.read += 1
            yield record

    def advance(self, rows: int) -> None:
        """Say that so many more rows are done."""
        self.done += rows
        if self.bars is not None:
            task = self.bars.tasks[0]
            rate = f"{task.speed:,.0f} rows/s" if task.speed else ""
            self.bars.update(task.id, total=self._expected(), completed=self.done, rate=rate)

    def _expected(self) -> float | None:
        """Return about how many rows there are, judged by the bytes of those that were read."""
        size_bytes, bytes_read = self.source.size_bytes, self.source.bytes_read
        if not size_bytes or not bytes_read:
            return None
        return max(self.done, round(self.read * size_bytes / bytes_read))
