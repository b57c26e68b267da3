"""Bars that show how a training or a transfer goes on, on standard error and only in a terminal.

Owns what they look like; knows nothing of how the work is done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from windrow.cli.formats import duration
from windrow.cli.output import notes_console
from windrow.domain.job import Job, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

_STAGES = {
    "encoding": "Encoding the texts",
    "training": "Training the encoder",
    "judging": "Judging by trainings on parts",
    "finishing": "Fitting the head",
    "saving": "Saving",
}


class TrainingBar:
    """One line that says what a training does, how far it is and how long it still takes.

    Args:
        bars: What draws it.
    """

    def __init__(self, bars: "Bars") -> None:
        self._bars = bars
        self._task = bars.add_task("Waiting", total=None, note="")

    def show(self, progress: Progress) -> None:
        """Show how far a training is; called from any thread."""
        words = [] if progress.loss is None else [f"loss {progress.loss:.3f}"]
        if progress.seconds_left is not None:
            words.append(f"about {duration(progress.seconds_left)} left")
        # A stage without steps is one step; a total of ``None`` would keep the one before.
        self._bars.update(
            self._task,
            description=_STAGES[progress.stage],
            total=progress.of or 1,
            completed=progress.step,
            note=", ".join(words),
        )

    def refresh(self) -> None:
        """Draw it now, rather than soon."""
        self._bars.refresh()

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
    """Draw a bar for a training until the end of the block, then take it away."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = notes_console()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(
        *columns,
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        yield TrainingBar(bars)


@contextmanager
def transfer_bar(words: str, total_bytes: int) -> "Iterator[Bars]":
    """Draw a bar for bytes until the end of the block; ``advance`` its only task.

    Args:
        words: What is being done.
        total_bytes: How many bytes there are.
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = notes_console()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        bars.add_task(words, total=total_bytes)
        yield bars
