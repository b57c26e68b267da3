"""The one space of names that classifiers and aliases share: their logs, the lock, and errors about names."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from windrow.domain.caller import current_caller
from windrow.domain.clock import utc_now
from windrow.domain.errors import (
    AliasNotFound,
    ClassifierInUse,
    ClassifierNotFound,
    InvalidArtifact,
    NameTaken,
    RevisionNotFound,
    WindrowError,
)
from windrow.domain.figures import counted
from windrow.domain.names import Reference, check_name, names_with_prefix, near_names
from windrow.domain.versions import read_version
from windrow.storage import history
from windrow.storage.files import Files
from windrow.storage.lock import Lock
from windrow.storage.log import Logs, OnChange, readable
from windrow.storage.revision import (
    AliasLogEntry,
    BlobRef,
    ClassifierState,
    LogEntry,
    Pointer,
    Tombstone,
    alias_from_json,
    entry_from_json,
)

CLASSIFIERS = "classifiers"
ALIASES = "aliases"
_SHOWN_NAMES = 10


def _is_any(_: str) -> bool:
    return True


class Namespace:
    """The names in a place, for any number of threads and processes.

    Whoever calls is told only of names that its API key knows, in hints and lists; what protects the names of others
    looks at all of them.

    Args:
        files: The place.
        lock: Lets one writer at a time into it. Whoever changes something holds it from the look to the commit, so what
            was looked at still holds; readers do without.
        now: The clock that dates changes.
    """

    def __init__(self, files: Files, lock: Lock, now: Callable[[], datetime] = utc_now) -> None:
        self.files = files
        self.lock = lock
        self.now = now
        self._listeners: list[OnChange] = []
        self.classifiers: Logs[LogEntry] = Logs(files, CLASSIFIERS, entry_from_json, self._tell)
        self.aliases: Logs[AliasLogEntry] = Logs(files, ALIASES, alias_from_json, self._tell)

    def subscribe(self, listener: OnChange) -> None:
        """Have a listener called with the name of each classifier or alias that is changed through this object."""
        self._listeners.append(listener)

    def tell(self, keys: Iterable[str]) -> None:
        """Tell the listeners of files that came or went without a change through this object.

        Args:
            keys: Their keys.
        """
        parts = [key.split("/") for key in keys]
        for name in {each[1] for each in parts if each[0] in (CLASSIFIERS, ALIASES)}:
            self._tell(name)

    def entry(self, name: str) -> ClassifierState | None:
        """Return what a classifier's newest revision says; ``None`` where there is none or it is deleted.

        Raises:
            InvalidArtifact: Its file is damaged or of a newer format.
        """
        value = readable(self.classifiers.newest(name).value)
        return value if isinstance(value, ClassifierState) else None

    def revision(self, name: str, revision: int) -> ClassifierState:
        """Return a training of a classifier by its number: what its last file says of it, with the notes of today.

        Raises:
            ClassifierNotFound: No classifier has this name, or it is deleted.
            RevisionNotFound: It has no such revision, or none any more.
            InvalidArtifact: The revision's file is damaged.
        """
        known = self.entry(name)
        while known is not None:
            outcome: ClassifierState | WindrowError
            try:
                outcome = self.training(name, revision, known)
            except (RevisionNotFound, InvalidArtifact) as error:
                outcome = error
            # The state and the outcome are consistent only if nothing has changed between reading the two.
            if known == (known := self.entry(name)):
                if isinstance(outcome, ClassifierState):
                    return outcome
                raise outcome
        raise self.not_found(name)

    def answering(self, target: Reference) -> ClassifierState:
        """Return what answers for a target of an alias.

        Args:
            target: A classifier or one of its revisions.

        Raises:
            ClassifierNotFound: No classifier has this name, or it is deleted.
            RevisionNotFound: It has no such revision.
            InvalidArtifact: The file is damaged.
        """
        if target.revision is not None:
            return self.revision(target.name, target.revision)
        if (entry := self.entry(target.name)) is None:
            raise self.not_found(target.name)
        return entry

    def training(self, name: str, revision: int, known: ClassifierState) -> ClassifierState:
        """Return a training like :meth:`revision`, of a classifier that may be deleted.

        Args:
            name: The classifier.
            revision: The training's number.
            known: The last entry that says what answers.
        """
        if known.record.revision == revision:
            return known
        state = readable(history.training(self.classifiers.values(name), revision, known.purged))
        if state is not None:
            # What holds for the whole name: its notes, and what was removed from its log.
            record = replace(state.record, description=known.record.description, tags=known.record.tags)
            return replace(state, record=record, purged=known.purged, buried=known.buried, erased=known.erased)
        there = self.revisions(name)
        its = "only revision is {newest:joined}."
        if len(there) != 1:
            newest = "newest " if len(there) > _SHOWN_NAMES else ""
            its = f"{newest}revisions are {{newest:joined}}. Name one of these."
        raise RevisionNotFound(
            "{model_name} has no revision {revision}. Its " + its,
            {"model_name": name, "revision": revision, "revisions": list(there), "newest": list(there[-_SHOWN_NAMES:])},
        )

    def revisions(self, name: str) -> tuple[int, ...]:
        """Return the revisions of a classifier that can be reached, ascending."""
        return history.trainings(self.classifiers.values(name))

    def purged(self, name: str) -> tuple[int, ...]:
        """Return the numbers that were removed from a classifier's log."""
        return history.purged(self.classifiers.values(name))

    def erased(self, name: str) -> Mapping[int, BlobRef | None]:
        """Return what stands in the place of rows of a classifier of which some were erased."""
        return history.erased(self.classifiers.values(name))

    def purged_steps(self, alias: str) -> tuple[int, ...]:
        """Return the numbers that were removed from an alias's log."""
        return history.purged_steps(self.aliases.values(alias))

    def last_entry(self, name: str) -> ClassifierState:
        """Return what answers under a name, or answered before it was deleted.

        Raises:
            ClassifierNotFound: Nothing is there under this name.
            InvalidArtifact: The file is damaged.
        """
        if (entry := readable(history.last_entry(self.classifiers.values(name)))) is None:
            raise self.not_found(name)
        return entry

    def pointer(self, alias: str) -> Pointer | None:
        """Return where an alias points; ``None`` where there is no such alias.

        Raises:
            InvalidArtifact: Its newest file is damaged.
        """
        value = readable(self.aliases.newest(alias).value)
        return value if isinstance(value, Pointer) else None

    def latest(self, task: str, is_meant: Callable[[str], bool] = _is_any) -> ClassifierState:
        """Return the highest version of a task.

        Args:
            task: The task.
            is_meant: Whether a classifier of a name counts.

        Raises:
            ClassifierNotFound: The task has no version.
            InvalidArtifact: The highest version is damaged.
        """
        for name in self.versions(task):
            if is_meant(name) and (entry := self.entry(name)) is not None:
                return entry
        raise ClassifierNotFound(
            "The task {task} has no version: no classifier is named {task}_v1, {task}_v2 or so on. List the "
            "classifiers that exist, or train it first.",
            {"model_name": f"{task}@latest", "task": task, "near_names": []},
        )

    def versions(self, task: str) -> tuple[str, ...]:
        """Return the names of a task's versions, the highest first, also of those that do not answer."""
        named = names_with_prefix(self.classifiers.names(), f"{task}_v")
        versions = [(version, name) for name in named if (version := read_version(name))]
        return tuple(name for version, name in sorted(versions, reverse=True) if version.task == task)

    def folders_of(self, reference: Reference, name: str, alias: str | None) -> tuple[str, ...]:
        """Return the folders that decide what a reference means: while no name in them comes or goes, it stays so.

        Args:
            reference: The reference.
            name: The classifier that it means now.
            alias: The alias that it names; ``None`` where it names none.
        """
        own = f"{CLASSIFIERS}/{name}"
        if reference.is_latest:  # a higher version may come, or come back
            versions = self.versions(reference.name)
            higher = versions[: versions.index(name)] if name in versions else ()
            return (CLASSIFIERS, own, *(f"{CLASSIFIERS}/{each}" for each in higher))
        if alias is not None:  # a classifier of that name would come first
            return (CLASSIFIERS, f"{ALIASES}/{alias}", own)
        return (own,)

    def pointing_at(self, name: str, revision: int | None = None) -> tuple[str, ...]:
        """Return the aliases that answer through a classifier, sorted.

        Args:
            name: The classifier.
            revision: Only those that point to just this revision; ``None`` for any.
        """
        targets = self.targets_in(name, strictly=True)
        return tuple(alias for alias, target in targets if revision in (None, target.revision))

    def targets_in(self, name: str, *, strictly: bool = False) -> Iterator[tuple[str, Reference]]:
        """Yield each alias that points to a classifier or to one of its revisions, and to which, as `pointers` does.

        Args:
            name: The classifier.
            strictly: As for :meth:`pointers`.
        """
        for alias, pointer in self.pointers(strictly=strictly):
            if (target := pointer.target).name == name:
                yield alias, target

    def pointers(self, *, strictly: bool = False) -> Iterator[tuple[str, Pointer]]:
        """Yield each alias and where it points, sorted; one that is damaged is left out, with a warning in the log.

        Args:
            strictly: Whether to yield also those that the caller does not know, and to fail where one may not be read,
                as what takes something away must: its alias may point there. Otherwise it is for lists.
        """
        look = self.aliases.newest if strictly else self.aliases.newest_listed
        is_meant = _is_any if strictly else current_caller().knows
        meant = [*filter(is_meant, self.aliases.names())]
        self.aliases.prefetch(meant)
        for alias in meant:
            value = look(alias).value
            if isinstance(value, Pointer):
                yield alias, value

    def check_free(self, name: str, *, for_alias: bool = False) -> None:
        """Refuse a name that may not be given to a classifier, or to an alias.

        Raises:
            InvalidName: It breaks the grammar.
            NameTaken: The other kind has it, or a name of either kind differs only in case.
        """
        folded = check_name(name).casefold()
        for kind, logs in (("classifier", self.classifiers), ("alias", self.aliases)):
            alike = [other for other in logs.names() if other.casefold() == folded]
            for other in alike:
                is_own = other == name and for_alias == (kind == "alias")
                # One whose file cannot be read is in use.
                if not is_own and isinstance(logs.newest(other).value, ClassifierState | Pointer | InvalidArtifact):
                    raise name_taken(name, other, kind)

    def check_unused(self, name: str, revision: int | None = None) -> None:
        """Refuse to take away what an alias points to.

        Raises:
            ClassifierInUse: An alias does.
        """
        if aliases := self.pointing_at(name, revision):
            raise in_use({str(Reference(name, revision)): aliases})

    def not_found(self, name: str) -> ClassifierNotFound:
        """Return the error for a name that no classifier has."""
        if isinstance(pointer := self.aliases.newest(name).value, Pointer):
            return ClassifierNotFound(
                "{model_name} is an alias; it points to {points_to}. Name the classifier itself.",
                {"model_name": name, "points_to": pointer.points_to, "near_names": [*_known((pointer.target.name,))]},
            )
        if isinstance(tombstone := self.classifiers.newest(name).value, Tombstone):
            deleted_at = tombstone.at.strftime("%Y-%m-%dT%H:%M:%SZ")
            return ClassifierNotFound(
                "{model_name} was deleted at {deleted_at}. Restore it while that is possible, or train it again.",
                {"model_name": name, "near_names": [], "deleted_at": deleted_at},
            )
        return self.unknown(name)

    def unknown(self, name: str) -> ClassifierNotFound:
        """Return the error for a name that never was one, or that the caller does not know, without a look at it."""
        near = self._near(name)
        return ClassifierNotFound(
            f"There is no classifier named {{model_name}}.{_question(near)} List the classifiers that exist, or "
            "train it first.",
            {"model_name": name, "near_names": near},
        )

    def alias_not_found(self, alias: str) -> AliasNotFound:
        """Return the error for a name that no alias has."""
        near = near_names(alias, [name for name, _ in self.pointers()])
        return AliasNotFound(
            f"There is no alias named {{alias}}.{_question(near)} List the aliases that exist, or make it by "
            "promoting a classifier.",
            {"alias": alias, "near_names": list(near)},
        )

    def _tell(self, name: str) -> None:
        for listener in self._listeners:
            listener(name)

    def _near(self, name: str) -> list[str]:
        # Of all the names first, then what lives among the near ones: a wrong name must not read every record.
        near = near_names(name, _known((*self.classifiers.names(), *self.aliases.names())))
        lives = (ClassifierState, Pointer, InvalidArtifact)
        return [
            other
            for other in near
            if isinstance(self.classifiers.newest_listed(other).value, lives)
            or isinstance(self.aliases.newest_listed(other).value, lives)
        ]


def in_use(aliases_of: Mapping[str, tuple[str, ...]]) -> ClassifierInUse:
    """Return the error for classifiers that aliases point to; it counts aliases that the caller does not know.

    Args:
        aliases_of: The aliases by what they point to, at least one.
    """
    shown = [f"{name} ({_listed(aliases)})" for name, aliases in list(aliases_of.items())[:_SHOWN_NAMES]]
    more = " and {more} more" if len(aliases_of) > _SHOWN_NAMES else ""
    return ClassifierInUse(
        f"Aliases point to {{used:joined}}{more}, so nothing was deleted. Promote another classifier first, or "
        "{turn_on:force}; the alias then answers no more.",
        {
            "aliases": sorted({alias for aliases in aliases_of.values() for alias in _known(aliases)}),
            "used": shown,
            "more": len(aliases_of) - len(shown),
        },
    )


def name_taken(name: str, other: str, kind: str) -> NameTaken:
    """Return the error for a name that cannot be given since there is another one; it names only what the caller knows.

    Args:
        name: The name.
        other: The existing one.
        kind: Whose that is, a classifier or an alias.
    """
    if not current_caller().knows(other):
        return NameTaken(
            "The name {name} differs only in case from another one, which this API key does not know; classifiers and "
            "aliases share one space of names. Choose another name.",
            {"name": name},
        )
    how = "belongs to" if name == other else "differs only in case from"
    return NameTaken(
        f"The name {{name}} {how} the {{kind}} {{existing_name}}; classifiers and aliases share one space of names. "
        "Choose another name, or delete the {kind} {existing_name} first.",
        {"name": name, "existing_name": other, "kind": kind},
    )


def _known(names: Iterable[str]) -> Iterator[str]:
    return filter(current_caller().knows, names)


def _listed(aliases: Sequence[str]) -> str:
    known = list(_known(aliases))
    if hidden := len(aliases) - len(known):
        known.append(counted(hidden, "alias that this API key does not know", "aliases that it does not know"))
    return ", ".join(known)


def _question(near: Sequence[str]) -> str:
    return " Did you mean {near_names:or}?" if near else ""
