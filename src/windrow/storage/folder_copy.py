"""Copies one folder of a data directory to another place: a classifier, an alias, the keys, a job, or a day's files.

Knows nothing of other folders but what a copy has found out about them before.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Final

from windrow.domain.errors import InvalidArtifact, KeysUnavailable, StorageFailed
from windrow.domain.store_copy import CopyProblem, ProblemKind
from windrow.storage.blobs import MAX_BLOB_BYTES
from windrow.storage.copied_kinds import CopiedKind, is_blob, newest_of, number_of, outdated_counts
from windrow.storage.copy_state import CopyState, FolderChanged, known_digest
from windrow.storage.files import MAX_BYTES, Files, KeyExists, KeyMissing, KeyUnusable, is_forbidden
from windrow.storage.format import RESTORE
from windrow.storage.job_files import StoredJob
from windrow.storage.key_store import ACCESS, KeyTable
from windrow.storage.lock import transaction
from windrow.storage.namespace import ALIASES, CLASSIFIERS
from windrow.storage.revision import Pointer
from windrow.storage.use_store import USAGE, DayUse

# Files that are read at the same time, and how much is put with one commit.
READERS: Final = 4
_BATCH_BYTES: Final = 64 * 2**20


class _LeftOut(Exception):  # noqa: N818 - ends the copy of one folder, which is told
    """A folder cannot be copied.

    Args:
        kind: Why.
        path: What is in the way.
        detail: What it is, and what to do.
    """

    def __init__(self, kind: ProblemKind, path: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = CopyProblem(kind, path, detail)


class FolderCopy:
    """The copy of one folder.

    Args:
        state: What the copy has done up to now.
        kind: What the folder is.
        name: Its name.
        others: The folders of the same or the other kind of names whose names differ from its own only in case or kind,
            and that the target alone has.
    """

    def __init__(self, state: CopyState, kind: CopiedKind, name: str, others: Sequence[str] = ()) -> None:
        self._state = state
        self._kind = kind
        self._name = name
        self._folder = f"{kind.root}/{name}"
        self._others = others
        self._contents: dict[str, bytes] = {}  # what was read and not put yet
        self._newest: object = None  # what the newest file says

    def run(self) -> None:
        """Copy what the target lacks, and remove what the source has no more.

        Raises:
            FolderChanged: One of the two has changed meanwhile; what was done up to then stays.
            KeysUnavailable: The newest API keys cannot be read.
            StorageFailed: One of the two failed, or the target gave back other bytes than were put.
        """
        listing = self._kind.listing(self._state.source.files, self._name)
        newest = newest_of(listing)
        if not listing or (self._kind.is_numbered and newest is None):
            self._withdraw()
            return
        try:
            if newest is not None:
                self._newest = self._read_newest(newest)
                if not self._is_meant(self._newest):
                    return
            self._copy(listing, newest)
        except _LeftOut as left_out:
            self._state.problems.setdefault(self._folder, []).append(left_out.problem)
            self._state.left_out.add(self._folder)

    def _copy(self, listing: Sequence[str], newest: str | None) -> None:
        there = self._kind.listing(self._state.target.files, self._name)
        self._check_others()
        equal, others, damaged = self._compare(listing, there)
        if others and all(self._is_own(file) for file in there):
            self._withdraw()  # it was purged and made anew
            raise FolderChanged
        if others:
            raise self._conflict(others[0])
        extra = [file for file in there if file not in listing]
        self._check_extra(extra, equal, 0 if newest is None else number_of(newest))
        gone = self._gone(listing, extra)
        for batch in self._batches([each for each in listing if each not in there and each not in damaged]):
            self._put(there, batch)
            there = self._kind.listing(self._state.target.files, self._name)
        if gone:
            self._remove(there, gone)

    def _read_newest(self, file: str) -> object:
        """Return what the newest file says; without it, an older one would hold, and what was deleted be back."""
        try:
            return self._verified(file)
        except InvalidArtifact as error:
            if self._kind.root == ACCESS:
                raise KeysUnavailable(
                    "The newest API keys, {file}, cannot be read: {why} Without them the copy would let anybody in, so "
                    "the copy ends here.",
                    {"file": self._key(file), "why": error.detail},
                ) from error
            raise _LeftOut("damage", self._key(file), f"The newest file of {self._folder}: {error.detail}") from error

    def _is_meant(self, value: object) -> bool:
        """Whether a folder is copied, by what its newest file says."""
        if isinstance(value, StoredJob) and not value.job.is_finished:
            self._state.unfinished.add(self._folder)
            return False
        if isinstance(value, Pointer) and f"{CLASSIFIERS}/{value.target.name}" in self._state.left_out:
            raise _LeftOut(
                "target_not_copied",
                self._folder,
                f"It points to {value.points_to}, which was not copied, so it was left out, too. Copy again once that "
                "is settled.",
            )
        return True

    def _check_others(self) -> None:
        if self._others:
            raise _LeftOut(
                "conflict",
                self._folder,
                f"The target has {self._others[0]}, and no two names may differ only in case or kind. Choose an empty "
                "target, or purge that there.",
            )

    def _compare(self, listing: Sequence[str], there: Sequence[str]) -> tuple[list[str], list[str], set[str]]:
        """Return which files of both are the same and which are not, and which of the source cannot be read."""
        equal: list[str] = []
        others: list[str] = []
        damaged: set[str] = set()
        files = [file for file in listing if file in there]
        for file, same in zip(files, self._state.readers.map(self._is_equal, files), strict=True):
            if isinstance(same, InvalidArtifact):
                self._note_damage(file, same)
                damaged.add(file)
            else:
                (equal if same else others).append(file)
        return equal, others, damaged

    def _is_equal(self, file: str) -> bool | InvalidArtifact:
        key = self._key(file)
        # What has a number may be purged and come again as something else; any other name stands for one content.
        if key in self._state.equal and (is_blob(file) or not self._kind.is_log):
            return True
        source, target = (known_digest(place.files, key) for place in (self._state.source, self._state.target))
        if source is not None and source == target:
            self._state.equal[key] = source
            return True
        try:
            self._verified(file)
        except InvalidArtifact as error:
            return error
        digest = hashlib.sha256(self._contents.pop(file)).hexdigest()
        is_same = (self._state.equal.get(key) or target or self._target_digest(file)) == digest
        if is_same:
            self._state.equal[key] = digest
        return is_same

    def _target_digest(self, file: str) -> str:
        """Return the digest of a file of the target; an empty text where it is no content."""
        try:
            return hashlib.sha256(self._get(self._state.target.files, file)).hexdigest()
        except KeyUnusable:
            return ""
        except KeyMissing as error:
            raise FolderChanged from error

    def _check_extra(self, extra: Sequence[str], equal: Sequence[str], newest: int) -> None:
        """Refuse a target that went on by itself, or that has another history."""
        numbers = [number_of(file) for file in extra if number_of(file) and not self._is_own(file)]
        if not self._kind.is_numbered or not numbers:
            return
        last = next(file for file in extra if number_of(file) == max(numbers))
        if max(numbers) > newest or not (any(map(number_of, equal)) or self._are_earlier_keys(last)):
            raise self._conflict(last)

    def _are_earlier_keys(self, file: str) -> bool:
        """Whether the source has all keys of a file of the target: no key is ever removed, but old files are."""
        try:
            there = self._kind.read(self._name, file, self._get(self._state.target.files, file))
        except (InvalidArtifact, KeyUnusable):
            return False
        except KeyMissing as error:
            raise FolderChanged from error
        if not isinstance(there, KeyTable) or not isinstance(self._newest, KeyTable):
            return False
        return {(key.name, key.sha256) for key in there.keys} <= {(key.name, key.sha256) for key in self._newest.keys}

    def _conflict(self, file: str) -> _LeftOut:
        what = (
            "something else"
            if self._kind.root not in (CLASSIFIERS, ALIASES)
            else f"another {self._name}, or more of it"
        )
        return _LeftOut(
            "conflict",
            self._key(file),
            f"The target holds {what}, so nothing of {self._folder} was changed there. Choose an empty target, or "
            "purge that there.",
        )

    def _gone(self, listing: Sequence[str], extra: Sequence[str]) -> list[str]:
        """Return what was removed from the source since it was copied, in the order in which it may go."""
        if self._kind.is_log:  # of the same history, so what is missing was removed
            return sorted(extra, key=lambda file: (is_blob(file), number_of(file), file))
        gone = [file for file in extra if self._is_own(file)]
        if self._kind.root != USAGE or len(gone) == len(extra):
            return gone
        values = [self._value(file) for file in listing]
        replaced = [file for value in values if isinstance(value, DayUse) for file in value.replaces]
        return sorted({*gone, *outdated_counts(listing, extra, replaced)})

    def _value(self, file: str) -> object:
        try:
            return self._verified(file)
        except InvalidArtifact:
            return None

    def _batches(self, files: Sequence[str]) -> Iterator[dict[str, bytes]]:
        """Yield the contents of files in their order, as much at a time as one commit takes."""
        batch: dict[str, bytes] = {}
        for begin in range(0, len(files), READERS):
            some = files[begin : begin + READERS]
            for file, problem in zip(some, self._state.readers.map(self._problem, some), strict=True):
                if problem is not None:
                    self._note_damage(file, problem)
                    continue
                batch[file] = self._contents.pop(file)
            if sum(map(len, batch.values())) >= _BATCH_BYTES:
                yield batch
                batch = {}
        if batch:
            yield batch

    def _problem(self, file: str) -> InvalidArtifact | None:
        """Read a file, unless that was done before, and return why it cannot be copied."""
        try:
            if file not in self._contents:
                self._verified(file)
        except InvalidArtifact as error:
            return error
        return None

    def _note_damage(self, file: str, error: InvalidArtifact) -> None:
        problem = CopyProblem("damage", self._key(file), f"It was not copied. {error.detail}")
        self._state.problems.setdefault(self._folder, []).append(problem)

    def _verified(self, file: str) -> object:
        """Read a file of the source, keep its content, and return what it says.

        Raises:
            InvalidArtifact: It is damaged, may not be read, or is of a newer format.
            FolderChanged: It is gone.
        """
        try:
            self._contents[file] = content = self._get(self._state.source.files, file)
            return self._kind.read(self._name, file, content)
        except InvalidArtifact:
            self._contents.pop(file, None)
            raise
        except KeyUnusable as error:
            raise _unreadable(str(error)) from error
        except KeyMissing as error:
            raise FolderChanged from error
        except StorageFailed as error:
            if not is_forbidden(error):
                raise
            raise _unreadable(error.detail) from error

    def _put(self, there: Sequence[str], contents: dict[str, bytes]) -> None:
        if not self._state.dry_run:
            self._change(there, contents, ())
            self._check_read_back(contents)
        for file, content in contents.items():
            self._state.placed[self._key(file)] = len(content)
            self._state.placed_bytes += len(content)
            self._state.equal[self._key(file)] = hashlib.sha256(content).hexdigest()

    def _remove(self, there: Sequence[str], gone: Sequence[str]) -> None:
        if not self._state.dry_run:
            self._change(there, {}, gone)
        for file in gone:
            self._state.placed_bytes -= self._state.placed.pop(self._key(file), 0)
            self._state.equal.pop(self._key(file), None)
        self._state.num_removed += len(gone)

    def _withdraw(self) -> None:
        """Remove what this copy has put of the folder, in the order of a purge."""
        there = self._kind.listing(self._state.target.files, self._name)
        own = [file for file in there if self._is_own(file)]
        newest = newest_of(own)
        own.sort(key=lambda file: (file == newest, is_blob(file), number_of(file), file))
        if own:
            self._remove(there, own)

    @transaction
    def _change(self, there: Sequence[str], contents: dict[str, bytes], gone: Sequence[str]) -> None:
        """Put and remove files of the target, if it has still the same ones as before."""
        files = self._state.target.files
        with self._state.target.lock() if self._kind.is_log else nullcontext():
            if self._kind.listing(files, self._name) != there:
                raise FolderChanged
            try:
                for file, content in contents.items():
                    files.put_new(self._key(file), content)
            except KeyExists as error:
                raise FolderChanged from error
            for file in gone:
                files.remove(self._key(file))
        self._state.num_changes += 1

    def _check_read_back(self, contents: dict[str, bytes]) -> None:
        def is_same(file: str) -> bool:
            try:
                return self._get(self._state.target.files, file) == contents[file]
            except KeyMissing:
                return False

        for file, same in zip(contents, self._state.readers.map(is_same, contents), strict=True):
            if not same:
                raise StorageFailed(
                    "The data directory that was copied to gave back other bytes of {file} than were put, so the copy "
                    "ended. Check its disk or its object store, and copy to an empty place.",
                    {"file": self._key(file)},
                )

    def _is_own(self, file: str) -> bool:
        return self._key(file) in self._state.placed

    def _key(self, file: str) -> str:
        return f"{self._folder}/{file}"

    def _get(self, files: Files, file: str) -> bytes:
        return files.get(self._key(file), MAX_BLOB_BYTES if is_blob(file) else MAX_BYTES)


def _unreadable(why: str) -> InvalidArtifact:
    return InvalidArtifact("It cannot be read: {why}. {advice}", {"why": why, "advice": RESTORE})
