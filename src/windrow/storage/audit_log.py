"""Keeps the audit trail: files of lines in a folder for each day, put once and joined once the day is over.

::

    audit/2025-09-15/0006…-….jsonl          lines that were put together, named by the first one's id
    audit/2025-09-15/whole-0006…-….jsonl    several such files, joined

A file begins with a line that holds its format and digest. A line may stand in two files, one of which was to be
removed; its id tells.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from heapq import nlargest
from itertools import groupby
from typing import Final

from windrow.codec.values import ValidationError, from_json, to_json
from windrow.domain.audit import LINE_ID, AuditLine, AuditRequest, AuditTrail
from windrow.domain.errors import InvalidArtifact
from windrow.storage.files import Files, KeyExists, KeyMissing, KeyUnusable

AUDIT: Final = "audit"
# Of the files; it counts on its own.
AUDIT_FORMAT: Final = 1
DAYS: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE: Final = "whole-"
FILES: Final = re.compile(rf"(?:{_WHOLE})?{LINE_ID.pattern}\.jsonl")
# Of a file that others are joined to.
_WHOLE_BYTES: Final = 8 * 2**20
_NO_DIGEST: Final = b"0" * 64
_HEAD: Final = re.compile(rb'\{"format":([0-9]{1,9}),"sha256":"([0-9a-f]{64})"\}\n')
# A file that goes while the folder is read is joined to another one.
_LOOKS: Final = 4
_log = logging.getLogger("windrow.storage")


class AuditLog:
    """The audit trail of a data directory, for any number of threads and processes.

    Args:
        files: Where it is kept.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def put(self, lines: Sequence[AuditLine]) -> None:
        """Keep some lines, each day's together.

        Raises:
            StorageFull: The disk is full.
            StorageUncertain: They are kept, and the disk did not confirm it.
            StorageFailed: The disk failed.
        """
        ordered = sorted(lines, key=_id)
        for day, of_day in groupby(ordered, lambda line: line.at.astimezone(UTC).date()):
            self._put(day, list(of_day), prefix="")

    def read(self, request: AuditRequest) -> AuditTrail:
        """Return a part of the trail, the newest line first.

        Args:
            request: Which part; checked before.

        Raises:
            StorageFailed: The disk cannot be read.
        """
        since, found, unreadable = request.begins_at, dict[str, AuditLine](), 0
        before = None if request.cursor is None else _time_of(request.cursor).date()
        for day in reversed(self.days()):
            if len(found) > request.limit or (since is not None and day < since.date()):
                break
            if before is not None and day > before:
                continue
            lines, damaged = self._day(day)
            unreadable += damaged
            meant = (one for one in lines if (request.cursor is None or one.id < request.cursor) and request.has(one))
            found.update((one.id, one) for one in nlargest(request.limit + 1, meant, key=_id))
        page = sorted(found.values(), key=_id, reverse=True)
        has_more = len(page) > request.limit
        page = page[: request.limit]
        return AuditTrail(tuple(page), unreadable, page[-1].id if has_more else None)

    def days(self) -> list[date]:
        """Return the days of which there are lines, the first one first.

        Raises:
            StorageFailed: The disk cannot be read.
        """
        return [day for name in self._files.list(AUDIT) if (day := _read_day(name)) is not None]

    def tidy(self, now: datetime, kept_days: int) -> None:
        """Remove the days that are too old, and join the files of each day that is over.

        Args:
            now: The present time.
            kept_days: Days for which lines are kept.

        Raises:
            StorageFailed: The disk failed; no line is lost.
        """
        today = now.astimezone(UTC).date()
        for day in self.days():
            if day < today - timedelta(days=kept_days):
                for name in self._names(day):
                    self._files.remove(f"{_folder(day)}/{name}")
            elif day < today:
                self._join(day)

    def _put(self, day: date, lines: Sequence[AuditLine], prefix: str) -> None:
        self._files.put_new(f"{_folder(day)}/{prefix}{lines[0].id}.jsonl", audit_lines_to_bytes(lines))

    def _names(self, day: date) -> list[str]:
        return [name for name in self._files.list(_folder(day)) if FILES.fullmatch(name)]

    def _day(self, day: date) -> tuple[list[AuditLine], int]:
        """Return the lines of a day, each once, and how many files cannot be read."""
        for _ in range(_LOOKS):
            names, found, damaged = self._names(day), dict[str, AuditLine](), 0
            for name in names:
                lines = self._lines(day, name)
                damaged += lines is None
                found.update((one.id, one) for one in lines or ())
            if self._names(day) == names:
                break
        return list(found.values()), damaged

    def _lines(self, day: date, name: str) -> list[AuditLine] | None:
        """Return the lines of a file; none where it is gone, ``None`` where it cannot be read."""
        try:
            return audit_lines_from_bytes(self._files.get(f"{_folder(day)}/{name}"))
        except (InvalidArtifact, KeyUnusable) as error:
            _log.warning("%s/%s of the audit trail cannot be read. %s", _folder(day), name, error)
            return None
        except KeyMissing:
            return []

    def _join(self, day: date) -> None:
        names = self._names(day)
        single = [name for name in names if not name.startswith(_WHOLE)]
        if len(single) < 2:
            return
        joined = {one.id for name in names if name.startswith(_WHOLE) for one in self._lines(day, name) or ()}
        for batch in self._batches(day, single):
            lines = {one.id: one for of_file in batch.values() for one in of_file if one.id not in joined}
            try:
                if lines:
                    self._put(day, sorted(lines.values(), key=_id), _WHOLE)
            except KeyExists:  # another server joins this day; the next look sees what it has left
                return
            for name in batch:
                self._files.remove(f"{_folder(day)}/{name}")

    def _batches(self, day: date, names: Iterable[str]) -> Iterator[dict[str, list[AuditLine]]]:
        """Yield the lines of files that fit one, by name; those that cannot be read are left out."""
        batch, size_bytes = dict[str, list[AuditLine]](), 0
        for name in names:
            if (lines := self._lines(day, name)) is None:
                continue
            batch[name] = lines
            size_bytes += sum(len(to_json(one)) for one in lines)
            if size_bytes >= _WHOLE_BYTES:
                yield batch
                batch, size_bytes = {}, 0
        if batch:
            yield batch


def _time_of(line_id: str) -> datetime:
    """Return the time in the id of a line."""
    return datetime.fromtimestamp(int(line_id.partition("-")[0], 16) // 1_000_000, UTC)


def audit_lines_to_bytes(lines: Iterable[AuditLine]) -> bytes:
    """Return the content of a file.

    Its digest is the SHA-256 of the file with 64 zeros in the place of the digest.
    """
    head = b'{"format":%d,"sha256":"%b"}' % (AUDIT_FORMAT, _NO_DIGEST)
    blank = b"\n".join((head, *map(to_json, lines), b""))
    return blank.replace(_NO_DIGEST, hashlib.sha256(blank).hexdigest().encode(), 1)


def audit_lines_from_bytes(data: bytes) -> list[AuditLine]:
    """Return the lines of a file.

    Raises:
        InvalidArtifact: It is damaged, or of a newer format.
    """
    head = _HEAD.match(data)
    if head is None:
        raise _damaged("does not begin as Windrow writes it")
    if int(head[1]) != AUDIT_FORMAT:
        raise InvalidArtifact(
            "A file of the audit trail is of a newer Windrow. Upgrade Windrow.", {"newest_known_format": AUDIT_FORMAT}
        )
    start, end = head.span(2)
    if hashlib.sha256(b"".join((data[:start], _NO_DIGEST, data[end:]))).hexdigest().encode() != head[2]:
        raise _damaged("was altered: its sha256 is not the recorded one")
    try:
        return [from_json(AuditLine, line) for line in data[head.end() :].splitlines()]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _damaged(f"has a line that is wrong ({first['msg']})") from error


def _damaged(why: str) -> InvalidArtifact:
    return InvalidArtifact("A file of the audit trail {why}. Restore it from a backup.", {"why": why})


def _id(line: AuditLine) -> str:
    return line.id


def _folder(day: date) -> str:
    return f"{AUDIT}/{day.isoformat()}"


def _read_day(name: str) -> date | None:
    try:
        return date.fromisoformat(name) if DAYS.fullmatch(name) else None
    except ValueError:
        return None
