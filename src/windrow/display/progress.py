"""A bar for a training in a notebook, drawn by tqdm. Nothing else here imports it; without it there is no bar."""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from windrow.domain.job import OnProgress, Progress, Stage

_STAGES: dict[Stage, str] = {
    "encoding": "Encoding the texts",
    "training": "Training the encoder",
    "validating": "Training on parts of the rows",
    "finishing": "Fitting the head",
    "saving": "Saving",
    "planning": "Reading the files",
    "predicting": "Predicting",
}


@contextmanager
def training_bar(wanted: bool | None = None) -> Iterator[OnProgress | None]:
    """Draw a bar for a training until the end of the block, then take it away.

    Args:
        wanted: Whether to draw it; ``None`` draws it in a notebook.

    Yields:
        What shows how far the training is, from any thread; ``None`` without a bar.
    """
    tqdm = _load_tqdm() if (in_notebook() if wanted is None else wanted) else None
    if tqdm is None:
        yield None
        return
    bar = _Bar(tqdm(total=1, desc="Waiting", leave=False))
    try:
        yield bar.show
    finally:
        bar.close()


def in_notebook() -> bool:
    """Whether this code runs in a notebook (Jupyter, Colab, an editor's), and not in a terminal, IPython's neither."""
    # Where there is a notebook, its kernel has imported IPython.
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def told_both(*listeners: OnProgress) -> OnProgress:
    """Return what tells several listeners how far a training is."""

    def tell(progress: Progress) -> None:
        for each in listeners:
            each(progress)

    return tell


class _Bar:
    """One line that says what a training does, how far it is and how long it still takes."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._stage: Stage | None = None
        self._lock = threading.Lock()

    def show(self, progress: Progress) -> None:
        with self._lock:
            if progress.stage != self._stage:
                self._stage = progress.stage
                # A stage without steps is one step.
                self._bar.reset(total=progress.num_steps or 1)
                self._bar.set_description(_STAGES[progress.stage], refresh=False)
            words = [] if progress.loss is None else [f"loss {progress.loss:.3f}"]
            if progress.seconds_left is not None:
                words.append(f"about {progress.seconds_left:.0f} s left")
            self._bar.set_postfix_str(", ".join(words), refresh=False)
            self._bar.n = progress.step
            self._bar.refresh()

    def close(self) -> None:
        with self._lock:
            self._bar.close()


def _load_tqdm() -> Any:
    """Return tqdm's bar for where this runs; ``None`` where it is not installed."""
    try:
        with warnings.catch_warnings():
            # Without widgets it draws its bar in text, and would tell to install them.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm
