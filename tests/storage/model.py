"""What classifiers and aliases should do, said with dictionaries; and the real ones, to be asked the same questions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from random import Random
from typing import Literal, Protocol

import numpy as np

from tests.storage.examples import ROW_EXAMPLES, TEST_SCORE, open_names, record
from windrow.domain.alias import ChangeNote
from windrow.domain.classifier import DescribeRequest, Origin
from windrow.domain.clock import utc_now
from windrow.domain.dataset import Dataset, Row, rows_as_jsonl
from windrow.domain.errors import (
    AliasNotFound,
    ClassifierExists,
    ClassifierInUse,
    ClassifierNotFound,
    NameTaken,
    NotDeleted,
    NothingToRollBack,
    RevisionNotFound,
    WindrowError,
)
from windrow.domain.listing import ListRequest
from windrow.domain.names import Reference, read_reference
from windrow.domain.threshold import Threshold
from windrow.learning.head import LinearHead
from windrow.storage.alias_store import Aliases
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact, artifact_to_bytes, rows_to_blob
from windrow.storage.catalog import Catalog, NewRevision
from windrow.storage.erasure import Erasing
from windrow.storage.files import Files, LocalFiles
from windrow.storage.fsck import check
from windrow.storage.lock import Lock
from windrow.storage.namespace import Namespace
from windrow.storage.revision import ClassifierState, Purged

State = Mapping[str, object]


class Verbs(Protocol):
    """Every verb that changes something, for the model and for the real thing. ``seed`` tells trainings apart."""

    def fit(self, name: str, seed: int, description: str | None = None, overwrite: bool = True) -> object: ...
    def take_in(self, name: str, seed: int) -> object: ...
    def describe(self, name: str, description: str) -> object: ...
    def measure(self, name: str, seed: int) -> object: ...

    def set_threshold(self, name: str, seed: int) -> object: ...
    def delete(self, name: str, force: bool = False) -> object: ...
    def restore(self, name: str, revision: int | None = None) -> object: ...
    def purge(self, name: str, force: bool = False) -> object: ...
    def purge_revision(self, name: str, revision: int, force: bool = False) -> object: ...
    def promote(self, alias: str, target: str, reason: str = "") -> object: ...
    def roll_back(self, alias: str, reason: str = "") -> object: ...
    def remove(self, alias: str, reason: str = "") -> object: ...
    def erase(self, name: str, seed: int) -> object: ...
    def sweep(self) -> object: ...


@dataclass(frozen=True)
class Verb:
    """One change that is asked for: a method of :class:`Verbs` and its arguments."""

    method: str
    args: tuple[object, ...]

    def on(self, place: Verbs) -> object:
        """Do it, and return what it returns, or the name of the error that it raises."""
        try:
            return getattr(place, self.method)(*self.args)
        except WindrowError as error:
            return type(error).__name__

    def __str__(self) -> str:
        """Return it as it is written in Python."""
        return f"{self.method}{self.args}"


def verb(method: str, *args: object) -> Verb:
    return Verb(method, args)


def random_verb(random: Random, names: str, aliases: str, seed: int) -> Verb:
    """Draw a verb that may or may not be possible.

    Args:
        random: Decides.
        names: Of classifiers, one character each.
        aliases: Of aliases, one character each.
        seed: Of the training, if it is one.
    """
    name, alias, force = random.choice(names), random.choice(aliases), random.random() < 0.25
    revision = random.choice([None, None, *range(1, 7)])
    drawn = [
        (5, verb("fit", name, seed, random.choice([None, f"said {seed}"]), random.random() < 0.8)),
        (1, verb("take_in", name, seed)),
        (1, verb("describe", name, f"described {seed}")),
        (1, verb("measure", name, seed)),
        (1, verb("set_threshold", name, seed)),
        (2, verb("delete", name, force)),
        (2, verb("restore", name, revision)),
        (1, verb("purge", name, force)),
        (1, verb("erase", name, seed)),
        (1, verb("purge_revision", name, random.randint(1, 6), force)),
        (4, verb("promote", alias, str(Reference(name, revision)), f"promoted {seed}")),
        (2, verb("roll_back", alias, f"rolled back {seed}")),
        (1, verb("remove", alias, f"removed {seed}")),
    ]
    (chosen,) = random.choices([one for _, one in drawn], [weight for weight, _ in drawn])
    return chosen


@dataclass(frozen=True)
class Kept:
    """A classifier of the model.

    Args:
        number: Of its newest file.
        about: The files that are there: what revision each is about; ``None`` for a tombstone.
        trainings: Seed and kind of each revision that can be reached.
        answers: The revision that answers, or answered last.
        description: What is said about it.
        is_deleted: Whether it is.
        purged: Numbers that were removed.
        buried: The number of the deletion whose trainings a sweep takes; 0 for none.
        measured: What was measured of each revision: right answers.
        thresholds: The threshold of each revision, and how often it was changed.
        erased: The revisions from whose rows one was erased.
    """

    number: int
    about: Mapping[int, int | None]
    trainings: Mapping[int, tuple[int, str]]
    answers: int
    description: str
    is_deleted: bool = False
    purged: tuple[int, ...] = ()
    buried: int = 0
    measured: Mapping[int, int] = field(default_factory=dict)
    thresholds: Mapping[int, tuple[float | None, int]] = field(default_factory=dict)
    erased: frozenset[int] = frozenset()

    def without(self, numbers: Collection[int]) -> "Kept":
        """Return it without some files, and with one file more that says so."""
        after = self.then(self.answers)
        return replace(
            after,
            about={number: about for number, about in after.about.items() if number not in numbers},
            trainings={number: training for number, training in self.trainings.items() if number not in numbers},
            measured={number: score for number, score in self.measured.items() if number not in numbers},
            thresholds={number: each for number, each in self.thresholds.items() if number not in numbers},
            purged=tuple(sorted({*self.purged, *numbers})),
        )

    def about_quality(self, number: int) -> object:
        """Return how a revision did on test rows, and its threshold."""
        return self.measured.get(number), self.thresholds.get(number, (None, 0))

    def then(self, about: int | None) -> "Kept":
        """Return it with one file more."""
        return replace(self, number=self.number + 1, about={**self.about, self.number + 1: about})


@dataclass(frozen=True, eq=False)
class Pointing:
    """A change of an alias in the model.

    Args:
        number: Counts them.
        target: Where it points since; ``None`` for nowhere.
        back: What a rollback returns to.
        before: The change before.
        said: Why.
    """

    number: int
    target: str | None
    back: "Pointing | None"
    before: "Pointing | None"
    said: tuple[str, str]


@dataclass
class Model:
    """Classifiers and aliases; what they hold is replaced, never changed, so a shallow copy is a snapshot.

    Args:
        classifiers: By name.
        aliases: By name, also those that were taken away.
        half_purged: Names whose purge a crash interrupted: gone, but purging them once more is no error.
    """

    classifiers: dict[str, Kept] = field(default_factory=dict)
    aliases: dict[str, Pointing] = field(default_factory=dict)
    half_purged: set[str] = field(default_factory=set)

    def copy(self) -> "Model":
        return Model(dict(self.classifiers), dict(self.aliases), set(self.half_purged))

    def fit(self, name: str, seed: int, description: str | None = None, overwrite: bool = True) -> int:
        return self._publish(name, (seed, "trained"), description, overwrite)

    def take_in(self, name: str, seed: int) -> int:
        return self._publish(name, (seed, "imported"), None, overwrite=False)

    def describe(self, name: str, description: str) -> None:
        kept = self._live(name)
        if description != kept.description:
            self.classifiers[name] = replace(kept.then(kept.answers), description=description)

    def measure(self, name: str, seed: int) -> int:
        kept = self._live(name)
        measured = {**kept.measured, kept.answers: seed % 10}
        self.classifiers[name] = replace(kept.then(kept.answers), measured=measured)
        return kept.answers

    def set_threshold(self, name: str, seed: int) -> float | None:
        kept = self._live(name)
        before, changes = kept.thresholds.get(kept.answers, (None, 0))
        if before != (after := threshold_of(seed)):
            thresholds = {**kept.thresholds, kept.answers: (after, changes + 1)}
            self.classifiers[name] = replace(kept.then(kept.answers), thresholds=thresholds)
        return before

    def delete(self, name: str, force: bool = False) -> None:
        kept = self._live(name)
        if not force:
            self._check_unused(name)
        self.classifiers[name] = replace(kept.then(None), is_deleted=True)

    def restore(self, name: str, revision: int | None = None) -> int:
        if (kept := self.classifiers.get(name)) is None:
            raise ClassifierNotFound(name)
        self._check_free(name)
        wanted = kept.answers if revision is None else revision
        if wanted not in kept.trainings:
            raise RevisionNotFound(name)
        if not kept.is_deleted and wanted == kept.answers:
            raise NotDeleted(name)
        buried = 0 if wanted < kept.buried else kept.buried
        self.classifiers[name] = replace(kept.then(wanted), is_deleted=False, answers=wanted, buried=buried)
        return wanted

    def purge(self, name: str, force: bool = False) -> None:
        if name in self.half_purged:
            return self.half_purged.discard(name)
        if (kept := self.classifiers.get(name)) is None:
            raise ClassifierNotFound(name)
        if not force and not kept.is_deleted:
            self._check_unused(name)
        del self.classifiers[name]
        return None

    def purge_revision(self, name: str, revision: int, force: bool = False) -> None:
        kept = self._live(name)
        if revision == kept.answers:
            raise ClassifierInUse(name)
        if revision not in kept.trainings:
            raise RevisionNotFound(name)
        if not force:
            self._check_unused(f"{name}@{revision}")
        self.classifiers[name] = kept.without([number for number, about in kept.about.items() if about == revision])

    def erase(self, name: str, seed: int) -> None:
        if (kept := self.classifiers.get(name)) is not None:
            gone = {number for number, (one, _) in kept.trainings.items() if one % 3 == seed % 3} - kept.erased
            if gone:
                after = kept.then(None if kept.is_deleted else kept.answers)
                self.classifiers[name] = replace(after, erased=kept.erased | gone)

    def promote(self, alias: str, target: str, reason: str = "") -> str:
        self._check_free(alias, for_alias=True)
        self._entry(target)
        now = self.aliases.get(alias)
        if now is None or now.target != target:
            self._point(alias, target, now if now is not None and now.target else None, ("promoted", reason))
        return target

    def roll_back(self, alias: str, reason: str = "") -> str:
        back = self._pointing(alias).back
        if back is None or back.target is None or not self.answers(back.target):
            raise NothingToRollBack(alias)
        self._point(alias, back.target, back.back, ("rolled_back", reason))
        return back.target

    def remove(self, alias: str, reason: str = "") -> None:
        self._pointing(alias)
        self._point(alias, None, None, ("removed", reason))

    def sweep(self) -> str:
        deleted = {name for name, kept in self.classifiers.items() if kept.is_deleted}
        swept = {*deleted, *self.half_purged, *filter(self._sweep_buried, self.classifiers.keys() - deleted)}
        self.half_purged.clear()
        for name in deleted:
            del self.classifiers[name]
        return " ".join(sorted(swept))

    def answers(self, target: str) -> bool:
        """Whether what an alias points to exists, which is never another alias."""
        return not isinstance(self.shown(target), str)

    def find(self, target: str) -> object:
        """Return revision, seed and description of what a reference means, or the name of the error."""
        if (pointing := self.aliases.get(target)) is not None and pointing.target is not None:
            target = pointing.target
        return self.shown(target)

    def shown(self, target: str) -> object:
        """Return the same for what is no alias."""
        try:
            kept, revision = self._entry(target)
        except WindrowError as error:
            return type(error).__name__
        return revision, kept.trainings[revision][0], kept.description

    def __str__(self) -> str:
        """Return what answers, and where the aliases point."""
        answers = {name: (self.shown(name), kept.trainings) for name, kept in self.classifiers.items()}
        points = {alias: (one.target, one.back and one.back.target) for alias, one in self.aliases.items()}
        return f"{answers} {points}"

    def has(self, name: str, seed: int) -> bool:
        """Whether a training can be reached, or brought back."""
        return name in self.classifiers and seed in {one for one, _ in self.classifiers[name].trainings.values()}

    def has_erased(self, name: str, seed: int) -> bool:
        """Whether a row was erased from those of a training."""
        kept = self.classifiers.get(name)
        return kept is not None and any(kept.trainings[each][0] == seed for each in kept.erased & kept.trainings.keys())

    def state(self) -> State:
        """Return all of it in plain values, equal to :meth:`Server.state` of the real thing."""
        return {
            **{f"classifier {name}": self.classifier_state(name) for name in self.classifiers},
            **{f"alias {alias}": self.alias_state(alias) for alias in self.aliases},
        }

    def classifier_state(self, name: str) -> object:
        kept = self.classifiers[name]
        numbers = tuple(sorted(kept.about))
        counts = kept.purged, kept.buried, numbers, kept.erased & kept.trainings.keys()
        trainings = {number: (training, kept.about_quality(number)) for number, training in kept.trainings.items()}
        return kept.is_deleted, kept.answers, kept.description, trainings, counts

    def alias_state(self, alias: str) -> object:
        target = self.aliases[alias].target
        return target, target is not None and self.answers(target), self.alias_changes(alias)

    def alias_changes(self, alias: str) -> object:
        """Return every change of an alias, or the name of the error."""
        change, changes = self.aliases.get(alias), []
        while change is not None:
            changes.append((change.number, *change.said, change.target))
            change = change.before
        return tuple(reversed(changes)) or "AliasNotFound"

    def alias_now(self, alias: str) -> Pointing | None:
        """Return the last change of an alias."""
        return self.aliases.get(alias)

    def training_now(self, name: str) -> object:
        """Return the training that answers under a name; ``None`` where there is none."""
        kept = self.classifiers.get(name)
        return None if kept is None or kept.is_deleted else (kept.answers, kept.trainings[kept.answers])

    def _publish(self, name: str, training: tuple[int, str], description: str | None, overwrite: bool) -> int:
        self._check_free(name)
        kept = self.classifiers.get(name)
        if not overwrite and kept is not None and not kept.is_deleted:
            raise ClassifierExists(name)
        self.half_purged.discard(name)
        kept = kept or Kept(0, {}, {}, 0, "")
        number = kept.number + 1
        former = "" if kept.is_deleted else kept.description
        self.classifiers[name] = replace(
            kept.then(number),
            trainings={**kept.trainings, number: training},
            answers=number,
            description=former if description is None else description,
            is_deleted=False,
            buried=kept.number if kept.is_deleted else kept.buried,
        )
        return number

    def _sweep_buried(self, name: str) -> bool:
        kept = self.classifiers[name]
        others = {number for number, about in kept.about.items() if number <= kept.buried and about != kept.answers}
        pinned = {pointing.target for pointing in self.aliases.values()}
        gone = {number for number in others if f"{name}@{kept.about[number]}" not in pinned}
        if gone:
            self.classifiers[name] = replace(kept.without(gone), buried=kept.buried if others - gone else 0)
        return bool(gone)

    def _live(self, name: str) -> Kept:
        if (kept := self.classifiers.get(name)) is None or kept.is_deleted:
            raise ClassifierNotFound(name)
        return kept

    def _entry(self, target: str) -> tuple[Kept, int]:
        reference = read_reference(target)
        kept = self._live(reference.name)
        revision = reference.revision or kept.answers
        if revision not in kept.trainings:
            raise RevisionNotFound(target)
        return kept, revision

    def _pointing(self, alias: str) -> Pointing:
        if (pointing := self.aliases.get(alias)) is None or pointing.target is None:
            raise AliasNotFound(alias)
        return pointing

    def _point(self, alias: str, target: str | None, back: Pointing | None, said: tuple[str, str]) -> None:
        before = self.aliases.get(alias)
        self.aliases[alias] = Pointing(1 if before is None else before.number + 1, target, back, before, said)

    def _check_unused(self, target: str) -> None:
        pointed = [pointing.target for pointing in self.aliases.values() if pointing.target is not None]
        if target in pointed or ("@" not in target and target in [one.split("@")[0] for one in pointed]):
            raise ClassifierInUse(target)

    def _check_free(self, name: str, for_alias: bool = False) -> None:
        live = {(one, False) for one, kept in self.classifiers.items() if not kept.is_deleted}
        live |= {(one, True) for one, pointing in self.aliases.items() if pointing.target is not None}
        if any(one.casefold() == name.casefold() for one, _ in live - {(name, for_alias)}):
            raise NameTaken(name)


def threshold_of(seed: int) -> float | None:
    """Return the threshold that is set, or ``None`` where it is cleared."""
    return seed % 4 / 4 if seed % 3 else None


def rows(seed: int) -> Dataset:
    """Return the rows of a training, which every third training shares."""
    return Dataset(tuple(Row(f"{row.text} {seed % 3}", row.label) for row in ROW_EXAMPLES))


@cache
def contents(seed: int) -> Mapping[str, bytes]:
    """Return the blobs of a training, whose artifact tells which it is."""
    head = LinearHead(np.full((2, 1), seed, np.float32), np.zeros(2, np.float32))
    return {ARTIFACT: artifact_to_bytes(Artifact(head)), ROWS: rows_to_blob(rows(seed).jsonl)}


def contents_without_a_row(seed: int) -> Mapping[str, bytes]:
    """Return the blobs of a training from whose rows the first one was erased."""
    return {**contents(seed), ROWS: rows_to_blob(rows_as_jsonl(rows(seed).rows[1:]))}


class Server:
    """The real classifiers and aliases of a place, as one process sees them."""

    def __init__(self, files: Files, lock: Lock | None = None) -> None:
        self.names = open_names(files)
        if lock is not None:
            self.names.lock = lock
        self.catalog, self.aliases = Catalog(self.names), Aliases(self.names)

    def fit(self, name: str, seed: int, description: str | None = None, overwrite: bool = True) -> int:
        return self._publish(name, seed, description, overwrite=overwrite)

    def take_in(self, name: str, seed: int) -> int:
        origin = Origin("elsewhere", 7, record().created_at)
        return self._publish(name, seed, None, origin=origin, overwrite=False)

    def describe(self, name: str, description: str) -> None:
        described = self.catalog.describe(DescribeRequest(name, description))
        assert described.record.description == description

    def measure(self, name: str, seed: int) -> int:
        correct = seed % 10
        per_label = {"billing": correct, "bug": 0}
        score = replace(
            TEST_SCORE, correct=correct, correct_per_label=per_label, rows_per_label={"billing": 9, "bug": 1}
        )
        return self.catalog.record_evaluation(self.catalog.current(name), score).record.revision

    def set_threshold(self, name: str, seed: int) -> float | None:
        abstain_below = threshold_of(seed)
        threshold = None if abstain_below is None else Threshold(abstain_below)
        _, before = self.catalog.set_threshold(Reference(name), threshold, ChangeNote(reason=f"seed {seed}"))
        return None if before is None else before.abstain_below

    def delete(self, name: str, force: bool = False) -> None:
        self.catalog.delete(name, force=force)

    def restore(self, name: str, revision: int | None = None) -> int:
        return self.catalog.restore(name, revision).record.revision

    def purge(self, name: str, force: bool = False) -> None:
        assert self.catalog.purging.purge(name, force=force) >= 0

    def purge_revision(self, name: str, revision: int, force: bool = False) -> None:
        assert self.catalog.purging.purge_revision(name, revision, force=force) >= 0

    def promote(self, alias: str, target: str, reason: str = "") -> str:
        return str(self.aliases.promote(alias, read_reference(target), ChangeNote(reason=reason)).points_to)

    def roll_back(self, alias: str, reason: str = "") -> str:
        return str(
            self.aliases.roll_back(alias, self.aliases.rollback_target(alias), ChangeNote(reason=reason)).points_to
        )

    def remove(self, alias: str, reason: str = "") -> None:
        self.aliases.remove(alias, ChangeNote(reason=reason))

    def erase(self, name: str, seed: int) -> None:
        text = rows(seed).rows[0].text
        Erasing(self.names, self.catalog.blobs).remove_rows(name, lambda one: one == text)

    def sweep(self) -> str:
        return " ".join(self.catalog.purging.purge_expired(utc_now() + timedelta(days=1)))

    def find(self, reference: str) -> object:
        """Return revision, seed and description of what a reference means, or the name of the error."""
        try:
            entry = self.catalog.find(read_reference(reference)).entry
        except WindrowError as error:
            return type(error).__name__
        return entry.record.revision, entry.record.seed, entry.record.description

    def contents(self, entry: ClassifierState) -> Mapping[str, bytes]:
        """Return the blobs of a training."""
        return {role: self.catalog.blobs.read(entry.record.name, ref) for role, ref in entry.blobs.items()}

    def alias_changes(self, alias: str) -> object:
        """Return every change of an alias, or the name of the error."""
        try:
            changes = self.aliases.history(alias)
        except AliasNotFound:
            return "AliasNotFound"
        return tuple((change.number, change.event, change.reason, change.points_to) for change in changes)

    def state(self) -> State:
        """Return all of it in plain values, each blob having been read and found to be its training's."""
        deleted = {one.name: one for one in self.catalog.listing(ListRequest(deleted=True)).models}
        live = {one.name: one for one in self.catalog.listing(ListRequest()).models}
        assert not deleted.keys() & live.keys()
        aliases = [name for name in self.names.aliases.names() if self.names.aliases.newest(name).number]
        return {
            **{f"classifier {name}": self._classifier_state(name, is_deleted=True) for name in deleted},
            **{f"classifier {name}": self._classifier_state(name, is_deleted=False) for name in live},
            **{f"alias {alias}": self._alias_state(alias) for alias in aliases},
        }

    def finding_codes(self, *, repair: bool = False) -> set[str]:
        """Return what ``fsck`` finds, as it would do some days later; there must be no damage."""
        assert isinstance(self.names.files, LocalFiles)
        later = Namespace(self.names.files, self.names.lock, lambda: utc_now() + timedelta(days=3))
        report = check(self.names.files.root, later, repair=repair)
        assert report.sound, report.findings
        return {finding.code for finding in report.findings if finding.severity == "garbage"}

    def half_purged(self) -> set[str]:
        """Return the names that a crash left in the middle of a purge."""
        logs = self.names.classifiers
        return {name for name in logs.names() if isinstance(logs.newest(name).value, Purged)}

    def _publish(
        self, name: str, seed: int, description: str | None, *, origin: Origin | None = None, overwrite: bool
    ) -> int:
        training = replace(record(name), seed=seed, training_data_sha256=rows(seed).sha256, origin=origin)
        kind: Literal["trained", "imported"] = "imported" if origin else "trained"
        new_revision = NewRevision(training, contents(seed), description, kind=kind, overwrite=overwrite)
        return self.catalog.publish(new_revision).record.revision

    def _classifier_state(self, name: str, *, is_deleted: bool) -> object:
        last = self.names.last_entry(name)
        trainings = {number: self._training(name, number, last) for number in self.names.revisions(name)}
        numbers = tuple(number for number in self.names.classifiers.numbers(name) if number not in last.purged)
        erased = frozenset(self.names.erased(name).keys() & trainings.keys())
        counts = last.purged, last.buried.up_to if last.buried else 0, numbers, erased
        return is_deleted, last.record.revision, last.record.description, trainings, counts

    def _training(self, name: str, revision: int, last: ClassifierState) -> object:
        entry = self.names.training(name, revision, last)
        kept, seed = entry.record, entry.record.seed
        assert (kept.name, kept.revision) == (name, revision)
        assert self.contents(entry) == (contents_without_a_row(seed) if entry.has_erased_rows else contents(seed))
        threshold = None if kept.threshold is None else kept.threshold.abstain_below
        correct = None if kept.test is None else kept.test.correct
        found = correct, (threshold, len(kept.threshold_changes))
        return (seed, "trained" if kept.origin is None else "imported"), found

    def _alias_state(self, alias: str) -> object:
        shown = {one.alias: one for one in self.aliases.list()}.get(alias)
        changes = self.alias_changes(alias)
        return (None, False, changes) if shown is None else (shown.points_to, shown.answers, changes)
