"""Aliasing: promoting and rolling back on this machine.

Owns that a classifier is in memory before an alias points to it; knows nothing of logs.
"""

from windrow.domain.alias import Alias, AliasChange, PromoteRequest, Said, check_promote_request, check_said
from windrow.service.parts import Parts


class Aliasing(Parts):
    """The verbs for aliases."""

    __slots__ = ()

    def promote(self, request: PromoteRequest) -> Alias:
        """Point an alias at a classifier. See ``Operations.promote``."""
        check_promote_request(request)
        found = self.find(request.model_name)
        self.predictor.load(found)
        return self.store.aliases.promote(request.alias, found.target, request.said)

    def rollback(self, alias: str, said: Said = Said()) -> Alias:
        """Point an alias back. See ``Operations.rollback``."""
        check_said(said)
        way = self.store.aliases.way_back(alias)
        self.predictor.load(self.store.catalog.find(way.target))
        return self.store.aliases.roll_back(alias, way, said)

    def remove_alias(self, alias: str, said: Said = Said()) -> None:
        """Take an alias away. See ``Operations.remove_alias``."""
        self.store.aliases.remove(alias, check_said(said))
        self.predictor.forget(alias)

    def list_aliases(self) -> tuple[Alias, ...]:
        """Return every alias. See ``Operations.list_aliases``."""
        return self.store.aliases.list()

    def alias_history(self, alias: str) -> tuple[AliasChange, ...]:
        """Return each change of an alias. See ``Operations.alias_history``."""
        return self.store.aliases.history(alias)
