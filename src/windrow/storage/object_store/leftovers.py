"""Finds and removes the contents in an object store that no commit names, also while servers write.

Such a content was put by an attempt to commit that died or lost, or was removed by a commit whose process died before
it removed the object. A content that is just being put looks the same, and no clock of a server tells them apart. So:

1. The contents are listed.
2. An empty commit is made, the fence. Let its number be F.
3. What was listed, and is not named after commit F, is removed.

Nothing that is needed goes. A content of the list was put by an attempt that had begun before the list was made, so
before the fence. An attempt commits under one number only, the one after the last commit that it began with, and a
commit is created only where its number is free. One that began before the fence knew none of F or above, so its number
is F at most, and each number up to F is taken by now: either it has committed, so that the index after F names what it
put, unless a later commit removed that; or it never will, whatever is still on its way, and begins again as another
attempt, which puts contents of its own under names of its own, after the list was made. A content that a late request
of a dead attempt puts after the list is found by the next check.
"""

import re
import time
from collections.abc import Callable, Collection, Iterable
from typing import Final

from windrow.domain.errors import StorageFailed
from windrow.domain.integrity import Finding
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.documents import CONTENTS
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.temporary_copy import foreign

# Between two looks of a check that repairs nothing, in which an attempt that is being made may end.
_ATTEMPT_S: Final = 1.0
_CONTENT: Final = re.compile(rf"{CONTENTS}/(?P<key>.+)\.[0-9a-f]{{32}}")
_WHAT: Final = (
    "No commit names this content: whoever put it died or was too late, or it was removed and the object stayed."
)
_REPAIR: Final = "Repairing removes it."
_UNSURE: Final = (
    "It stays, since something beside it, or the log itself, is damaged and may need it. Put that right first."
)


def check_leftovers(
    files: ObjectFiles, bucket: Bucket, *, repair: bool, is_unsure: Callable[[str], bool]
) -> list[Finding]:
    """Return a finding for each content that no commit names.

    Args:
        files: The files.
        bucket: Where they are.
        repair: Whether to remove them.
        is_unsure: Whether the file of a key, or one beside it, may be damaged, so that its contents must stay.

    Raises:
        StorageFailed: The store refuses.
        DataDirectoryUnavailable: It does not answer.
    """
    listed = _unnamed(files, (each.key for each in bucket.objects(CONTENTS)))
    strange = [foreign(key) for key in listed if not _CONTENT.fullmatch(key)]
    findings = [Finding(each.severity, each.code, each.path, f"{each.what} {each.advice}") for each in strange]
    keys = {key: match["key"] for key in listed if (match := _CONTENT.fullmatch(key))}
    if not keys:
        return findings
    if repair and not all(map(is_unsure, keys.values())):
        files.fence()
        left = _unnamed(files, keys)
    else:
        time.sleep(_ATTEMPT_S)
        files.follow()
        left = _unnamed(files, keys.keys() & {each.key for each in bucket.objects(CONTENTS)})
    return [*findings, *(_finding(bucket, key, repair=repair, stays=is_unsure(keys[key])) for key in left)]


def _unnamed(files: ObjectFiles, keys: Iterable[str]) -> Collection[str]:
    """Return which contents no commit names that is known here, sorted."""
    named = {file.object_key(key) for key, file in files.stored()}
    return sorted(key for key in keys if key not in named)


def _finding(bucket: Bucket, key: str, *, repair: bool, stays: bool) -> Finding:
    advice, is_repaired = _UNSURE if stays else _REPAIR, False
    if repair and not stays:
        try:
            bucket.remove(key)
        except StorageFailed as error:
            advice = f"It could not be removed. {error}"
        else:
            advice, is_repaired = "It was removed.", True
    return Finding("garbage", "content_unreferenced", key, f"{_WHAT} {advice}", is_repaired)
