"""Replicas that share a bucket, whose work goes on one request at a time in an order that a seed decides."""

from itertools import count
from pathlib import Path
from random import Random

from tests.fakes.bucket import MemoryBucket
from tests.storage.object_store import bodies
from tests.storage.object_store.ledger import EXPECTED, Attempted, Body, Ledger, Replica, read_quietly
from tests.storage.object_store.stepping import Fate, Task

NUM_AT_ONCE = 6


class Interleaving:
    """A history of some replicas: of work that begins, goes on, fails and dies, in random order.

    Args:
        seed: Decides all of it.
        folder: Of the replicas' caches.
        faults: How often a request or its reply is lost, as a share.
    """

    def __init__(self, seed: int, folder: Path, faults: float) -> None:
        self.store = MemoryBucket()
        self.ledger = Ledger(self.store)
        self.history: list[str] = []
        self._random = Random(seed)
        self._folder, self._faults = folder, faults
        self._clock, self._folders = count(1), count(1)
        self._checked = -1
        # Half of the histories draw who goes on anew at each step. The other half lets one go on while it can, and now
        # and then puts it behind all others: few changes at the right moments are what most mistakes need.
        # Source: Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs" (2010)
        self._keeps_on = self._random.random() < 0.5
        self._queue: list[Task] = []
        self.replicas = [self._new_replica() for _ in range(self._random.choice([2, 3]))]
        for replica in self.replicas:
            replica.open()

    def run(self, steps: int) -> None:
        """Let so many things happen, then let all come to rest, and check everything."""
        try:
            for _ in range(steps):
                self._act()
                self._check()
            self._come_to_rest()
        finally:
            for replica in self.replicas:
                for task in replica.tasks:
                    task.finish(Fate.DIE)

    def _act(self) -> None:
        late = [replica for replica in self.replicas if replica.bucket.late]
        if late and self._random.random() < 0.05:
            self.history.append("a late request arrives")
            self._random.choice(late).bucket.deliver(self._random.randrange(99))
        elif self._faults and self._random.random() < 0.005:
            self._kill(self._random.randrange(len(self.replicas)))
        elif len(running := self._running()) < NUM_AT_ONCE and self._random.random() < 0.3:
            self._begin(self._random.choice(self.replicas))
        elif running:
            task = self._next(running)
            for _ in range(self._random.choice([1, 1, 1, 2, 5])):
                if not task.is_done:
                    fate = Fate.GO
                    if self._random.random() < self._faults:
                        fate = self._random.choice([Fate.FAIL, Fate.AGAIN, Fate.LATE])
                    self._step(task, fate)

    def _next(self, running: list[Task]) -> Task:
        """Choose whose turn it is."""
        if not self._keeps_on:
            return self._random.choice(running)
        self._queue = [task for task in self._queue if not task.is_done]
        for task in running:
            if task not in self._queue:
                self._queue.insert(self._random.randint(0, len(self._queue)), task)
        if self._queue[0].waits_for == ("wait", "") or self._random.random() < 0.1:
            self._queue.append(self._queue.pop(0))
        return self._queue[0]

    def _begin(self, replica: Replica) -> None:
        if not replica.is_open:
            return
        files = replica.files
        kind = self._random.choices(
            ["change", "follow", "read", "tidy", "fence"],
            [10, 5, 5, 1, 0.5],
        )[0]
        self.history.append(f"{kind} begins on {self.replicas.index(replica)}")
        if kind == "follow":
            replica.tasks.append(Task(files.follow))
        elif kind == "tidy":
            replica.tasks.append(Task(files._log.tidy_checkpoints))
        elif kind == "read":
            self._read(replica)
        else:
            attempt = Attempted(files, self._body() if kind == "change" else None, next(self._clock))
            self.ledger.attempts.append(attempt)
            replica.tasks.append(attempt.task)

    def _body(self) -> Body:
        kind, name = self._random.choice(bodies.KINDS), self._random.choice("ab")
        own, other = self._random.choice([("x", "y"), ("y", "x")])
        return self._random.choice([bodies.give(kind, name), bodies.purge(kind, name), bodies.count(own, other)])

    def _read(self, replica: Replica) -> None:
        """Read what a replica holds for there, while others may remove it; what was there at some moment is right."""
        keys = sorted(replica.files._log._state.files)
        if not keys:
            return
        chosen, since = self._random.choice(keys), replica.files.commit_number

        def look() -> None:
            found = read_quietly(replica.files, chosen)
            assert found in {state.get(chosen) for state in self.ledger.states()[since:]}

        replica.tasks.append(Task(look))

    def _kill(self, index: int) -> None:
        self.history.append(f"{index} is killed")
        dead = self.replicas[index]
        for task in dead.tasks:
            task.finish(Fate.DIE)
        self._note_ends()
        new = self.replicas[index] = self._new_replica()
        new.bucket.late.extend(dead.bucket.late)  # what it had sent may still arrive
        new.tasks.append(Task(new.open))

    def _step(self, task: Task, fate: Fate) -> None:
        self.history.append(f"{task.waits_for} of {id(task):x}: {fate.name}")
        task.step(fate)
        self._note_ends()

    def _note_ends(self) -> None:
        for attempt in self.ledger.attempts:
            if attempt.task.is_done and attempt.ended is None:
                attempt.ended = next(self._clock)
        for replica in self.replicas:
            for task in [task for task in replica.tasks if task.is_done]:
                replica.tasks.remove(task)
                if task.error is not None and not isinstance(task.error, EXPECTED):
                    raise task.error
                if not replica.is_open:  # it could not be opened, and is tried again
                    replica.tasks.append(Task(replica.open))

    def _check(self) -> None:
        """Check the log, if it has grown, and that each replica shows some commit as it is."""
        size = len(self.store.objects_by_key)
        if size == self._checked:
            return
        self._checked = size
        states = self.ledger.states()
        for replica in self.replicas:
            assert replica.files._log._state.files.keys() == states[replica.files.commit_number].keys()

    def _come_to_rest(self) -> None:
        """Let all work end and all requests arrive; then everybody must agree, a fresh start included."""
        while running := self._running():
            for task in running:
                if not task.is_done:
                    self._step(task, Fate.GO)
        for replica in self.replicas:
            replica.bucket.deliver_all()
        fresh = self._new_replica()
        fresh.open()
        for replica in (*self.replicas, fresh):
            replica.files.follow()
            self.ledger.check_agreement(replica)
        self.ledger.check_refusals()
        garbage = self.ledger.garbage()
        assert self._faults or not garbage, garbage

    def _running(self) -> list[Task]:
        return [task for replica in self.replicas for task in replica.tasks if not task.is_done]

    def _new_replica(self) -> Replica:
        return Replica(self.store, self._folder / str(next(self._folders)))
