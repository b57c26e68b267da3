"""Promotes, rolls back, removes and lists aliases; each change is one commit to the log of the alias."""

from collections.abc import Iterator
from dataclasses import dataclass

from windrow.domain.alias import Alias, AliasChange, ChangeNote
from windrow.domain.caller import current_caller
from windrow.domain.errors import ConcurrentChange, InvalidArtifact, NotFound, NothingToRollBack, StorageFailed
from windrow.domain.labelled_rows import LabelledRows, row_key
from windrow.domain.names import Reference, check_name
from windrow.domain.values import recast
from windrow.storage.files import is_forbidden
from windrow.storage.lock import transaction
from windrow.storage.log import Newest, readable
from windrow.storage.namespace import Namespace
from windrow.storage.revision import AliasLogEntry, Pointer, Removed, alias_to_json


@dataclass(frozen=True, slots=True)
class RollbackTarget:
    """The classifier that a rollback returns to.

    Args:
        number: The number of the alias's log at which this holds.
        target: Where it would point.
    """

    number: int
    target: Reference


@dataclass(frozen=True, slots=True)
class AliasState:
    """The state of an alias before a promotion, against which the conditions are checked.

    Args:
        number: The number of the alias's log at which this holds; 0 where there is none.
        target: Where it points; ``None`` for nowhere.
        must_pass: Rows that whatever is promoted must place right.
    """

    number: int
    target: Reference | None
    must_pass: LabelledRows


@dataclass(frozen=True, slots=True)
class PromotionPreconditions:
    """What must hold for a promotion to be committed.

    Args:
        must_pass: Rows to keep with the alias; ``None`` for those that it keeps already.
        checked_number: The number of the alias's log at which the conditions were checked; ``None`` without conditions.
    """

    must_pass: LabelledRows | None = None
    checked_number: int | None = None


UNCONDITIONAL = PromotionPreconditions()


class Aliases:
    """The aliases of a namespace, for any number of threads and processes.

    Args:
        names: The namespace.
    """

    def __init__(self, names: Namespace) -> None:
        self._names = names
        self._logs = names.aliases

    def list(self) -> tuple[Alias, ...]:
        """Return every alias, sorted by name."""
        pointers = self._names.pointers()
        return tuple(_to_alias(name, pointer, answers=self._answers(pointer.target)) for name, pointer in pointers)

    def state(self, alias: str) -> AliasState:
        """Return the state of an alias; a missing one points nowhere.

        Raises:
            InvalidName: The name breaks the grammar.
            NameTaken: A classifier has it, or another name differs only in case.
        """
        self._names.check_free(alias, for_alias=True)
        newest = self._logs.newest(alias)
        target = newest.value.target if isinstance(newest.value, Pointer) else None
        return AliasState(newest.number, target, self._must_pass(alias, newest))

    @transaction
    def promote(
        self, alias: str, target: Reference, note: ChangeNote, preconditions: PromotionPreconditions = UNCONDITIONAL
    ) -> Alias:
        """Point an alias at a classifier, or at one of its revisions.

        Pointing it where it points, with the rows that it keeps, changes nothing.

        Args:
            alias: The alias; a new one is made.
            target: Where it is to point.
            note: Why and by whom.
            preconditions: At which state the conditions were checked, and which rows to keep.

        Raises:
            InvalidName: The alias breaks the grammar.
            NameTaken: A classifier has its name, or another name differs only in case.
            NotFound: What it is to point to does not exist.
            InvalidArtifact: What it is to point to is damaged.
            ConcurrentChange: Another writer changed the alias after the conditions were checked.
            StorageFull: The disk is full; the alias points where it did.
            StorageUncertain: The disk did not confirm that the alias, which points to the new target, still does so
                after a power cut.
            StorageFailed: The disk failed; the alias points where it did.
        """
        with self._names.lock():
            now = self.state(alias)
            self._names.answering(target)
            must_pass = now.must_pass if preconditions.must_pass is None else preconditions.must_pass
            # Rows that were added concurrently have not been checked, either.
            if (must_pass or preconditions.checked_number is not None) and preconditions.checked_number != now.number:
                raise _changed_meanwhile(alias, "promoted")
            before, back_to = self._logs.newest(alias).value, 0
            if isinstance(before, Pointer):
                same_rows = list(map(row_key, before.must_pass)) == list(map(row_key, must_pass))
                if before.target == target and same_rows:
                    return _to_alias(alias, before, answers=True)
                # Other rows alone are no step: a rollback still leads to where it pointed before.
                back_to = before.back_to if before.target == target else now.number
            points_to = str(target)
            return self._point(
                alias, now.number + 1, note, kind="promoted", points_to=points_to, back_to=back_to, must_pass=must_pass
            )

    def rollback_target(self, alias: str) -> RollbackTarget:
        """Return the classifier that a rollback would return to now.

        Raises:
            InvalidName: The name breaks the grammar.
            AliasNotFound: There is no such alias.
            NothingToRollBack: It has pointed nowhere before, or that classifier is gone.
            InvalidArtifact: The alias, or that classifier, is damaged.
        """
        pointer = self._pointer(alias)
        before = readable(self._logs.at(alias, pointer.back_to)) if pointer.back_to else None
        if not isinstance(before, Pointer):
            raise NothingToRollBack(
                "No promotion of the alias {alias} is left to take back: {points_to} is what it was pointed to first, "
                "or anew. Promote a classifier instead.",
                {"alias": alias, "points_to": pointer.points_to},
            )
        try:
            self._names.answering(before.target)
        except NotFound as error:
            raise NothingToRollBack(
                f"The alias {{alias}} pointed to {{pointed_to}} before, which does not answer. {error.template} Or "
                "promote another classifier.",
                {**error.facts, "alias": alias, "pointed_to": before.points_to},
            ) from error
        return RollbackTarget(self._logs.newest(alias).number, before.target)

    @transaction
    def roll_back(self, alias: str, expected: RollbackTarget, note: ChangeNote) -> Alias:
        """Point an alias back.

        Args:
            alias: The alias.
            expected: The target, from :meth:`rollback_target`.
            note: Why and by whom.

        Raises:
            AliasNotFound: There is no such alias any more.
            NothingToRollBack: The classifier no longer exists.
            ConcurrentChange: Another writer changed the alias concurrently, so it stays unchanged.
        """
        with self._names.lock():
            current = self.rollback_target(alias)
            if current != expected:
                raise _changed_meanwhile(alias, "rolled back")
            left = self._pointer(alias)
            before = self._logs.at(alias, left.back_to)
            back_to = before.back_to if isinstance(before, Pointer) else 0
            return self._point(
                alias,
                expected.number + 1,
                note,
                kind="rolled_back",
                points_to=str(expected.target),
                back_to=back_to,
                must_pass=left.must_pass,
            )

    @transaction
    def remove(self, alias: str, note: ChangeNote) -> None:
        """Take an alias away; its history stays.

        Raises:
            InvalidName: The name breaks the grammar.
            AliasNotFound: There is no such alias.
        """
        with self._names.lock():
            newest = self._logs.newest(check_name(alias))
            # One whose file cannot be read is there; it can be taken away, and made anew.
            if not isinstance(newest.value, Pointer | InvalidArtifact):
                raise self._names.alias_not_found(alias)
            what = {"key_name": current_caller().key_name, "purged": self._names.purged_steps(alias)}
            removed = recast(Removed, note, at=self._names.now(), **what)
            self._append(alias, newest.number + 1, removed)

    def history(self, alias: str) -> tuple[AliasChange, ...]:
        """Return each change of an alias, the first one first, also of one that was taken away.

        Raises:
            InvalidName: The name breaks the grammar.
            AliasNotFound: There never was such an alias.
            InvalidArtifact: A change cannot be read.
        """
        changes = tuple(self._changes(check_name(alias)))
        if not changes:
            raise self._names.alias_not_found(alias)
        return changes

    def _changes(self, alias: str) -> Iterator[AliasChange]:
        points_from = None
        for number in self._logs.numbers(alias):
            value = readable(self._logs.at(alias, number))
            if value is None:  # it went at this moment
                continue
            points_to = value.points_to if isinstance(value, Pointer) else None
            yield recast(
                AliasChange, value, number=number, event=value.kind, points_from=points_from, points_to=points_to
            )
            points_from = points_to

    def _must_pass(self, alias: str, newest: Newest[AliasLogEntry]) -> LabelledRows:
        """Return the rows that an alias keeps; damage to its newest file must not do away with those before."""
        value = newest.value
        if isinstance(value, InvalidArtifact):
            values = (self._logs.at(alias, number) for number in reversed(self._logs.numbers(alias)))
            value = next((each for each in values if isinstance(each, Pointer | Removed)), None)
        return value.must_pass if isinstance(value, Pointer) else ()

    def _pointer(self, alias: str) -> Pointer:
        if (pointer := self._names.pointer(check_name(alias))) is None:
            raise self._names.alias_not_found(alias)
        return pointer

    def _point(self, alias: str, number: int, note: ChangeNote, **what: object) -> Alias:
        what |= {"key_name": current_caller().key_name, "purged": self._names.purged_steps(alias)}
        pointer = recast(Pointer, note, at=self._names.now(), **what)
        self._append(alias, number, pointer)
        # What it points to was seen to answer. To look again could fail, and the change is made.
        return _to_alias(alias, pointer, answers=True)

    def _append(self, alias: str, number: int, revision: AliasLogEntry) -> None:
        self._logs.append(alias, number, alias_to_json(alias, number, revision))

    def _answers(self, target: Reference) -> bool:
        try:
            self._names.answering(target)
        except (NotFound, InvalidArtifact):
            return False
        except StorageFailed as error:
            if not is_forbidden(error):
                raise
            return False
        return True


def _to_alias(alias: str, pointer: Pointer, *, answers: bool) -> Alias:
    return recast(
        Alias, pointer, alias=alias, changed_at=pointer.at, answers=answers, protected=bool(pointer.must_pass)
    )


def _changed_meanwhile(alias: str, change: str) -> ConcurrentChange:
    return ConcurrentChange(
        "Somebody else has changed the alias {alias} at the same moment, so it was not {change}. Look where it points "
        "now.",
        {"alias": alias, "change": change},
    )
