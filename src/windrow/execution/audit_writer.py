"""Writes the audit trail: changes at once, by a thread that joins what waits; refusals once a minute, counted."""

import logging
import os
import pwd
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from windrow.codec.values import to_json
from windrow.domain.audit import AuditLine
from windrow.domain.caller import Caller
from windrow.domain.errors import WindrowError
from windrow.storage.audit_log import AuditLog

# A reply waits so long for its line to be on the disk.
WAIT_S: Final = 10.0
# Equal attempts within this time are counted together.
COUNT_INTERVAL_S: Final = 60.0
# Different attempts that are counted apart within that time; further ones are counted by their outcome alone.
MAX_COUNTED: Final = 100
# Lines of counted attempts a day; then they are counted by their outcome alone.
MAX_COUNTED_A_DAY: Final = 10_000
# Only a disk that hangs lets more wait.
_MAX_WAITING: Final = 10_000
_log = logging.getLogger("windrow.audit")


@dataclass(slots=True, eq=False)
class _Waiting:
    """Lines that are to be written, and whether they were."""

    lines: list[AuditLine]
    is_done: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Counted:
    """Equal attempts: the first one, and how many there were."""

    line: AuditLine
    count: int = 0


class AuditWriter:
    """Writes lines of the audit trail, for any number of threads.

    What cannot be written goes to the log of the process, whole: the change that it tells of stands.

    Args:
        log: Where the lines are kept; ``None`` for no trail.
        clock_s: Tells how much time has passed, in seconds.
    """

    def __init__(self, log: AuditLog | None, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock_s = clock_s
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._counted: dict[tuple[object, ...], _Counted] = {}
        self._due_s = 0.0  # when what is counted is written
        self._counted_day, self._left_today = "", MAX_COUNTED_A_DAY
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def record(self, *lines: AuditLine) -> None:
        """Write lines, and return once the disk has them, or after ``WAIT_S``; never fails.

        Args:
            lines: The lines.
        """
        if self._log is None or not lines:
            return
        waiting = _Waiting(list(lines))
        with self._changed:
            is_queued = not self._is_closed and len(self._waiting) < _MAX_WAITING
            if is_queued:
                self._waiting.append(waiting)
                self._wake()
        if not is_queued:
            self._write([waiting])
        elif not waiting.is_done.wait(WAIT_S):
            _log.error("The data directory takes long. These lines of the audit trail may be lost: %s", _shown(lines))

    def count(self, line: AuditLine) -> None:
        """Count an attempt that changed nothing; it is written with equal ones, and nobody waits for that.

        Args:
            line: The attempt.
        """
        if self._log is None:
            return
        key: tuple[object, ...] = (line.key_name, line.address, line.verb, line.target, line.outcome)
        with self._changed:
            if not self._counted:
                self._due_s = self._clock_s() + COUNT_INTERVAL_S
                self._wake()
            if key not in self._counted and len(self._counted) >= MAX_COUNTED:
                line, key = _by_outcome(line)
            self._counted.setdefault(key, _Counted(line)).count += 1

    def flush(self) -> None:
        """Write what was counted so far."""
        self.record(*self._take_counted())

    def close(self) -> None:
        """Write everything; later lines are written by whoever has them."""
        with self._changed:
            self._is_closed = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(WAIT_S)
        self.flush()

    def _wake(self) -> None:
        """Have the thread look what there is to do; with the lock held."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="audit-trail", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._write(batch)

    def _next_batch(self) -> list[_Waiting] | None:
        """Wait for something to write, and return it; ``None`` after the close."""
        with self._changed:
            has_counted = bool(self._counted)
            timeout_s = max(0.0, self._due_s - self._clock_s()) if has_counted else None
            # What begins to be counted changes how long to wait.
            self._changed.wait_for(
                lambda: self._waiting or self._is_closed or bool(self._counted) != has_counted, timeout_s
            )
            batch, self._waiting = self._waiting, []
            is_due = bool(self._counted) and self._clock_s() >= self._due_s
            if self._is_closed and not batch:
                return None
        return [*batch, _Waiting(self._take_counted())] if is_due else batch

    def _take_counted(self) -> list[AuditLine]:
        """Return what was counted, and begin anew."""
        with self._changed:
            counted, self._counted = self._counted, {}
            today = f"{datetime.now(UTC):%Y-%m-%d}"
            if today != self._counted_day:
                self._counted_day, self._left_today = today, MAX_COUNTED_A_DAY
            if len(counted) > self._left_today:
                counted = _folded(counted.values())
            self._left_today = max(0, self._left_today - len(counted))
        return [replace(each.line, count=each.count) for each in counted.values()]

    def _write(self, batch: list[_Waiting]) -> None:
        lines = [line for each in batch for line in each.lines]
        try:
            if lines and self._log is not None:
                self._log.put(lines)
        except WindrowError as error:
            _log.error(
                "The audit trail could not be written: %s It lacks, unless they are stored all the same: %s",
                error.detail,
                _shown(lines),
            )
        except Exception:  # noqa: BLE001 - the edge of a thread: one defect must not end it, nor fail a change
            _log.exception("The audit trail could not be written. It lacks: %s", _shown(lines))
        finally:
            for each in batch:
                each.is_done.set()


def line_of(caller: Caller, verb: str, **facts: Any) -> AuditLine:
    """Return a line about what a caller did just now.

    Args:
        caller: The caller.
        verb: What was done.
        facts: Further fields of the line.
    """
    now = datetime.now(UTC)
    return AuditLine(
        id=f"{int(now.timestamp() * 1e6):014x}-{secrets.token_hex(3)}",
        at=now.replace(microsecond=0),
        key_name=caller.key_name,
        address=caller.address,
        user=None if caller.request_id else _user(),
        verb=verb,
        request_id=caller.request_id,
        **facts,
    )


@cache
def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # one without a name, as in a container
        return str(os.geteuid())


def _by_outcome(line: AuditLine) -> tuple[AuditLine, tuple[object, ...]]:
    """Return a line that tells of its outcome alone, and what it is counted by."""
    return replace(line, key_name=None, address="", verb="", target="", request_id=""), (line.outcome,)


def _folded(counted: Any) -> dict[tuple[object, ...], _Counted]:
    folded: dict[tuple[object, ...], _Counted] = {}
    for each in counted:
        line, key = _by_outcome(each.line)
        folded.setdefault(key, _Counted(line)).count += each.count
    return folded


def _shown(lines: Any) -> str:
    return " ".join(to_json(line).decode() for line in lines)
