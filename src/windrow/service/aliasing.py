"""Aliasing: promoting and rolling back on this machine.

Owns that a classifier has met its conditions and is in memory before an alias points to it; knows nothing of logs.
"""

from windrow.domain.alias import Alias, AliasChange, PromoteRequest, Promotion, Said, check_promote_request, check_said
from windrow.domain.errors import (
    ArtifactInvalid,
    BaseModelInvalid,
    BaseModelNotAllowed,
    BaseModelUnavailable,
    ConcurrentChange,
    NotFound,
)
from windrow.domain.gate import NOTHING_CHECKED, GateReport
from windrow.execution.examination import Answers, examine
from windrow.service.gate import Side, check_recalled_labels, conditions_of, look, refusal
from windrow.service.parts import Parts
from windrow.storage.aliases import Standing, Terms
from windrow.storage.catalog import Found

# Others would have to promote as often while the rows are answered.
_MOST_JUDGEMENTS = 5


class Aliasing(Parts):
    """The verbs for aliases."""

    __slots__ = ()

    def promote(self, request: PromoteRequest) -> Promotion:
        """Point an alias at a classifier. See ``Operations.promote``."""
        check_promote_request(request, self.settings.limits)
        check_recalled_labels(request.require)
        found, aliases, judgements = self.find(request.model_name), self.store.aliases, 0
        while True:
            # Outside the lock, for it may take minutes; whether it still holds is asked again inside.
            standing = aliases.standing(request.alias)
            report = self._judge(request, found, standing)
            judgements += 1
            self.predictor.load(found)
            terms = Terms(request.must_pass, standing.number if report.checks else None)
            try:
                return Promotion(aliases.promote(request.alias, found.target, request.said, terms), report)
            except ConcurrentChange:
                if judgements == _MOST_JUDGEMENTS or aliases.standing(request.alias) == standing:
                    raise

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

    def _judge(self, request: PromoteRequest, found: Found, standing: Standing) -> GateReport:
        conditions = conditions_of(
            request.require, standing.must_pass if request.must_pass is None else request.must_pass
        )
        if not conditions.texts:
            return NOTHING_CHECKED
        current = self._current(request.alias, standing) if request.require.rows else ""
        asked = (found,) if isinstance(current, str) else (found, current)
        answers = examine(asked, conditions.texts, self.predictor, self.queue.compute)
        texts = [row.text for row in request.require.rows]
        sides = [self._side(each, answer, texts) for each, answer in zip(asked, answers, strict=True)]
        report = look(conditions, sides[0], current if isinstance(current, str) else sides[1])
        if not report.passed:
            raise refusal(request.alias, str(found.target), report)
        return report

    def _side(self, found: Found, answers: Answers, texts: list[str]) -> Side:
        threshold = found.entry.threshold
        seen = (texts and self.find_seen(found.entry, texts)) or ((), ())
        return Side(
            name=str(found.target),
            answers=answers,
            abstain_below=0.0 if threshold is None else threshold.abstain_below,
            seen=sum(map(len, seen)),
        )

    def _current(self, alias: str, standing: Standing) -> Found | str:
        """Return what an alias points to, ready to answer; or why that cannot be compared with."""
        if standing.target is None:
            return f"The alias {alias} points nowhere yet, so there is nothing to be worse than."
        try:
            found = Found(self.store.names.answering(standing.target), standing.target)
            self.predictor.load(found)
        except (NotFound, ArtifactInvalid, BaseModelInvalid, BaseModelNotAllowed, BaseModelUnavailable) as error:
            return (
                f"{standing.target}, to which the alias {alias} points, does not answer, so there is nothing to be "
                f"worse than. {error.detail}"
            )
        return found
