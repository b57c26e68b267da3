"""What questions are bound to, and which names there are at all, in memory and in step with the disk."""

import logging
from collections.abc import Mapping

from windrow.domain.binding import Binding
from windrow.domain.errors import InvalidArtifact
from windrow.domain.names import is_name
from windrow.storage.binding_store import BindingStore
from windrow.storage.namespace import Namespace

_log = logging.getLogger("windrow.execution")


class QuestionWatch:
    """Bindings and names, for any number of threads; what other processes change is seen at the next look.

    Args:
        names: The namespace.
        store: The bindings on the disk.
    """

    def __init__(self, names: Namespace, store: BindingStore) -> None:
        self._names = names
        self._store = store
        self._bound: tuple[Binding, ...] = ()
        self._by_question: Mapping[str, Binding] = {}
        self._problem: InvalidArtifact | None = None
        self._known: frozenset[str] | None = None
        self._last: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._num_changes = 0
        names.subscribe(self._forget)

    def binding(self, question: str) -> Binding | None:
        """Return what a question is bound to, as it was at the last look.

        Args:
            question: Its name.

        Raises:
            InvalidArtifact: The bindings cannot be read, so that it is not known what answers.
        """
        if (problem := self._problem) is not None:
            raise InvalidArtifact(problem.template, problem.facts) from problem
        return self._by_question.get(question)

    def may_name(self, text: str) -> bool:
        """Whether a text may be the name of a classifier or an alias: false only where there is none.

        Args:
            text: Any text, such as the name of a question.
        """
        known = self._known
        return is_name(text) and (known is None or text in known)

    def update(self) -> None:
        """Look at the disk, once; where nothing changed, that takes microseconds."""
        self.read_bindings()
        num_changes = self._num_changes
        names = (self._names.classifiers.names(), self._names.aliases.names())
        if self._known is None or any(now is not last for now, last in zip(names, self._last, strict=True)):
            known = frozenset[str]().union(*names)
            if num_changes == self._num_changes:  # else this may be without a name that this process has just made
                self._known, self._last = known, names

    def read_bindings(self) -> None:
        """Read the bindings, if they have changed."""
        try:
            known = self._store.known()
        except InvalidArtifact as error:
            if self._problem is None:
                _log.warning("No question finds its classifier by its name. %s", error.detail)
            self._problem = error
            return
        self._problem = None
        if known.bindings is not self._bound:  # the log keeps what it has read
            self._by_question = {each.question: each for each in known.bindings}
            self._bound = known.bindings

    def _forget(self, _name: str) -> None:
        self._num_changes += 1
        self._known = None
