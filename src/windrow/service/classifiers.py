"""Lists, shows, describes, deletes and restores classifiers."""

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

from windrow.domain.classifier import (
    BulkDeletion,
    Classifier,
    ClassifierDetails,
    DeleteRequest,
    Deletion,
    DescribeRequest,
    ModelRequest,
    Record,
    Restored,
    RestoreRequest,
)
from windrow.domain.clock import utc_now
from windrow.domain.errors import ClassifierInUse, InvalidParameter, NotFound, StorageUncertain, WindrowError
from windrow.domain.listing import DeleteAllRequest, Listing, ListRequest, check_list_request, check_selection
from windrow.domain.names import check_name
from windrow.domain.threshold import (
    SetThresholdRequest,
    ThresholdUpdate,
    affected_aliases,
    check_set_threshold_request,
    cleared_parts,
)
from windrow.domain.values import recast
from windrow.execution.use_counters import RecentUses
from windrow.service.dependencies import Dependencies, parse_immutable_reference
from windrow.storage.namespace import in_use
from windrow.storage.purging import IsMeant

_log = logging.getLogger("windrow.service")


def list_classifiers(deps: Dependencies, request: ListRequest) -> Listing:
    """Return classifiers. See ``Operations.list_classifiers``."""
    check_list_request(request)
    if request.unused_days is None:
        found = deps.store.catalog.listing(request)
    else:
        found = deps.store.catalog.listing(request, partial(_is_unused, deps.counters.recent(), request.unused_days))
    return replace(found, models=deps.with_uses(found.models))


def _is_unused(uses: RecentUses, days: int, record: Record) -> bool:
    use = uses.get(record.name)
    last = record.created_at if use is None else max(record.created_at, use.last_used_at)
    return last <= utc_now() - timedelta(days=days)


def show(deps: Dependencies, request: ModelRequest) -> ClassifierDetails:
    """Return everything about a classifier. See ``Operations.show``."""
    catalog, names = deps.store.catalog, deps.store.names
    entry = deps.store.find(request.model_name).entry
    name, revision = entry.record.name, entry.record.revision
    return recast(
        ClassifierDetails,
        deps.with_use(entry.to_classifier()),
        answers=catalog.current(name).record.revision == revision,
        revisions=names.revisions(name),
        aliases=_aliases_of(deps, name, revision),
    )


def describe(deps: Dependencies, request: DescribeRequest) -> Classifier:
    """Change the description or the tags of a classifier. See ``Operations.describe``."""
    check_name(request.model_name)
    return deps.with_use(deps.store.catalog.describe(request).to_classifier())


def set_threshold(deps: Dependencies, request: SetThresholdRequest) -> ThresholdUpdate:
    """Set or clear a classifier's threshold. See ``Operations.set_threshold``."""
    check_set_threshold_request(request)
    reference = parse_immutable_reference(request.model_name)
    threshold = request.threshold
    # Before the change: once it is made, no look at the disk may fail it.
    targets = tuple(deps.store.names.targets_in(reference.name))
    entry, before = deps.store.catalog.set_threshold(reference, threshold, request)
    aliases = tuple(alias for alias, target in targets if target.revision in (None, entry.record.revision))
    has_changed = before != threshold
    return ThresholdUpdate(
        model_name=entry.record.name,
        revision=entry.record.revision,
        status=("cleared" if threshold is None else "set") if has_changed else "unchanged",
        threshold=threshold,
        before=before,
        label_thresholds=entry.record.thresholds_by_label,
        aliases=aliases,
        warnings=(
            (*cleared_parts(before, threshold), *affected_aliases(aliases, threshold, entry.record.kind))
            if has_changed
            else ()
        ),
    )


def delete(deps: Dependencies, request: DeleteRequest) -> Deletion:
    """Delete a classifier, or purge one revision. See ``Operations.delete``."""
    reference = parse_immutable_reference(request.model_name)
    catalog, name = deps.store.catalog, reference.name
    if reference.revision is None:
        freed_bytes = _delete(deps, name, None, request)
    elif request.purge:
        freed_bytes = catalog.purging.purge_revision(name, reference.revision, force=request.force)
        deps.predictor.unpin(name)
    else:
        catalog.find(reference)  # what does not exist is not found, whatever is to be done with it
        raise InvalidParameter(
            "{model_name} is a single revision, which can only be purged. {Turn_on:purge} to remove it for good, or "
            "delete {name} as a whole.",
            {"parameter": "purge", "model_name": request.model_name, "name": name},
        )
    return Deletion(request.model_name, request.purge, freed_bytes)


def delete_all(deps: Dependencies, request: DeleteAllRequest) -> BulkDeletion:
    """Delete a selection of classifiers. See ``Operations.delete_all``."""
    check_selection(request)
    if request.is_everything:
        raise InvalidParameter(
            "Nothing says which classifiers to delete. {Send} {arg:prefix}, {arg:tag}, {arg:task} or "
            "{arg:base_model}; {set:dry_run} shows which they are.",
            {"parameter": "prefix"},
        )
    catalog = deps.store.catalog
    names = [each.name for each in catalog.listing(recast(ListRequest, request)).models]
    pointed_at = catalog.pointed_at(names)
    aliases = tuple(sorted({alias for own in pointed_at.values() for alias in own}))
    if request.dry_run:
        freed_bytes = sum(map(catalog.purging.blob_bytes, names)) if request.purge else 0
        return BulkDeletion("dry_run", tuple(names), request.purge, freed_bytes, aliases=aliases)
    if pointed_at and not request.force:
        raise in_use(pointed_at)
    freed = _delete_each(deps, names, request)
    skipped = tuple(name for name in names if name not in freed)
    return BulkDeletion("deleted", tuple(freed), request.purge, sum(freed.values()), skipped, aliases)


def restore(deps: Dependencies, request: RestoreRequest) -> Restored:
    """Bring a classifier or a revision back. See ``Operations.restore``."""
    reference = parse_immutable_reference(request.model_name)
    restored = deps.store.catalog.restore(reference.name, reference.revision)
    return recast(Restored, deps.with_use(restored.to_classifier()))


def _aliases_of(deps: Dependencies, name: str, revision: int) -> tuple[str, ...]:
    """Return the aliases that point to a classifier, or to its revision that answers, sorted."""
    targets = deps.store.names.targets_in(name)
    return tuple(alias for alias, target in targets if target.revision in (None, revision))


def _delete_each(deps: Dependencies, names: list[str], request: DeleteAllRequest) -> dict[str, int]:
    """Delete what is still meant of some classifiers, and return what that freed, by name."""
    freed: dict[str, int] = {}
    for name in names:
        try:
            freed[name] = _delete(deps, name, lambda entry: request.has(entry.record), request)
        except (NotFound, ClassifierInUse):  # it was changed concurrently
            continue
        except WindrowError as error:
            if not freed or isinstance(error, StorageUncertain):  # which is neither deleted nor skipped
                raise
            _log.error("Deleting ended before %s, after %d of %d. %s", name, len(freed), len(names), error.detail)
            break
    return freed


def _delete(deps: Dependencies, name: str, is_meant: IsMeant | None, request: DeleteRequest | DeleteAllRequest) -> int:
    """Delete or purge a classifier, if it is still meant, and return what that freed."""
    freed_bytes = 0
    if request.purge:
        freed_bytes = deps.store.catalog.purging.purge(name, force=request.force, is_meant=is_meant)
    else:
        deps.store.catalog.delete(name, force=request.force, is_meant=is_meant)
    deps.predictor.unpin(name)
    return freed_bytes
