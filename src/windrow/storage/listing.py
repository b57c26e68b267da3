"""Lists classifiers page by page, reading only those that a page needs."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from windrow.domain.caller import current_caller
from windrow.domain.classifier import Classifier, Record
from windrow.domain.errors import ClassifierNotFound, InvalidArtifact, InvalidParameter, StorageFailed
from windrow.domain.listing import BY_NAME, Listing, ListRequest, in_order, to_cursor
from windrow.domain.versions import Version, read_version
from windrow.storage.files import is_forbidden
from windrow.storage.namespace import Namespace
from windrow.storage.revision import ClassifierState, Tombstone

# Orders that a name alone decides, so that a page needs no look at the classifiers before it.
_KEYS_OF_NAMES: Mapping[str, Callable[[str], Any]] = {
    BY_NAME: lambda name: name,
    "version": lambda name: read_version(name) or Version(name, -1),
}
# Records that are fetched at the same time, where each is a request.
_READ_TOGETHER: Final = 256
IsMeant = Callable[[Record], bool]


def all_are_meant(_: Record) -> bool:
    """Leave no classifier out of a list."""
    return True


def list_page(names: Namespace, request: ListRequest, is_meant: IsMeant = all_are_meant) -> Listing:
    """Return a part of the list of the classifiers that the caller knows.

    One that cannot be read is left out, with a warning in the log.

    Args:
        names: Where they are.
        request: Which part, checked.
        is_meant: Whether a classifier is meant that the request's other conditions apply to.

    Raises:
        InvalidParameter: The classifier that the page starts after is gone, and the order needs more than its name.
    """
    candidates = [*filter(current_caller().knows, request.names_among(names.classifiers.names()))]
    if (key := _KEYS_OF_NAMES.get(request.order)) is not None:
        candidates.sort(key=key)
        start = 0 if (after := request.after) is None else bisect_right(candidates, key(after), key=key)
        chosen = _chosen(names, candidates[start:], request, is_meant)
    else:
        meant = list(_chosen(names, candidates, request, is_meant))
        chosen = _after(in_order(meant, request.order), request.after)
    limit = len(candidates) if request.size is None else request.size
    page = tuple(islice(chosen, limit + 1))
    return Listing(page[:limit], to_cursor(page[limit - 1].name) if len(page) > limit else None)


def _chosen(
    names: Namespace, candidates: Sequence[str], request: ListRequest, is_meant: IsMeant
) -> Iterator[Classifier]:
    for number, name in enumerate(candidates):
        if number % _READ_TOGETHER == 0:
            names.classifiers.prefetch(candidates[number : number + _READ_TOGETHER])
        entry, deleted_at = _meant(names, name, is_deleted=request.deleted)
        if entry is not None and request.has(entry.record) and is_meant(entry.record):
            yield entry.to_classifier(deleted_at)


def _meant(names: Namespace, name: str, *, is_deleted: bool) -> tuple[ClassifierState | None, datetime | None]:
    """Return what the list shows of a name, and when it was deleted."""
    value = names.classifiers.newest_listed(name).value
    if not is_deleted:
        return value if isinstance(value, ClassifierState) else None, None
    if isinstance(value, Tombstone):
        try:
            return names.last_entry(name), value.at
        except (InvalidArtifact, ClassifierNotFound):
            return None, None
        except StorageFailed as error:
            if not is_forbidden(error):
                raise
    return None, None


def _after(classifiers: list[Classifier], after: str | None) -> Iterator[Classifier]:
    if after is None:
        return iter(classifiers)
    names = [classifier.name for classifier in classifiers]
    if after not in names:
        raise InvalidParameter(
            "The list has changed so that the next page cannot be found. Start again without {arg:cursor}.",
            {"parameter": "cursor"},
        )
    return iter(classifiers[names.index(after) + 1 :])
