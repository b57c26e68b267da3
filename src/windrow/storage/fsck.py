"""Checking a data directory to its last byte, also while servers use it, and removing what nobody will ever read.

Owns when something is looked at again under the lock, and every removal; knows nothing of what a folder may hold.
"""

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from windrow.domain.errors import StorageFailed
from windrow.domain.integrity import Finding, IntegrityReport
from windrow.domain.names import NAME_GRAMMAR, is_name
from windrow.encoders.graph_cache import BUILDING
from windrow.encoders.removal import REMOVED, delete
from windrow.storage.files import ASIDE
from windrow.storage.folder_check import NOTHING, FolderListing, Suspicion, garbage, list_folder, reason_to_wait
from windrow.storage.job_check import look_at_jobs
from windrow.storage.jobs import JOBS
from windrow.storage.name_check import Look, look_at_alias, look_at_classifier
from windrow.storage.namespace import ALIASES, CLASSIFIERS, Namespace
from windrow.storage.retention import LAST_LOOK

# A copy of one classifier's folder, or the building of a graph, takes seconds.
SETTLED_AFTER_S = 3_600
_THREADS = 2
_BASE_MODELS, _GRAPHS = "base_models", "graphs"
_ANY_FOLDER = re.compile(r"[^.].*", re.DOTALL)
_OWN_FOLDERS = (CLASSIFIERS, ALIASES, JOBS, ASIDE, _BASE_MODELS)
_ASIDE_FILE = re.compile("[0-9a-f]{32}")
_LOOKS = {ALIASES: look_at_alias, CLASSIFIERS: look_at_classifier}
_LEFTOVER = re.compile(f"({re.escape(BUILDING)}|{re.escape(REMOVED)}).*", re.DOTALL)


def check(root: Path, names: Namespace, *, repair: bool = False) -> IntegrityReport:
    """Read everything in a data directory and return what is wrong with it.

    Nothing stops meanwhile: what looks wrong is looked at again under the writers' lock, one name at a time, so that
    no change in progress is taken for a fault. Where the directory cannot be locked, what was seen is told as it is.

    Args:
        root: The data directory.
        names: Its namespace.
        repair: Remove garbage, and finish purges that were begun. Damage is never touched, and neither is anything
            foreign, nor what may belong to a copy that is still being made.

    Raises:
        ConcurrentChange: Others held the lock for too long.
        StorageFailed: The directory is to be repaired, and cannot be locked.
    """
    return _Run(str(root), names, repair=repair).report()


class _Run:
    def __init__(self, root: str, names: Namespace, *, repair: bool) -> None:
        self._root = root
        self._names = names
        self._repair = repair
        self._settled_s = names.now().timestamp() - SETTLED_AFTER_S
        self._findings: list[Finding] = []

    def report(self) -> IntegrityReport:
        with ThreadPoolExecutor(_THREADS) as pool:
            classifiers = self._look_at_all(CLASSIFIERS, pool)
            aliases = self._look_at_all(ALIASES, pool)
        for places in _alike({CLASSIFIERS: classifiers, ALIASES: aliases}):
            self._settle(partial(self._ambiguous, places))
        for alias, look in aliases.items():
            if look.target and not classifiers.get(look.target.name, Look()).answers(look.target.revision):
                self._settle(partial(self._dangling, alias))
        for look_at in (self._around, partial(look_at_jobs, self._root), self._aside, self._base_models):
            self._settle(look_at)
        looks = (*classifiers.values(), *aliases.values())
        return IntegrityReport(
            classifiers=len(classifiers),
            records=sum(look.records for look in looks),
            blobs=sum(look.blobs for look in looks),
            size_bytes=sum(look.size_bytes for look in looks),
            findings=tuple(sorted(self._findings, key=lambda finding: (finding.path, finding.code, finding.detail))),
        )

    def _look_at_all(self, kind: str, pool: ThreadPoolExecutor) -> dict[str, Look]:
        self._settle(partial(self._strangers, kind))
        names = sorted(filter(is_name, self._list(kind, folders=_ANY_FOLDER).folders))
        looks = pool.map(lambda name: self._settle(self._look(kind, name)), names)
        return dict(zip(names, looks, strict=True))

    def _settle(self, look: Callable[[], Look]) -> Look:
        """Look, and where something is wrong, do so again while nobody writes, and tell what is still wrong then."""
        first = look()
        if not first.found:
            return first
        try:
            with self._names.lock():
                again = look()
                self._findings.extend(map(self._put_right, again.found))
                return again
        except StorageFailed:
            if self._repair:
                raise
        self._findings.extend(_told(found, found.advice) for found in first.found)
        return first

    def _look(self, kind: str, name: str) -> Callable[[], Look]:
        return partial(_LOOKS[kind], self._root, name, self._settled_s, {})

    def _list(self, place: str, files: re.Pattern[str] = NOTHING, folders: re.Pattern[str] = NOTHING) -> FolderListing:
        return list_folder(self._root, place, files, folders)

    def _strangers(self, kind: str) -> Look:
        """Look for what is neither a classifier nor an alias."""
        listing = self._list(kind, folders=_ANY_FOLDER)
        what = f"The folder's name breaks the grammar of names ({NAME_GRAMMAR}), so nobody can ask for it."
        advice = "Give it back the name that its records bear, or move it elsewhere."
        invalid = sorted(name for name in listing.folders if not is_name(name))
        wrong = (Suspicion("damage", "name_invalid", f"{kind}/{name}", what, advice) for name in invalid)
        return Look((*listing.found, *wrong))

    def _around(self) -> Look:
        """Look for what lies in the data directory beside Windrow's own folders, such as a copy in a copy."""
        found = (replace(each, place=each.place.removeprefix("./")) for each in self._list(".").found)
        # Its own folders are looked at one by one; base_models may be a link to another disk.
        return Look(tuple(each for each in found if each.place not in (*_OWN_FOLDERS, LAST_LOOK)))

    def _ambiguous(self, places: Iterable[str]) -> Look:
        """Look at names that were found to be alike."""
        live = [place for place in places if self._look(*place.split("/"))().is_live]
        if len(live) < 2:
            return Look()
        is_same = len({place.rpartition("/")[2] for place in live}) == 1
        code = "name_shared" if is_same else "names_alike"
        how = "have one name" if is_same else "have names that differ in case only"
        what = f"{' and '.join(live)} {how}. Copying a folder can do that; Windrow itself refuses it."
        return Look((Suspicion("damage", code, live[-1], what, "Delete all but one, or move their folders away."),))

    def _dangling(self, alias: str) -> Look:
        """Look at an alias that was found to point to nothing."""
        target = self._look(ALIASES, alias)().target
        if target is None or self._look(CLASSIFIERS, target.name)().answers(target.revision):
            return Look()
        what = f"The alias points to {target}, which is deleted or was never here, so it does not answer."
        advice = f"Restore {target.name}, promote another classifier, or remove the alias."
        return Look((Suspicion("notice", "alias_dangling", f"{ALIASES}/{alias}", what, advice),))

    def _aside(self) -> Look:
        """Look for what processes began to write and did not end."""
        listing = self._list(ASIDE, files=_ASIDE_FILE)
        found = list(listing.found)
        for file, status in listing.files.items():
            place = f"{ASIDE}/{file}"
            # The lock of the names says nothing of the files of jobs: what is young may be just being written.
            left = reason_to_wait(status.st_ctime, self._settled_s)
            found.append(garbage("aside_file", place, "A process began to write it and did not end.", (place,), left))
        return Look(tuple(found))

    def _base_models(self) -> Look:
        """Look for base models and graphs whose building or removal did not end."""
        found = []
        own = self._list(_BASE_MODELS, folders=_ANY_FOLDER).folders
        parents = (_BASE_MODELS, f"{_BASE_MODELS}/{_GRAPHS}") if _GRAPHS in own else (_BASE_MODELS,)
        for place in (
            f"{parent}/{name}" for parent in parents for name in self._list(parent, folders=_LEFTOVER).folders
        ):
            is_building = BUILDING in place
            left = reason_to_wait(self._list(place).changed_s, self._settled_s) if is_building else None
            what = f"{'Building' if is_building else 'Removing'} a base model's files ended half way."
            found.append(garbage("base_model_leftover", place, what, (place,), left))
        return Look(tuple(found))

    def _put_right(self, found: Suspicion) -> Finding:
        if not self._repair or not found.remove:
            return _told(found, found.advice)
        try:
            for place in found.remove:
                self._remove(place)
        except StorageFailed as error:
            return _told(found, f"It could not be removed. {error}")
        except OSError as error:
            return _told(found, f"It could not be removed ({error.strerror}). Check that Windrow may write there.")
        return replace(_told(found, "It was removed."), repaired=True)

    def _remove(self, place: str) -> None:
        path = Path(self._root, place)
        if place.startswith(ASIDE):
            path.unlink(missing_ok=True)
        elif place.startswith(_BASE_MODELS):
            delete(path)
        elif path.is_dir():
            path.rmdir()
        else:
            self._names.files.remove(place)
        if os.path.lexists(path):
            raise OSError(errno.EBUSY, "it is still there")


def _told(found: Suspicion, advice: str) -> Finding:
    detail = f"{found.what} {advice}".strip()
    return Finding(found.severity, found.code, found.place, detail)


def _alike(looks: Mapping[str, Mapping[str, Look]]) -> Iterator[list[str]]:
    """Yield the places of names in use that are the same but for case and kind."""
    places: dict[str, list[str]] = {}
    for kind, by_name in looks.items():
        for name, look in by_name.items():
            if look.is_live:
                places.setdefault(name.casefold(), []).append(f"{kind}/{name}")
    return (each for each in places.values() if len(each) > 1)
