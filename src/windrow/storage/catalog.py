"""The catalog of classifiers: for each name a log of revisions, the highest number being the truth.

Owns commits, deletions and the in-memory index; knows nothing of disks, tensors or training.
"""

import hashlib
import logging
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from windrow.domain.classifier import Record
from windrow.domain.errors import ArtifactInvalid, ClassifierNotFound, ConcurrentChange, NameTaken
from windrow.domain.names import NAME_GRAMMAR, check_name, near_names
from windrow.storage.artifact import SUFFIXES, BlobRef, Entry, Tombstone, revision_from_json, revision_to_json
from windrow.storage.files import Files, KeyExists, KeyMissing

_ROOT = "classifiers"
_NAME = re.compile(NAME_GRAMMAR)
_REVISION = re.compile(r"([0-9]{6}|[1-9][0-9]{6,17})\.json")
_ATTEMPTS = 1_000

_log = logging.getLogger("windrow.storage")


@dataclass(frozen=True, slots=True)
class _Newest:
    """What the index holds of one name; never changed, only replaced.

    Args:
        token: The folder's change token from before it was listed.
        number: The highest revision; 0 where there is none.
        revision: What its file says; the error where it cannot be read, ``None`` where there is none.
    """

    token: str | None
    number: int
    revision: Entry | Tombstone | ArtifactInvalid | None

    @property
    def is_live(self) -> bool:
        """Whether the name is in use; one whose file cannot be read is."""
        return isinstance(self.revision, Entry | ArtifactInvalid)


def utc_now() -> datetime:
    """Return the time, UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


class Catalog:
    """The classifiers in a place, for any number of threads and of catalogs on the same place.

    The index needs no lock: its values are replaced whole, each carries the token from before its listing, and each
    look compares that token first. So a late writer's older value does no harm; it is listed anew.

    Args:
        files: The place.
        now: The clock that dates deletions.
    """

    def __init__(self, files: Files, now: Callable[[], datetime] = utc_now) -> None:
        self._files = files
        self._now = now
        self._index: dict[str, _Newest] = {}
        self._folders: tuple[str | None, tuple[str, ...]] = (None, ())

    def publish(self, draft: Record, blobs: Mapping[str, bytes]) -> Entry:
        """Save a classifier's next revision, and return it as it reads back.

        Args:
            draft: The record; its revision is put in place here.
            blobs: Contents by role (:data:`windrow.storage.artifact.SUFFIXES`).

        Raises:
            NameTaken: Another live name differs only in case.
            ConcurrentChange: Others kept committing to the same name.
            StorageFull: The disk is full; the newest revision is as before.
            StorageFailed: The disk failed; the newest revision is as before, or whole and new.
        """
        self.check_name_free(draft.name)
        refs = {role: self._keep_blob(draft.name, content, SUFFIXES[role]) for role, content in blobs.items()}
        entry, was_live = self._append(draft, refs)
        # Two servers may have checked at the same time, so a new name looks again now that each sees the other's
        # commit, and withdraws; both may. A name that was live all along is in its right, whoever comes beside it.
        if not was_live and (rival := self._rival(draft.name)) is not None:
            self._withdraw(entry.record)
            raise _name_taken(draft.name, rival)
        return entry

    def check_name_free(self, name: str) -> None:
        """Refuse a name that no classifier may be published under.

        Raises:
            InvalidName: It breaks the grammar.
            NameTaken: Another live name differs only in case.
        """
        if (rival := self._rival(check_name(name))) is not None:
            raise _name_taken(name, rival)

    def current(self, name: str) -> Entry:
        """Return a classifier's newest revision; one look at the folder's time where nothing changed.

        Raises:
            InvalidName: The name breaks the grammar.
            ClassifierNotFound: No classifier has this name, or it is deleted.
            ArtifactInvalid: The revision's file is damaged or of a newer format.
        """
        revision = self._newest(check_name(name)).revision
        if isinstance(revision, ArtifactInvalid):
            raise ArtifactInvalid(revision.detail, revision.facts) from revision
        if isinstance(revision, Entry):
            return revision
        raise self._not_found(name)

    def remembered(self, name: str) -> Entry | None:
        """Return what was a classifier's newest revision at the last look, without one; for what may be out of date."""
        known = self._index.get(name)
        return known.revision if known is not None and isinstance(known.revision, Entry) else None

    def live(self) -> tuple[Entry, ...]:
        """Return the newest revision of each classifier that is not deleted, sorted by name.

        A name whose newest file cannot be read is left out here, with a warning in the log; :meth:`current` says why.
        """
        revisions = (self._newest(name).revision for name in self._names())
        return tuple([revision for revision in revisions if isinstance(revision, Entry)])

    def page(self, limit: int, after: str | None = None) -> tuple[tuple[Entry, ...], str | None]:
        """Return a part of :meth:`live`, looking at no more names than it takes.

        Args:
            limit: How many at most, at least 1.
            after: Only names that sort after this one, which need not exist; ``None`` starts at the first.

        Returns:
            The entries, and the name of the last one where more follow, else ``None``.
        """
        names = self._names()
        start = 0 if after is None else bisect_right(names, after)
        revisions = (self._newest(name).revision for name in names[start:])
        found = tuple(islice((revision for revision in revisions if isinstance(revision, Entry)), limit + 1))
        return found[:limit], found[limit - 1].record.name if len(found) > limit else None

    def delete(self, name: str) -> None:
        """Delete a classifier by a tombstone; its older revisions stay on the disk.

        Raises:
            InvalidName: The name breaks the grammar.
            ClassifierNotFound: No classifier has this name, or it is deleted already.
            ConcurrentChange: Others kept committing to the same name.
            StorageFull: The disk is full; nothing changed.
            StorageFailed: The disk failed.
        """
        content = revision_to_json(Tombstone(self._now()))
        for _ in range(_ATTEMPTS):
            newest = self._newest(check_name(name))
            if not newest.is_live:
                raise self._not_found(name)
            try:
                return self._files.put_new(_revision_key(name, newest.number + 1), content)
            except KeyExists:
                continue
        raise _too_busy(name)

    def read_blob(self, name: str, ref: BlobRef) -> bytes:
        """Return a blob of a classifier.

        Raises:
            ArtifactInvalid: It is missing or damaged.
        """
        key = _blob_key(name, ref)
        try:
            content = self._files.get(key)
        except KeyMissing as error:
            raise _damaged_blob(key, "is missing") from error
        if len(content) != ref.size_bytes or hashlib.sha256(content).hexdigest() != ref.sha256:
            raise _damaged_blob(key, "was altered: its size or sha256 is not the recorded one")
        return content

    def _keep_blob(self, name: str, content: bytes, suffix: str) -> BlobRef:
        ref = BlobRef(hashlib.sha256(content).hexdigest(), len(content), suffix)
        key = _blob_key(name, ref)
        try:
            self._files.put_new(key, content)
        except KeyExists:
            try:
                self.read_blob(name, ref)
            except ArtifactInvalid:
                _log.warning("Replacing %s, which was damaged.", key)
                self._files.remove(key)
                return self._keep_blob(name, content, suffix)
        return ref

    def _append(self, draft: Record, refs: Mapping[str, BlobRef]) -> tuple[Entry, bool]:
        """Commit: who puts the next number first has it, and the others try the number after it.

        Returns:
            The committed revision, and whether the name was live before it.
        """
        for _ in range(_ATTEMPTS):
            newest = self._newest(draft.name)
            entry = Entry(replace(draft, revision=newest.number + 1), refs)
            try:
                self._files.put_new(_revision_key(draft.name, newest.number + 1), revision_to_json(entry))
            except KeyExists:
                continue
            return entry, newest.is_live
        raise _too_busy(draft.name)

    def _withdraw(self, record: Record) -> None:
        """Delete a revision right after its commit, unless another one has followed it already."""
        with suppress(KeyExists):
            tombstone = revision_to_json(Tombstone(self._now()))
            self._files.put_new(_revision_key(record.name, record.revision + 1), tombstone)

    def _names(self) -> tuple[str, ...]:
        """Return the sorted names that have a folder, live or not."""
        token = self._files.change_token(_ROOT)
        known_token, names = self._folders
        if token is None or token != known_token:
            names = tuple(name for name in self._files.list(_ROOT) if _NAME.fullmatch(name))
            self._folders = (token, names)
        return names

    def _newest(self, name: str) -> _Newest:
        token = self._files.change_token(f"{_ROOT}/{name}")  # before the listing, so that a change in between shows
        known = self._index.get(name)
        # A damaged file may be mended in place, which no folder's time tells.
        is_damaged = known is not None and isinstance(known.revision, ArtifactInvalid)
        if known is not None and token is not None and token == known.token and not is_damaged:
            return known
        number = self._highest_number(name)
        if number == 0:
            self._index.pop(name, None)  # names that do not exist must not fill the memory
            return _Newest(token, 0, None)
        # Read again even where the number is the known one: a person may have moved the folder away or repaired it.
        newest = _Newest(token, number, self._read_revision(name, number))
        self._warn_of_damage(name, newest, known)
        self._index[name] = newest
        return newest

    def _highest_number(self, name: str) -> int:
        matches = (_REVISION.fullmatch(file) for file in self._files.list(f"{_ROOT}/{name}"))
        return max((int(match[1]) for match in matches if match is not None), default=0)

    def _read_revision(self, name: str, number: int) -> Entry | Tombstone | ArtifactInvalid:
        key = _revision_key(name, number)
        try:
            revision = revision_from_json(self._files.get(key))
        except KeyMissing:
            return ArtifactInvalid(f"{key} cannot be opened. Restore it from a backup, or train the classifier again.")
        except ArtifactInvalid as error:
            return ArtifactInvalid(f"{key}: {error.detail}", error.facts)
        if isinstance(revision, Entry) and (revision.record.name, revision.record.revision) != (name, number):
            return ArtifactInvalid(
                f"{key} is the record of {revision.record.name}, revision {revision.record.revision}. A classifier's "
                "folder bears its name: give it back the name, or train the classifier again."
            )
        return revision

    def _warn_of_damage(self, name: str, newest: _Newest, known: _Newest | None) -> None:
        if isinstance(newest.revision, ArtifactInvalid) and (known is None or known.number != newest.number):
            _log.warning("The classifier %s is left out of the list. %s", name, newest.revision.detail)

    def _rival(self, name: str) -> str | None:
        """Return a live name that differs from ``name`` only in case."""
        folded = name.casefold()
        alike = (other for other in self._names() if other != name and other.casefold() == folded)
        return next((other for other in alike if self._newest(other).is_live), None)

    def _not_found(self, name: str) -> ClassifierNotFound:
        # Of all the names first, then what lives among the near ones: a wrong name must not read every record.
        near = [other for other in near_names(name, self._names()) if self._newest(other).is_live]
        question = f" Did you mean {' or '.join(near)}?" if near else ""
        return ClassifierNotFound(
            f"There is no classifier named {name}.{question} List the classifiers that exist, or train it first.",
            {"name": name, "near_names": near},
        )


def _revision_key(name: str, number: int) -> str:
    return f"{_ROOT}/{name}/{number:06d}.json"


def _blob_key(name: str, ref: BlobRef) -> str:
    return f"{_ROOT}/{name}/blobs/{ref.sha256}{ref.suffix}"


def _name_taken(name: str, rival: str) -> NameTaken:
    return NameTaken(
        f"The name {name} differs only in case from the classifier {rival}. "
        f"Choose another name, or delete {rival} first.",
        {"name": name, "existing_name": rival},
    )


def _too_busy(name: str) -> ConcurrentChange:
    return ConcurrentChange(f"Others kept changing the classifier {name} while this change was saved. Try again.")


def _damaged_blob(key: str, problem: str) -> ArtifactInvalid:
    return ArtifactInvalid(f"{key} {problem}. Restore it from a backup, or train the classifier again.")
