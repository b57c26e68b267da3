"""Processes that change the same few names at once while others read, all of whose answers are compared with the model.

Each change takes a number under the writers' lock, so the order in which they took place is known. Done in that order,
the model must have given the same answers; and what a reader saw must have been true at some time while it looked.
"""

import json
import mmap
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from random import Random

from tests.storage.examples import fast_folder, lock_of
from tests.storage.model import Model, Pointing, Server, Verb, contents, contents_without_a_row, random_verb
from windrow.domain.errors import WindrowError
from windrow.domain.listing import ListRequest
from windrow.domain.names import read_reference
from windrow.storage.files import LocalFiles
from windrow.storage.lock import Lock

NAMES, ALIASES = "abc", "axy"
REFERENCES = (*NAMES, *ALIASES, *(f"{name}@{revision}" for name in NAMES for revision in (1, 2, 3)))
# However slow the machine is, so much is done.
FEWEST_ROUNDS = 25


class Turns:
    """A count of the changes, in memory that processes share."""

    def __init__(self) -> None:
        self._numbers = memoryview(mmap.mmap(-1, 16)).cast("q")

    @property
    def begun(self) -> int:
        """The number of the change that was begun last; all before it are done."""
        return self._numbers[0]

    @contextmanager
    def next(self) -> Iterator[int]:
        """Give the next number to whoever is alone here."""
        assert self._numbers[1] == 0, f"process {self._numbers[1]} is at it as well"
        self._numbers[1] = os.getpid()
        self._numbers[0] += 1
        try:
            yield self._numbers[0]
        finally:
            self._numbers[1] = 0


class CountingLock:
    """A writers' lock that numbers those who get it.

    Args:
        lock: The lock.
        turns: The numbers.
    """

    def __init__(self, lock: Lock, turns: Turns) -> None:
        self._lock, self._turns = lock, turns
        self.turn: int | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock(), self._turns.next() as self.turn:
            yield


@dataclass(frozen=True)
class Answer:
    """What a process was told.

    Args:
        asked: A method and its arguments.
        said: The answer, or the name of the error.
        since: The change that was begun last when it asked.
        until: The change that was begun last when it had its answer.
        turn: Its own number; ``None`` where it changed nothing.
    """

    asked: Sequence[object]
    said: object
    since: int
    until: int
    turn: int | None = None


class Racer:
    """One process of the race.

    Args:
        folder: The data directory.
        turns: The count of the changes.
        number: Of this process; of two with the same number the trainings could not be told apart.
        seed: Of the race.
    """

    def __init__(self, folder: Path, turns: Turns, number: int, seed: int) -> None:
        files = LocalFiles(folder)
        self._turns = turns
        self._lock = CountingLock(lock_of(files), turns)
        self._server = Server(files, self._lock)
        self._random = Random(f"{seed} {number}")
        self._seeds = iter(range(number, sys.maxsize, 100))
        self.answers: list[Answer] = []

    def write(self) -> None:
        """Change something."""
        one = random_verb(self._random, NAMES, ALIASES, next(self._seeds))
        self._lock.turn = None
        since = self._turns.begun
        said = one.on(self._server)
        self.answers.append(Answer((one.method, *one.args), said, since, self._turns.begun, self._lock.turn))

    def read(self) -> None:
        """Look at something."""
        draw = self._random.random()
        if draw < 0.8:
            self._find(self._random.choice(REFERENCES))
        elif draw < 0.95:
            self._ask(self._listing, "listing")
        else:
            alias = self._random.choice(ALIASES)
            self._ask(lambda: self._server.alias_changes(alias), "alias_changes", alias)

    def _listing(self) -> object:
        listed = self._server.catalog.listing(ListRequest()).models
        return {one.name: (one.revision, one.seed, one.description) for one in listed}

    def _find(self, reference: str) -> None:
        self._ask(lambda: self._server.find(reference), "find", reference)
        try:
            entry = self._server.catalog.find(read_reference(reference)).entry
        except WindrowError:
            return
        name, seed = entry.record.name, entry.record.seed
        expected = contents_without_a_row(seed) if entry.has_erased_rows else contents(seed)
        self._ask(lambda: self._server.contents(entry) == expected, "contents", name, seed)

    def _ask(self, question: Callable[[], object], *asked: object) -> None:
        since = self._turns.begun
        try:
            said = question()
        except WindrowError as error:
            said = type(error).__name__
        self.answers.append(Answer(asked, said, since, self._turns.begun))


@dataclass(frozen=True)
class Race:
    """What was done in a race.

    Args:
        changes: Changes that were tried, in the order in which they took place.
        reads: Answers to readers.
        conflicts: Changes that were refused because somebody else had changed the same alias or classifier meanwhile.
    """

    changes: int
    reads: int
    conflicts: int


def race(seconds: float, seed: int, parent: str | None = None, writers: int = 8, readers: int = 2) -> Race:
    """Let processes race for some seconds on one directory, and see that all of them were told the truth.

    Args:
        seconds: How long.
        seed: Of all random choices.
        parent: Where the data directory is made; in memory if that is left open.
        writers: Processes that change things.
        readers: Processes that look at them.
    """
    with fast_folder(parent) as folder:
        root, turns = Path(folder, "data"), Turns()
        racers = [Racer(root, turns, number, seed) for number in range(writers + readers)]
        verbs = [Racer.write] * writers + [Racer.read] * readers
        outputs = [Path(folder, str(number)) for number in range(writers + readers)]
        children = [_fork(*each, seconds) for each in zip(racers, verbs, outputs, strict=True)]
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)
        answers = [Answer(*line) for output in outputs for line in json.loads(output.read_text())]
        referee = Referee(answers)
        for answer in answers:
            referee.check(answer)
        server = Server(LocalFiles(root))
        assert server.state() == referee.states[-1].state()
        assert server.finding_codes() == set()
        return Race(len(referee.changes), len(answers) - len(referee.changes), referee.conflicts)


def _fork(racer: Racer, act: Callable[[Racer], None], output: Path, seconds: float) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        end_s = time.monotonic() + seconds
        while len(racer.answers) < FEWEST_ROUNDS or time.monotonic() < end_s:
            act(racer)
        output.write_text(json.dumps([astuple(answer) for answer in racer.answers]))
        status = 0
    except BaseException:  # noqa: BLE001 - nothing may leave this process but its exit status
        traceback.print_exc()
    finally:
        os._exit(status)


class Referee:
    """Knows what was true after each change.

    Args:
        answers: Everything that anybody was told.
    """

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.changes = sorted((one for one in answers if one.turn is not None), key=lambda one: one.turn or 0)
        assert [change.turn for change in self.changes] == [*range(1, len(self.changes) + 1)]
        self.states = [Model()]
        self.conflicts = 0
        for change in self.changes:
            self._replay(change)

    def check(self, answer: Answer) -> None:
        """See that an answer was true at some time between question and answer."""
        method, *args = answer.asked
        window = self.states[max(0, answer.since - 1) : answer.until + 1]
        if answer.turn is None:
            check = getattr(self, f"_may_{method}", None)
            is_true = check(window, answer.said, *args) if check else _may_refuse(window, answer)
            assert is_true, f"{answer}, while the truth was, in turn, {list(map(str, window))}"

    def _replay(self, change: Answer) -> None:
        method, *args = change.asked
        model = self.states[-1].copy()
        if change.said == "ConcurrentChange":
            self.conflicts += 1
            name = str(args[0])
            assert method in ("roll_back", "measure")
            look = Model.alias_now if method == "roll_back" else Model.training_now
            seen = self.states[max(0, change.since - 1) :]
            assert any(look(state, name) != look(model, name) for state in seen), change
        else:
            said = Verb(str(method), tuple(args)).on(model)
            assert said == change.said, f"{change}, but the model says {said}; before was {self.states[-1]}"
        self.states.append(model)

    def _may_find(self, window: Sequence[Model], said: object, reference: str) -> bool:
        if any(_plain(model.find(reference)) == said for model in window):
            return True
        # An alias is looked up first, and then what it pointed to.
        targets = ((place, pointing.target) for place, pointing in _pointings(window, reference) if pointing.target)
        later = (model.shown(target) for place, target in targets for model in window[place:])
        return not isinstance(said, str) and said in map(_plain, later)

    def _may_contents(self, window: Sequence[Model], said: object, name: str, seed: int) -> bool:
        """Contents belong to their training; those of one that was purged meanwhile, or erased, may be missing."""
        if said is True or said != "InvalidArtifact":
            return said is True
        return any(not model.has(name, seed) or model.has_erased(name, seed) for model in window)

    def _may_listing(self, window: Sequence[Model], said: Mapping[str, object]) -> bool:
        """A listing looks at one name after the other."""
        return all(
            any(_plain(model.shown(name)) == said.get(name, "ClassifierNotFound") for model in window) for name in NAMES
        )

    def _may_alias_changes(self, window: Sequence[Model], said: object, alias: str) -> bool:
        return any(_plain(model.alias_changes(alias)) == said for model in window)


def _pointings(window: Sequence[Model], alias: str) -> Iterator[tuple[int, Pointing]]:
    """Yield each place in a window where there is an alias, and its change."""
    for place, model in enumerate(window):
        if (pointing := model.aliases.get(alias)) is not None:
            yield place, pointing


def _may_refuse(window: Sequence[Model], answer: Answer) -> bool:
    """Tell whether a change that did not even ask for the lock was rightly refused."""
    method, *args = answer.asked
    if any(Verb(str(method), tuple(args)).on(model.copy()) == answer.said for model in window):
        return True
    # A rollback first looks at the alias, and then at what it pointed to before.
    backs = ((place, pointing.back) for place, pointing in _pointings(window, str(args[0])))
    targets = ((place, back.target) for place, back in backs if back and back.target)
    is_gone = any(not model.answers(target) for place, target in targets for model in window[place:])
    return (method, answer.said) == ("roll_back", "NothingToRollBack") and is_gone


def _plain(value: object) -> object:
    return json.loads(json.dumps(value))
