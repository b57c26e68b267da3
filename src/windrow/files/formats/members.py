"""The files in a zip file or a folder: their paths, and their bytes within limits.

Nothing outside is opened, no zip file inside another one, and no more is unpacked than a training could need.
"""

import io
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Protocol

from windrow.disk import reason
from windrow.domain.errors import InvalidFile
from windrow.files.decoding import Source, too_large
from windrow.files.formats.beginning import UNREADABLE_ZIP, ZIP_MAGIC

# As many documents as a project of a labelling tool may have, and one more is another kind of file.
MAX_MEMBERS: Final = 100_000
# How much all members that are read may hold together, unpacked.
MAX_UNPACKED_BYTES: Final = 1 << 29
_MASK_OF_LINKS: Final = 0o170000
# Folders that programs put beside what people packed.
_NO_CONTENT: Final = ("__MACOSX", ".git")

# As ``Source.error``: makes the error that refuses the whole file.
Refuse = Callable[..., InvalidFile]


class Members(Protocol):
    """Files that belong together."""

    def names(self) -> tuple[str, ...]:
        """Return their paths, sorted, with ``/`` between folders."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open the bytes of one of them, to be read from any place and closed."""
        ...


class NoMembers:
    """What a file has beside it that nobody put into a folder, such as one that was uploaded."""

    def names(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def open(self, name: str) -> BinaryIO:
        """Refuse.

        Raises:
            KeyError: Always; there is no such name.
        """
        raise KeyError(name)


@dataclass(slots=True)
class ZipMembers:
    """The files in a zip file, which hold no more together than the source's limit."""

    source: Source
    _packed: zipfile.ZipFile | None = field(default=None, init=False)
    _entries: dict[str, zipfile.ZipInfo] = field(default_factory=dict, init=False)
    _num_unpacked: int = field(default=0, init=False)

    def names(self) -> tuple[str, ...]:
        """Return their paths, sorted.

        Raises:
            InvalidFile: It is damaged, has too many files, or one whose path leads outside.
        """
        self._opened()
        return tuple(sorted(self._entries))

    def open(self, name: str) -> BinaryIO:
        """Unpack one of them into memory.

        Raises:
            InvalidFile: It is damaged, encrypted or another zip file, or it and those before it are too large.
            LimitExceeded: They are larger than the source's limit.
        """
        packed = self._opened()
        limit = self.source.limit
        most = MAX_UNPACKED_BYTES if limit is None else min(MAX_UNPACKED_BYTES, limit[0])
        left = most - self._num_unpacked
        try:
            with packed.open(self._entries[name]) as member:
                content = member.read(left + 1)
        except (*UNREADABLE_ZIP, RuntimeError) as error:  # the latter where it has a password
            why = reason(error) if isinstance(error, OSError) else str(error)
            words = "{member} in it cannot be unpacked: {reason}. Pack the files again, without a password."
            raise self.source.error(words, member=name, reason=why) from error
        if len(content) > left:
            if most < MAX_UNPACKED_BYTES:
                raise too_large(self.source)
            words = "its files hold more than {limit} bytes, unpacked. Pack only the files with rows."
            raise self.source.error(words, limit=MAX_UNPACKED_BYTES)
        self._num_unpacked += len(content)
        if content.startswith(ZIP_MAGIC):
            words = "{member} in it is packed once more. Unpack it, and pack the files with rows alone."
            raise self.source.error(words, member=name)
        return io.BytesIO(content)

    def _opened(self) -> zipfile.ZipFile:
        if self._packed is not None:
            return self._packed
        try:
            packed = zipfile.ZipFile(self.source.file)
            entries = packed.infolist()
        except UNREADABLE_ZIP as error:
            words = "it is a damaged zip file ({reason}). Fetch or pack it again."
            raise self.source.error(words, reason=str(error)) from error
        if len(entries) > MAX_MEMBERS:
            words = "there are {count} files in it; at most {limit} are read. Pack only the files with rows."
            raise self.source.error(words, count=len(entries), limit=MAX_MEMBERS)
        for entry in entries:
            path = PurePosixPath(entry.filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or ":" in str(path.parts[:1]) or _is_link(entry):
                words = "the path {member} in it leads outside. Pack the files again from within their folder."
                raise self.source.error(words, member=entry.filename)
            if not entry.is_dir() and path.parts and set(path.parts).isdisjoint(_NO_CONTENT):
                self._entries[str(path)] = entry
        self._packed = packed
        return packed


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK((entry.external_attr >> 16) & _MASK_OF_LINKS)


@dataclass(slots=True)
class FolderMembers:
    """The files in a folder, at any depth, those that begin with a dot and links that lead outside left out."""

    folder: Path
    refuse: Refuse
    _num_read: int = field(default=0, init=False)

    def names(self) -> tuple[str, ...]:
        """Return their paths, sorted.

        Raises:
            InvalidFile: There are too many.
        """
        found: list[str] = []
        for path in self._files():
            found.append(path.relative_to(self.folder).as_posix())
            if len(found) > MAX_MEMBERS:
                words = "there are more than {limit} files in the folder {folder}. Put those with rows into one of "
                words += "their own."
                raise self.refuse(words, folder=str(self.folder), limit=MAX_MEMBERS)
        return tuple(sorted(found))

    def open(self, name: str) -> BinaryIO:
        """Open one of them.

        Raises:
            InvalidFile: It is not in the folder, cannot be read, or is too large.
        """
        path = self.folder / name
        root = self.folder.resolve()
        try:
            if not path.resolve().is_relative_to(root) or not path.is_file():
                raise FileNotFoundError(2, "there is no such file in the folder", str(path))
            size = path.stat().st_size
            if size > MAX_UNPACKED_BYTES:
                words = "{member} has {size} bytes; at most {limit} are read. Leave it out."
                raise self.refuse(words, member=name, size=size, limit=MAX_UNPACKED_BYTES)
            return path.open("rb")
        except (OSError, ValueError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            words = "{member} cannot be read: {reason}. Put it back, or leave it out."
            raise self.refuse(words, member=name, reason=why) from error

    def _files(self) -> Iterator[Path]:
        root = self.folder.resolve()
        waiting = [self.folder]
        while waiting:
            try:
                entries = sorted(waiting.pop().iterdir())
            except OSError:
                continue  # a folder that may not be looked into has nothing for us
            for path in entries:
                if path.name.startswith(".") or path.name in _NO_CONTENT:
                    continue
                if path.is_dir():
                    if not path.is_symlink():
                        waiting.append(path)
                elif path.is_file() and path.resolve().is_relative_to(root):
                    yield path


def pack_folder(folder: Path, is_wanted: Callable[[str], bool] = bool) -> BinaryIO:
    """Return the files of a folder as a zip file, to be read and closed.

    Args:
        folder: The folder.
        is_wanted: Whether the file of a path goes along; all do by default.

    Raises:
        InvalidFile: There are too many, they are too large together, or one cannot be read.
    """
    members = FolderMembers(folder, Source(str(folder), io.BytesIO()).error)
    packed, size = io.BytesIO(), 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in filter(is_wanted, members.names()):
            with members.open(name) as file:
                content = file.read()
            size += len(content)
            if size > MAX_UNPACKED_BYTES:
                words = "its files hold more than {limit} bytes. Put those with rows into a folder of their own."
                raise members.refuse(words, limit=MAX_UNPACKED_BYTES)
            archive.writestr(name, content)
    packed.seek(0)
    return packed
