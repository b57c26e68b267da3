"""A disk whose power fails: what was not synced may be gone, wholly or in part, and in any order.

What happens on it is recorded; then each folder that a power cut at some moment may leave behind is made.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from tests.fakes.system_calls import Call, each_call

# Of more names in doubt than this, not every selection is made.
_MAX_IN_DOUBT = 4
# What a power cut leaves: the folders, and the files with their contents.
Tree = tuple[frozenset[str], frozenset[tuple[str, bytes]]]


@dataclass(eq=False)
class _File:
    """A file: what was written to it, and how much of that is certain."""

    content: bytes = b""
    synced: bytes = b""


@dataclass(frozen=True, eq=False)
class _Change:
    """A name that came or went, or did both under two names, in one step.

    Args:
        folders: Any of these, once synced, makes it certain.
        gone: The path that went.
        came: The path that came.
        what: What came: a file, or ``None`` for a folder.
    """

    folders: tuple[str, ...]
    gone: str = ""
    came: str = ""
    what: _File | None = None


@dataclass
class Disk:
    """What is on a disk at a moment: for certain, and perhaps."""

    certain: dict[str, _File | None] = field(default_factory=dict)
    now: dict[str, _File | None] = field(default_factory=dict)
    doubtful: list[_Change] = field(default_factory=list)

    @classmethod
    def of(cls, root: Path) -> "Disk":
        """Return a disk that holds a folder for certain."""
        found: dict[str, _File | None] = {str(root): None}
        for path in root.rglob("*"):
            found[str(path)] = None if path.is_dir() else _File(path.read_bytes(), path.read_bytes())
        return cls(dict(found), dict(found))

    def take(self, call: Call) -> None:
        """Do a call that was recorded."""
        if call.name == "write":
            file = self._file(call.path)
            file.content += call.data
        elif call.name == "fsync":
            self._sync(call.path)
        elif call.name in ("create", "mkdir") and call.path not in self.now:
            self._change(came=call.path, what=_File() if call.name == "create" else None)
        elif call.name in ("unlink", "rmdir"):
            self._change(gone=call.path)
        elif call.name == "link":
            self._change(came=call.target, what=self._file(call.path))
        elif call.name in ("rename", "replace"):
            below = [path for path in self.now if path == call.path or path.startswith(f"{call.path}/")]
            assert len(below) == 1, "teach this fake to rename folders that hold something when that is used"
            self._change(gone=call.path, came=call.target, what=self.now[call.path])

    def survivors(self) -> Iterator[Tree]:
        """Yield what a power cut may leave at this moment."""
        for kept in _selections(self.doubtful):
            names = dict(self.certain)
            for change in kept:
                _apply(change, names)
            # What lies in a folder that is not there is not there, either.
            names = {path: what for path, what in names.items() if _parent(path) in names or path in self._roots()}
            folders = frozenset(path for path, what in names.items() if what is None)
            files = {path: what for path, what in names.items() if what is not None}
            for share in (0.0, 0.5, 1.0) if any(file.content != file.synced for file in files.values()) else (1.0,):
                yield folders, frozenset((path, _cut(file, share)) for path, file in files.items())

    def _roots(self) -> set[str]:
        return {min(self.certain, key=len)}

    def _file(self, path: str) -> _File:
        file = self.now[path]
        assert file is not None
        return file

    def _change(self, gone: str = "", came: str = "", what: _File | None = None) -> None:
        change = _Change(tuple({_parent(path) for path in (gone, came) if path}), gone, came, what)
        _apply(change, self.now)
        self.doubtful.append(change)

    def _sync(self, path: str) -> None:
        what = self.now.get(path)
        if what is not None:
            what.synced = what.content
            return
        for change in [each for each in self.doubtful if path in each.folders]:
            _apply(change, self.certain)
            self.doubtful.remove(change)


def _apply(change: _Change, names: dict[str, _File | None]) -> None:
    if change.gone:
        names.pop(change.gone, None)
    if change.came:
        names[change.came] = change.what


def _selections(doubtful: list[_Change]) -> Iterator[tuple[_Change, ...]]:
    """Yield which changes in doubt may have reached the disk: any, but of those of one name only the first ones."""
    sizes: Iterator[int] = iter(range(len(doubtful) + 1))
    if len(doubtful) > _MAX_IN_DOUBT:  # none, each alone, all but one, all, and each beginning
        yield from (tuple(doubtful[:length]) for length in range(2, len(doubtful) - 1))
        sizes = iter((0, 1, len(doubtful) - 1, len(doubtful)))
    for size in sizes:
        for kept in combinations(doubtful, size):
            if not any(
                {each.gone, each.came} & {other.gone, other.came} - {""}
                for number, each in enumerate(doubtful)
                for other in doubtful[number + 1 :]
                if each not in kept and other in kept
            ):
                yield kept


def _cut(file: _File, share: float) -> bytes:
    """Return what is left of a file: what was synced, and a share of the rest."""
    return file.content[: len(file.synced) + round(share * (len(file.content) - len(file.synced)))]


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def make(tree: Tree, root: Path, target: Path) -> None:
    """Make a folder that a power cut left of ``root`` in ``target``, which is not there."""
    folders, files = tree
    for folder in sorted(folders):
        (target / Path(folder).relative_to(root)).mkdir(mode=0o700)
    for path, content in files:
        (target / Path(path).relative_to(root)).write_bytes(content)


@contextmanager
def recording(root: Path) -> Iterator[list[Call]]:
    """Record every call that changes a folder, and succeeds."""
    calls: list[Call] = []

    def record(call: Call, do: Callable[[], Any]) -> Any:
        found = do()
        if call.is_writing:
            calls.append(call)
        return found

    with each_call(root, record):
        yield calls


def leftovers(disk: Disk, calls: list[Call]) -> set[Tree]:
    """Return every folder that a power cut during or after some calls may leave; the disk has done them then."""
    found = set(disk.survivors())
    for call in calls:
        disk.take(call)
        found.update(disk.survivors())
    return found
