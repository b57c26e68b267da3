"""Upkeep: base models, disk usage and checks of the data directory on this machine.

Owns who uses a base model; knows nothing of folders.
"""

from windrow.domain.base_models import BaseModelUse, check_unused
from windrow.domain.checkup import Checkup
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.usage import Usage
from windrow.service.parts import Parts
from windrow.storage.fsck import check
from windrow.storage.usage import measure


class Upkeep(Parts):
    """The verbs for who runs the server."""

    __slots__ = ()

    def base_models(self) -> tuple[BaseModelUse, ...]:
        """Return the base models on this machine. See ``Operations.base_models``."""
        names_of: dict[str, set[str]] = {}
        for entry in self.store.catalog.entries():
            names_of.setdefault(entry.record.base_model.id, set()).add(entry.record.name)
        return tuple(
            BaseModelUse(model, len(names_of.get(model.base_model.id, ())), model.base_model.id == DEFAULT_BASE_MODEL)
            for model in self.store.inventory.stored_base_models()
        )

    def remove_base_model(self, base_model: str) -> int:
        """Remove a base model that is not in use. See ``Operations.remove_base_model``."""
        uses = [use for use in self.base_models() if use.model.base_model.id == base_model]
        for use in uses:
            if use.model.place != "installed":  # which cannot be removed in any case
                check_unused(use)
        freed_bytes = self.store.inventory.remove(base_model)
        self.encoders.forget(base_model)
        for use in uses:
            self.predictor.forget_encoder(use.model.base_model.digest)
        return freed_bytes

    def usage(self) -> Usage:
        """Return what the data directory holds. See ``Operations.usage``."""
        return measure(self.settings.data_dir, self.store.names, self.store.inventory)

    def fsck(self, *, repair: bool = False) -> Checkup:
        """Check the data directory. See ``Operations.fsck``."""
        return check(self.settings.data_dir, self.store.names, repair=repair)
