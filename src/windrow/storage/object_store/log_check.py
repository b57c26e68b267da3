"""Scans the log of commits in an object store: each commit and checkpoint is there and can be read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Final

from windrow.domain.errors import InvalidArtifact
from windrow.storage.files import KeyMissing
from windrow.storage.folder_check import CandidateFinding
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.commit_log import CHECKPOINTS, COMMITS, NUMBERED_OBJECT, numbered_key
from windrow.storage.object_store.documents import checkpoint_from_bytes, commit_from_bytes
from windrow.storage.object_store.temporary_copy import foreign

_READERS: Final = 16
_ADVICE: Final = (
    "Restore what is lost from a backup of the object store. Servers that run know what it said; do not restart them "
    "before."
)


def scan_log(bucket: Bucket) -> tuple[CandidateFinding, ...]:
    """Scan every commit and checkpoint; none is ever changed, so that no lock is needed.

    Args:
        bucket: Where they are.
    """
    return tuple(_scan(bucket))


def _scan(bucket: Bucket) -> Iterator[CandidateFinding]:
    # The checkpoints first: each is written before the commit that counts from it.
    checkpoints, strange_checkpoints = _numbers(bucket, CHECKPOINTS)
    commits, strange_commits = _numbers(bucket, COMMITS)
    yield from map(foreign, (*strange_checkpoints, *strange_commits))
    yield from _gaps(bucket, commits)
    newest, last = max(commits, default=0), max(checkpoints, default=0)
    if last > newest:
        what = f"Checkpoint {last} was written, so that there were commits up to that number, and the last is {newest}."
        yield CandidateFinding("damage", "commit_missing", numbered_key(COMMITS, last), what, _ADVICE)
    with ThreadPoolExecutor(_READERS) as readers:
        yield from filter(None, readers.map(partial(_commit_problem, bucket), commits))
        yield from filter(None, readers.map(partial(_checkpoint_problem, bucket), checkpoints))
    if newest:
        yield from _lost_checkpoint(bucket, newest)


def _numbers(bucket: Bucket, folder: str) -> tuple[list[int], list[str]]:
    """Return the numbers of the objects of a folder, and the keys of those that have none."""
    numbers, strange = [], []
    for each in bucket.objects(folder):
        name = each.key.removeprefix(f"{folder}/")
        if NUMBERED_OBJECT.fullmatch(name):
            numbers.append(int(name.partition(".")[0]))
        else:
            strange.append(each.key)
    return sorted(numbers), strange


def _gaps(bucket: Bucket, commits: list[int]) -> Iterator[CandidateFinding]:
    for before, after in pairwise(commits):
        if after - before > 1 and not _is_there(bucket, numbered_key(COMMITS, before + 1)):
            which = f"Commit {before + 1} is" if after - before == 2 else f"Commits {before + 1} to {after - 1} are"
            what = f"{which} missing; Windrow never removes one."
            yield CandidateFinding("damage", "commit_missing", numbered_key(COMMITS, before + 1), what, _ADVICE)


def _commit_problem(bucket: Bucket, number: int) -> CandidateFinding | None:
    key = numbered_key(COMMITS, number)
    try:
        commit = commit_from_bytes(key, bucket.get(key))
    except KeyMissing:
        return CandidateFinding("damage", "commit_missing", key, f"Commit {number} has just been removed.", _ADVICE)
    except InvalidArtifact as error:
        return CandidateFinding("damage", "commit_unreadable", key, "", error.detail)
    if commit.number == number:
        return None
    return CandidateFinding("damage", "commit_unreadable", key, f"It says that it is commit {commit.number}.", _ADVICE)


def _checkpoint_problem(bucket: Bucket, number: int) -> CandidateFinding | None:
    key = numbered_key(CHECKPOINTS, number)
    try:
        checkpoint = checkpoint_from_bytes(key, bucket.get(key))
    except KeyMissing:  # it is old, and was removed since it was listed
        return None
    except InvalidArtifact as error:
        return CandidateFinding("damage", "checkpoint_unreadable", key, "", error.detail)
    if checkpoint.number == number:
        return None
    what = f"It says that it is checkpoint {checkpoint.number}."
    return CandidateFinding("damage", "checkpoint_unreadable", key, what, _ADVICE)


def _lost_checkpoint(bucket: Bucket, newest: int) -> Iterator[CandidateFinding]:
    """Yield the checkpoint that the newest commit counts from, if it is not there."""
    try:
        commit = commit_from_bytes("", bucket.get(numbered_key(COMMITS, newest)))
    except (KeyMissing, InvalidArtifact):
        return
    key = numbered_key(CHECKPOINTS, commit.checkpoint)
    if commit.checkpoint and not _is_there(bucket, key) and not _is_there(bucket, numbered_key(COMMITS, newest + 1)):
        what = f"It is missing, and commit {newest} counts from it, so that no server can start."
        yield CandidateFinding("damage", "checkpoint_unreadable", key, what, _ADVICE)


def _is_there(bucket: Bucket, key: str) -> bool:
    try:
        bucket.get(key)
    except KeyMissing:
        return False
    return True
