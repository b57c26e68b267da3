"""Judging from a notebook: one classifier by labelled rows, or several by the same rows.

Owns the plain arguments of these verbs; knows nothing of how a figure is computed.
"""

from collections.abc import Iterable
from typing import Any

from windrow.domain.comparison import CompareRequest, Comparison
from windrow.domain.errors import InvalidTestData
from windrow.domain.report import EvaluateRequest, Report
from windrow.session.columns import Given, read_name, read_names, read_rows
from windrow.session.parts import Parts

_TEST_DATA = Given("test_data", InvalidTestData)


class Judging(Parts):
    """The verbs that judge."""

    __slots__ = ()

    def evaluate(
        self,
        model_name: str,
        texts: Iterable[Any],
        labels: Iterable[Any] | None = None,
        target_precision: float | None = None,
        is_saved: bool = True,
    ) -> Report:
        """Judge a classifier by labelled rows that it has not seen, and keep the score with it.

        Args:
            model_name: A classifier, an alias, a revision (``tickets_v2@3``) or a task's highest version
                (``tickets@latest``).
            texts: A column of strings; without ``labels``, rows or a table, as in ``fit``.
            labels: A column of strings, as long as ``texts``.
            target_precision: Share of right answers, in [0.5, 1], for which the score is wanted from which on an answer
                is to be trusted; ``None`` for none.
            is_saved: Whether the score is kept with the classifier.

        Raises:
            InvalidInput: The name, the precision or a row breaks a rule, or no row has a label that is known.
            NotFound: The name means nothing.
            ArtifactInvalid: The classifier is damaged.
        """
        rows = read_rows(_TEST_DATA, texts, labels)
        return self._operations.evaluate(EvaluateRequest(read_name(model_name), rows, is_saved, target_precision))

    def compare(
        self, model_names: Iterable[str], texts: Iterable[Any], labels: Iterable[Any] | None = None
    ) -> Comparison:
        """Judge several classifiers by the same rows, and say which to promote. Nothing is kept.

        Args:
            model_names: 2 to 20 different ones; the first is the one in use, which the others must beat.
            texts: As in :meth:`evaluate`.
            labels: As in :meth:`evaluate`.

        Raises:
            InvalidInput: The names or a row break a rule, or no row has a label that is known.
            NotFound: One of the names means nothing.
            ArtifactInvalid: A classifier is damaged.
        """
        rows = read_rows(_TEST_DATA, texts, labels)
        return self._operations.compare(CompareRequest(read_names(model_names), rows))
