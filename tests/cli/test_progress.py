"""Bars: nothing where there is no terminal, a line of words where there is one."""

import os
import pty
import re
import select
import sys
import time
from datetime import UTC, datetime

import pytest
from rich.progress import Task, TaskID

from windrow.cli.progress import elapsed_column, training_bar, transfer_bar
from windrow.domain.job import Job, Progress

JOB = Job(
    id="1",
    state="queued",
    model_name="tickets_v1",
    num_examples=4,
    training_data_sha256="0" * 64,
    created_at=datetime(2025, 9, 15, tzinfo=UTC),
    ahead=2,
)


def write_to_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have standard error taken for a terminal of 120 columns."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")


def test_there_is_no_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with training_bar() as bar:
        bar.show(Progress("training", 1, 3, 1.5, 12.0))
        bar.show_job(JOB)
    with transfer_bar("Exporting", 10) as bars:
        bars.advance(bars.task_ids[0], 10)
    shown = capsys.readouterr()
    assert (shown.out, shown.err.strip()) == ("", "")


def test_a_bar_says_stage_step_loss_and_what_is_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_to_terminal(monkeypatch)
    with training_bar() as bar:
        bar.show_job(JOB)
    with training_bar() as bar:
        bar.show(Progress("training", 1, 3, 1.5, 12.0))
    shown = capsys.readouterr().err
    assert "Waiting for its turn" in shown
    assert "2 before it" in shown
    assert "Training the encoder" in shown
    assert "1/3" in shown
    assert "loss 1.500, about 12 s left" in shown


def test_a_bar_says_rows_and_shards_of_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_to_terminal(monkeypatch)
    with training_bar() as bar:
        bar.show(Progress("predicting", 300, 900, seconds_left=12.0, shards=1, num_shards=3))
    shown = capsys.readouterr().err
    assert "Predicting" in shown
    assert "300/900" in shown
    assert "1 of 3 shards, about 12 s left" in shown


def test_the_elapsed_time_goes_on_in_the_stages_after_the_first() -> None:
    """Rich notes when all steps of a task are done, and keeps that time although more steps follow."""
    done = Task(TaskID(0), "", total=3, completed=3, _get_time=lambda: 75.9, finished_time=2.0)
    done.start_time = 0.0
    assert str(elapsed_column().render(done)) == "0:01:15"
    assert str(elapsed_column().render(Task(TaskID(0), "", total=3, completed=0, _get_time=lambda: 75.0))) == "0:00:00"


def test_the_elapsed_time_ticks_in_a_terminal_while_nothing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first step that loads its libraries, or a part that is judged, reports nothing for many seconds."""
    controller, terminal = pty.openpty()
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    shown = ""
    with os.fdopen(terminal, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with training_bar() as bar:
            bar.show(Progress("validating", seconds_left=12.0))
            until = time.monotonic() + 60
            # Any two times: a busy machine may skip some.
            while len(times_in(shown)) < 2 and (left_s := until - time.monotonic()) > 0:
                if select.select([controller], [], [], left_s)[0]:
                    shown += os.read(controller, 65_536).decode()
    os.close(controller)
    assert len(times_in(shown)) >= 2, shown
    assert "Judging by trainings on parts" in shown
    assert "0/" not in shown


def times_in(shown: str) -> set[str]:
    """Return the elapsed times that a bar has shown."""
    return set(re.findall(r"0:\d\d:\d\d", shown))
