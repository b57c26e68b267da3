"""Base models, disk usage, and integrity checks, for the operator."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from windrow.domain.base_models import BaseModelList, BaseModelRemoval, BaseModelRequest, BaseModelUse, check_unused
from windrow.domain.caller import current_caller
from windrow.domain.integrity import FsckRequest, IntegrityReport
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.usage import Usage
from windrow.domain.values import recast
from windrow.service.dependencies import Dependencies


def base_models(deps: Dependencies) -> BaseModelList:
    """Return the base models on this machine. See ``Operations.base_models``."""
    return _base_models(deps, current_caller().knows, strictly=False)


def remove_base_model(deps: Dependencies, request: BaseModelRequest) -> BaseModelRemoval:
    """Remove a base model that is not in use. See ``Operations.remove_base_model``."""
    uses = [
        use for use in _base_models(deps, lambda _: True, strictly=True).base_models if use.id == request.base_model
    ]
    for use in uses:
        if use.location != "installed":  # which cannot be removed in any case
            check_unused(use)
    freed_bytes = deps.store.inventory.remove(request.base_model)
    deps.encoders.evict(request.base_model)
    for use in uses:
        deps.predictor.evict_encoder(use.digest)
    return BaseModelRemoval(request.base_model, freed_bytes)


def usage(deps: Dependencies) -> Usage:
    """Return what the data directory holds. See ``Operations.usage``."""
    with _there(deps):
        return deps.store.maintenance.measure(deps.store.names, deps.store.inventory)


def fsck(deps: Dependencies, request: FsckRequest) -> IntegrityReport:
    """Check the data directory. See ``Operations.fsck``."""
    with _there(deps):
        return deps.store.maintenance.check(deps.store.names, repair=request.repair)


def _base_models(deps: Dependencies, is_counted: Callable[[str], bool], *, strictly: bool) -> BaseModelList:
    """Return the base models, and how many classifiers of names that count, and that may be read, use each."""
    deps.store.directory.check()
    names_of: dict[str, set[str]] = {}
    for entry in deps.store.catalog.entries(strictly=strictly):
        if is_counted(entry.record.name):
            names_of.setdefault(entry.record.base_model, set()).add(entry.record.name)
    return BaseModelList(
        tuple(
            recast(
                BaseModelUse,
                model,
                classifiers=len(names_of.get(model.id, ())),
                is_default=model.id == DEFAULT_BASE_MODEL,
            )
            for model in deps.store.inventory.stored_base_models()
        )
    )


@contextmanager
def _there(deps: Dependencies) -> Iterator[None]:
    """Take what is read inside the ``with`` block only from a data directory that is there all the time."""
    deps.store.directory.check()
    try:
        yield
    finally:
        deps.store.directory.check()
