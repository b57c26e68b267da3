"""Logs of numbered files, one for each name; the highest number holds the present state."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from windrow.domain.errors import ConcurrentChange, InvalidArtifact, StorageFailed
from windrow.domain.names import is_name
from windrow.storage.files import MAX_BYTES, Files, KeyExists, KeyMissing, KeyUnusable, RemoteFiles, is_forbidden
from windrow.storage.format import RESTORE

Value = TypeVar("Value")
# Told the name of what this process changed, or tried to, before anybody is told that it did.
OnChange = Callable[[str], object]
NUMBERED = re.compile(r"(?!000000)([0-9]{6}|[1-9][0-9]{6,17})\.json")
_KEPT_OLD_VALUES = 1_024
# A name that is purged and trained anew in such a moment is not so again and again.
_LOOKS = 4

_log = logging.getLogger("windrow.storage")


@dataclass(frozen=True, slots=True)
class Newest(Generic[Value]):
    """What the index holds of one name; never changed, only replaced.

    Args:
        token: The folder's change token from before it was listed.
        number: The highest number; 0 where there is none.
        value: What its file says; the error where it cannot be read, ``None`` where there is none.
    """

    token: str | None
    number: int
    value: Value | InvalidArtifact | None


def ignore_change(_: str) -> None:
    """Do nothing about a change."""


class Logs(Generic[Value]):
    """The logs below one root, for any number of threads and processes.

    The index needs no lock: its values are replaced whole, each carries the token from before its listing, and each
    look compares that token first. So a late writer's older value does no harm; it is listed anew.

    Args:
        files: Where they are kept.
        root: The first part of their keys.
        read: Makes a value of a file's name, number and content; raises :class:`InvalidArtifact`.
        on_change: Told of each change by this process.
    """

    def __init__(
        self, files: Files, root: str, read: Callable[[str, int, bytes], Value], on_change: OnChange = ignore_change
    ) -> None:
        self._files = files
        self._root = root
        self._read = read
        self._on_change = on_change
        self._index: dict[str, Newest[Value]] = {}
        self._forbidden: set[str] = set()  # names of which the log says so already
        self._folders: tuple[str | None, tuple[str, ...]] = (None, ())
        self._read_old = lru_cache(_KEPT_OLD_VALUES)(self._read_unknown)  # which keeps no errors: they may be mended

    def names(self) -> tuple[str, ...]:
        """Return the sorted names that have a folder, whatever is in it."""
        token = self._files.version_token(self._root)
        known_token, names = self._folders
        if token is None or token != known_token:
            names = tuple(name for name in self._files.list(self._root) if is_name(name))
            self._folders = (token, names)
        return names

    def newest(self, name: str) -> Newest[Value]:
        """Return a name's highest number and what it says; one look at the folder's time where nothing changed."""
        token = self._files.version_token(f"{self._root}/{name}")  # first, so that a change during the listing shows
        known = self._index.get(name)
        # A damaged file may be mended in place, which no folder's time tells.
        is_damaged = known is not None and isinstance(known.value, InvalidArtifact)
        if known is not None and token is not None and token == known.token and not is_damaged:
            return known
        number, value = self._highest(name)
        if value is None:
            self._index.pop(name, None)  # names that do not exist must not fill the memory
            return Newest(token, 0, None)
        # Read again even where the number is the known one: a person may have moved the folder away or repaired it.
        newest = Newest(token, number, value)
        if isinstance(value, InvalidArtifact) and (known is None or known.number != number):
            _log.warning("%s cannot be used. %s", name, value.detail)
        self._index[name] = newest
        return newest

    def newest_listed(self, name: str) -> Newest[Value]:
        """Return what :meth:`newest` does, for a list of many names: one that may not be read is damaged.

        A change of a name must not take it for damaged, since nothing is lost, and fails.
        """
        try:
            return self.newest(name)
        except StorageFailed as error:
            if not is_forbidden(error):
                raise
            if name not in self._forbidden:
                _log.warning("%s cannot be used. %s", name, error.detail)
            self._forbidden.add(name)
            return Newest(None, 0, InvalidArtifact(error.template, error.facts))

    def prefetch(self, names: Sequence[str]) -> None:
        """Have what the newest numbers of names say at hand, where each would be a request: for those who read many."""
        if isinstance(self._files, RemoteFiles):
            newest = ((name, max(self.numbers(name), default=0)) for name in names if name not in self._index)
            self._files.prefetch([self.key(name, number) for name, number in newest if number])

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return a name's numbers, ascending."""
        matches = (NUMBERED.fullmatch(file) for file in self._files.list(f"{self._root}/{name}"))
        return tuple(sorted(int(match[1]) for match in matches if match is not None))

    def values(self, name: str) -> Mapping[int, Value | InvalidArtifact | None]:
        """Return the values of a name by ascending number; each is read lazily."""
        return _Values(self, name)

    def at(self, name: str, number: int) -> Value | InvalidArtifact | None:
        """Return what a number says; the error where it cannot be read, ``None`` where there is none (any more)."""
        return self._look(name, number, self._files.version_token(f"{self._root}/{name}"))

    def append(self, name: str, number: int, content: bytes) -> None:
        """Commit: put the next number. The caller holds the lock and has looked which number that is.

        Raises:
            ConcurrentChange: Another writer has put this number.
            StorageFailed: It is larger than what can be read again.
        """
        if len(content) > MAX_BYTES:
            raise StorageFailed(
                "{name} cannot be changed: what would be kept of it has {size_bytes} bytes, and at most {max_bytes} "
                "can be read again. Send fewer or shorter rows.",
                {"name": name, "size_bytes": len(content), "max_bytes": MAX_BYTES},
            )
        try:
            self._files.put_new(self.key(name, number), content)
        except KeyExists as error:
            raise ConcurrentChange(
                "Somebody else changed {name} at the same moment. Try again.", {"name": name}
            ) from error
        finally:  # where the disk failed, it may be there all the same
            self._on_change(name)

    def remove(self, name: str, number: int) -> None:
        """Remove a number for good."""
        try:
            self._files.remove(self.key(name, number))
        finally:
            self._on_change(name)

    def key(self, name: str, number: int) -> str:
        """Return the key of a number."""
        return f"{self._root}/{name}/{number:06d}.json"

    def _highest(self, name: str) -> tuple[int, Value | InvalidArtifact | None]:
        """Return the highest number and what it says; 0 and ``None`` where there is none."""
        while number := max(self.numbers(name), default=0):
            if (value := self._look(name, number)) is not None:
                return number, value
            # It was purged after it was listed, so the list is out of date.
        return 0, None

    def _look(self, name: str, number: int, token: str | None = None) -> Value | InvalidArtifact | None:
        key = self.key(name, number)
        # A folder of the same token has the same files, and those never change.
        read = self._read_unknown if token is None else self._read_old
        for _ in range(_LOOKS):
            try:
                return read(name, number, token)
            except InvalidArtifact as error:
                # The error names the file that it is about.
                return InvalidArtifact(f"{{file}}: {error.template}", {**error.facts, "file": key})
            except KeyUnusable as error:
                facts = {"file": key, "why": str(error), "advice": RESTORE}
                return InvalidArtifact("{file} cannot be used: {why}. {advice}", facts)
            except KeyMissing:  # it is gone, was purged and written again between two reads, or cannot be opened
                if number not in self.numbers(name):
                    return None
                read = self._read_unknown
        return InvalidArtifact(
            "{file} cannot be opened. Restore it from a backup, or train the classifier again.", {"file": key}
        )

    def _read_unknown(self, name: str, number: int, token: str | None = None) -> Value:  # noqa: ARG002
        return self._read(name, number, self._files.get(self.key(name, number)))


class _Values(Mapping[int, Value | InvalidArtifact | None]):
    def __init__(self, logs: Logs[Value], name: str) -> None:
        self._logs = logs
        self._name = name
        self._numbers = dict.fromkeys(logs.numbers(name))

    def __getitem__(self, number: int) -> Value | InvalidArtifact | None:
        if number not in self._numbers:
            raise KeyError(number)
        return self._logs.at(self._name, number)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def readable(value: Value | InvalidArtifact) -> Value:
    """Return what a numbered file says.

    Raises:
        InvalidArtifact: It cannot be read.
    """
    if isinstance(value, InvalidArtifact):
        # A new one: the index keeps the other, which must not gather a traceback for each time that it is raised.
        raise InvalidArtifact(value.template, value.facts) from value
    return value
