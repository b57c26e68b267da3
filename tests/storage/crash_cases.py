"""Every verb that changes a place, what was done before it, and the check of what is left where it was cut short."""

from dataclasses import dataclass
from functools import cache

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.model import Model, Server, Verb, verb
from windrow.storage.files import Files

# What is there beforehand and must never be touched, with rows that other trainings share.
BYSTANDERS = (
    *(verb("fit", "bystander", seed, "stands by") for seed in (1, 2)),
    verb("promote", "live", "bystander@1", "it is good"),
)
FITTED = tuple(verb("fit", "tickets", seed, f"said {seed}") for seed in (11, 12, 14))
TRIMMED = (*FITTED, verb("purge_revision", "tickets", 1))
POINTED = (*FITTED, verb("promote", "best", "tickets@1", "first"), verb("promote", "best", "tickets", "second"))


@dataclass(frozen=True)
class Case:
    """A verb, and what was done before it."""

    before: tuple[Verb, ...]
    act: Verb

    def prepare(self, files: Files) -> None:
        """Bring a place into the state before the verb."""
        server, model = Server(files), Model()
        for one in (*BYSTANDERS, *self.before):
            assert one.on(server) == one.on(model)

    def prepared(self) -> MemoryFiles:
        """Return a place in memory, in the state before the verb."""
        return _prepared(self).copy()

    def model(self) -> Model:
        """Return the model in the state before the verb."""
        return _model(self.before).copy()


@cache
def _prepared(case: Case) -> MemoryFiles:
    files = MemoryFiles()
    case.prepare(files)
    return files


@cache
def _model(before: tuple[Verb, ...]) -> Model:
    model = Model()
    for one in (*BYSTANDERS, *before):
        one.on(model)
    return model


CASES = {
    "fit": Case((), verb("fit", "tickets", 15, "new")),
    "refit": Case(FITTED, verb("fit", "tickets", 15)),
    "refit with what is there": Case(FITTED, verb("fit", "tickets", 12)),
    "refit of what was deleted": Case((*TRIMMED, verb("delete", "tickets")), verb("fit", "tickets", 15)),
    "import": Case((), verb("take_in", "tickets", 15)),
    "describe": Case(FITTED, verb("describe", "tickets", "another")),
    "measure": Case(FITTED, verb("measure", "tickets", 15)),
    "set a threshold": Case(FITTED, verb("set_threshold", "tickets", 13)),
    "measure anew": Case((*FITTED, verb("measure", "tickets", 15)), verb("measure", "tickets", 16)),
    "delete": Case(FITTED, verb("delete", "tickets")),
    "restore": Case((*TRIMMED, verb("delete", "tickets")), verb("restore", "tickets")),
    "restore a revision": Case(FITTED, verb("restore", "tickets", 1)),
    "purge": Case(FITTED, verb("purge", "tickets")),
    "purge of what was deleted": Case((*TRIMMED, verb("delete", "tickets")), verb("purge", "tickets")),
    "purge a revision": Case(FITTED, verb("purge_revision", "tickets", 2)),
    "purge a revision that was restored": Case(
        (*FITTED, verb("restore", "tickets", 1), verb("restore", "tickets", 3)), verb("purge_revision", "tickets", 1)
    ),
    "erase a row": Case(FITTED, verb("erase", "tickets", 11)),
    "erase a row of what was deleted": Case((*FITTED, verb("delete", "tickets")), verb("erase", "tickets", 11)),
    "sweep of what was deleted": Case((*TRIMMED, verb("delete", "tickets")), verb("sweep")),
    "sweep of what was deleted before": Case(
        (*TRIMMED, verb("delete", "tickets"), verb("fit", "tickets", 15)), verb("sweep")
    ),
    "promote": Case(FITTED, verb("promote", "best", "tickets@2", "why")),
    "promote anew": Case(POINTED, verb("promote", "best", "tickets@3", "why")),
    "roll back": Case(POINTED, verb("roll_back", "best", "why")),
    "remove an alias": Case(POINTED, verb("remove", "best", "why")),
}
# What is said where the disk is full or fails, and nothing was changed.
REFUSALS = ("StorageFull", "StorageFailed")
# The process died; or a sweep tells the log what failed, and then which names it purged: none.
UNDECIDED = (None, "")
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def check_what_is_left(files: Files, case: Case, outcome: object = None) -> bool:
    """See that a fresh server finds the old state or the new one, and can do the verb again; say if it is the new one.

    Args:
        files: What the failure left.
        case: What was being done.
        outcome: What the verb returned, or the name of its error; ``None`` where the process died.
    """
    old = case.model()
    new, server = old.copy(), Server(files)
    case.act.on(new)
    state = server.state()
    assert state in (old.state(), new.state())
    is_new = state == new.state()
    check_what_was_said(case, outcome, is_new=is_new)
    model = new if is_new else old
    model.half_purged = server.half_purged()
    assert case.act.on(server) == case.act.on(model)
    assert server.state() == model.state()
    return is_new


def check_what_was_said(case: Case, outcome: object, *, is_new: bool) -> None:
    """See that what a verb said is true.

    Args:
        case: The verb.
        outcome: What it returned, or the name of its error; ``None`` where the process died.
        is_new: Whether it is done.
    """
    if outcome in REFUSALS:
        assert not is_new, f"it said {outcome}, and it is done"
    elif outcome not in UNDECIDED:
        assert is_new, f"it said {outcome}, and it is not done"
        assert outcome in ("StorageUncertain", case.act.on(case.model()))
