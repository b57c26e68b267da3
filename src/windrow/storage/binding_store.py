"""Keeps bindings: a log whose newest file holds all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from windrow.domain.binding import Binding, BindRequest
from windrow.domain.caller import current_caller
from windrow.domain.errors import InvalidArtifact, InvalidParameter
from windrow.domain.values import recast
from windrow.storage.format import Mismatch, read, write
from windrow.storage.lock import transaction
from windrow.storage.log import Logs, OnChange, ignore_change, readable
from windrow.storage.namespace import Namespace

QUESTIONS: Final = "questions"
BINDINGS: Final = "bindings"
# All of them must fit into one document.
MAX_BINDINGS: Final = 10_000
# Older files of the log are removed: each holds all bindings, and the audit trail has the changes.
KEPT_FILES: Final = 10


@dataclass(frozen=True, slots=True)
class BindingTable:
    """What one file of the log says: every binding."""

    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class KnownBindings:
    """The bindings at one moment.

    Args:
        number: Of the log's newest file; 0 where there never was a binding.
        bindings: The bindings, sorted by question.
    """

    number: int
    bindings: tuple[Binding, ...]


class BindingStore:
    """The bindings of a data directory, for any number of threads and processes.

    Args:
        names: Its namespace: files, lock and clock.
        on_change: Called when this process has changed the bindings.
    """

    def __init__(self, names: Namespace, on_change: OnChange = ignore_change) -> None:
        self._names = names
        self._logs = Logs(names.files, QUESTIONS, bindings_from_json, on_change)

    def known(self) -> KnownBindings:
        """Return the bindings as they are on the disk; one look at a folder's time where nothing changed.

        Raises:
            InvalidArtifact: They cannot be read.
        """
        newest = self._logs.newest(BINDINGS)
        table = readable(newest.value)
        return KnownBindings(newest.number, () if table is None else table.bindings)

    @transaction
    def bind(self, request: BindRequest) -> Binding | None:
        """Bind a question, or take its binding away; one that is as it should be stays as it is.

        Args:
            request: The binding; checked before.

        Returns:
            The binding; ``None`` where there is none now.

        Raises:
            InvalidParameter: There are too many bindings.
            InvalidArtifact: The bindings cannot be read.
            StorageFull: The disk is full; nothing was changed.
            StorageFailed: The disk failed; nothing was changed.
        """
        with self._names.lock():
            known = self.known()
            before = next((each for each in known.bindings if each.question == request.question), None)
            others = [each for each in known.bindings if each.question != request.question]
            if request.model_name is None:
                if before is not None:
                    self._append(known, others)
                return None
            if before is not None and _is_so(before, request):
                return before
            if len(others) >= MAX_BINDINGS:
                raise InvalidParameter(
                    "There are {limit} bindings already, which is as many as can be kept. Take some away.",
                    {"parameter": "question", "limit": MAX_BINDINGS},
                )
            binding = recast(Binding, request, bound_at=self._names.now(), key_name=current_caller().key_name)
            self._append(known, [*others, binding])
            return binding

    def _append(self, known: KnownBindings, bindings: Sequence[Binding]) -> None:
        table = BindingTable(tuple(sorted(bindings, key=lambda each: each.question)))
        self._logs.append(BINDINGS, known.number + 1, write(table))
        for number in self._logs.numbers(BINDINGS)[:-KEPT_FILES]:
            self._logs.remove(BINDINGS, number)


def _is_so(binding: Binding, request: BindRequest) -> bool:
    names = ("model_name", "positive_label", "levels")
    return all(getattr(binding, name) == getattr(request, name) for name in names)


def bindings_from_json(_name: str, _number: int, data: bytes) -> BindingTable:
    """Return what a file of the log says.

    Raises:
        InvalidArtifact: It is damaged, or of a newer format.
    """
    try:
        return read(data, BindingTable)
    except Mismatch as error:
        facts = {
            "why": f"what it says {error.problem}",
            "advice": "Restore it from a backup; or move the folder questions away, and bind the questions anew.",
        }
        raise InvalidArtifact("The bindings of questions cannot be read: {why}. {advice}", facts) from error
