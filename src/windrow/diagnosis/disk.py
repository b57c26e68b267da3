"""Check the folder that the data directory is in: who may use it, its room, and whether its disk keeps its promises."""

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from windrow.disk import PRIVATE_FILE, is_open_to_others, reason, sync
from windrow.domain.diagnosis import Check
from windrow.settings import Settings, variable_name

# Room for some hundred classifiers with their rows, beside what trainings leave.
_SPARE_BYTES: Final = 1_000_000_000
# A file takes an inode; a training makes three of them.
_SPARE_FILES: Final = 10_000
# Each training waits for some ten of them.
_SLOW_SYNC_S: Final = 0.1
# File systems keep times in steps of up to 2 s, and a network file system has a clock of its own.
_CLOCK_TOLERANCE_S: Final = 5.0
# Before this version was written, no clock is right.
_EARLIEST: Final = datetime(2025, 9, 1, tzinfo=UTC)
_MB: Final = 1e6


def check_folder(folder: Path) -> Iterator[Check]:
    """Check that a data directory is there, belongs to this user, and is closed to others.

    Args:
        folder: The data directory, or the folder of this machine beside an object store.
    """
    if not folder.exists():
        yield Check(
            "data directory",
            "warning",
            f"{folder.absolute()} is not there; a server's first start or the first change makes it. If there should "
            "be one, see whether its disk is mounted, and name the right one with --data-dir.",
        )
        return
    if not folder.is_dir():
        yield Check("data directory", "failed", f"{folder} is no folder. Name the right one with --data-dir.")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        owner = folder.stat().st_uid
        yield Check(
            "data directory",
            "failed",
            f"This user (number {os.geteuid()}) may not read and write {folder}, which belongs to number {owner}. Run "
            f"as that user, or give it to this one: chown -R {os.geteuid()} {folder}",
        )
        return
    foreign = _first_foreign(folder)
    if foreign is not None:
        yield Check(
            "data directory",
            "warning",
            f"{foreign} belongs to user number {foreign.stat().st_uid}, and this is number {os.geteuid()}. What one "
            f"makes, the other may not be able to read. Let both be the same: chown -R {os.geteuid()} {folder}",
        )
    if is_open_to_others(folder):
        yield Check(
            "data directory",
            "warning",
            f"Other users of this machine can reach {folder}, and with it training rows. Close it: chmod go-rwx "
            f"{folder}",
        )
        return
    yield Check("data directory", "ok", f"{folder} is there, and only its owner may use it.")


def check_room(folder: Path, settings: Settings) -> Iterator[Check]:
    """Check that there is room on the disk, for bytes and for files.

    Args:
        folder: The data directory, which need not be there.
        settings: What trainings leave free.
    """
    there = _existing(folder)
    free, least = shutil.disk_usage(there).free, settings.min_free_bytes
    facts = f"{free / _MB:,.0f} MB are free on the disk of {folder}"
    if free < least:
        yield Check(
            "disk room",
            "failed",
            f"{facts}, less than {variable_name('min_free_bytes')} ({least / _MB:,.0f} MB): trainings and imports are "
            "refused. Free some; `windrow usage` says what takes the room.",
        )
    elif free < least + _SPARE_BYTES:
        yield Check("disk room", "warning", f"{facts}; below {least / _MB:,.0f} MB, trainings are refused. Free some.")
    else:
        yield Check("disk room", "ok", f"{facts}.")
    files = os.statvfs(there)
    if files.f_files and files.f_favail < _SPARE_FILES:
        yield Check(
            "disk room",
            "warning",
            f"The disk of {folder} has room for {files.f_favail:,} more files, whatever their size (df -i). Remove "
            "small files of other programs.",
        )


def check_writes(folder: Path, clock_s: Callable[[], float] = time.time) -> Iterator[Check]:
    """Write a file as Windrow does (synced, linked to its name, renamed), remove it, and compare the disk's clock.

    Args:
        folder: The data directory; where it is not there, the folder that it would be made in.
        clock_s: This machine's clock, in seconds since 1970.
    """
    there = _existing(folder)
    staged = there / f".windrow-doctor-{secrets.token_hex(8)}"
    linked, renamed = staged.with_suffix(".linked"), staged.with_suffix(".renamed")
    step = "written"
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
            file.write(b"windrow doctor")
            file.flush()
            step, began_s = "synced", time.monotonic()
            os.fsync(file.fileno())
            took_s = time.monotonic() - began_s
        written_at_s = staged.stat().st_mtime
        step = "linked to a second name"
        has_links = _link(staged, linked)
        step = "renamed"
        staged.rename(renamed)
        step = "found again"
        if renamed.read_bytes() != b"windrow doctor":
            raise OSError(None, "it holds something else")
        step = "made durable by a sync of its folder"
        sync(there)
    except OSError as error:
        yield Check(
            "disk writes",
            "failed",
            f"A file in {there} could not be {step} ({reason(error)}). Windrow cannot save anything safely there; put "
            "the data directory on another disk.",
        )
        return
    finally:
        for path in (staged, linked, renamed):
            with suppress(OSError):
                path.unlink(missing_ok=True)
    yield _writes(there, took_s, has_links=has_links)
    yield _clock(written_at_s, clock_s())


def _writes(folder: Path, took_s: float, *, has_links: bool) -> Check:
    facts = f"Files in {folder} are synced in {took_s * 1e3:.1f} ms, linked and renamed"
    if not has_links:
        return Check(
            "disk writes",
            "warning",
            f"The disk of {folder} has no hard links, so Windrow makes do with less certain means where two write at "
            "the same moment. Let one server alone write there, or choose another file system.",
        )
    if took_s > _SLOW_SYNC_S:
        return Check("disk writes", "warning", f"{facts}. That is slow: each change waits for some of them.")
    return Check("disk writes", "ok", f"{facts}.")


def _clock(written_at_s: float, now_s: float) -> Check:
    now = datetime.fromtimestamp(now_s, UTC)
    if now < _EARLIEST:
        return Check("clock", "failed", f"The clock says {now:%Y-%m-%d %H:%M} UTC. Set it: expiry goes by it.")
    apart_s = written_at_s - now_s
    if abs(apart_s) > _CLOCK_TOLERANCE_S:
        return Check(
            "clock",
            "warning",
            f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC, and that of the disk is {abs(apart_s):.0f} s "
            f"{'ahead' if apart_s > 0 else 'behind'}. One of them is wrong: have both set by NTP.",
        )
    return Check("clock", "ok", f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC, and the disk agrees.")


def _link(path: Path, name: Path) -> bool:
    try:
        os.link(path, name)
    except OSError:
        return False
    return True


def _existing(folder: Path) -> Path:
    """Return a folder, or that of those above it that is there."""
    return next(each for each in (folder, *folder.absolute().parents) if each.is_dir())


def _first_foreign(folder: Path) -> Path | None:
    """Return the first of a data directory and its folders that belongs to another user than this one."""
    found = (folder, *sorted(each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()))
    return next((each for each in found if each.stat().st_uid != os.geteuid()), None)
