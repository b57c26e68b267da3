"""Copies a data directory from one place to another: folders and object stores, also while servers change the source.

Each file is verified in the source, put in an order in which whatever the target holds at any moment is what the source
held before, and read back. What the target has already is compared and skipped, so a copy that was stopped goes on. The
source is looked at again until nothing in it has changed; what was removed there goes from the target, too.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from windrow.domain.errors import InvalidArtifact, InvalidParameter
from windrow.domain.store_copy import CopyProgress, CopyReport, OnCopied
from windrow.storage.copied_kinds import KINDS, CopiedKind, newest_of
from windrow.storage.copy_state import CopyState, FolderChanged, Place, take_over
from windrow.storage.files import KeyMissing
from windrow.storage.folder_copy import READERS, FolderCopy
from windrow.storage.format import is_newer
from windrow.storage.namespace import ALIASES, CLASSIFIERS

# A busy source is never at rest; what is still new then is told.
_MAX_PASSES: Final = 5
_MAX_LOOKS: Final = 4
# Of each kind, folders of the target that are looked at before anything is copied.
_PROBES: Final = 50
_NAMED: Final = (CLASSIFIERS, ALIASES)


def copy_files(
    source: Place, target: Place, *, dry_run: bool = False, on_progress: OnCopied | None = None
) -> CopyReport:
    """Copy classifiers, aliases, API keys, counts of use, finished jobs and the audit trail.

    Args:
        source: Where they are; it may be changed meanwhile.
        target: Where they are to be; nobody else changes it.
        dry_run: Only read the source and compare it with the target.
        on_progress: Told how far the copy is.

    Raises:
        InvalidParameter: The source has nothing that is copied.
        KeysUnavailable: The newest API keys of the source cannot be read; without them, anybody could use the target.
        InvalidArtifact: A newer Windrow wrote the target.
        ConcurrentChange: Others changed one of the two for too long.
        StorageFull: The target is full. What was copied stays; copy again to go on.
        StorageFailed: One of the two failed, or the target gave back other bytes than were put. Likewise.
    """
    with ThreadPoolExecutor(READERS) as readers:
        return _Copy(CopyState(source, target, dry_run, readers), on_progress).report()


class _Copy:
    def __init__(self, state: CopyState, on_progress: OnCopied | None) -> None:
        self._state = state
        self._source, self._target = state.source.files, state.target.files
        self._on_progress = on_progress
        self._tokens: dict[str, tuple[str | None, ...]] = {}  # of folders that are copied

    def report(self) -> CopyReport:
        if not any(kind.folders(self._source) for kind in KINDS):
            raise InvalidParameter(
                "The data directory to copy from has neither classifiers nor aliases, API keys or anything else that "
                "is copied. Name the right one.",
                {"parameter": "from_"},
            )
        self._check_target()
        changing: set[str] = set()
        for _ in range(_MAX_PASSES):
            before = self._state.num_changes
            take_over(self._source)
            changing, touched = self._run_pass()
            if self._state.dry_run or (self._state.num_changes == before and not changing):
                return self._told(changing)
            changing |= touched
        return self._told(changing)

    def _check_target(self) -> None:
        """Refuse a target that a newer Windrow wrote, as far as a look at some of its files tells."""
        for kind in KINDS:
            for name in kind.folders(self._target)[: _PROBES if kind.is_log else 0]:
                if (newest := newest_of(kind.listing(self._target, name))) is None:
                    continue
                key = f"{kind.root}/{name}/{newest}"
                try:
                    kind.read(name, newest, self._target.get(key))
                except InvalidArtifact as error:
                    if is_newer(error):
                        raise InvalidArtifact(
                            "A newer Windrow wrote {file} in the data directory to copy to, so nothing was copied. "
                            "Upgrade Windrow.",
                            {**error.facts, "file": key},
                        ) from error
                except KeyMissing:
                    continue

    def _run_pass(self) -> tuple[set[str], set[str]]:
        """Copy what is new, and return the folders that would not stand still and those that were changed."""
        folders = [(kind, name) for kind in KINDS for name in self._folders(kind)]
        alike: dict[str, list[str]] = {}
        for folder in self._only_in_target():
            alike.setdefault(_folded(folder), []).append(folder)
        changing: set[str] = set()
        touched: set[str] = set()
        for done, (kind, name) in enumerate(folders, 1):
            before = self._state.num_changes
            others = alike.get(name.casefold(), []) if kind.root in _NAMED else []
            if not self._copy(kind, name, others):
                changing.add(f"{kind.root}/{name}")
            if self._state.num_changes > before:
                touched.add(f"{kind.root}/{name}")
            if self._on_progress is not None:
                placed = self._state.placed
                self._on_progress(CopyProgress(done, len(folders), len(placed), self._state.placed_bytes))
        return changing, touched

    def _folders(self, kind: CopiedKind) -> list[str]:
        """Return the folders of the source, and those that it has no more and this copy has made."""
        placed = {key.split("/")[1] for key in self._state.placed if key.startswith(f"{kind.root}/")}
        return sorted({*kind.folders(self._source), *placed})

    def _only_in_target(self) -> list[str]:
        """Return the folders of names that the target has and neither the source nor this copy."""
        named = [kind for kind in KINDS if kind.root in _NAMED]
        return [
            f"{kind.root}/{name}"
            for kind in named
            for name in sorted({*kind.folders(self._target)} - {*self._folders(kind)})
        ]

    def _copy(self, kind: CopiedKind, name: str, others: list[str]) -> bool:
        """Copy a folder, and return whether it stood still for that."""
        folder = f"{kind.root}/{name}"
        for _ in range(_MAX_LOOKS):
            tokens = kind.tokens(self._source, name)  # first, so that a change during the copy shows
            if None not in tokens and self._tokens.get(folder) == tokens:
                return True
            self._tokens.pop(folder, None)
            self._state.forget(folder)
            try:
                FolderCopy(self._state, kind, name, others).run()
            except FolderChanged:
                continue
            self._tokens[folder] = tokens
            return True
        return False

    def _told(self, changing: set[str]) -> CopyReport:
        state = self._state
        named = (key.split("/") for key in state.placed)
        return CopyReport(
            dry_run=state.dry_run,
            copied_files=len(state.placed),
            copied_bytes=state.placed_bytes,
            skipped_files=len(state.equal.keys() - state.placed.keys()),
            removed_files=state.num_removed,
            names=tuple(sorted({name for root, name, *_ in named if root in _NAMED})),
            unfinished_jobs=len(state.unfinished),
            only_in_target=tuple(folder.rpartition("/")[2] for folder in self._only_in_target()),
            still_changing=tuple(sorted(changing)),
            problems=tuple(
                sorted((each for found in state.problems.values() for each in found), key=lambda each: each.path)
            ),
        )


def _folded(folder: str) -> str:
    return folder.rpartition("/")[2].casefold()
